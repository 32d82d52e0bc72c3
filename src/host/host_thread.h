// HostThread: a Host of one loop on a thread of its own, for libraries inside a program that has its own main(). It
// leaves the process alone: no limits raised, no signals handled. Destroying it ends the thread after the pass the loop
// is in; from that thread itself the end is only asked for, and the Host goes with the thread.
#pragma once

#include <memory>

#include "host/host.h"

namespace barnabas::host {

class HostThread {
 public:
  // `options.loops` is taken as 1.
  explicit HostThread(HostOptions options);
  ~HostThread();
  HostThread(const HostThread&) = delete;
  HostThread& operator=(const HostThread&) = delete;

  runtime::World& world();
  runtime::Executor& loop();

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;  // the thread holds them too
};

}  // namespace barnabas::host
