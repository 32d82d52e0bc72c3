// ManualWorkers: a WorkerPool whose work runs when the test says so, on the test's thread.
#pragma once

#include <deque>
#include <utility>

#include "runtime/executor.h"

namespace barnabas::runtime::testing {

class ManualWorkers final : public WorkerPool {
 public:
  void submit(Work work) override { queue_.push_back(std::move(work)); }
  // Runs the oldest; false if there was none.
  bool run_one() {
    if (queue_.empty()) return false;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    work();
    return true;
  }
  size_t waiting() const { return queue_.size(); }

 private:
  std::deque<Work> queue_;
};

}  // namespace barnabas::runtime::testing
