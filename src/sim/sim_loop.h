// SimLoop: an Executor in virtual time. Its passes are events of the simulation, each a little later than asked for, by
// chance, so that the loops of all machines interleave differently with every seed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/executor.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class Life;
class Simulation;

class SimLoop final : public runtime::Executor {
 public:
  SimLoop(Life& life, size_t index);
  ~SimLoop() override;

  void post(runtime::Work work) override;
  bool is_current() const override;
  runtime::TimerId schedule(MonotonicTime when, runtime::Work work) override;
  void cancel(runtime::TimerId timer) override;
  void at_end_of_pass(runtime::Work work) override;
  runtime::Clock& clock() override;

  // Makes sure that a pass comes for what there is to do.
  void wake();
  void stall_until(MonotonicTime when);

  // For a life that was cut off: one pass now; false if nothing was there to do.
  bool drain_pass();
  std::optional<MonotonicTime> earliest_timer() const;
  // Forgets everything queued; later work is dropped.
  void retire();

 private:
  void request_pass(MonotonicTime when);
  void pass_event();
  bool run_pass();

  Life& life_;
  Simulation& simulation_;
  const std::string name_;
  SimRandom random_;
  std::vector<runtime::Work> posted_;
  std::map<std::pair<MonotonicTime, runtime::TimerId>, runtime::Work> timers_;  // by the machine's clock
  std::map<runtime::TimerId, MonotonicTime> timer_times_;
  std::vector<runtime::Work> end_of_pass_;
  runtime::TimerId last_timer_ = 0;
  uint64_t pass_event_ = 0;  // of the simulation; 0 = none
  MonotonicTime pass_at_;
  MonotonicTime stalled_until_{0};
  bool retired_ = false;
};

}  // namespace barnabas::sim
