// ProducerIds: ids for idempotent producers, out of blocks of 1000 that the controller gives this broker. Any loop.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/ids.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::broker {

class Broker;

class ProducerIds {
 public:
  explicit ProducerIds(Broker& broker) : broker_(broker) {}

  // The next id; nullopt when no block could be had just now: the client is told COORDINATOR_LOAD_IN_PROGRESS and
  // retries.
  runtime::Task<std::optional<int64_t>> next(runtime::Executor& home);

 private:
  std::optional<int64_t> take();

  Broker& broker_;
  std::mutex mutex_;
  int64_t next_ = 0;
  int64_t end_ = 0;
  bool asking_ = false;
};

}  // namespace barnabas::broker
