// UnknownRecord: a record of a coordinator's log whose type this build does not know, as a later Kafka may write it.
#pragma once

#include <cstdint>

namespace barnabas::wire {

struct UnknownRecord {
  int16_t type = 0;

  bool operator==(const UnknownRecord&) const = default;
};

}  // namespace barnabas::wire
