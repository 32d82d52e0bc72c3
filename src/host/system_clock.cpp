#include "host/system_clock.h"

#include <time.h>

namespace barnabas::host {

MonotonicTime SystemClock::now() const {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return {time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

TimestampMs SystemClock::wall_time() const {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace barnabas::host
