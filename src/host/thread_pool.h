// ThreadPool: threads for what may block: the real WorkerPool, and the pool of syncs. Threads start when work waits and
// none is idle, up to the limit, and then stay. Destroying the pool first runs all that was submitted.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/executor.h"

namespace barnabas::host {

class ThreadPool final : public runtime::WorkerPool {
 public:
  ThreadPool(std::string name, size_t threads_max) : name_(std::move(name)), threads_max_(threads_max) {}
  ~ThreadPool() override;

  void submit(runtime::Work work) override;

 private:
  void work_until_stopped();

  const std::string name_;
  const size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable submitted_;
  std::deque<runtime::Work> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

// Blocks all signals in the calling thread, so that they go to the thread that waits for them; names it.
void become_background_thread(const std::string& name);

}  // namespace barnabas::host
