#include "config/validate_alter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/resolved.h"

namespace barnabas::config {
namespace {

using testing::HasSubstr;

// One resource with its overrides; every helper answers "ok" or "<error code> <message>".
struct Resource {
  AlterContext context;
  Overrides current;
  BrokerLayers broker;

  Resource(ResourceType type, std::string_view name) {
    context = {.type = type, .resource_name = name, .broker_id = 1};
  }

  std::string alter(std::vector<Change> changes) {
    context.broker = &broker;
    return apply(alter_incrementally(context, current, changes));
  }
  std::string set(std::string name, std::string value) { return alter({{std::move(name), 0, std::move(value)}}); }
  std::string remove(std::string name) { return alter({{std::move(name), 1, std::nullopt}}); }
  std::string append(std::string name, std::string value) { return alter({{std::move(name), 2, std::move(value)}}); }
  std::string subtract(std::string name, std::string value) { return alter({{std::move(name), 3, std::move(value)}}); }
  std::string replace(std::vector<WantedConfig> wanted) {
    context.broker = &broker;
    return apply(replace_all(context, current, wanted));
  }

 private:
  std::string apply(std::expected<Overrides, Refusal> outcome) {
    if (!outcome) return std::to_string(outcome.error().error_code) + " " + outcome.error().message;
    current = *std::move(outcome);
    return "ok";
  }
};

Resource topic() {
  return {ResourceType::kTopic, "t"};
}
Resource broker(std::string_view name) {
  return {ResourceType::kBroker, name};
}

TEST(AlterTopic, SetsAndDeletes) {
  Resource t = topic();
  EXPECT_EQ(t.set("retention.ms", " 5 "), "ok");
  EXPECT_EQ(t.current.at("retention.ms"), " 5 ");
  EXPECT_EQ(t.remove("retention.ms"), "ok");
  EXPECT_EQ(t.remove("retention.ms"), "ok");
  EXPECT_TRUE(t.current.empty());
}

TEST(AlterTopic, RefusesWhatKafkaRefuses) {
  Resource t = topic();
  EXPECT_EQ(t.set("no.such.key", "1"), "40 Unknown topic config name: no.such.key");
  EXPECT_EQ(t.set("retention.ms", "-2"),
            "40 Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(t.alter({{"retention.ms", 0, std::nullopt}}), "42 Null value not supported for : retention.ms");
  EXPECT_EQ(t.alter({{"retention.ms", 0, "1"}, {"retention.ms", 1, std::nullopt}}),
            "42 Error due to duplicate config keys");
  EXPECT_THAT(t.alter({{"retention.ms", 9, "1"}}), HasSubstr("-1 "));
  EXPECT_THAT(t.alter({{"retention.ms", -1, "1"}}), HasSubstr("-1 "));
  EXPECT_THAT(t.set("remote.storage.enable", "true"), HasSubstr("40 Tiered Storage functionality is disabled"));
  EXPECT_THAT(t.alter({{"min.compaction.lag.ms", 0, "5"}, {"max.compaction.lag.ms", 0, "4"}}),
              HasSubstr("40 conflict topic config setting"));
  EXPECT_THAT(Resource(ResourceType::kTopic, "").set("retention.ms", "1"), HasSubstr("42 "));
  EXPECT_TRUE(t.current.empty());
}

TEST(AlterTopic, ListsGrowFromKafkasDefaultAndShrinkToNothing) {
  Resource t = topic();
  t.broker.file = {{"log.cleanup.policy", "compact"}};
  EXPECT_EQ(t.append("retention.ms", "1"), "40 Can't APPEND to key retention.ms because its type is not LIST.");
  EXPECT_EQ(t.append("cleanup.policy", "compact,delete"), "ok");
  EXPECT_EQ(t.current.at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(t.subtract("cleanup.policy", "delete"), "ok");
  EXPECT_EQ(t.current.at("cleanup.policy"), "compact");
  EXPECT_EQ(t.subtract("cleanup.policy", "compact"), "ok");
  EXPECT_EQ(t.current.at("cleanup.policy"), "");
}

TEST(AlterTopic, OneBadChangeChangesNothing) {
  Resource t = topic();
  EXPECT_THAT(t.alter({{"retention.ms", 0, "1"}, {"segment.bytes", 0, "x"}}), HasSubstr("40 "));
  EXPECT_TRUE(t.current.empty());
}

TEST(AlterTopic, TheLegacyRequestReplacesEverything) {
  Resource t = topic();
  t.set("retention.ms", "5");
  EXPECT_EQ(t.replace({{"segment.bytes", "2000000"}}), "ok");
  const Overrides expected{{"segment.bytes", "2000000"}};
  EXPECT_EQ(t.current, expected);
  EXPECT_EQ(t.replace({{"segment.bytes", std::nullopt}}), "42 Null value not supported for : segment.bytes");
}

TEST(AlterBroker, RefusesReadOnlyAndMisplacedKeys) {
  EXPECT_EQ(broker("1").set("log.dirs", "/x"), "42 Cannot update these configs dynamically: [log.dirs]");
  EXPECT_THAT(broker("1").set("barnabas.durability", "fsync"), HasSubstr("42 Cannot update"));
  EXPECT_EQ(broker("").set("listeners", "PLAINTEXT://:1"),
            "42 Cannot update these configs at default cluster level, broker id must be specified: [listeners]");
  EXPECT_THAT(broker("").set("listener.name.x.ssl.keystore.location", "/x"), HasSubstr("at default cluster level"));
  EXPECT_THAT(broker("1").set("ssl.keystore.location", "/x"), HasSubstr("42 These security configs"));
  EXPECT_EQ(broker("1").set("listener.name.x.ssl.keystore.location", "/x"), "ok");
  EXPECT_EQ(broker("").set("listener.name.x.max.connections", "5"), "ok");
}

TEST(AlterBroker, RefusesOtherBrokers) {
  EXPECT_EQ(broker("2").set("log.cleaner.threads", "1"), "42 Unexpected broker id, expected 1, but received 2");
  EXPECT_THAT(broker("x").set("log.cleaner.threads", "1"), HasSubstr("42 Node id must be an integer"));
  EXPECT_THAT(broker("99999999999").set("log.cleaner.threads", "1"), HasSubstr("42 Node id must be an integer"));
}

TEST(AlterBroker, StoresUnknownKeys) {
  Resource b = broker("1");
  EXPECT_EQ(b.set("no.such.key", "1"), "ok");
  EXPECT_EQ(b.current.at("no.such.key"), "1");
}

TEST(AlterBroker, ListsOfBrokersHaveSentencesOfTheirOwn) {
  EXPECT_EQ(broker("1").append("num.io.threads", "4"),
            "40 Config value append is not allowed for config key: num.io.threads");
  EXPECT_EQ(broker("1").append("no.such", "4"), "40 Unknown config name: no.such");
  EXPECT_EQ(broker("1").append("log.dirs", "/x"), "42 Cannot update these configs dynamically: [log.dirs]");
}

TEST(AlterBroker, ChecksValuesAndWhatTheyMeanTogether) {
  EXPECT_EQ(broker("1").set("compression.type", "x"),
            "42 Invalid value x for configuration compression.type: String must be one of: uncompressed, zstd, lz4, "
            "snappy, gzip, producer");
  EXPECT_THAT(broker("1").set("leader.replication.throttled.rate", "-1"), HasSubstr("42 Invalid value -1"));
  EXPECT_THAT(broker("1").set("max.connections.per.ip.overrides", "a"), HasSubstr("42 "));
  EXPECT_THAT(broker("1").set("listeners", "x"), HasSubstr("42 "));
  EXPECT_THAT(broker("1").set("listener.security.protocol.map", "x"), HasSubstr("42 Error parsing"));
  EXPECT_THAT(broker("1").set("log.cleaner.dedupe.buffer.size", "1"), HasSubstr("42 requirement failed"));
  EXPECT_EQ(broker("1").set("log.retention.ms", "0"),
            "42 requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
  EXPECT_EQ(broker("1").set("cordoned.log.dirs", "x"),
            "42 requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing "
            "entries : x");
  EXPECT_EQ(broker("1").set("cordoned.log.dirs", "*"), "ok");
}

TEST(AlterBroker, ThreadsChangeByHalfOrDoubleAtMost) {
  EXPECT_EQ(broker("1").set("num.io.threads", "3"),
            "42 Dynamic thread count update validation failed for num.io.threads=3, value should be at least half the "
            "current value 8");
  EXPECT_EQ(broker("").set("num.io.threads", "17"),
            "42 Dynamic thread count update validation failed for num.io.threads=17, value should not be greater than "
            "double the current value 8");
  EXPECT_EQ(broker("1").set("num.io.threads", "4"), "ok");
  EXPECT_EQ(broker("1").set("num.io.threads", "16"), "ok");
  EXPECT_THAT(broker("1").set("num.io.threads", "many"), HasSubstr("42 Invalid value many"));
}

TEST(AlterBroker, WithElrMinInsyncIsOneValueForTheCluster) {
  Resource one = broker("1");
  one.context.elr_enabled = true;
  EXPECT_THAT(one.set("min.insync.replicas", "2"), HasSubstr("40 "));
  Resource all = broker("");
  all.context.elr_enabled = true;
  EXPECT_EQ(all.set("min.insync.replicas", "2"), "ok");
  EXPECT_THAT(all.remove("min.insync.replicas"), HasSubstr("40 "));
  all.context.elr_enabled = false;
  EXPECT_EQ(all.remove("min.insync.replicas"), "ok");
}

TEST(AlterGroup, StaysWithinTheBrokersBounds) {
  Resource group(ResourceType::kGroup, "g");
  EXPECT_EQ(group.set("consumer.session.timeout.ms", "44999"),
            "40 consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms");
  EXPECT_EQ(group.set("share.record.lock.duration.ms", "60001"),
            "40 share.record.lock.duration.ms must be less than or equal to group.share.max.record.lock.duration.ms");
  EXPECT_EQ(group.set("streams.num.standby.replicas", "3"),
            "40 streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas");
  EXPECT_EQ(group.set("nonsense", "1"), "40 Unknown group config name: nonsense");
  EXPECT_EQ(group.set("consumer.session.timeout.ms", "45001"), "ok");
  EXPECT_EQ(group.set("share.auto.offset.reset", "earliest"), "ok");
  EXPECT_THAT(Resource(ResourceType::kGroup, "").set("consumer.session.timeout.ms", "45001"), HasSubstr("42 "));
}

TEST(AlterGroup, TheSessionOutlastsTheHeartbeat) {
  Resource group(ResourceType::kGroup, "g");
  group.broker.file = {{"group.consumer.min.session.timeout.ms", "1"}};
  EXPECT_EQ(group.set("consumer.session.timeout.ms", "5000"),
            "40 consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms");
}

TEST(AlterClientMetrics, ChecksIntervalAndPatterns) {
  Resource metrics(ResourceType::kClientMetrics, "s");
  EXPECT_EQ(metrics.set("interval.ms", "99"),
            "42 Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)");
  EXPECT_EQ(metrics.set("nonsense", "1"), "42 Unknown client metrics configuration: nonsense");
  EXPECT_EQ(metrics.set("match", "client_id"), "40 Illegal client matching pattern: client_id");
  EXPECT_EQ(metrics.set("match", "who=x"), "40 Illegal client matching pattern: who=x");
  for (const char* pattern :
       {"client_id=[", "client_id=(a", "client_id=a)", "client_id=*", "client_id=\\", "client_id="})
    EXPECT_THAT(metrics.set("match", pattern), HasSubstr("40 Illegal client matching pattern")) << pattern;
  EXPECT_EQ(metrics.set("match", "client_id=(?i)(a|b)+[)*]\\("), "ok");
  EXPECT_EQ(metrics.set("match", "client_id=a.*,client_software_name=b"), "ok");
  EXPECT_THAT(Resource(ResourceType::kClientMetrics, "").set("interval.ms", "1000"), HasSubstr("42 "));
}

TEST(Alter, RefusesUnknownResources) {
  EXPECT_EQ(Resource(static_cast<ResourceType>(77), "x").set("a", "1"), "42 Unknown resource type 77");
  EXPECT_EQ(Resource(ResourceType::kUnknown, "x").set("a", "1"), "42 Unknown resource type 0");
}

TEST(NewTopic, IsCheckedLikeAnAlteredOne) {
  const auto check = [](std::vector<WantedConfig> wanted) {
    const auto outcome = check_new_topic({}, wanted);
    return outcome ? "ok" : std::to_string(outcome.error().error_code) + " " + outcome.error().message;
  };
  EXPECT_EQ(check({{"cleanup.policy", ""}, {"internal.segment.bytes", "100"}, {"min.insync.replicas", "5"}}), "ok");
  EXPECT_EQ(check({{"cleanup.policy", "compact,compact"}}), "ok");
  EXPECT_EQ(check({{"message.format.version", "2.8"}}), "40 Unknown topic config name: message.format.version");
  EXPECT_EQ(check({{"retention.ms", std::nullopt}}), "40 Null value not supported for topic configs: retention.ms");
  EXPECT_THAT(check({{"segment.bytes", "1"}}), HasSubstr("40 Invalid value 1"));
}

}  // namespace
}  // namespace barnabas::config
