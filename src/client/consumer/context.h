// ConsumerContext: what the parts of a consumer on the loop have in common. Everything in it outlives them.
#pragma once

#include <functional>

#include "client/cluster.h"
#include "client/consumer/bell.h"
#include "client/consumer/consumer_state.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/scope.h"

namespace barnabas::client {

struct ConsumerContext {
  runtime::World& world;
  runtime::Executor& loop;
  const ConsumerSettings& settings;
  Cluster& cluster;
  ConsumerState& state;
  runtime::Scope& scope;         // background work of the client; cancelled when it closes
  Bell& positions_due;           // wakes what finds positions
  std::function<void()> notify;  // poll() may have something to do; any thread, without the lock
  std::function<void()> fetch;   // partitions may have become fetchable; any thread

  MonotonicTime now() const { return world.clock.now(); }
  MonotonicTime in_ms(int64_t ms) const { return now() + milliseconds(ms); }
  void report(Error error) const {
    {
      std::lock_guard lock(state.mutex);
      state.errors.push_back(std::move(error));
    }
    notify();
  }
};

inline constexpr MonotonicTime kFarAway{INT64_MAX / 2};

}  // namespace barnabas::client
