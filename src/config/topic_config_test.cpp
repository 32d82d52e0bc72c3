#include "config/topic_config.h"

#include <gtest/gtest.h>

#include "config/broker_config.h"
#include "config/quorum_config.h"

namespace barnabas::config {
namespace {

TEST(TopicConfig, WithoutAnySettingIsKafkasDefault) {
  EXPECT_EQ(resolve_topic_config({}, {}), TopicConfig{});
}

TEST(TopicConfig, TakesTheBrokersValueInItsUnit) {
  BrokerLayers broker;
  broker.file = {{"log.retention.hours", "24"}, {"log.roll.hours", "2"}, {"log.flush.scheduler.interval.ms", "77"}};
  EXPECT_EQ(resolve_topic_config(broker, {}).retention_ms, 24 * 3600000);
  EXPECT_EQ(resolve_topic_config(broker, {}).segment_ms, 2 * 3600000);
  EXPECT_EQ(resolve_topic_config(broker, {}).flush_ms, 77);
  broker.file["log.retention.minutes"] = "3";
  EXPECT_EQ(resolve_topic_config(broker, {}).retention_ms, 3 * 60000);
  broker.cluster_default["log.retention.ms"] = "5";
  EXPECT_EQ(resolve_topic_config(broker, {}).retention_ms, 5);
  broker.this_broker["log.retention.ms"] = "6";
  EXPECT_EQ(resolve_topic_config(broker, {}).retention_ms, 6);
  EXPECT_EQ(resolve_topic_config(broker, {{"retention.ms", "7"}}).retention_ms, 7);
}

TEST(TopicConfig, NegativeHoursMeanNoLimit) {
  BrokerLayers broker;
  broker.file = {{"log.retention.hours", "-1"}};
  EXPECT_EQ(resolve_topic_config(broker, {}).retention_ms, -1);
}

TEST(TopicConfig, TheInternalSegmentSizeGoesBelowTheBound) {
  EXPECT_EQ(resolve_topic_config({}, {{"internal.segment.bytes", "100"}}).segment_bytes, 100);
}

TEST(TopicConfig, PoliciesAndTypesAreParsed) {
  const TopicConfig config = resolve_topic_config(
      {}, {{"cleanup.policy", "compact"}, {"compression.type", "zstd"}, {"message.timestamp.type", "LogAppendTime"}});
  EXPECT_TRUE(config.cleanup_compact);
  EXPECT_FALSE(config.cleanup_delete);
  EXPECT_EQ(config.compression_type, CompressionType::kZstd);
  EXPECT_EQ(config.message_timestamp_type, TimestampType::kLogAppendTime);
  const TopicConfig none = resolve_topic_config({}, {{"cleanup.policy", ""}});
  EXPECT_FALSE(none.cleanup_compact || none.cleanup_delete);
}

TEST(TopicConfig, ABadValueFromElsewhereFallsThrough) {
  BrokerLayers broker;
  broker.cluster_default = {{"log.segment.bytes", "12"}};
  broker.file = {{"log.segment.bytes", "2000000"}};
  EXPECT_EQ(resolve_topic_config(broker, {{"segment.bytes", "none"}, {"no.such.key", "1"}}).segment_bytes, 2000000);
}

TEST(BrokerConfig, WithoutAnySettingIsKafkasDefault) {
  EXPECT_EQ(resolve_broker_config({}), BrokerConfig{});
}

TEST(BrokerConfig, RequestMemoryIsOursUnlessKafkasKeySaysMore) {
  BrokerLayers layers;
  layers.file = {{"barnabas.request.memory.bytes", "5000000"}};
  EXPECT_EQ(resolve_broker_config(layers).sockets.request_memory_bytes, 5000000);
  layers.file["queued.max.request.bytes"] = "200000000";
  EXPECT_EQ(resolve_broker_config(layers).sockets.request_memory_bytes, 200000000);
}

TEST(BrokerConfig, OffsetRetentionIsInMilliseconds) {
  BrokerLayers layers;
  layers.file = {{"offsets.retention.minutes", "2147483647"}, {"max.connections.per.ip.overrides", "h:1, [::1]:2"}};
  const BrokerConfig config = resolve_broker_config(layers);
  EXPECT_EQ(config.groups.offsets_retention_ms, 2147483647LL * 60000);
  const std::map<std::string, int32_t> expected{{"h", 1}, {"::1", 2}};
  EXPECT_EQ(config.sockets.max_connections_per_ip_overrides, expected);
}

TEST(QuorumConfig, WithoutAnySettingIsKafkasDefault) {
  EXPECT_EQ(resolve_quorum_config({}), QuorumConfig{});
}

TEST(QuorumConfig, TheInternalSegmentSizeGoesBelowTheBound) {
  BrokerLayers layers;
  layers.file = {{"internal.metadata.log.segment.bytes", "20000"}};
  EXPECT_EQ(resolve_quorum_config(layers).log_segment_bytes, 20000);
}

}  // namespace
}  // namespace barnabas::config
