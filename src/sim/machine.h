// Machine: one simulated computer: a disk that survives, and one process life after another, each with a World of its
// own. Programs are tasks that end when their stop token asks; kill() and power_off() rely on it.
//
// How the dead vanish: coroutine frames cannot be destroyed while suspended, so a life that ends by force is first cut
// off (its disk answers kIo, its connections kClosed, none of which has any effect outside; pending waits end that way)
// and then drained: its programs are asked to stop and run to their end in a moment of no virtual time, their sleeps
// over at once. What they do in it is invisible, to others and in the trace.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "runtime/cancel.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::sim {

class Life;
class SimDisk;
class Simulation;

struct MachineOptions {
  size_t loops = 2;
  uint64_t disk_bytes = uint64_t{1} << 40;
};

// A program's main: runs until `stop` asks it to end, then ends soon.
using Program = std::function<runtime::Task<>(runtime::World& world, runtime::CancelToken stop)>;

class Machine {
 public:
  Machine(Simulation& simulation, std::string name, MachineOptions options);
  ~Machine();

  const std::string& name() const { return name_; }
  Simulation& simulation() const { return simulation_; }
  SimDisk& disk() { return *disk_; }

  // The world of the present life. After a power_off() this switches the machine on again.
  runtime::World& world();
  // Starts a program (or any task) on loops[0], in an event of its own. Switches the machine on.
  void start(const Program& program);
  void spawn(runtime::Task<> task);
  // Whether something started or spawned in this life has not ended.
  bool busy() const;
  // Asks all programs to end in good order; busy() tells when they have.
  void ask_to_stop();

  // The process dies; the page cache survives. Peers see their connections end.
  void kill();
  // The power fails: what was not synced is lost, in part, as the seed says. Peers see nothing.
  void power_off();
  bool powered() const { return powered_; }

  // All loops and workers stand still (SIGSTOP) while the kernel goes on.
  void pause();
  void resume();
  bool paused() const { return paused_; }
  void stall_loop(size_t loop, Duration duration);

  // The wall clock differs from the simulation's by so much; it may jump.
  void set_wall_offset(Duration offset) { wall_offset_ = offset; }
  Duration wall_offset() const { return wall_offset_; }
  // The monotonic clock runs so many millionths fast (slow if negative) from the next life on.
  void set_clock_drift_ppm(int64_t ppm) { clock_drift_ppm_ = ppm; }
  int64_t clock_drift_ppm() const { return clock_drift_ppm_; }

  // The latest log lines of its programs, "INFO text", oldest first.
  const std::deque<std::string>& log_lines() const { return log_lines_; }
  void add_log_line(std::string line);
  const MachineOptions& options() const { return options_; }

 private:
  void end_life(bool with_power);

  Simulation& simulation_;
  const std::string name_;
  const MachineOptions options_;
  std::unique_ptr<SimDisk> disk_;
  bool powered_ = true;
  bool paused_ = false;
  Duration wall_offset_{0};
  int64_t clock_drift_ppm_ = 0;
  std::deque<std::string> log_lines_;
  std::unique_ptr<Life> life_;
  std::vector<std::unique_ptr<Life>> past_lives_;  // kept, since worlds, files and streams of theirs may still be held
  uint64_t lives_ = 0;
};

}  // namespace barnabas::sim
