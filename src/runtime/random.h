// Random: the only source of chance above `host`. From the kernel in a process, from the seed in the simulator.
#pragma once

#include <cstdint>

#include "base/uuid.h"

namespace barnabas::runtime {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;  // any thread

  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  // A random (version 4) uuid, never one of Kafka's reserved first hundred, never starting with '-' in its text form.
  Uuid uuid();
};

}  // namespace barnabas::runtime
