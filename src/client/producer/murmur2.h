// The hash that decides which partition a key goes to: all of Kafka's clients must agree on it to the bit.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace barnabas::client::producer {

// As org.apache.kafka.common.utils.Utils.murmur2: 32 bits, seed 0x9747b28c, little-endian words. Java reads the result
// as a signed number; the partition is made of its lower 31 bits.
uint32_t murmur2(BytesView key);

// A hash or counter without its sign bit (Java's Utils.toPositive).
inline int32_t to_positive(uint32_t number) {
  return static_cast<int32_t>(number & 0x7fffffff);
}

}  // namespace barnabas::client::producer
