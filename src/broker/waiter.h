// Waiter: a request parked on one or more partitions. A long poll is fired by the first of them that moves, a produce
// by the last one it needs, either by its deadline. Fired once, from any thread; the request resumes on its own loop
// and looks again at what it waited for.
#pragma once

#include <atomic>
#include <memory>

#include "base/time.h"
#include "runtime/completion.h"
#include "runtime/task.h"

namespace barnabas::broker {

class Waiter {
 public:
  // `count`: how many arrived() it takes.
  explicit Waiter(int count = 1) : missing_(count) {}

  void arrived() {
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) fire();
  }
  void fire() {
    if (!fired_.exchange(true, std::memory_order_acq_rel)) done_.set(true);
  }
  bool fired() const { return fired_.load(std::memory_order_acquire); }

  // Until it is fired, `deadline` has come or `token` is cancelled. On `home`, once.
  static runtime::Task<> wait(std::shared_ptr<Waiter> waiter, runtime::Executor& home, MonotonicTime deadline,
                              runtime::CancelToken token);

 private:
  std::atomic<int> missing_;
  std::atomic<bool> fired_ = false;
  runtime::Completion<bool> done_;
};

}  // namespace barnabas::broker
