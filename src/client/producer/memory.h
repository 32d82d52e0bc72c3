// Memory: buffer.memory, in blocks for batches. A block is taken when a batch is begun and comes back when nobody needs
// the batch's bytes any more. Blocks of the usual sizes are kept for the next batch, the last used first, since its
// bytes are still in the cache. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace barnabas::client::producer {

struct Block {
  std::unique_ptr<std::byte[]> bytes;
  size_t size = 0;
};

class Memory {
 public:
  // `unit` (batch.size) is the step of sizes whose blocks are kept: one to kKeptUnits units.
  static constexpr size_t kKeptUnits = 16;
  Memory(size_t limit, size_t unit);

  // A block of at least `size`, or nothing when that is more than is left. A block larger than the limit is given when
  // nothing else is in use, so that a single record always gets through.
  std::optional<Block> try_take(size_t size);
  void give_back(Block block);

  // Blocks the thread until there may be room for `size`, for `limit`, or until close(). False: the time is over.
  bool wait_for_room(size_t size, Duration limit);
  // Somebody waits for room without a thread.
  void begin_want() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void end_want() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  // Wakes all who wait; later waits end at once.
  void close();

  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }
  // Somebody waits for room: batches should leave although they are not full.
  bool wanted() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  bool room_for(size_t size) const { return used() + size <= limit_ || used() == 0; }

  const size_t limit_;
  const size_t unit_;
  std::mutex mutex_;
  std::condition_variable condition_;
  std::atomic<size_t> used_{0};  // changed under mutex_
  std::atomic<int> waiting_{0};
  size_t wanted_size_ = SIZE_MAX;        // of the smallest wait, under mutex_
  bool closed_ = false;                  // under mutex_
  std::vector<Block> kept_[kKeptUnits];  // by units - 1, under mutex_
};

}  // namespace barnabas::client::producer
