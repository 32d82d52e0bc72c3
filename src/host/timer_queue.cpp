#include "host/timer_queue.h"

#include <algorithm>
#include <utility>

namespace barnabas::host {

namespace {
constexpr size_t kArity = 4;
}

runtime::TimerId TimerQueue::add(MonotonicTime when, runtime::Work work) {
  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].work = std::move(work);
  Entry entry{when, next_order_++, slot};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
  return (uint64_t{slots_[slot].generation} << 32) | (slot + 1);
}

void TimerQueue::cancel(runtime::TimerId timer) {
  uint64_t slot = (timer & 0xffffffff) - 1;
  if (slot >= slots_.size() || slots_[slot].generation != timer >> 32) return;
  // The slot's generation changes when it is emptied, so this one is in the heap, unless the id was made up.
  size_t place = slots_[slot].place;
  if (place >= heap_.size() || heap_[place].slot != slot) return;
  runtime::Work dropped = remove_at(place);  // dies here, when the queue is whole again: its captures may call us
}

std::optional<MonotonicTime> TimerQueue::earliest() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

runtime::Work TimerQueue::take_due(MonotonicTime now) {
  if (heap_.empty() || heap_.front().when > now) return {};
  return remove_at(0);
}

void TimerQueue::put(size_t place, const Entry& entry) {
  heap_[place] = entry;
  slots_[entry.slot].place = static_cast<uint32_t>(place);
}

void TimerQueue::sift_up(size_t place, Entry entry) {
  while (place > 0) {
    size_t parent = (place - 1) / kArity;
    if (!entry.before(heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerQueue::sift_down(size_t place, Entry entry) {
  while (true) {
    size_t first = place * kArity + 1;
    if (first >= heap_.size()) break;
    size_t last = std::min(first + kArity, heap_.size());
    size_t least = first;
    for (size_t child = first + 1; child < last; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(entry)) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, entry);
}

runtime::Work TimerQueue::remove_at(size_t place) {
  uint32_t slot = heap_[place].slot;
  Entry moved = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) {
    bool up = place > 0 && moved.before(heap_[(place - 1) / kArity]);
    if (up) {
      sift_up(place, moved);
    } else {
      sift_down(place, moved);
    }
  }
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
  return std::exchange(slots_[slot].work, {});
}

}  // namespace barnabas::host
