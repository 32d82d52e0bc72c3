#include "cli/values.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

TEST(Values, ReadsTimes) {
  EXPECT_EQ(parse_duration_ms("250"), 250);
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("30s"), 30000);
  EXPECT_EQ(parse_duration_ms("5m"), 300000);
  EXPECT_EQ(parse_duration_ms("7d"), 604800000);
  EXPECT_EQ(parse_duration_ms("2w"), 1209600000);
  for (const char* wrong : {"", "s", "-1s", "1 s", "1y", "9223372036854775807d", "99999999999999999999"}) {
    EXPECT_EQ(parse_duration_ms(wrong), std::nullopt) << wrong;
  }
}

TEST(Values, ReadsSizes) {
  EXPECT_EQ(parse_bytes("10"), 10);
  EXPECT_EQ(parse_bytes("1GiB"), 1073741824);
  EXPECT_EQ(parse_bytes("64MB"), 64000000);
  for (const char* wrong : {"", "GiB", "1gib", "1.5GiB", "9999999TiB"})
    EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
}

TEST(Values, MakesTimesAndSizesOfConfigurationPlain) {
  EXPECT_EQ(human_config_value("retention.ms", "7d"), "604800000");
  EXPECT_EQ(human_config_value("segment.bytes", "1GiB"), "1073741824");
  EXPECT_EQ(human_config_value("retention.ms", "-1"), "-1");
  EXPECT_EQ(human_config_value("cleanup.policy", "7d"), "7d");
}

TEST(Values, WritesForPeople) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(int64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(human_duration(250), "250ms");
  EXPECT_EQ(human_duration(61000), "1m 1s");
  EXPECT_EQ(human_duration(90061000), "1d 1h");
  EXPECT_EQ(human_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(human_time(1793880000123), "2026-11-05T12:00:00.123Z");
  EXPECT_EQ(human_time(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Values, TakesKeyAndValueApart) {
  EXPECT_EQ(key_value("a=b=c"), std::pair(std::string("a"), std::string("b=c")));
  EXPECT_EQ(key_value("a="), std::pair(std::string("a"), std::string()));
  EXPECT_EQ(key_value("=b"), std::nullopt);
  EXPECT_EQ(key_value("a"), std::nullopt);
}

}  // namespace
}  // namespace barnabas::cli
