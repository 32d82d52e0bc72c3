// TimerQueue: the timers of one loop, earliest first and in the order they were set among equals. A 4-ary heap over
// slots that know their place in it, so that cancelling removes at once and leaves no garbage. Used on its loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/executor.h"

namespace barnabas::host {

class TimerQueue {
 public:
  runtime::TimerId add(MonotonicTime when, runtime::Work work);
  void cancel(runtime::TimerId timer);  // one that is gone is ignored
  std::optional<MonotonicTime> earliest() const;
  // Takes the earliest timer if its time has come; empty work when none has.
  runtime::Work take_due(MonotonicTime now);
  size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    MonotonicTime when;
    uint64_t order;
    uint32_t slot;
    bool before(const Entry& other) const { return when != other.when ? when < other.when : order < other.order; }
  };
  struct Slot {
    runtime::Work work;
    uint32_t generation = 0;  // one more each time the slot is emptied, so that an old TimerId does not fit
    uint32_t place = 0;       // in heap_
  };

  void put(size_t place, const Entry& entry);
  void sift_up(size_t place, Entry entry);
  void sift_down(size_t place, Entry entry);
  runtime::Work remove_at(size_t place);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t next_order_ = 0;
};

}  // namespace barnabas::host
