#include "sim/machine.h"

#include <utility>

#include "sim/sim_disk.h"
#include "sim/sim_life.h"
#include "sim/sim_network.h"
#include "sim/simulation.h"

namespace barnabas::sim {

namespace {
constexpr size_t kLogLinesMax = 2000;
}

Machine::Machine(Simulation& simulation, std::string name, MachineOptions options)
    : simulation_(simulation),
      name_(std::move(name)),
      options_(options),
      disk_(std::make_unique<SimDisk>(*this, options.disk_bytes)) {}

Machine::~Machine() {
  end_life(true);
}

runtime::World& Machine::world() {
  if (!powered_) {
    powered_ = true;
    simulation_.network().links_changed();
  }
  if (!life_) life_ = std::make_unique<Life>(*this, ++lives_);
  return life_->world();
}

void Machine::start(const Program& program) {
  runtime::World& present = world();
  spawn(program(present, life_->stop_token()));
}

void Machine::spawn(runtime::Task<> task) {
  world();
  life_->spawn(std::move(task));
}

bool Machine::busy() const {
  return life_ && life_->busy();
}

void Machine::ask_to_stop() {
  if (life_) life_->ask_to_stop();
}

void Machine::kill() {
  simulation_.trace(name_, "kill", "");
  end_life(true);
}

void Machine::power_off() {
  simulation_.trace(name_, "power-off", "");
  powered_ = false;
  end_life(false);
  disk_->lose_power();
}

void Machine::end_life(bool with_power) {
  paused_ = false;
  if (!life_) return;
  Life* ending = life_.get();
  past_lives_.push_back(std::move(life_));
  ending->cut_off_from_world();
  simulation_.network().end_connections(*ending, with_power);
  disk_->release_locks(ending->number());
  // Not inside work of this very life: its frames are on the stack.
  simulation_.after_this_event([ending] { ending->drain(); });
}

void Machine::pause() {
  simulation_.trace(name_, "pause", "");
  paused_ = true;
}

void Machine::resume() {
  simulation_.trace(name_, "resume", "");
  paused_ = false;
  if (life_) life_->wake_all();
}

void Machine::stall_loop(size_t loop, Duration duration) {
  if (life_) life_->loop(loop).stall_until(simulation_.now() + duration);
}

void Machine::add_log_line(std::string line) {
  simulation_.trace(name_, "log", line);
  log_lines_.push_back(std::move(line));
  if (log_lines_.size() > kLogLinesMax) log_lines_.pop_front();
}

}  // namespace barnabas::sim
