// Clock: the only source of time above `host`. Real in a process, virtual in the simulator. Any thread may ask.
#pragma once

#include "base/time.h"

namespace barnabas::runtime {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const = 0;      // for timers and intervals
  virtual TimestampMs wall_time() const = 0;  // milliseconds since 1970, for records; may jump
};

}  // namespace barnabas::runtime
