#include "config/value.h"

#include <gtest/gtest.h>

#include "config/client_tables.h"
#include "config/tables.h"

namespace barnabas::config {
namespace {

std::string broker_value(std::string_view key, std::string_view text) {
  const auto result = check_value(*broker_keys().find(key), text);
  return result ? *result : result.error().message;
}

std::string topic_text(std::string_view key, std::string_view text) {
  const auto result = check_value(*topic_keys().find(key), text);
  return result ? *result : result.error().message;
}

TEST(Value, IsTrimmedAndShownTheWayDescribeConfigsDoes) {
  EXPECT_EQ(topic_text("preallocate", " TRUE\t"), "true");
  EXPECT_EQ(topic_text("retention.ms", " +0060 "), "60");
  EXPECT_EQ(topic_text("cleanup.policy", "compact , delete"), "compact,delete");
  EXPECT_EQ(topic_text("min.cleanable.dirty.ratio", "1"), "1.0");
  EXPECT_EQ(topic_text("min.cleanable.dirty.ratio", "0.0001"), "1.0E-4");
  EXPECT_EQ(broker_value("log.cleaner.io.max.bytes.per.second", "12345678"), "1.2345678E7");
}

TEST(Value, OutOfRangeIsSaidInKafkasWords) {
  EXPECT_EQ(topic_text("retention.ms", "-2"),
            "Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(topic_text("segment.bytes", "1048575"),
            "Invalid value 1048575 for configuration segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(topic_text("min.cleanable.dirty.ratio", "1.5"),
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
  EXPECT_EQ(topic_text("compression.gzip.level", "0"),
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1");
  EXPECT_EQ(topic_text("compression.gzip.level", "-1"), "-1");
}

TEST(Value, OfTheWrongTypeIsSaidInKafkasWords) {
  EXPECT_EQ(topic_text("retention.ms", "abc"),
            "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(topic_text("segment.bytes", "4294967296"),
            "Invalid value 4294967296 for configuration segment.bytes: Not a number of type INT");
  EXPECT_EQ(broker_value("offsets.topic.replication.factor", "40000"),
            "Invalid value 40000 for configuration offsets.topic.replication.factor: Not a number of type SHORT");
  EXPECT_EQ(topic_text("preallocate", "yes"),
            "Invalid value yes for configuration preallocate: Expected value to be either true or false");
  EXPECT_EQ(topic_text("retention.ms", ""), "Invalid value  for configuration retention.ms: Not a number of type LONG");
}

TEST(Value, OfAFixedSetIsCheckedAgainstIt) {
  EXPECT_EQ(topic_text("compression.type", "brotli"),
            "Invalid value brotli for configuration compression.type: String must be one of: uncompressed, zstd, lz4, "
            "snappy, gzip, producer");
  EXPECT_EQ(topic_text("cleanup.policy", "delete,remove"),
            "Invalid value remove for configuration cleanup.policy: String must be one of: compact, delete");
  EXPECT_EQ(broker_value("group.consumer.migration.policy", "upGrade"), "upGrade");
}

TEST(Value, ListsMayBeEmptyAndLoseWhatStandsTwice) {
  EXPECT_EQ(topic_text("cleanup.policy", ""), "");
  EXPECT_EQ(topic_text("cleanup.policy", "compact,compact"), "compact");
}

TEST(Value, ThrottledReplicasAreAStarOrPairs) {
  for (const char* good : {"*", "", "0:1", "0:1,12:3"})
    EXPECT_EQ(topic_text("leader.replication.throttled.replicas", good), good);
  for (const char* bad : {"0", "0:", ":1", "a:1", "*,0:1", "0:1,"})
    EXPECT_NE(topic_text("leader.replication.throttled.replicas", bad), bad);
}

TEST(Value, ShareGroupsStartAtAnEndOrByDuration) {
  const KeyInfo& key = *group_keys().find("share.auto.offset.reset");
  for (const char* good : {"latest", "earliest", "by_duration:PT1H", "by_duration:P3DT4H59M1.5S"})
    EXPECT_TRUE(check_value(key, good).has_value()) << good;
  for (const char* bad : {"", "newest", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:1H",
                          "by_duration:PT1M1H", "by_duration:-PT1H"})
    EXPECT_FALSE(check_value(key, bad).has_value()) << bad;
}

TEST(Value, ConsumersMayAlsoStartNowhere) {
  const KeyInfo& key = *consumer_keys().find("auto.offset.reset");
  for (const char* good : {"latest", "earliest", "none", "by_duration:PT1H"})
    EXPECT_TRUE(check_value(key, good).has_value()) << good;
  for (const char* bad : {"", "NONE", "by_duration:PT"}) EXPECT_FALSE(check_value(key, bad).has_value()) << bad;
}

TEST(Value, DurationsAreJavas) {
  EXPECT_EQ(parse_duration_ms("P1DT1H30M0.5S"), 91800500);
  EXPECT_EQ(parse_duration_ms("pt5m"), 300000);
  EXPECT_EQ(parse_duration_ms("PT0S"), 0);
  for (const char* bad : {"", "1H", "P1H", "PT1.5H", "PT99999999999999999999S", "PT1S1S", "PT1.2.3S"})
    EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
}

TEST(Value, QuorumAddressesAreParsed) {
  EXPECT_EQ(broker_value("controller.quorum.voters", "1@a:9093, 2@[::1]:9093"), "1@a:9093,2@[::1]:9093");
  EXPECT_NE(broker_value("controller.quorum.voters", "a:9093"), "a:9093");
  EXPECT_NE(broker_value("controller.quorum.voters", "-1@a:9093"), "-1@a:9093");
  EXPECT_NE(broker_value("controller.quorum.bootstrap.servers", "a:99999"), "a:99999");
}

}  // namespace
}  // namespace barnabas::config
