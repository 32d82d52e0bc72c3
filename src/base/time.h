// Time types. Wall time is what goes into records; monotonic time is what timers use. Both come from runtime::Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace barnabas {

using Duration = std::chrono::nanoseconds;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Nanoseconds since an arbitrary start; never goes back.
struct MonotonicTime {
  int64_t nanos = 0;
  constexpr auto operator<=>(const MonotonicTime&) const = default;
  constexpr MonotonicTime operator+(Duration d) const { return {nanos + d.count()}; }
  constexpr Duration operator-(MonotonicTime other) const { return Duration(nanos - other.nanos); }
};

// Milliseconds since 1970, as in record batches.
using TimestampMs = int64_t;
inline constexpr TimestampMs kNoTimestamp = -1;

}  // namespace barnabas
