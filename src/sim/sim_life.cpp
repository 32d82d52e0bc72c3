#include "sim/sim_life.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "sim/machine.h"
#include "sim/sim_disk.h"
#include "sim/sim_network.h"
#include "sim/simulation.h"

namespace barnabas::sim {

namespace {

__extension__ using Wide = __int128;

constexpr TimestampMs kWallStart = 1'795'431'600'000;  // 2026-11-23T11:00:00Z
constexpr int kDrainRoundsMax = 1'000'000;
constexpr Duration kWorkMin = microseconds(20);
constexpr Duration kWorkMax = milliseconds(1);

// What a clock that runs `ppm` millionths fast shows after `passed`.
int64_t shown_after(int64_t passed, int64_t ppm) {
  return passed + static_cast<int64_t>(static_cast<Wide>(passed) * ppm / 1'000'000);
}

const char* level_name(runtime::LogLevel level) {
  switch (level) {
    case runtime::LogLevel::kTrace:
    case runtime::LogLevel::kDebug:
      return "DEBUG ";
    case runtime::LogLevel::kInfo:
      return "INFO ";
    case runtime::LogLevel::kWarning:
      return "WARN ";
    case runtime::LogLevel::kError:
    case runtime::LogLevel::kFatal:
      return "ERROR ";
  }
  return "";
}

}  // namespace

// ---- clock

Life::LifeClock::LifeClock(Life& life)
    : life_(life), started_(life.simulation().now()), drift_ppm_(life.machine().clock_drift_ppm()) {}

MonotonicTime Life::LifeClock::now() const {
  int64_t passed = (life_.simulation().now() - started_).count();
  MonotonicTime mine = started_ + Duration(shown_after(passed, drift_ppm_));
  return life_.cut_off() ? std::max(mine, jumped_) : mine;
}

TimestampMs Life::LifeClock::wall_time() const {
  Duration shown = Duration(now().nanos) + life_.machine().wall_offset();
  return kWallStart + std::chrono::floor<milliseconds>(shown).count();
}

MonotonicTime Life::LifeClock::to_simulation(MonotonicTime machine_time) const {
  int64_t shown = (machine_time - started_).count();
  if (shown <= 0) return started_;
  auto passed = static_cast<int64_t>(static_cast<Wide>(shown) * 1'000'000 / (1'000'000 + drift_ppm_));
  while (shown_after(passed, drift_ppm_) < shown) ++passed;  // what rounding left out
  return started_ + Duration(passed);
}

// ---- logger

void Life::LifeLogger::log(runtime::LogLevel level, std::string_view line) {
  if (life_.cut_off()) return;
  life_.machine().add_log_line(level_name(level) + std::string(line));
}

// ---- workers

Life::LifeWorkers::LifeWorkers(Life& life)
    : life_(life),
      random_(life.simulation().stream(life.machine().name() + "/workers#" + std::to_string(life.number()))) {}

void Life::LifeWorkers::submit(runtime::Work work) {
  if (retired_) return;
  queue_.push_back(std::move(work));
  request_run();
}

void Life::LifeWorkers::wake() {
  if (!queue_.empty()) request_run();
}

void Life::LifeWorkers::request_run() {
  if (event_pending_ || life_.cut_off() || life_.machine().paused()) return;
  event_pending_ = true;
  life_.simulation().after(random_.between(kWorkMin, kWorkMax), [this] {
    event_pending_ = false;
    if (life_.cut_off() || life_.machine().paused()) return;
    life_.simulation().trace(life_.machine().name(), "work", "");
    run_one();
    wake();
  });
}

bool Life::LifeWorkers::run_one() {
  if (queue_.empty()) return false;
  runtime::Work work = std::move(queue_.front());
  queue_.pop_front();
  SimLoop* before = life_.simulation().exchange_current_loop(nullptr);
  work();
  life_.simulation().exchange_current_loop(before);
  return true;
}

void Life::LifeWorkers::retire() {
  retired_ = true;
  auto dropped = std::exchange(queue_, {});
}

// ---- life

namespace {
std::vector<std::unique_ptr<SimLoop>> make_loops(Life& life) {
  std::vector<std::unique_ptr<SimLoop>> loops;
  for (size_t i = 0; i < life.machine().options().loops; ++i) loops.push_back(std::make_unique<SimLoop>(life, i));
  return loops;
}
}  // namespace

Life::Life(Machine& machine, uint64_t number)
    : machine_(machine),
      number_(number),
      clock_(*this),
      random_(machine.simulation().stream(machine.name() + "/random#" + std::to_string(number))),
      logger_(*this),
      workers_(*this),
      loops_(make_loops(*this)),
      network_(machine.simulation().network().view_of(*this)),
      disk_(machine.disk().view_of(*this)),
      world_{clock_, random_, *network_, *disk_, workers_, logger_, {}},
      scope_(*loops_.at(0)) {
  for (auto& loop : loops_) world_.loops.push_back(loop.get());
}

Life::~Life() = default;

Simulation& Life::simulation() const {
  return machine_.simulation();
}

void Life::spawn(runtime::Task<> task) {
  ++starting_;
  loops_[0]->post([this, moved = std::move(task)]() mutable {
    --starting_;
    scope_.spawn(std::move(moved));
  });
}

void Life::ask_to_stop() {
  loops_[0]->post([this] { stop_.request(); });
}

void Life::wake_all() {
  for (auto& loop : loops_) loop->wake();
  workers_.wake();
}

MonotonicTime Life::simulation_time(MonotonicTime machine_time) const {
  return clock_.to_simulation(machine_time);
}

void Life::cut_off_from_world() {
  cut_off_ = true;
  for (runtime::Work& settle : debts_) settle();
  debts_.clear();
}

void Life::drain() {
  loops_[0]->post([this] { stop_.request(); });
  auto pass = [this] {
    bool did = false;
    for (auto& loop : loops_) did |= loop->drain_pass();
    while (workers_.run_one()) did = true;
    return did;
  };
  for (int round = 0; busy(); ++round) {
    CHECK(round < kDrainRoundsMax, "a program goes on after its machine has died");
    if (pass()) continue;
    std::optional<MonotonicTime> next;
    for (auto& loop : loops_) {
      auto earliest = loop->earliest_timer();
      if (earliest && (!next || *earliest < *next)) next = earliest;
    }
    if (!next) {
      fprintf(stderr, "seed %llu, machine %s\n", static_cast<unsigned long long>(simulation().seed()),
              machine_.name().c_str());
    }
    CHECK(next, "a program of a dead machine waits for what can never come");
    clock_.jump_to(*next);
  }
  while (pass()) {
  }
  workers_.retire();
  for (auto& loop : loops_) loop->retire();
}

}  // namespace barnabas::sim
