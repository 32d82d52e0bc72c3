// Accumulator: where send() puts records and the loop finds batches. append() is for any thread and holds one
// partition's lock while it encodes the record; it wakes the loop only when a batch is full and could be sent, or when
// a record begins to wait that no timer of the loop will see in time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "client/producer/batch.h"
#include "client/producer/memory.h"
#include "client/producer/topic.h"
#include "client/settings.h"
#include "runtime/clock.h"
#include "runtime/random.h"

namespace barnabas::client::producer {

class Accumulator {
 public:
  // `wake` makes the loop look at what is noted; any thread.
  Accumulator(const ProducerSettings& settings, runtime::Clock& clock, runtime::Random& random,
              std::function<void()> wake);

  enum class Outcome {
    kTaken,
    kNoRoom,  // buffer.memory is used up: wait in memory().wait_for_room(room_needed)
    kMoved,   // the topic's sticky partition is another one by now
    kClosed,
  };
  struct Item {
    const ProducerRecord& record;
    RecordShape shape;
    uint64_t tag = 0;
    Producer::Callback* callback = nullptr;  // moved from when the record was taken
  };
  Outcome append(Partition& partition, bool sticky, Item& item);
  // The sticky partition of the topic, chosen if there is none. -1: no partition of it is known.
  int32_t sticky_partition(Topic& topic);
  size_t room_needed(const RecordShape& shape) const;

  Memory& memory() { return memory_; }
  size_t memory_limit() const { return memory_.limit(); }
  // No record is taken from now on.
  void close();
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

  // On the loop.
  // Partitions with news, oldest first; each is not noted any more. Follow next_noted.
  Partition* take_noted();
  // The loop looks at everything noted until then by itself.
  void set_armed(MonotonicTime until) { armed_until_ = until.nanos; }
  void set_not_armed() { armed_until_ = INT64_MAX; }
  // The oldest batch if it is full, or `open_too`; null if there is none.
  BatchPtr pop(Partition& partition, bool open_too);
  // When the oldest batch will want to leave: nothing if there is none, `created` + linger at most.
  std::optional<MonotonicTime> due(Partition& partition);
  // Closes the batch being filled, so that it leaves at once.
  void close_open(Partition& partition);
  // What the last batches became by compression, as a share of what they were.
  void learn_ratio(size_t plain, size_t compressed);
  void forget_ratio() { ratio_percent_ = 100; }

 private:
  size_t batch_limit() const;
  void note(Partition& partition, bool full, MonotonicTime created);
  void move_sticky(Partition& from);

  const size_t batch_bytes_;
  const size_t limit_max_;
  const Duration linger_;
  const bool compressing_;
  const bool adaptive_;
  const Duration availability_timeout_;
  runtime::Clock& clock_;
  runtime::Random& random_;
  const std::function<void()> wake_;
  Memory memory_;
  std::atomic<bool> closed_{false};
  std::atomic<Partition*> noted_{nullptr};
  std::atomic<int64_t> armed_until_{INT64_MAX};
  std::atomic<uint32_t> ratio_percent_{100};
};

}  // namespace barnabas::client::producer
