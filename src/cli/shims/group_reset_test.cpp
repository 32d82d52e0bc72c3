#include <gtest/gtest.h>

#include "cli/shims/consumer_groups.h"

namespace barnabas::cli::shims {
namespace {

TEST(JavaTimeTest, ReadsAZone) {
  EXPECT_EQ(parse_java_time("2020-01-01T00:00:00.000"), 1577836800000);
  EXPECT_EQ(parse_java_time("2020-01-01T00:00:00.000Z"), 1577836800000);
  EXPECT_EQ(parse_java_time("2020-01-01T02:00:00.000+02:00"), 1577836800000);
  EXPECT_EQ(parse_java_time("2019-12-31T23:30:00.000-0030"), 1577836800000);
  EXPECT_FALSE(parse_java_time("2020-01-01"));
  EXPECT_FALSE(parse_java_time("2020-01-01Tnoon"));
  EXPECT_FALSE(parse_java_time("2020-01-01T00:00:00.000+2"));
}

TEST(JavaDurationTest, ReadsDaysToSeconds) {
  EXPECT_EQ(parse_java_duration("PT1H"), 3600000);
  EXPECT_EQ(parse_java_duration("P1DT2H3M4.5S"), 86400000 + 2 * 3600000 + 3 * 60000 + 4500);
  EXPECT_EQ(parse_java_duration("-PT1S"), -1000);
  for (std::string_view wrong : {"", "P", "PT", "1H", "PT1", "PT1H1H", "PT1X", "P1H", "nonsense"}) {
    EXPECT_FALSE(parse_java_duration(wrong)) << wrong;
  }
}

TEST(JavaOrderTest, GoesByBucketsOfAHashMap) {
  Offsets offsets = {{{"ct", 0}, 0}, {{"ct", 1}, 0}};
  auto order = in_java_order(offsets);
  ASSERT_EQ(order.size(), 2U);
  EXPECT_EQ(order[0].partition, 1);
}

}  // namespace
}  // namespace barnabas::cli::shims
