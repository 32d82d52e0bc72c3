// What the generated message headers (wire/messages/*.h) have in common. A message is a plain struct of values with
// Kafka's defaults; decode() and encode() know every version of it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/uuid.h"
#include "wire/kafka_error.h"
#include "wire/unknown_tags.h"

namespace barnabas::wire {

class Reader;
class Writer;

// kFlexibleFrom of a message that has no flexible version.
inline constexpr int16_t kNeverFlexible = std::numeric_limits<int16_t>::max();

}  // namespace barnabas::wire
