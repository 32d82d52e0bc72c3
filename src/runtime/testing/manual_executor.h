// ManualExecutor: a loop that runs only when the test says so, on a clock that only the test moves. For tests of what
// needs an Executor but no network or disk; several may share one ManualClock. post() may come from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/scope.h"
#include "runtime/task.h"

namespace barnabas::runtime::testing {

class ManualClock final : public Clock {
 public:
  MonotonicTime now() const override { return now_; }
  TimestampMs wall_time() const override { return wall_start + now_.nanos / 1'000'000; }
  void advance(Duration duration) { now_ = now_ + duration; }

  TimestampMs wall_start = 1'700'000'000'000;

 private:
  MonotonicTime now_{1'000'000'000};
};

class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(ManualClock& clock) : clock_(clock) {}

  void post(Work work) override {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  bool is_current() const override { return running_; }
  TimerId schedule(MonotonicTime when, Work work) override {
    TimerId id = ++last_timer_;
    timers_.emplace(std::pair(when, id), std::move(work));
    return id;
  }
  void cancel(TimerId timer) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second != timer) continue;
      timers_.erase(it);
      return;
    }
  }
  void at_end_of_pass(Work work) override { end_of_pass_.push_back(std::move(work)); }
  Clock& clock() override { return clock_; }

  // One pass: what is posted, timers that are due, end-of-pass work. False if there was nothing.
  bool run_pass() {
    bool was_running = std::exchange(running_, true);
    bool did = false;
    std::vector<Work> batch;
    {
      std::lock_guard lock(mutex_);
      batch.swap(posted_);
    }
    for (Work& work : batch) {
      work();
      work = {};
      did = true;
    }
    MonotonicTime now = clock_.now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
      Work work = std::move(timers_.extract(timers_.begin()).mapped());
      work();
      did = true;
    }
    while (!end_of_pass_.empty()) {
      for (Work& work : std::exchange(end_of_pass_, {})) work();
      did = true;
    }
    running_ = was_running;
    return did;
  }
  void run_until_idle() {
    while (run_pass()) {
    }
  }

  // Moves the clock forward, stopping at each of this loop's timers on the way to run what is due.
  void advance(Duration duration) {
    run_until_idle();
    MonotonicTime end = clock_.now() + duration;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      MonotonicTime next = timers_.begin()->first.first;
      if (next > clock_.now()) clock_.advance(next - clock_.now());
      run_until_idle();
    }
    clock_.advance(end - clock_.now());
    run_until_idle();
  }

  // Starts `task` on this loop, inside the call, until its first wait.
  void spawn(Scope& scope, Task<> task) {
    bool was_running = std::exchange(running_, true);
    scope.spawn(std::move(task));
    running_ = was_running;
  }

  size_t timers() const { return timers_.size(); }

 private:
  ManualClock& clock_;
  std::mutex mutex_;
  std::vector<Work> posted_;  // under mutex_
  std::map<std::pair<MonotonicTime, TimerId>, Work> timers_;
  std::vector<Work> end_of_pass_;
  TimerId last_timer_ = 0;
  bool running_ = false;
};

}  // namespace barnabas::runtime::testing
