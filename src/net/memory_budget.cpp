#include "net/memory_budget.h"

#include "base/check.h"

namespace barnabas::net {

runtime::Task<bool> MemoryBudget::acquire(runtime::Executor& home, uint64_t bytes, runtime::CancelToken token) {
  std::shared_ptr<Waiter> waiter;
  {
    std::lock_guard lock(mutex_);
    if (line_.empty() && free_ >= capped(bytes)) {
      free_ -= capped(bytes);
      co_return true;
    }
    waiter = std::make_shared<Waiter>(Waiter{.bytes = capped(bytes)});
    line_.push_back(waiter);
  }
  auto granted = co_await waiter->granted.wait(home, token);
  if (granted) co_return true;
  std::lock_guard lock(mutex_);
  waiter->abandoned = true;
  if (waiter->granted.is_set()) free_ += waiter->bytes;  // granted while the cancellation was on its way
  grant_locked();
  co_return false;
}

void MemoryBudget::release(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  free_ += capped(bytes);
  CHECK(free_ <= bytes_max_, "more was released than taken");
  grant_locked();
}

void MemoryBudget::grant_locked() {
  while (!line_.empty()) {
    auto& first = line_.front();
    if (!first->abandoned) {
      if (free_ < first->bytes) return;
      free_ -= first->bytes;
      first->granted.set(true);
    }
    line_.pop_front();
  }
}

uint64_t MemoryBudget::free_bytes() const {
  std::lock_guard lock(mutex_);
  return free_;
}

}  // namespace barnabas::net
