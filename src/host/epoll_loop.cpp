#include "host/epoll_loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

#include "base/check.h"
#include "runtime/clock.h"

namespace barnabas::host {

namespace {
constexpr size_t kEventsPerPass = 256;
constexpr size_t kScratchBytes = 64 << 10;
// Posted work that posts again runs in the same pass so often before sockets get their turn.
constexpr int kPostedRoundsPerPass = 8;
}  // namespace

EpollLoop::EpollLoop(runtime::Clock& clock)
    : clock_(clock), epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(epoll_ && wake_, "the kernel gave no epoll or eventfd");
  events_.resize(kEventsPerPass);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

void EpollLoop::run() {
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  while (true) {
    int timeout_ms = wait_timeout_ms();
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
      if (!posted_.empty()) timeout_ms = 0;
      asleep_ = timeout_ms != 0;
    }
    dispatch_ready(timeout_ms);
    run_posted();
    run_timers();
    run_end_of_pass();
  }
  std::lock_guard lock(mutex_);
  stopping_ = false;
  thread_.store({}, std::memory_order_relaxed);
}

void EpollLoop::stop() {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake = std::exchange(asleep_, false);
  }
  if (wake) eventfd_write(wake_.get(), 1);
}

void EpollLoop::post(runtime::Work work) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    wake = std::exchange(asleep_, false);
  }
  if (wake) eventfd_write(wake_.get(), 1);
}

runtime::TimerId EpollLoop::schedule(MonotonicTime when, runtime::Work work) {
  return timers_.add(when, std::move(work));
}

void EpollLoop::cancel(runtime::TimerId timer) {
  timers_.cancel(timer);
}

void EpollLoop::at_end_of_pass(runtime::Work work) {
  end_of_pass_.push_back(std::move(work));
}

void EpollLoop::add(int fd, uint32_t epoll_events, ReadyHandler& handler) {
  epoll_event event{.events = epoll_events | EPOLLET, .data = {.ptr = &handler}};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll refused a descriptor");
}

void EpollLoop::remove(int fd, ReadyHandler& handler) {
  epoll_event unused{};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused) == 0, "the descriptor was not in this loop");
  for (size_t i = events_count_ - events_left_; i < events_count_; ++i) {
    if (events_[i].data.ptr == &handler) events_[i].data.ptr = nullptr;
  }
}

std::span<std::byte> EpollLoop::scratch() {
  if (scratch_.empty()) scratch_.resize(kScratchBytes);
  return scratch_;
}

int EpollLoop::wait_timeout_ms() {
  if (!end_of_pass_.empty()) return 0;
  auto earliest = timers_.earliest();
  if (!earliest) return -1;
  MonotonicTime now = clock_.now();
  if (*earliest <= now) return 0;
  // Rounded up: waking early would mean another pass for nothing.
  auto wait = std::chrono::ceil<milliseconds>(*earliest - now).count();
  return static_cast<int>(std::min<int64_t>(wait, INT_MAX));
}

void EpollLoop::dispatch_ready(int timeout_ms) {
  int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  CHECK(count >= 0 || errno == EINTR, "epoll_wait failed");
  if (timeout_ms != 0) {
    std::lock_guard lock(mutex_);
    asleep_ = false;
  }
  events_count_ = events_left_ = static_cast<size_t>(std::max(count, 0));
  while (events_left_ > 0) {
    const epoll_event& event = events_[events_count_ - events_left_];
    --events_left_;
    if (event.data.ptr) static_cast<ReadyHandler*>(event.data.ptr)->on_ready(event.events);
  }
  events_count_ = 0;
}

void EpollLoop::run_posted() {
  std::vector<runtime::Work> batch;
  for (int round = 0; round < kPostedRoundsPerPass; ++round) {
    {
      std::lock_guard lock(mutex_);
      if (posted_.empty()) return;
      batch.swap(posted_);
    }
    for (runtime::Work& work : batch) {
      work();
      work = {};  // now, not with the batch: what it holds may be waited for by the next
    }
    batch.clear();
  }
}

void EpollLoop::run_timers() {
  if (timers_.size() == 0) return;
  MonotonicTime now = clock_.now();
  while (true) {
    runtime::Work work = timers_.take_due(now);
    if (!work) return;
    work();
  }
}

void EpollLoop::run_end_of_pass() {
  while (!end_of_pass_.empty()) {
    std::vector<runtime::Work> batch = std::exchange(end_of_pass_, {});
    for (runtime::Work& work : batch) work();
  }
}

}  // namespace barnabas::host
