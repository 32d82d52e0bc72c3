#include "sim/sim_loop.h"

#include <algorithm>

#include "sim/machine.h"
#include "sim/sim_life.h"
#include "sim/simulation.h"

namespace barnabas::sim {

namespace {

// What waking a loop, or having it come round again, costs.
constexpr Duration kWakeMin = microseconds(1);
constexpr Duration kWakeMax = microseconds(40);
constexpr int kPostedRoundsPerPass = 8;

// Marks `loop` as running for as long as it lives.
class Running {
 public:
  Running(Simulation& simulation, SimLoop* loop)
      : simulation_(simulation), before_(simulation.exchange_current_loop(loop)) {}
  ~Running() { simulation_.exchange_current_loop(before_); }

 private:
  Simulation& simulation_;
  SimLoop* before_;
};

}  // namespace

SimLoop::SimLoop(Life& life, size_t index)
    : life_(life),
      simulation_(life.simulation()),
      name_(life.machine().name() + "/" + std::to_string(index)),
      random_(simulation_.stream(name_ + "#" + std::to_string(life.number()))) {}

SimLoop::~SimLoop() {
  if (pass_event_) simulation_.cancel(pass_event_);
}

void SimLoop::post(runtime::Work work) {
  if (retired_) return;
  posted_.push_back(std::move(work));
  if (!is_current()) wake();
}

bool SimLoop::is_current() const {
  return simulation_.current_loop() == this;
}

runtime::TimerId SimLoop::schedule(MonotonicTime when, runtime::Work work) {
  runtime::TimerId id = ++last_timer_;
  if (retired_) return id;
  timers_.emplace(std::pair(when, id), std::move(work));
  timer_times_.emplace(id, when);
  if (!is_current()) wake();
  return id;
}

void SimLoop::cancel(runtime::TimerId timer) {
  auto found = timer_times_.find(timer);
  if (found == timer_times_.end()) return;
  auto dropped = timers_.extract({found->second, timer});  // dies last: its captures may call us
  timer_times_.erase(found);
}

void SimLoop::at_end_of_pass(runtime::Work work) {
  if (retired_) return;
  end_of_pass_.push_back(std::move(work));
  if (!is_current()) wake();
}

runtime::Clock& SimLoop::clock() {
  return life_.clock();
}

void SimLoop::wake() {
  if (life_.cut_off() || life_.machine().paused()) return;
  if (!posted_.empty() || !end_of_pass_.empty()) {
    request_pass(simulation_.now());
  } else if (!timers_.empty()) {
    request_pass(life_.simulation_time(timers_.begin()->first.first));
  }
}

void SimLoop::stall_until(MonotonicTime when) {
  stalled_until_ = when;
  if (!pass_event_) return;
  simulation_.cancel(std::exchange(pass_event_, 0));
  wake();
}

void SimLoop::request_pass(MonotonicTime when) {
  when = std::max({when, simulation_.now(), stalled_until_});
  if (pass_event_) {
    if (pass_at_ <= when + kWakeMax) return;
    simulation_.cancel(pass_event_);
  }
  pass_at_ = when + random_.between(kWakeMin, kWakeMax);
  pass_event_ = simulation_.at(pass_at_, [this] { pass_event(); });
}

void SimLoop::pass_event() {
  pass_event_ = 0;
  if (life_.cut_off() || life_.machine().paused()) return;
  simulation_.trace(name_, "pass", "");
  run_pass();
  wake();
}

bool SimLoop::run_pass() {
  Running running(simulation_, this);
  bool did = false;
  for (int round = 0; round < kPostedRoundsPerPass && !posted_.empty(); ++round) {
    std::vector<runtime::Work> batch = std::exchange(posted_, {});
    for (runtime::Work& work : batch) {
      work();
      work = {};
      did = true;
    }
  }
  MonotonicTime now = life_.clock().now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto timer = timers_.extract(timers_.begin());
    timer_times_.erase(timer.key().second);
    timer.mapped()();
    did = true;
  }
  while (!end_of_pass_.empty()) {
    for (runtime::Work& work : std::exchange(end_of_pass_, {})) work();
    did = true;
  }
  return did;
}

bool SimLoop::drain_pass() {
  return run_pass();
}

std::optional<MonotonicTime> SimLoop::earliest_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

void SimLoop::retire() {
  retired_ = true;
  if (pass_event_) simulation_.cancel(std::exchange(pass_event_, 0));
  while (!posted_.empty() || !timers_.empty() || !end_of_pass_.empty()) {
    // Their captures may post once more, which is dropped.
    auto posted = std::exchange(posted_, {});
    auto timers = std::exchange(timers_, {});
    auto end_of_pass = std::exchange(end_of_pass_, {});
  }
  timer_times_.clear();
}

}  // namespace barnabas::sim
