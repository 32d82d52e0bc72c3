// OffsetMap: the last offset of each key in a stretch of log, in bounded memory: what compaction asks whether a record
// is still the latest of its key. Keys are known by a 128-bit hash only. Owned by one cleaning at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace barnabas::log {

class OffsetMap {
 public:
  // At most `memory_bytes`, of which the part `load_factor` is used. Memory is taken as the map grows.
  OffsetMap(uint64_t memory_bytes, double load_factor);

  // False, and nothing changed: there is no room for another key.
  bool put(BytesView key, Offset offset);
  std::optional<Offset> find(BytesView key) const;

  size_t size() const { return size_; }
  size_t limit() const { return limit_; }
  void clear();  // gives the memory back

  static constexpr size_t kSlotBytes = 24;

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    int64_t offset = -1;  // -1: free
  };

  static Slot hashed(BytesView key);
  // The slot of the key, or the free one where it would go. There is a free one.
  size_t slot_of(const Slot& key) const;
  void grow();

  size_t slots_max_;
  size_t limit_;
  double load_factor_;
  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace barnabas::log
