// Executor: one event loop. Everything that belongs to a loop runs on it to completion, one piece at a time; other
// threads reach it only through post(). The host has one per core; the simulator runs all of them on one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"

namespace barnabas::runtime {

using Work = std::move_only_function<void()>;
using TimerId = uint64_t;  // never 0

class Clock;

class Executor {
 public:
  virtual ~Executor() = default;

  // Any thread. `work` runs on this loop, after what was posted before it, never inside post(). Costs a system call
  // only when the loop sleeps.
  virtual void post(Work work) = 0;
  // True when called from work running on this loop.
  virtual bool is_current() const = 0;

  // The following: on this loop only.
  // Runs `work` once the clock has reached `when`.
  virtual TimerId schedule(MonotonicTime when, Work work) = 0;
  // Forgets a timer; a timer that has fired or was cancelled is ignored.
  virtual void cancel(TimerId timer) = 0;
  // Runs `work` when everything readable in this pass has been handled: the place to write what the pass gathered.
  virtual void at_end_of_pass(Work work) = 0;

  virtual Clock& clock() = 0;
};

// Threads for long work (recovery, compaction) that may block.
class WorkerPool {
 public:
  virtual ~WorkerPool() = default;
  // Any thread. The simulator runs `work` as an event of its own.
  virtual void submit(Work work) = 0;
};

}  // namespace barnabas::runtime
