// Scope: the owner of background tasks of one loop. Nothing runs detached: what is spawned here ends here. Before a
// Scope dies it must be drained: cancel(), then co_await join() (or join() alone).
#pragma once

#include <coroutine>
#include <cstddef>

#include "runtime/cancel.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::runtime {

class Scope {
 public:
  explicit Scope(Executor& home) : home_(home) {}
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // On the loop. Starts `task` at once, inside this call, until its first real wait.
  void spawn(Task<> task);
  // Asks all tasks that took token() to end early.
  void cancel() { source_.request(); }
  CancelToken token() const { return source_.token(); }
  bool empty() const { return running_ == 0; }
  size_t running() const { return running_; }
  Executor& executor() const { return home_; }

  // Waits until every task has ended. One waiter at a time.
  Task<> join();

 private:
  struct Detached;
  static Detached run(Scope* scope, Task<> task);
  void ended();

  Executor& home_;
  CancelSource source_;
  size_t running_ = 0;
  std::coroutine_handle<> joiner_;
};

}  // namespace barnabas::runtime
