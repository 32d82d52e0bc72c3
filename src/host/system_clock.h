// SystemClock: CLOCK_MONOTONIC and CLOCK_REALTIME.
#pragma once

#include "runtime/clock.h"

namespace barnabas::host {

class SystemClock final : public runtime::Clock {
 public:
  MonotonicTime now() const override;
  TimestampMs wall_time() const override;
};

}  // namespace barnabas::host
