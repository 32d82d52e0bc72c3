// Simulation: a world of machines in virtual time on one thread, all chance from one seed. The same seed gives the same
// events in the same order, shown by trace_hash(). Machines and what runs on them live inside it and end with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "sim/machine.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class SimLoop;
class SimNetwork;

class Simulation {
 public:
  using EventId = uint64_t;

  explicit Simulation(uint64_t seed);
  ~Simulation();  // kills all machines, and so ends all programs
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  uint64_t seed() const { return seed_; }
  MonotonicTime now() const { return now_; }

  Machine& add_machine(std::string name, MachineOptions options = {});
  Machine& machine(std::string_view name);
  Machine* find_machine(std::string_view name);
  SimNetwork& network() { return *network_; }

  // Runs the next event; false if there is none.
  bool step();
  // Runs all events of the next `duration`; time has passed by that much afterwards.
  void run_for(Duration duration);
  // Runs until `done` holds, looked at after each event, or `limit` has passed; whether it holds.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Runs `task` on loops[0] of `machine`, and everything else meanwhile, until it has ended; returns its result. The
  // process stops if that takes longer than `limit`, naming the seed.
  template <class T>
  T run_task(Machine& machine, runtime::Task<T> task, Duration limit = std::chrono::hours(1));

  // What a test or a fault does later on, outside of any machine.
  EventId at(MonotonicTime when, runtime::Work work);
  EventId after(Duration delay, runtime::Work work) { return at(now_ + delay, std::move(work)); }
  void cancel(EventId event);
  // Runs `work` when the event that runs now is over; at once if none does.
  void after_this_event(runtime::Work work);

  // A random stream of this seed.
  SimRandom stream(std::string_view name) const { return SimRandom(seed_, name); }
  // Rare paths on purpose: a quarter of all `sites` is switched on by the seed, and those are true one time in
  // `rarity`.
  bool buggify(std::string_view site, uint64_t rarity = 20);

  // Adds an event to the trace.
  void trace(std::string_view machine, std::string_view kind, std::string_view detail);
  uint64_t trace_hash() const { return trace_hash_; }
  // Gets each line of the trace as text, for reading about one seed.
  void set_trace_sink(std::function<void(std::string_view line)> sink) { trace_sink_ = std::move(sink); }

  // The loop whose work runs now, or null.
  SimLoop* current_loop() const { return current_loop_; }
  SimLoop* exchange_current_loop(SimLoop* loop) { return std::exchange(current_loop_, loop); }

 private:
  void require_ended(bool ended);

  const uint64_t seed_;
  MonotonicTime now_{1'000'000'000};
  std::map<std::pair<MonotonicTime, EventId>, runtime::Work> events_;
  std::map<EventId, MonotonicTime> event_times_;
  EventId last_event_ = 0;
  bool inside_event_ = false;
  std::vector<runtime::Work> after_event_;
  SimLoop* current_loop_ = nullptr;

  uint64_t trace_hash_ = 0;
  std::function<void(std::string_view)> trace_sink_;
  std::map<std::string, bool, std::less<>> buggify_sites_;
  SimRandom buggify_random_;

  std::unique_ptr<SimNetwork> network_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

namespace detail {
template <class T>
runtime::Task<> keep_result(runtime::Task<T> task, std::optional<T>& result, bool& ended) {
  T value = co_await std::move(task);
  result.emplace(std::move(value));
  ended = true;
}
inline runtime::Task<> note_end(runtime::Task<> task, bool& ended) {
  co_await std::move(task);
  ended = true;
}
}  // namespace detail

template <class T>
T Simulation::run_task(Machine& machine, runtime::Task<T> task, Duration limit) {
  bool ended = false;
  if constexpr (std::is_void_v<T>) {
    machine.spawn(detail::note_end(std::move(task), ended));
    require_ended(run_until([&] { return ended; }, limit));
  } else {
    std::optional<T> result;
    machine.spawn(detail::keep_result(std::move(task), result, ended));
    require_ended(run_until([&] { return ended; }, limit));
    return *std::move(result);
  }
}

}  // namespace barnabas::sim
