#include "config/resolved.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/tables.h"

namespace barnabas::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Rows = std::vector<DescribedConfig>;

const DescribedConfig& row(const Rows& rows, std::string_view name) {
  static const DescribedConfig kNone;
  const auto place = std::ranges::find(rows, name, &DescribedConfig::name);
  EXPECT_NE(place, rows.end()) << name;
  return place == rows.end() ? kNone : *place;
}

bool has(const Rows& rows, std::string_view name) {
  return std::ranges::find(rows, name, &DescribedConfig::name) != rows.end();
}

// A fresh cluster of Kafka 4.3 stores min.insync.replicas for all brokers.
BrokerLayers fresh_cluster() {
  BrokerLayers broker;
  broker.cluster_default = {{"min.insync.replicas", "1"}};
  return broker;
}

// Rows and synonyms as Apache Kafka 4.3.0 answered them.
TEST(DescribeTopic, SaysWhatKafkaSays) {
  const Rows rows = describe_topic({{"retention.ms", "3600000"}}, fresh_cluster());
  EXPECT_EQ(rows.size(), 33u);
  const DescribedConfig& retention = row(rows, "retention.ms");
  EXPECT_EQ(retention.value, "3600000");
  EXPECT_EQ(retention.source, Source::kTopic);
  EXPECT_EQ(retention.type, KeyType::kLong);
  EXPECT_THAT(retention.synonyms, ElementsAre(DescribedSynonym{"retention.ms", "3600000", Source::kTopic}));

  const DescribedConfig& segment = row(rows, "segment.ms");
  EXPECT_EQ(segment.value, "604800000");
  EXPECT_EQ(segment.source, Source::kDefault);
  EXPECT_THAT(segment.synonyms, IsEmpty());
  EXPECT_THAT(row(rows, "flush.ms").synonyms, IsEmpty());
  EXPECT_THAT(row(rows, "segment.jitter.ms").synonyms, IsEmpty());
  EXPECT_THAT(row(rows, "remote.storage.enable").synonyms, IsEmpty());
  EXPECT_THAT(row(rows, "compression.type").synonyms,
              ElementsAre(DescribedSynonym{"compression.type", "producer", Source::kDefault}));

  const DescribedConfig& insync = row(rows, "min.insync.replicas");
  EXPECT_EQ(insync.source, Source::kDynamicDefaultBroker);
  EXPECT_THAT(insync.synonyms, ElementsAre(DescribedSynonym{"min.insync.replicas", "1", Source::kDynamicDefaultBroker},
                                           DescribedSynonym{"min.insync.replicas", "1", Source::kDefault}));
  for (const DescribedConfig& described : rows) {
    EXPECT_FALSE(described.read_only || described.sensitive) << described.name;
    EXPECT_FALSE(described.documentation.empty()) << described.name;
  }
}

TEST(DescribeTopic, AnswersInKafkasOrder) {
  const Rows rows = describe_topic({}, {});
  EXPECT_EQ(rows[0].name, "compression.type");
  EXPECT_EQ(rows[1].name, "remote.log.delete.on.disable");
  EXPECT_EQ(rows[8].name, "cleanup.policy");
  EXPECT_EQ(rows[32].name, "segment.index.bytes");
}

TEST(DescribeTopic, AnOverrideEqualToTheDefaultIsStillTheTopics) {
  const Rows rows = describe_topic({{"segment.bytes", "1073741824"}}, {});
  EXPECT_EQ(row(rows, "segment.bytes").source, Source::kTopic);
  EXPECT_THAT(row(rows, "segment.bytes").synonyms,
              ElementsAre(DescribedSynonym{"segment.bytes", "1073741824", Source::kTopic},
                          DescribedSynonym{"log.segment.bytes", "1073741824", Source::kDefault}));
}

TEST(DescribeTopic, ShowsTheInternalKeyOnlyWhenItIsSet) {
  EXPECT_FALSE(has(describe_topic({}, {}), "internal.segment.bytes"));
  EXPECT_EQ(describe_topic({{"internal.segment.bytes", "100"}}, {}).size(), 34u);
}

TEST(DescribeTopic, TakesNamesAndDropsUnknownOnes) {
  const Rows rows = describe_topic({}, {}, {"retention.ms", "nonsense"});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].name, "retention.ms");
}

TEST(DescribeTopic, AStaticBrokerValueIsASourceOfItsOwn) {
  BrokerLayers broker;
  broker.file = {{"log.retention.ms", "-1"}};
  const DescribedConfig retention = row(describe_topic({}, broker), "retention.ms");
  EXPECT_EQ(retention.value, "-1");
  EXPECT_EQ(retention.source, Source::kStaticBroker);
  // In hours it is not a value of log.retention.ms: Kafka calls it a default then.
  broker.file = {{"log.retention.hours", "1"}};
  EXPECT_EQ(row(describe_topic({}, broker), "retention.ms").value, "3600000");
  EXPECT_EQ(row(describe_topic({}, broker), "retention.ms").source, Source::kDefault);
}

TEST(DescribeBroker, ListsEveryDocumentedKey) {
  EXPECT_EQ(describe_broker({}).size(), 340u);
  EXPECT_FALSE(has(describe_broker({}), "barnabas.durability"));
}

TEST(DescribeBroker, PutsTheStrongestLayerFirst) {
  BrokerLayers broker;
  broker.file = {{"log.cleaner.threads", "3"}, {"log.retention.minutes", "5"}};
  broker.cluster_default = {{"log.cleaner.threads", "4"}};
  broker.this_broker = {{"log.cleaner.threads", "2"}};
  const Rows rows = describe_broker(broker);
  const DescribedConfig& threads = row(rows, "log.cleaner.threads");
  EXPECT_EQ(threads.value, "2");
  EXPECT_EQ(threads.source, Source::kDynamicBroker);
  EXPECT_FALSE(threads.read_only);
  EXPECT_THAT(threads.synonyms, ElementsAre(DescribedSynonym{"log.cleaner.threads", "2", Source::kDynamicBroker},
                                            DescribedSynonym{"log.cleaner.threads", "4", Source::kDynamicDefaultBroker},
                                            DescribedSynonym{"log.cleaner.threads", "3", Source::kStaticBroker},
                                            DescribedSynonym{"log.cleaner.threads", "1", Source::kDefault}));
  const DescribedConfig& minutes = row(rows, "log.retention.minutes");
  EXPECT_TRUE(minutes.read_only);
  EXPECT_THAT(minutes.synonyms, ElementsAre(DescribedSynonym{"log.retention.minutes", "5", Source::kStaticBroker},
                                            DescribedSynonym{"log.retention.hours", "168", Source::kDefault}));
  EXPECT_EQ(row(rows, "log.retention.ms").value, std::nullopt);
}

TEST(DescribeBroker, NeverShowsSecrets) {
  BrokerLayers broker;
  broker.file = {{"ssl.key.password", "secret"}, {"listener.name.x.plain.sasl.jaas.config", "secret"}};
  const Rows rows = describe_broker(broker);
  for (const std::string_view name : {"ssl.key.password", "listener.name.x.plain.sasl.jaas.config"}) {
    EXPECT_TRUE(row(rows, name).sensitive) << name;
    EXPECT_EQ(row(rows, name).value, std::nullopt) << name;
    ASSERT_FALSE(row(rows, name).synonyms.empty()) << name;
    EXPECT_EQ(row(rows, name).synonyms[0].value, std::nullopt) << name;
  }
}

TEST(DescribeBroker, AnUnknownDynamicKeyIsListedReadOnlyAndSensitive) {
  BrokerLayers broker;
  broker.this_broker = {{"no.such.key", "1"}};
  const DescribedConfig unknown = row(describe_broker(broker), "no.such.key");
  EXPECT_TRUE(unknown.read_only && unknown.sensitive);
  EXPECT_EQ(unknown.source, Source::kDynamicBroker);
  EXPECT_EQ(unknown.type, KeyType::kUnknown);
  EXPECT_EQ(unknown.value, std::nullopt);
}

TEST(DescribeBroker, ADynamicValueOutdoesTheFilesOtherUnits) {
  BrokerLayers broker;
  broker.file = {{"log.retention.hours", "24"}};
  broker.this_broker = {{"log.retention.ms", "5000000"}};
  const Rows rows = describe_broker(broker);
  EXPECT_EQ(row(rows, "log.retention.hours").value, "168");
  EXPECT_EQ(row(rows, "log.retention.hours").source, Source::kStaticBroker);
  EXPECT_THAT(row(rows, "log.retention.ms").synonyms,
              ElementsAre(DescribedSynonym{"log.retention.ms", "5000000", Source::kDynamicBroker},
                          DescribedSynonym{"log.retention.hours", "24", Source::kStaticBroker},
                          DescribedSynonym{"log.retention.hours", "168", Source::kDefault}));
}

TEST(DescribeBroker, ThrottleRatesAreKnownAndTheAuthorizersKeysAreNot) {
  BrokerLayers broker;
  broker.file = {{"super.users", "User:x"}};
  broker.this_broker = {{"leader.replication.throttled.rate", "5"}};
  const DescribedConfig rate = row(describe_broker(broker), "leader.replication.throttled.rate");
  EXPECT_EQ(rate.value, "5");
  EXPECT_EQ(rate.type, KeyType::kLong);
  EXPECT_FALSE(rate.read_only || rate.sensitive);
  const DescribedConfig users = row(describe_broker(broker), "super.users");
  EXPECT_TRUE(users.read_only && users.sensitive);
  EXPECT_EQ(users.type, KeyType::kUnknown);
}

TEST(DescribeBroker, ShowsOurOwnKeysWhenSet) {
  BrokerLayers broker;
  broker.file = {{"barnabas.durability", "page-cache"}};
  const DescribedConfig own = row(describe_broker(broker), "barnabas.durability");
  EXPECT_EQ(own.value, "page-cache");
  EXPECT_TRUE(own.read_only);
  EXPECT_EQ(own.source, Source::kStaticBroker);
}

TEST(DescribeClusterDefault, ListsOnlyWhatIsSetForAllBrokers) {
  const Rows rows = describe_cluster_default(fresh_cluster());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].name, "min.insync.replicas");
  EXPECT_EQ(rows[0].value, "1");
  EXPECT_EQ(rows[0].source, Source::kDynamicDefaultBroker);
  EXPECT_EQ(rows[0].synonyms.size(), 1u);
}

TEST(DescribeGroup, AnUnknownGroupHasTheBrokersDefaults) {
  const Rows rows = describe_group({}, {});
  EXPECT_EQ(rows.size(), 17u);
  EXPECT_THAT(row(rows, "consumer.session.timeout.ms").synonyms,
              ElementsAre(DescribedSynonym{"group.consumer.session.timeout.ms", "45000", Source::kDefault}));
  EXPECT_THAT(row(rows, "share.isolation.level").synonyms,
              ElementsAre(DescribedSynonym{"share.isolation.level", "read_uncommitted", Source::kDefault}));
  EXPECT_EQ(row(rows, "share.isolation.level").source, Source::kDefault);
}

TEST(DescribeGroup, ItsOwnValueComesFirst) {
  const DescribedConfig session =
      row(describe_group({{"consumer.session.timeout.ms", "50000"}}, {}), "consumer.session.timeout.ms");
  EXPECT_EQ(session.value, "50000");
  EXPECT_EQ(session.source, Source::kGroup);
  EXPECT_EQ(session.synonyms.size(), 2u);
}

TEST(DescribeClientMetrics, AnyNameHasThreeRows) {
  const Rows rows = describe_client_metrics({{"metrics", "org.apache."}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(row(rows, "interval.ms").value, "300000");
  EXPECT_EQ(row(rows, "interval.ms").source, Source::kDefault);
  EXPECT_EQ(row(rows, "metrics").source, Source::kClientMetrics);
  EXPECT_EQ(row(rows, "match").value, "");
  EXPECT_THAT(row(rows, "match").synonyms, IsEmpty());
  EXPECT_THAT(row(rows, "metrics").synonyms,
              ElementsAre(DescribedSynonym{"metrics", "org.apache.", Source::kClientMetrics}));
}

}  // namespace
}  // namespace barnabas::config
