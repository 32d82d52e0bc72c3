// JoinGroup: who is let in, and what each refusal looks like.
#include <gtest/gtest.h>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

TEST(Join, DynamicMemberIsSentBackForItsIdFirst) {
  World world;
  const auto& answer = world.joined(world.join({.client = "app"}));
  EXPECT_EQ(answer.error_code, KafkaError::kMemberIdRequired);
  EXPECT_EQ(answer.member_id, "app-00000000-0000-4000-8000-000000000001");
  EXPECT_EQ(answer.generation_id, -1);
  EXPECT_EQ(answer.protocol_type, std::nullopt);
  EXPECT_EQ(answer.protocol_name, std::nullopt);
  EXPECT_EQ(answer.leader, "");
}

TEST(Join, OldClientJoinsAtOnce) {
  World world;
  RequestToken token = world.join({.version = 3});
  world.advance(seconds(3));
  const auto& answer = world.joined(token);
  EXPECT_EQ(answer.error_code, KafkaError::kNone);
  EXPECT_EQ(answer.generation_id, 1);
  EXPECT_EQ(answer.leader, answer.member_id);
  EXPECT_EQ(answer.protocol_name, "range");
  ASSERT_EQ(answer.members.size(), 1U);
  EXPECT_EQ(answer.members[0].metadata, subscription({"orders"}));
}

TEST(Join, ProtocolNameOfAnErrorIsEmptyBeforeVersionSevenAndNullSince) {
  World world;
  EXPECT_EQ(world.joined(world.join({.member = "nobody", .version = 6})).protocol_name, "");
  EXPECT_EQ(world.joined(world.join({.member = "nobody", .version = 7})).protocol_name, std::nullopt);
}

TEST(Join, EmptyGroupIdIsInvalid) {
  World world;
  EXPECT_EQ(world.joined(world.join({.group = ""})).error_code, KafkaError::kInvalidGroupId);
}

TEST(Join, SessionTimeoutMustLieWithinTheBrokersBounds) {
  World world;
  auto error_of = [&](int32_t session_ms) { return world.joined(world.join({.session_ms = session_ms})).error_code; };
  EXPECT_EQ(error_of(5'999), KafkaError::kInvalidSessionTimeout);
  EXPECT_EQ(error_of(1'800'001), KafkaError::kInvalidSessionTimeout);
  EXPECT_EQ(error_of(6'000), KafkaError::kMemberIdRequired);
  EXPECT_EQ(error_of(1'800'000), KafkaError::kMemberIdRequired);
}

TEST(Join, UnknownMemberIsUnknownWhetherTheGroupExistsOrNot) {
  World world;
  EXPECT_EQ(world.joined(world.join({.member = "ghost"})).error_code, KafkaError::kUnknownMemberId);
  EXPECT_EQ(world.shard.group_count(), 0U);
  world.stable_of_one();
  const auto& answer = world.joined(world.join({.member = "ghost"}));
  EXPECT_EQ(answer.error_code, KafkaError::kUnknownMemberId);
  EXPECT_EQ(answer.member_id, "ghost");
}

TEST(Join, ProtocolsMustFitTheGroup) {
  World world;
  world.stable_of_one({.protocols = {"range", "sticky"}});
  auto error_of = [&](World::Join ask) { return world.joined(world.join(ask)).error_code; };
  EXPECT_EQ(error_of({.protocols = {"range"}, .type = "connect"}), KafkaError::kInconsistentGroupProtocol);
  EXPECT_EQ(error_of({.protocols = {"roundrobin"}}), KafkaError::kInconsistentGroupProtocol);
  EXPECT_EQ(error_of({.protocols = {"roundrobin", "sticky"}}), KafkaError::kMemberIdRequired);
  EXPECT_EQ(error_of({.group = "new", .protocols = {}}), KafkaError::kInconsistentGroupProtocol);
  EXPECT_EQ(error_of({.group = "new", .type = ""}), KafkaError::kInconsistentGroupProtocol);
}

TEST(Join, AnyProtocolTypeWillDo) {
  World world;
  world.stable_of_one({.group = "workers", .protocols = {"sessioned"}, .type = "connect"});
  EXPECT_EQ(world.shard.describe("workers", 5).protocol_type, "connect");
  world.stable_of_one({.group = "registries", .protocols = {"v0"}, .type = "sr"});
}

TEST(Join, RebalanceTimeoutOfMinusOneIsAccepted) {
  World world;
  EXPECT_EQ(world.joined(world.join({.rebalance_ms = -1})).error_code, KafkaError::kMemberIdRequired);
  RequestToken token = world.join({.rebalance_ms = -1, .version = 3});
  world.advance(seconds(3));
  EXPECT_EQ(world.joined(token).error_code, KafkaError::kNone);
}

TEST(Join, VersionZeroRebalancesWithinItsSessionTimeout) {
  World world;
  RequestToken first = world.join({.version = 0});
  world.advance(seconds(3));
  std::string member = world.joined(first).member_id;
  world.sync({.member = member, .assignments = {{member, "all"}}});
  RequestToken second = world.join({.version = 0});
  for (int i = 0; i < 9; ++i) {
    world.advance(seconds(1));
    EXPECT_EQ(world.heartbeat("g", member, 1), KafkaError::kRebalanceInProgress);
  }
  EXPECT_EQ(world.reply<wire::JoinGroupResponse>(second), nullptr);
  world.advance(seconds(1));
  EXPECT_EQ(world.joined(second).generation_id, 2)
      << "the first member did not rejoin within 10 s, its session timeout";
}

TEST(Join, GroupIsFullAtItsMaxSize) {
  World world({.group_max_size = 1});
  std::string member = world.stable_of_one();
  const auto& refused = world.joined(world.join({}));
  EXPECT_EQ(refused.error_code, KafkaError::kGroupMaxSizeReached);
  EXPECT_EQ(refused.member_id, "");
  // Whoever is in stays in, and may rejoin.
  EXPECT_EQ(world.joined(world.join({.member = member})).generation_id, 2);
}

TEST(Join, WhilePreparingThoseWhoHaveJoinedAreCounted) {
  World world({.group_max_size = 2});
  auto [a, first] = world.join_twice({});
  auto [b, second] = world.join_twice({});
  const auto& refused = world.joined(world.join({.version = 3}));
  EXPECT_EQ(refused.error_code, KafkaError::kGroupMaxSizeReached);
  world.advance(seconds(10));
  EXPECT_EQ(world.joined(first).error_code, KafkaError::kNone);
  EXPECT_EQ(world.joined(second).error_code, KafkaError::kNone);
}

TEST(Join, FollowerThatAsksAgainUnchangedHearsOfThePresentGeneration) {
  World world;
  auto [leader, first] = world.join_twice({});
  auto [follower, second] = world.join_twice({});
  world.advance(seconds(10));
  ASSERT_EQ(world.joined(second).generation_id, 1);
  world.sync({.member = leader, .assignments = {{leader, "0"}, {follower, "1"}}});
  world.sync({.member = follower});
  ASSERT_EQ(world.state_of("g"), "Stable");

  const auto& again = world.joined(world.join({.member = follower}));
  EXPECT_EQ(again.generation_id, 1);
  EXPECT_EQ(again.leader, leader);
  EXPECT_TRUE(again.members.empty());
  EXPECT_EQ(world.state_of("g"), "Stable");

  RequestToken changed = world.join({.member = follower, .topics = {"clicks"}});
  EXPECT_EQ(world.reply<wire::JoinGroupResponse>(changed), nullptr);
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
}

TEST(Join, LeaderThatAsksAgainForcesARebalance) {
  World world;
  std::string leader = world.stable_of_one();
  const auto& again = world.joined(world.join({.member = leader}));
  EXPECT_EQ(again.generation_id, 2);
  EXPECT_EQ(again.members.size(), 1U);
}

TEST(Join, LostAnswerIsGivenAgainBeforeTheAssignmentIsOut) {
  World world;
  auto [leader, first] = world.join_twice({});
  world.advance(seconds(3));
  ASSERT_EQ(world.state_of("g"), "CompletingRebalance");
  const auto& again = world.joined(world.join({.member = leader}));
  EXPECT_EQ(again.generation_id, 1);
  EXPECT_EQ(again.members.size(), 1U) << "the leader needs them";
}

TEST(Join, SecondRequestOfAParkedMemberPushesTheFirstOut) {
  World world;
  auto [member, first] = world.join_twice({});
  RequestToken second = world.join({.member = member});
  EXPECT_EQ(world.joined(first).error_code, KafkaError::kRebalanceInProgress);
  world.advance(seconds(10));
  EXPECT_EQ(world.joined(second).error_code, KafkaError::kNone);
}

TEST(Join, NewMemberThatStaysParkedForFiveMinutesIsDropped) {
  World world;
  world.stable_of_one({.session_ms = 1'800'000, .rebalance_ms = 900'000});
  auto [late, token] = world.join_twice({.session_ms = 6'000, .rebalance_ms = 900'000});
  world.advance(seconds(299));
  EXPECT_EQ(world.reply<wire::JoinGroupResponse>(token), nullptr);
  world.advance(seconds(1));
  EXPECT_EQ(world.joined(token).error_code, KafkaError::kUnknownMemberId);
}

}  // namespace
}  // namespace barnabas::group
