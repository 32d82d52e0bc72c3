// WaitList: coroutines of one loop that wait for the next time something happens, or for a deadline.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/time.h"
#include "runtime/completion.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::client {

class WaitList {
 public:
  explicit WaitList(runtime::Executor& loop) : loop_(loop) {}

  // True after wake_all(), false when `deadline` came first. The list outlives the wait.
  runtime::Task<bool> wait(MonotonicTime deadline) {
    runtime::Completion<bool> woken;
    std::erase_if(waiting_, [](const auto& each) { return each.is_set(); });
    waiting_.push_back(woken);
    runtime::TimerId timer = loop_.schedule(deadline, [woken] {
      if (!woken.is_set()) woken.set(false);
    });
    auto result = co_await woken.wait(loop_);
    if (*result) loop_.cancel(timer);
    co_return *result;
  }
  void wake_all() {
    for (auto& each : std::exchange(waiting_, {})) {
      if (!each.is_set()) each.set(true);
    }
  }

 private:
  runtime::Executor& loop_;
  std::vector<runtime::Completion<bool>> waiting_;
};

}  // namespace barnabas::client
