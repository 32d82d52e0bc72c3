#include "host/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace barnabas::host {

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  submitted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::submit(runtime::Work work) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    // An idle thread that was notified but has not run yet is still counted as idle; so compare with what waits.
    if (queue_.size() > idle_ && threads_.size() < threads_max_) {
      threads_.emplace_back([this] { work_until_stopped(); });
    }
  }
  submitted_.notify_one();
}

void ThreadPool::work_until_stopped() {
  become_background_thread(name_);
  std::unique_lock lock(mutex_);
  while (true) {
    while (queue_.empty()) {
      if (stopping_) return;
      ++idle_;
      submitted_.wait(lock);
      --idle_;
    }
    runtime::Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = {};  // outside the lock: it may own much
    lock.lock();
  }
}

void become_background_thread(const std::string& name) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace barnabas::host
