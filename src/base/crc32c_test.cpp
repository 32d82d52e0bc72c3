#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>

namespace barnabas {
namespace {

Buffer noise(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Buffer bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(Buffer(32, std::byte{0})), 0x8a9136aau);     // RFC 3720, B.4
  EXPECT_EQ(crc32c(Buffer(32, std::byte{0xff})), 0x62a8ab43u);  // the same
}

TEST(Crc32c, ContinuesFromASeed) {
  EXPECT_EQ(crc32c(as_bytes("56789"), crc32c(as_bytes("1234"))), 0xe3069283u);
}

TEST(Crc32c, CombinesWithoutReading) {
  for (size_t size : {0, 1, 7, 40, 1000, 65537}) {
    Buffer a = noise(40, 1);
    Buffer b = noise(size, 2);
    Buffer both = a;
    both.insert(both.end(), b.begin(), b.end());
    EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(both)) << size;
  }
}

TEST(Crc32c, AReplacedPrefixNeedsNotTheSuffix) {
  for (size_t suffix : {0, 1, 3, 100, 16384, 1 << 20}) {
    Buffer before = noise(40 + suffix, 3);
    Buffer after = before;
    for (size_t i : {0, 7, 14, 39}) after[i] ^= std::byte{0x5a};
    uint32_t crc =
        crc32c_replace_prefix(crc32c(before), BytesView(before).first(40), BytesView(after).first(40), suffix);
    EXPECT_EQ(crc, crc32c(after)) << suffix;
  }
}

}  // namespace
}  // namespace barnabas
