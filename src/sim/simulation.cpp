#include "sim/simulation.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "sim/sim_network.h"

namespace barnabas::sim {

Simulation::Simulation(uint64_t seed)
    : seed_(seed), buggify_random_(seed, "buggify"), network_(std::make_unique<SimNetwork>(*this)) {}

Simulation::~Simulation() {
  for (auto& machine : machines_) machine->kill();
  machines_.clear();
}

Machine& Simulation::add_machine(std::string name, MachineOptions options) {
  CHECK(!find_machine(name), "two machines of one name");
  machines_.push_back(std::make_unique<Machine>(*this, std::move(name), options));
  return *machines_.back();
}

Machine* Simulation::find_machine(std::string_view name) {
  for (auto& machine : machines_) {
    if (machine->name() == name) return machine.get();
  }
  return nullptr;
}

Machine& Simulation::machine(std::string_view name) {
  Machine* found = find_machine(name);
  CHECK(found, "no machine of this name");
  return *found;
}

bool Simulation::step() {
  if (events_.empty()) return false;
  CHECK(!inside_event_, "an event cannot run events");
  auto event = events_.extract(events_.begin());
  event_times_.erase(event.key().second);
  now_ = event.key().first;
  inside_event_ = true;
  event.mapped()();
  while (!after_event_.empty()) {
    for (runtime::Work& work : std::exchange(after_event_, {})) work();
  }
  inside_event_ = false;
  return true;
}

void Simulation::run_for(Duration duration) {
  MonotonicTime end = now_ + duration;
  while (!events_.empty() && events_.begin()->first.first <= end) step();
  now_ = end;
}

bool Simulation::run_until(const std::function<bool()>& done, Duration limit) {
  MonotonicTime end = now_ + limit;
  while (!done()) {
    if (events_.empty() || events_.begin()->first.first > end) {
      now_ = end;
      return done();
    }
    step();
  }
  return true;
}

Simulation::EventId Simulation::at(MonotonicTime when, runtime::Work work) {
  EventId id = ++last_event_;
  when = std::max(when, now_);
  events_.emplace(std::pair(when, id), std::move(work));
  event_times_.emplace(id, when);
  return id;
}

void Simulation::cancel(EventId event) {
  auto found = event_times_.find(event);
  if (found == event_times_.end()) return;
  events_.erase({found->second, event});
  event_times_.erase(found);
}

void Simulation::after_this_event(runtime::Work work) {
  if (inside_event_) {
    after_event_.push_back(std::move(work));
  } else {
    work();
  }
}

bool Simulation::buggify(std::string_view site, uint64_t rarity) {
  auto known = buggify_sites_.find(site);
  if (known == buggify_sites_.end()) {
    known = buggify_sites_.emplace(site, stream(site).one_in(4)).first;
  }
  return known->second && buggify_random_.one_in(rarity);
}

void Simulation::trace(std::string_view machine, std::string_view kind, std::string_view detail) {
  trace_hash_ = XXH3_64bits_withSeed(&now_.nanos, sizeof(now_.nanos), trace_hash_);
  for (std::string_view part : {machine, kind, detail}) {
    trace_hash_ = XXH3_64bits_withSeed(part.data(), part.size(), trace_hash_ + part.size());
  }
  if (!trace_sink_) return;
  char time[32];
  snprintf(time, sizeof(time), "%14.6f ", static_cast<double>(now_.nanos) / 1e9);
  std::string line = time;
  line.append(machine).append(" ").append(kind).append(" ").append(detail);
  trace_sink_(line);
}

void Simulation::require_ended(bool ended) {
  if (ended) return;
  fprintf(stderr, "seed %llu: a task did not end in time\n", static_cast<unsigned long long>(seed_));
  CHECK(ended, "a task of the simulation did not end in time");
}

}  // namespace barnabas::sim
