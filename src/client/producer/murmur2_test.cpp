#include "client/producer/murmur2.h"

#include <gtest/gtest.h>

#include "barnabas/producer.h"

namespace barnabas::client::producer {
namespace {

// The numbers of Kafka's UtilsTest.testMurmur2.
TEST(Murmur2, IsJavasToTheBit) {
  auto hash = [](std::string_view key) { return static_cast<int32_t>(murmur2(as_bytes(key))); };
  EXPECT_EQ(hash("21"), -973932308);
  EXPECT_EQ(hash("foobar"), -790332482);
  EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(hash("abc"), 479470107);
}

TEST(Murmur2, TakesTheEmptyKeyAndBytesAbove127) {
  EXPECT_EQ(static_cast<int32_t>(murmur2({})), 275646681);
  // Java's bytes are signed: they are widened without their sign.
  std::string high("\x80\xff\xfe\x81\xc3", 5);
  uint32_t all = murmur2(as_bytes(high));
  high[4] = '\x43';
  EXPECT_NE(murmur2(as_bytes(high)), all);
}

TEST(Murmur2, APartitionIsNeverNegative) {
  for (int32_t partitions : {1, 2, 3, 7, 100}) {
    for (int i = 0; i < 1000; ++i) {
      int32_t chosen = partition_for_key(std::to_string(i), partitions);
      ASSERT_GE(chosen, 0);
      ASSERT_LT(chosen, partitions);
    }
  }
  // -973932308 without its sign bit, modulo 3.
  EXPECT_EQ(partition_for_key("21", 3), (-973932308 & 0x7fffffff) % 3);
}

}  // namespace
}  // namespace barnabas::client::producer
