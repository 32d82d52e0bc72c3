// Offsets: who may commit, what is read back, when they go.
#include <gtest/gtest.h>

#include <limits>

#include "group/offset_fetch.h"
#include "group/test_world.h"
#include "wire/coordinator_record.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

wire::OffsetCommitValue value_of(const CoordinatorRecord& record) {
  auto value = wire::decode_group_value(wire::OffsetCommitKey::kRecordType, record.value.value());
  EXPECT_TRUE(value.has_value());
  return std::get<wire::OffsetCommitValue>(*value);
}

TEST(Commit, SimpleConsumerMayInEveryVersionAndEvenInTheGroupWithoutName) {
  World world;
  for (int16_t version = 2; version <= 10; ++version) {
    World::Commit ask{.group = "simple", .offset = version, .version = version};
    ask.topic_id = world.topics.by_name("orders")->id;
    EXPECT_EQ(world.commit_error_of(ask), KafkaError::kNone) << version;
    EXPECT_EQ(world.fetch("simple", "orders", 0).committed_offset, version);
  }
  EXPECT_EQ(world.commit_error_of({.group = "", .offset = 5}), KafkaError::kNone);
  EXPECT_EQ(world.fetch("", "orders", 0).committed_offset, 5);
}

TEST(Commit, AnyOffsetIsTaken) {
  World world;
  for (int64_t offset : {int64_t{-1}, int64_t{-5}, int64_t{1} << 60}) {
    EXPECT_EQ(world.commit_error_of({.offset = offset}), KafkaError::kNone);
    EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, offset);
  }
}

TEST(Commit, UnknownTopicsAndPartitionsAreRefusedOneByOne) {
  World world;
  EXPECT_EQ(world.commit_error_of({.topic = "nope"}), KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(world.commit_error_of({.version = 10, .topic_id = Uuid{9, 9}}), KafkaError::kUnknownTopicId);
  EXPECT_EQ(world.commit_error_of({.partition = 4}), KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(world.commit_error_of({.partition = -1}), KafkaError::kUnknownTopicOrPartition);
  EXPECT_TRUE(world.log.empty());
  EXPECT_EQ(world.shard.group_count(), 0U);
}

TEST(Commit, MetadataIsLimitedInUtf16UnitsAndNullReadsBackEmpty) {
  World world;
  EXPECT_EQ(world.commit_error_of({.metadata = std::string(4096, 'x')}), KafkaError::kNone);
  EXPECT_EQ(world.commit_error_of({.metadata = std::string(4097, 'x')}), KafkaError::kOffsetMetadataTooLarge);
  std::string umlauts;
  for (int i = 0; i < 4096; ++i) umlauts += "ä";
  EXPECT_EQ(world.commit_error_of({.metadata = umlauts}), KafkaError::kNone);
  EXPECT_EQ(world.commit_error_of({.metadata = std::nullopt}), KafkaError::kNone);
  EXPECT_EQ(world.fetch("g", "orders", 0).metadata, "");
}

TEST(Commit, GenerationWithoutAGroupIsAnErrorOfItsVersion) {
  World world;
  EXPECT_EQ(world.commit_error_of({.generation = 0, .version = 9}), KafkaError::kGroupIdNotFound);
  EXPECT_EQ(world.commit_error_of({.generation = 0, .version = 8}), KafkaError::kIllegalGeneration);
  EXPECT_EQ(world.commit_error_of({.member = "me", .generation = -1}), KafkaError::kNone);
  EXPECT_EQ(world.commit_error_of({.member = "me", .generation = 0}), KafkaError::kUnknownMemberId)
      << "the group exists now, and is simple";
}

TEST(Commit, ActiveGroupTakesOffsetsOfItsMembersOnly) {
  World world;
  std::string member = world.stable_of_one();
  EXPECT_EQ(world.commit_error_of({}), KafkaError::kUnknownMemberId) << "no id, while others consume";
  EXPECT_EQ(world.commit_error_of({.member = member, .generation = 2}), KafkaError::kIllegalGeneration);
  EXPECT_EQ(world.commit_error_of({.member = "ghost", .generation = 1}), KafkaError::kUnknownMemberId);
  EXPECT_EQ(world.commit_error_of({.member = member, .generation = 1}), KafkaError::kNone);
  world.leave("g", {{.member = member}});
  EXPECT_EQ(world.commit_error_of({}), KafkaError::kNone) << "nobody consumes: tools may";
}

TEST(Commit, IsTakenWhilePreparingAndRefusedBeforeTheAssignmentIsOut) {
  World world;
  std::string member = world.stable_of_one();
  world.join_twice({});
  ASSERT_EQ(world.state_of("g"), "PreparingRebalance");
  EXPECT_EQ(world.commit_error_of({.member = member, .generation = 1}), KafkaError::kNone);
  world.join({.member = member});
  ASSERT_EQ(world.state_of("g"), "CompletingRebalance");
  EXPECT_EQ(world.commit_error_of({.member = member, .generation = 2}), KafkaError::kRebalanceInProgress);
}

TEST(Commit, IsASignOfLife) {
  World world;
  std::string member = world.stable_of_one();
  for (int i = 0; i < 5; ++i) {
    world.advance(seconds(9));
    EXPECT_EQ(world.commit_error_of({.member = member, .generation = 1}), KafkaError::kNone);
  }
}

TEST(Commit, WritesVersionFourWithTheTopicIdAndVersionOneWithAnExpiry) {
  World world;
  world.commit({.offset = 7, .metadata = "m"});
  EXPECT_EQ(load_be<int16_t>(world.log.back().value->data()), 4);
  EXPECT_EQ(value_of(world.log.back()).topic_id, world.topics.by_name("orders")->id);
  EXPECT_EQ(value_of(world.log.back()).commit_timestamp, world.now.wall_ms);
  world.commit({.offset = 8, .retention_ms = 1000, .version = 4});
  EXPECT_EQ(load_be<int16_t>(world.log.back().value->data()), 1);
  EXPECT_EQ(value_of(world.log.back()).expire_timestamp, world.now.wall_ms + 1000);
}

TEST(Fetch, WhatIsNotThereIsMinusOneWithoutAnError) {
  World world;
  auto nothing = world.fetch("unknown", "orders", 0);
  EXPECT_EQ(nothing.error_code, KafkaError::kNone);
  EXPECT_EQ(nothing.committed_offset, -1);
  EXPECT_EQ(nothing.committed_leader_epoch, -1);
  EXPECT_EQ(nothing.metadata, "");
  EXPECT_EQ(world.fetch("unknown", "no such topic", 99).error_code, KafkaError::kNone);
}

TEST(Fetch, NullTopicsAreAllAndNoTopicsAreNone) {
  World world;
  world.commit({.partition = 1, .offset = 11});
  world.commit({.partition = 0, .offset = 10});
  world.commit({.topic = "clicks", .offset = 20});
  wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.topics = std::nullopt;
  auto all = world.shard.fetch_offsets(request, {.api_version = 8}, world.topics);
  ASSERT_EQ(all.topics.size(), 2U);
  EXPECT_EQ(all.topics[0].name, "clicks");
  ASSERT_EQ(all.topics[1].partitions.size(), 2U);
  EXPECT_EQ(all.topics[1].partitions[0].committed_offset, 10);
  request.topics.emplace();
  EXPECT_TRUE(world.shard.fetch_offsets(request, {.api_version = 8}, world.topics).topics.empty());
}

TEST(Fetch, TopicIdsAreUsedSinceVersionTen) {
  World world;
  world.commit({.offset = 3});
  Uuid id = world.topics.by_name("orders")->id;
  wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  auto& topics = request.topics.emplace();
  topics.emplace_back().topic_id = id;
  topics.back().partition_indexes = {0};
  topics.emplace_back().topic_id = Uuid{9, 9};
  topics.back().partition_indexes = {0};
  auto answer = world.shard.fetch_offsets(request, {.api_version = 10}, world.topics);
  EXPECT_EQ(answer.topics[0].partitions[0].committed_offset, 3);
  EXPECT_EQ(answer.topics[1].partitions[0].error_code, KafkaError::kUnknownTopicId);
  request.topics = std::nullopt;
  answer = world.shard.fetch_offsets(request, {.api_version = 10}, world.topics);
  EXPECT_EQ(answer.topics.at(0).topic_id, id);
}

TEST(Fetch, OldVersionsSpeakOfOneGroup) {
  wire::OffsetFetchRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace().emplace_back();
  topic.name = "orders";
  topic.partition_indexes = {1};
  auto groups = split_offset_fetch(request, 1);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].topics->at(0).name, "orders");
  auto old = join_offset_fetch({offset_fetch_error(groups[0], 1, KafkaError::kNotCoordinator)}, 1);
  EXPECT_EQ(old.topics.at(0).partitions.at(0).error_code, KafkaError::kNotCoordinator);
  auto newer = join_offset_fetch({offset_fetch_error(groups[0], 5, KafkaError::kNotCoordinator)}, 5);
  EXPECT_TRUE(newer.topics.empty());
  EXPECT_EQ(newer.error_code, KafkaError::kNotCoordinator);
}

TEST(OffsetDelete, RefusesWhatMembersReadAndRemovesTheRest) {
  World world;
  std::string member = world.stable_of_one({.topics = {"orders"}});
  world.commit({.member = member, .generation = 1, .offset = 1});
  world.commit({.member = member, .generation = 1, .topic = "clicks", .offset = 2});
  auto remove = [&](const std::string& group) {
    wire::OffsetDeleteRequest request;
    request.group_id = group;
    for (const char* name : {"orders", "clicks", "nope"}) {
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.partitions.emplace_back().partition_index = 0;
    }
    Caller who = world.caller(0);
    world.obey(world.shard.delete_offsets(who, world.now, request, world.topics));
    return *world.reply<wire::OffsetDeleteResponse>(who.token);
  };
  EXPECT_EQ(remove("unknown").error_code, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(remove("").error_code, KafkaError::kInvalidGroupId);
  auto answer = remove("g");
  EXPECT_EQ(answer.error_code, KafkaError::kNone);
  EXPECT_EQ(answer.topics[0].partitions[0].error_code, KafkaError::kGroupSubscribedToTopic);
  EXPECT_EQ(answer.topics[1].partitions[0].error_code, KafkaError::kNone);
  EXPECT_EQ(answer.topics[2].partitions[0].error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  EXPECT_EQ(world.fetch("g", "clicks", 0).committed_offset, -1);

  world.stable_of_one({.group = "workers", .type = "connect"});
  EXPECT_EQ(remove("workers").error_code, KafkaError::kNonEmptyGroup);
}

constexpr auto kWeek = std::chrono::hours(24 * 7);

TEST(Expiry, OffsetsOfAnActiveGroupNeverExpire) {
  World world;
  std::string member = world.stable_of_one({.session_ms = 1'800'000});
  world.commit({.member = member, .generation = 1, .offset = 1});
  for (int i = 0; i < 500; ++i) {
    world.advance(std::chrono::minutes(29));
    ASSERT_EQ(world.heartbeat("g", member, 1), KafkaError::kNone);
  }
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
}

TEST(Expiry, ClockOfAGroupStartsWhenItIsEmpty) {
  World world;
  std::string member = world.stable_of_one({.session_ms = 1'800'000});
  world.commit({.member = member, .generation = 1, .offset = 1});
  world.advance(std::chrono::minutes(20));
  world.leave("g", {{.member = member}});
  world.advance(kWeek - seconds(1));
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  world.advance(seconds(1));
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, -1);
  EXPECT_EQ(world.fetch("g", "orders", 0).error_code, KafkaError::kNone);
  EXPECT_EQ(world.state_of("g"), "Dead") << "nothing is left of it";
  world.reload();
  EXPECT_EQ(world.shard.group_count(), 0U);
}

TEST(Expiry, StableConsumersKeepWhatTheyReadAndLoseTheRest) {
  World world;
  std::string member = world.stable_of_one({.topics = {"orders"}, .session_ms = 1'800'000});
  world.commit({.member = member, .generation = 1, .offset = 1});
  world.commit({.member = member, .generation = 1, .topic = "clicks", .offset = 2});
  for (int i = 0; i < 350; ++i) {
    world.advance(std::chrono::minutes(29));
    world.heartbeat("g", member, 1);
  }
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  EXPECT_EQ(world.fetch("g", "clicks", 0).committed_offset, -1);
  EXPECT_EQ(world.state_of("g"), "Stable");
}

TEST(Expiry, SimpleGroupLosesEachOffsetAWeekAfterItsCommit) {
  World world;
  world.commit({.partition = 0, .offset = 1});
  world.advance(kWeek / 2);
  world.commit({.partition = 1, .offset = 2});
  world.advance(kWeek / 2);
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, -1);
  EXPECT_EQ(world.fetch("g", "orders", 1).committed_offset, 2);
  EXPECT_EQ(world.state_of("g"), "Empty");
}

TEST(Expiry, RetentionNamedByTheClientIsObeyed) {
  World world;
  world.commit({.partition = 0, .offset = 1, .retention_ms = 1'000, .version = 2});
  world.commit({.partition = 1, .offset = 2, .retention_ms = kWeek.count() * 3'600'000 * 2, .version = 4});
  world.reload();
  world.advance(milliseconds(999));
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  world.advance(kWeek);
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, -1);
  EXPECT_EQ(world.fetch("g", "orders", 1).committed_offset, 2);
}

TEST(Expiry, AbsurdTimesDoNoHarm) {
  World world;
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(world.commit_error_of({.partition = 0, .offset = 1, .retention_ms = kFar, .version = 2}),
            KafkaError::kNone);
  EXPECT_EQ(world.commit_error_of({.partition = 1, .offset = 2, .retention_ms = -kFar, .version = 2}),
            KafkaError::kNone);
  world.obey(world.shard.expire_offsets(world.now));
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  EXPECT_EQ(world.fetch("g", "orders", 1).committed_offset, -1);
}

TEST(TopicDeleted, TakesItsOffsetsButNotThoseOfANewTopicOfTheSameName) {
  World world;
  world.commit({.group = "one", .offset = 1});
  Uuid old_id = world.topics.by_name("orders")->id;
  world.topics.remove("orders");
  world.topics.add("other", 1);
  world.topics.add("orders", 4);
  world.commit({.group = "two", .offset = 2});
  std::string member = world.stable_of_one({.group = "live"});
  world.obey(world.shard.topic_deleted(world.now, "orders", old_id));
  EXPECT_EQ(world.fetch("one", "orders", 0).committed_offset, -1);
  EXPECT_EQ(world.fetch("two", "orders", 0).committed_offset, 2);
  EXPECT_EQ(world.heartbeat("live", member, 1), KafkaError::kNone);
}

}  // namespace
}  // namespace barnabas::group
