// EpollLoop: the real Executor, one thread that waits in epoll. A pass is: wait, tell the owners of ready descriptors,
// run what was posted, run due timers, run the end-of-pass hooks. A loop with nothing to do is not woken at all.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "host/timer_queue.h"
#include "host/unique_fd.h"
#include "runtime/executor.h"

namespace barnabas::host {

// The owner of a descriptor in the loop's epoll set.
class ReadyHandler {
 public:
  virtual void on_ready(uint32_t epoll_events) = 0;

 protected:
  ~ReadyHandler() = default;
};

class EpollLoop final : public runtime::Executor {
 public:
  explicit EpollLoop(runtime::Clock& clock);

  // On the calling thread, which becomes the loop's, until stop(). May be called again.
  void run();
  void stop();  // any thread

  void post(runtime::Work work) override;
  bool is_current() const override { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  runtime::TimerId schedule(MonotonicTime when, runtime::Work work) override;
  void cancel(runtime::TimerId timer) override;
  void at_end_of_pass(runtime::Work work) override;
  runtime::Clock& clock() override { return clock_; }

  // On the loop (add also before it runs). `handler` hears of `fd` edge by edge until remove(), after which it is never
  // called again, not even in this pass.
  void add(int fd, uint32_t epoll_events, ReadyHandler& handler);
  void remove(int fd, ReadyHandler& handler);

  // Memory for file bytes on their way into a send; shared by the streams of the loop, each for the length of a call.
  std::span<std::byte> scratch();

 private:
  int wait_timeout_ms();
  void dispatch_ready(int timeout_ms);
  void run_posted();
  void run_timers();
  void run_end_of_pass();

  runtime::Clock& clock_;
  UniqueFd epoll_;
  UniqueFd wake_;  // an eventfd; registered edge-triggered and so never read
  std::atomic<std::thread::id> thread_;

  std::mutex mutex_;
  std::vector<runtime::Work> posted_;  // under mutex_
  bool asleep_ = false;                // under mutex_: the next post must write wake_
  bool stopping_ = false;              // under mutex_

  TimerQueue timers_;
  std::vector<runtime::Work> end_of_pass_;
  std::vector<epoll_event> events_;
  size_t events_left_ = 0;  // those at the end of the batch not yet handled
  size_t events_count_ = 0;
  std::vector<std::byte> scratch_;
};

}  // namespace barnabas::host
