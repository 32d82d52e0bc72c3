// MemoryBudget: a bound on the bytes that large incoming requests of all connections may hold at once. A connection
// whose request does not fit is not read from until others have finished: memory stays bounded and no request is lost.
// Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "runtime/completion.h"
#include "runtime/task.h"

namespace barnabas::net {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes_max) : free_(bytes_max), bytes_max_(bytes_max) {}

  // Takes `bytes` (at most the whole budget: a single larger request is let through alone), waiting in line on `home`.
  // False when `token` was cancelled first: nothing was taken.
  runtime::Task<bool> acquire(runtime::Executor& home, uint64_t bytes, runtime::CancelToken token);
  void release(uint64_t bytes);

  uint64_t free_bytes() const;

 private:
  struct Waiter {
    uint64_t bytes;
    runtime::Completion<bool> granted;
    bool abandoned = false;
  };
  uint64_t capped(uint64_t bytes) const { return bytes < bytes_max_ ? bytes : bytes_max_; }
  void grant_locked();

  mutable std::mutex mutex_;
  uint64_t free_;
  const uint64_t bytes_max_;
  std::deque<std::shared_ptr<Waiter>> line_;
};

}  // namespace barnabas::net
