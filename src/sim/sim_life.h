// Life: one process life on a machine: its World and what its programs wait for. See machine.h for how it ends.
#pragma once

#include <algorithm>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cancel.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/scope.h"
#include "runtime/world.h"
#include "sim/sim_loop.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class Machine;
class Simulation;

class Life {
 public:
  Life(Machine& machine, uint64_t number);
  ~Life();

  Machine& machine() const { return machine_; }
  Simulation& simulation() const;
  uint64_t number() const { return number_; }
  runtime::World& world() { return world_; }
  runtime::Clock& clock() { return clock_; }
  SimLoop& loop(size_t index) { return *loops_[index]; }
  runtime::CancelToken stop_token() const { return stop_.token(); }
  bool cut_off() const { return cut_off_; }
  bool busy() const { return starting_ > 0 || !scope_.empty(); }

  void spawn(runtime::Task<> task);
  void ask_to_stop();
  void wake_all();
  // When the machine's clock shows `machine_time`, in the simulation's time.
  MonotonicTime simulation_time(MonotonicTime machine_time) const;

  // From now on nothing this life does has an effect.
  void cut_off_from_world();
  // Runs its programs to their end.
  void drain();

  // Called when the life is cut off, unless forgotten before: for the disk and the network to end what they owe it.
  using Debt = std::list<runtime::Work>::iterator;
  Debt owe(runtime::Work settle) { return debts_.insert(debts_.end(), std::move(settle)); }
  void forget(Debt debt) {
    if (!cut_off_) debts_.erase(debt);
  }

 private:
  class LifeClock final : public runtime::Clock {
   public:
    explicit LifeClock(Life& life);
    MonotonicTime now() const override;
    TimestampMs wall_time() const override;
    MonotonicTime to_simulation(MonotonicTime machine_time) const;
    void jump_to(MonotonicTime when) { jumped_ = std::max(now(), when); }

   private:
    Life& life_;
    MonotonicTime started_;
    int64_t drift_ppm_;
    MonotonicTime jumped_{0};  // of a life that is cut off
  };
  class LifeLogger final : public runtime::Logger {
   public:
    explicit LifeLogger(Life& life) : life_(life) {}
    void log(runtime::LogLevel level, std::string_view line) override;

   private:
    Life& life_;
  };
  class LifeWorkers final : public runtime::WorkerPool {
   public:
    explicit LifeWorkers(Life& life);
    void submit(runtime::Work work) override;
    bool run_one();
    void retire();
    void wake();

   private:
    void request_run();
    Life& life_;
    SimRandom random_;
    std::deque<runtime::Work> queue_;
    bool event_pending_ = false;
    bool retired_ = false;
  };

  Machine& machine_;
  const uint64_t number_;
  bool cut_off_ = false;
  LifeClock clock_;
  SimRandom random_;
  LifeLogger logger_;
  LifeWorkers workers_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::unique_ptr<runtime::Network> network_;
  std::unique_ptr<runtime::Disk> disk_;
  runtime::World world_;
  runtime::CancelSource stop_;
  runtime::Scope scope_;
  size_t starting_ = 0;  // spawned, not yet in scope_
  std::list<runtime::Work> debts_;
};

}  // namespace barnabas::sim
