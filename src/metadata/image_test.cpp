#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metadata/hash_trie.h"
#include "metadata/image_builder.h"

namespace barnabas::metadata {
namespace {

using ::testing::ElementsAre;

wire::MetadataRecord topic(const std::string& name, uint64_t id) {
  wire::TopicRecord record;
  record.name = name;
  record.topic_id = {0, id};
  return record;
}

wire::MetadataRecord partition(uint64_t topic, int32_t index) {
  wire::PartitionRecord record;
  record.topic_id = {0, topic};
  record.partition_id = index;
  record.replicas = {1, 2};
  record.isr = {1, 2};
  record.leader = 1;
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  return record;
}

wire::MetadataRecord config(const std::string& topic, const std::string& key, std::optional<std::string> value) {
  wire::ConfigRecord record;
  record.resource_type = 2;
  record.resource_name = topic;
  record.name = key;
  record.value = std::move(value);
  return record;
}

void replay(ImageBuilder& builder, std::initializer_list<wire::MetadataRecord> records) {
  for (const auto& record : records) {
    auto done = builder.replay(record);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
}

TEST(ImageBuilder, PublishesWhatChangedAndSharesTheRest) {
  ImageBuilder builder;
  replay(builder, {topic("a", 1), partition(1, 0), topic("b", 2), partition(2, 0)});
  Published first = builder.build();
  EXPECT_EQ(first.delta.topics.at({0, 1}).kind, TopicChange::Kind::kCreated);

  wire::PartitionChangeRecord change;
  change.topic_id = {0, 2};
  change.partition_id = 0;
  change.leader = 2;
  replay(builder, {change});
  Published second = builder.build();
  EXPECT_EQ(second.delta.topics.size(), 1u);
  EXPECT_EQ(second.delta.topics.at({0, 2}).kind, TopicChange::Kind::kChanged);
  EXPECT_THAT(second.delta.topics.at({0, 2}).partitions, ElementsAre(0));

  EXPECT_EQ(first.image->topic("a"), second.image->topic("a"));  // the very same object
  EXPECT_EQ(first.image->partition("b", 0)->leader, BrokerId(1));
  EXPECT_EQ(second.image->partition("b", 0)->leader, BrokerId(2));
  EXPECT_EQ(second.image->partition("b", 0)->leader_epoch, LeaderEpoch(1));
  EXPECT_EQ(second.image->partition("b", 0)->partition_epoch, 1);
  EXPECT_TRUE(builder.build().delta.empty());
}

TEST(ImageBuilder, BumpsTheLeaderEpochOnlyWhenARecordNamesTheLeader) {
  ImageBuilder builder;
  wire::PartitionChangeRecord shrink;
  shrink.topic_id = {0, 1};
  shrink.partition_id = 0;
  shrink.isr = std::vector<int32_t>{1};
  wire::PartitionChangeRecord same_leader = shrink;
  same_leader.isr.reset();
  same_leader.leader = 1;
  replay(builder, {topic("a", 1), partition(1, 0), shrink});
  EXPECT_EQ(builder.current().partition("a", 0)->leader_epoch, LeaderEpoch(0));
  EXPECT_EQ(builder.current().partition("a", 0)->partition_epoch, 1);
  replay(builder, {same_leader});
  EXPECT_EQ(builder.current().partition("a", 0)->leader_epoch, LeaderEpoch(1));
}

TEST(ImageBuilder, ShowsATransactionOnlyWhenItHasEnded) {
  ImageBuilder builder;
  builder.set_provenance({Offset(4), LeaderEpoch(1), 0});
  replay(builder, {wire::BeginTransactionRecord{}, topic("a", 1)});
  builder.set_provenance({Offset(6), LeaderEpoch(1), 0});
  Published half = builder.build();
  EXPECT_EQ(half.image->topic_count(), 0u);
  EXPECT_EQ(half.image->provenance().last_offset, Offset(4));
  replay(builder, {partition(1, 0), wire::EndTransactionRecord{}});
  builder.set_provenance({Offset(8), LeaderEpoch(1), 0});
  Published whole = builder.build();
  EXPECT_EQ(whole.image->partition_count(), 1u);
  EXPECT_EQ(whole.image->provenance().last_offset, Offset(8));
}

TEST(ImageBuilder, ForgetsAnAbortedTransaction) {
  ImageBuilder builder;
  replay(builder, {wire::BeginTransactionRecord{}, topic("a", 1), wire::AbortTransactionRecord{}, topic("b", 2)});
  EXPECT_EQ(builder.current().topic("a"), nullptr);
  EXPECT_NE(builder.current().topic("b"), nullptr);
  EXPECT_FALSE(builder.replay(wire::EndTransactionRecord{}).has_value());
}

TEST(ImageBuilder, ForgetsTheConfigsOfADeletedTopic) {
  ImageBuilder builder;
  replay(builder, {topic("a", 1), partition(1, 0), partition(1, 1), config("a", "retention.ms", "5")});
  Published before = builder.build();
  EXPECT_EQ(before.image->topic_config("a").at("retention.ms"), "5");
  wire::RemoveTopicRecord remove;
  remove.topic_id = {0, 1};
  replay(builder, {remove, topic("a", 7)});
  Published after = builder.build();
  EXPECT_TRUE(after.image->topic_config("a").empty());
  EXPECT_EQ(after.image->partition_count(), 0u);
  EXPECT_EQ(after.delta.topics.at({0, 1}).kind, TopicChange::Kind::kDeleted);
  EXPECT_EQ(after.delta.topics.at({0, 7}).kind, TopicChange::Kind::kCreated);
  EXPECT_EQ(before.image->topic("a")->id, (Uuid{0, 1}));  // whoever holds the old image still sees the old topic
}

TEST(ImageBuilder, RefusesRecordsThatCannotApply) {
  ImageBuilder builder;
  replay(builder, {topic("a", 1)});
  EXPECT_EQ(builder.replay(topic("a", 2)).error().message, "Topic: 'a' exists already");
  EXPECT_EQ(builder.replay(partition(9, 0)).error().message, "Partition: no topic has id AAAAAAAAAAAAAAAAAAAACQ");
  EXPECT_FALSE(builder.replay(partition(1, -1)).has_value());
  EXPECT_FALSE(builder.replay(partition(1, INT32_MAX)).has_value());
  wire::PartitionChangeRecord change;
  change.topic_id = {0, 1};
  change.partition_id = 3;
  EXPECT_EQ(builder.replay(change).error().message, "PartitionChange: 'a' has no partition 3");
  wire::BrokerRegistrationChangeRecord fence;
  fence.broker_id = 1;
  EXPECT_EQ(builder.replay(fence).error().message, "BrokerRegistrationChange: broker 1 is not registered");
  wire::RegisterBrokerRecord broker;
  broker.broker_id = 1;
  broker.broker_epoch = 10;
  replay(builder, {broker});
  EXPECT_EQ(builder.replay(fence).error().message,
            "BrokerRegistrationChange: broker 1 has epoch 10, the record says 0");
}

TEST(ImageBuilder, TakesAFeatureAtLevelZeroAsAbsent) {
  ImageBuilder builder;
  wire::FeatureLevelRecord feature;
  feature.name = "group.version";
  feature.feature_level = 1;
  replay(builder, {feature});
  EXPECT_EQ(builder.current().feature_level("group.version"), 1);
  feature.feature_level = 0;
  replay(builder, {feature});
  EXPECT_TRUE(builder.current().features().empty());
  EXPECT_EQ(builder.current().metadata_version(), 7);
}

TEST(ImageBuilder, ReplaysTenThousandPartitionsOfOneTopicAndManyTopics) {
  ImageBuilder builder;
  replay(builder, {topic("wide", 1)});
  for (int32_t i = 0; i < 10000; ++i) replay(builder, {partition(1, i)});
  for (uint64_t i = 2; i < 5002; ++i) {
    replay(builder, {topic("t" + std::to_string(i), i), partition(i, 0)});
    builder.build();  // a new image every time: only paths are copied
  }
  ImagePtr image = builder.build().image;
  EXPECT_EQ(image->partition_count(), 15000u);
  EXPECT_EQ(image->topic_count(), 5001u);
  for (uint64_t i = 2; i < 5002; ++i) {
    ASSERT_NE(image->topic("t" + std::to_string(i)), nullptr);
    ASSERT_EQ(image->topic(Uuid{0, i})->name, "t" + std::to_string(i));
  }
  EXPECT_EQ(image->topics().size(), 5001u);
}

struct Identity {
  int operator()(int value) const { return value; }
};
struct BadHash {
  uint64_t operator()(int value) const { return static_cast<uint64_t>(value % 3) << 62; }
};

TEST(HashTrie, KeepsEverythingThoughHashesCollide) {
  HashTrie<int, Identity, BadHash> trie;
  for (int i = 0; i < 200; ++i) trie.put(i);
  trie.put(7);
  auto before = trie;
  for (int i = 0; i < 200; i += 2) EXPECT_TRUE(trie.erase(i));
  EXPECT_FALSE(trie.erase(0));
  EXPECT_EQ(trie.size(), 100u);
  EXPECT_EQ(before.size(), 200u);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(trie.find(i) != nullptr, i % 2 == 1);
    EXPECT_NE(before.find(i), nullptr);
  }
}

TEST(HashTrie, IteratesInAnOrderThatDoesNotDependOnHistory) {
  HashTrie<int, Identity, BadHash> up;
  HashTrie<int, Identity, BadHash> down;
  for (int i = 0; i < 100; ++i) up.put(i);
  for (int i = 199; i >= 0; --i) down.put(i);
  for (int i = 100; i < 200; ++i) down.erase(i);
  std::vector<int> a;
  std::vector<int> b;
  up.for_each([&](int i) { a.push_back(i); });
  down.for_each([&](int i) { b.push_back(i); });
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace barnabas::metadata
