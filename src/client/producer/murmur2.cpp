#include "client/producer/murmur2.h"

#include <cstring>

#include "barnabas/producer.h"
#include "base/check.h"

namespace barnabas::client {

namespace producer {

namespace {

uint32_t word_at(const std::byte* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

}  // namespace

uint32_t murmur2(BytesView key) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kFactor = 0x5bd1e995;
  constexpr int kShift = 24;
  uint32_t hash = kSeed ^ static_cast<uint32_t>(key.size());
  while (key.size() >= 4) {
    uint32_t word = word_at(key.data()) * kFactor;
    word ^= word >> kShift;
    hash = hash * kFactor ^ word * kFactor;
    key = key.subspan(4);
  }
  if (!key.empty()) {
    for (size_t i = key.size(); i-- > 0;) hash ^= std::to_integer<uint32_t>(key[i]) << (8 * i);
    hash *= kFactor;
  }
  hash ^= hash >> 13;
  hash *= kFactor;
  return hash ^ hash >> 15;
}

}  // namespace producer

int32_t partition_for_key(std::string_view key, int32_t partitions) {
  CHECK(partitions > 0, "a topic has partitions");
  return producer::to_positive(producer::murmur2(as_bytes(key))) % partitions;
}

}  // namespace barnabas::client
