// RuntimeLoop: what a Runtime is inside: one loop of a World. In a process it owns a host and its thread; in the
// simulator it stands on the machine's. Clients keep it by shared_ptr; `post` is the way in from user threads.
#pragma once

#include <memory>

#include "barnabas/runtime.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::client {

class RuntimeLoop : public Runtime {
 public:
  // Over a World that outlives it; its loop must not be blocked by callers of Future::get.
  static std::shared_ptr<RuntimeLoop> over(runtime::World& world, runtime::Executor& loop);
  static std::shared_ptr<RuntimeLoop> of(std::shared_ptr<Runtime> shared_or_null);

  virtual runtime::World& world() = 0;
  virtual runtime::Executor& loop() = 0;

  // True inside this loop or that of another client. A client's calls do not wait there: a thread that runs several
  // loops could wait for itself.
  bool waiting_forbidden();
};

}  // namespace barnabas::client
