// Rebalances: the row of the state table a request falls on, and every way a rebalance ends.
#include <gtest/gtest.h>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

// Two members in generation 1; a leads, neither has synced.
struct Pair : World {
  explicit Pair(GroupConfig settings = {}) : World(settings) {
    Join ask{.session_ms = 30'000};
    auto [first, first_token] = join_twice(ask);
    auto [second, second_token] = join_twice(ask);
    a = first, b = second;
    advance(seconds(6));
    EXPECT_EQ(state_of("g"), "CompletingRebalance");
    EXPECT_EQ(joined(first_token).leader, a);
    EXPECT_EQ(joined(first_token).members.size(), 2U);
    EXPECT_TRUE(joined(second_token).members.empty());
  }
  void stabilise() {
    sync({.member = a, .assignments = {{a, "A"}, {b, "B"}}});
    sync({.member = b});
    EXPECT_EQ(state_of("g"), "Stable");
  }
  std::string a;
  std::string b;
};

TEST(Rebalance, EmptyGroupWaitsTheInitialDelay) {
  World world;
  auto [member, token] = world.join_twice({});
  world.advance(milliseconds(2'999));
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
  world.advance(milliseconds(1));
  EXPECT_EQ(world.state_of("g"), "CompletingRebalance");
}

TEST(Rebalance, EachNewMemberExtendsTheInitialDelayUpToTheRebalanceTimeout) {
  World world;
  World::Join ask{.rebalance_ms = 7'000};
  auto [first, first_token] = world.join_twice(ask);
  world.advance(seconds(2));
  world.join_twice(ask);
  world.advance(seconds(2));  // 4 s: extended to 6 s
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
  world.join_twice(ask);
  world.advance(seconds(2));  // 6 s: extended by what is left of 7 s
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
  world.join_twice(ask);
  world.advance(seconds(1));
  EXPECT_EQ(world.state_of("g"), "CompletingRebalance");
  EXPECT_EQ(world.joined(first_token).members.size(), 4U);
}

TEST(Rebalance, InitialDelayOfZeroEndsWithTheNextTick) {
  World world({.group_initial_rebalance_delay_ms = milliseconds(0)});
  auto [member, token] = world.join_twice({});
  world.advance(milliseconds(0));
  EXPECT_EQ(world.joined(token).generation_id, 1);
}

TEST(Rebalance, EndsWhenAllMembersHaveJoinedAgain) {
  Pair pair;
  pair.stabilise();
  RequestToken a = pair.join({.member = pair.a});
  EXPECT_EQ(pair.heartbeat("g", pair.b, 1), KafkaError::kRebalanceInProgress);
  RequestToken b = pair.join({.member = pair.b});
  EXPECT_EQ(pair.joined(a).generation_id, 2);
  EXPECT_EQ(pair.joined(b).generation_id, 2);
}

TEST(Rebalance, EndsAtTheRebalanceTimeoutWithoutThoseWhoDidNotCome) {
  Pair pair;
  pair.stabilise();
  RequestToken a = pair.join({.member = pair.a, .session_ms = 30'000});
  for (int i = 0; i < 6; ++i) {
    pair.heartbeat("g", pair.b, 1);  // alive, but does not rejoin
    pair.advance(seconds(10));
  }
  EXPECT_EQ(pair.joined(a).generation_id, 2);
  EXPECT_EQ(pair.joined(a).members.size(), 1U);
  EXPECT_EQ(pair.heartbeat("g", pair.b, 1), KafkaError::kUnknownMemberId);
}

TEST(Rebalance, EndsWhenAPendingMemberNeverReturns) {
  Pair pair;
  pair.stabilise();
  pair.join({.session_ms = 6'000});  // told to come back, never does
  RequestToken a = pair.join({.member = pair.a});
  RequestToken b = pair.join({.member = pair.b});
  EXPECT_EQ(pair.reply<wire::JoinGroupResponse>(a), nullptr) << "the pending member may come";
  pair.advance(seconds(6));
  EXPECT_EQ(pair.joined(a).generation_id, 2);
  EXPECT_EQ(pair.joined(b).generation_id, 2);
}

TEST(Rebalance, LeaderThatDoesNotRejoinIsSucceededByTheEarliestWhoDid) {
  Pair pair;
  auto [c, c_first] = pair.join_twice({.session_ms = 30'000});
  RequestToken b = pair.join({.member = pair.b, .session_ms = 30'000});
  EXPECT_EQ(pair.state_of("g"), "PreparingRebalance");
  pair.advance(seconds(60));
  EXPECT_EQ(pair.joined(b).leader, pair.b);
  EXPECT_EQ(pair.joined(b).members.size(), 2U);
  EXPECT_EQ(pair.joined(c_first).leader, pair.b);
}

TEST(Rebalance, MostPreferredCommonProtocolWins) {
  World world;
  auto [a, first] = world.join_twice({.protocols = {"range", "sticky", "only-a"}});
  auto [b, second] = world.join_twice({.protocols = {"sticky", "range"}});
  auto [c, third] = world.join_twice({.protocols = {"sticky", "range"}});
  world.advance(seconds(10));
  EXPECT_EQ(world.joined(first).protocol_name, "sticky");
}

TEST(Rebalance, MemberThatDoesNotSyncInTimeIsThrownOut) {
  Pair pair;
  pair.sync({.member = pair.a, .assignments = {{pair.a, "A"}}});
  ASSERT_EQ(pair.state_of("g"), "Stable");
  for (int i = 0; i < 5; ++i) {
    pair.advance(seconds(10));
    EXPECT_EQ(pair.heartbeat("g", pair.b, 1), KafkaError::kNone);
    EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kNone);
  }
  pair.advance(seconds(10));  // 60 s since the generation began
  EXPECT_EQ(pair.state_of("g"), "PreparingRebalance");
  EXPECT_EQ(pair.heartbeat("g", pair.b, 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.joined(pair.join({.member = pair.a})).generation_id, 2);
}

TEST(Rebalance, SilentMemberIsDroppedAtItsSessionTimeout) {
  Pair pair;
  pair.stabilise();
  pair.advance(milliseconds(29'000));
  EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kNone);
  pair.advance(milliseconds(1'000));
  EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kRebalanceInProgress);
  EXPECT_EQ(pair.heartbeat("g", pair.b, 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.joined(pair.join({.member = pair.a})).members.size(), 1U);
}

TEST(Rebalance, ParkedMemberDoesNotNeedHeartbeats) {
  Pair pair;
  pair.stabilise();
  RequestToken a = pair.join({.member = pair.a, .session_ms = 6'000});
  for (int i = 0; i < 2; ++i) {
    pair.advance(seconds(20));
    pair.heartbeat("g", pair.b, 1);
  }
  EXPECT_EQ(pair.reply<wire::JoinGroupResponse>(a), nullptr);
  pair.join({.member = pair.b});
  EXPECT_EQ(pair.joined(a).error_code, KafkaError::kNone);
}

TEST(Rebalance, LastMemberThatGoesLeavesAnEmptyGenerationInTheLog) {
  World world;
  std::string member = world.stable_of_one();
  world.fresh_records.clear();
  RequestToken left = world.leave("g", {{.member = member}});
  EXPECT_EQ(world.reply<wire::LeaveGroupResponse>(left)->error_code, KafkaError::kNone);
  EXPECT_EQ(world.state_of("g"), "Empty");
  ASSERT_EQ(world.fresh_records.size(), 1U);
  world.reload();
  EXPECT_EQ(world.state_of("g"), "Empty");
  auto [again, token] = world.join_twice({});
  world.advance(seconds(3));
  EXPECT_EQ(world.joined(token).generation_id, 3) << "generations go on: 1, empty 2, 3";
}

TEST(Sync, ChecksMemberThenGenerationThenProtocol) {
  Pair pair;
  auto error_of = [&](World::Sync ask) { return pair.synced(pair.sync(ask)).error_code; };
  EXPECT_EQ(error_of({.group = ""}), KafkaError::kInvalidGroupId);
  EXPECT_EQ(error_of({.group = "other", .member = pair.b}), KafkaError::kUnknownMemberId);
  EXPECT_EQ(error_of({.member = "ghost", .generation = 9}), KafkaError::kUnknownMemberId);
  EXPECT_EQ(error_of({.member = pair.b, .generation = 9}), KafkaError::kIllegalGeneration);
  EXPECT_EQ(error_of({.member = pair.b, .version = 5}), KafkaError::kInconsistentGroupProtocol)
      << "since version 5 both names are mandatory";
  EXPECT_EQ(error_of({.member = pair.b, .type = "connect"}), KafkaError::kInconsistentGroupProtocol);
  EXPECT_EQ(error_of({.member = pair.b, .protocol = "sticky"}), KafkaError::kInconsistentGroupProtocol);
}

TEST(Sync, FollowerWaitsForTheLeader) {
  Pair pair;
  RequestToken b = pair.sync({.member = pair.b, .type = "consumer", .protocol = "range", .version = 5});
  EXPECT_EQ(pair.reply<wire::SyncGroupResponse>(b), nullptr);
  RequestToken a = pair.sync({.member = pair.a, .assignments = {{pair.a, "A"}, {pair.b, "B"}}});
  EXPECT_EQ(pair.synced(a).assignment, bytes_of("A"));
  EXPECT_EQ(pair.synced(b).assignment, bytes_of("B"));
  EXPECT_EQ(pair.synced(b).protocol_type, "consumer");
  EXPECT_EQ(pair.synced(b).protocol_name, "range");
}

TEST(Sync, SecondCallReturnsTheAssignment) {
  Pair pair;
  pair.stabilise();
  EXPECT_EQ(pair.synced(pair.sync({.member = pair.b})).assignment, bytes_of("B"));
}

TEST(Sync, MemberTheLeaderForgotGetsAnEmptyAssignment) {
  Pair pair;
  pair.sync({.member = pair.a, .assignments = {{pair.a, "A"}, {"stranger", "X"}}});
  const auto& answer = pair.synced(pair.sync({.member = pair.b}));
  EXPECT_EQ(answer.error_code, KafkaError::kNone);
  EXPECT_TRUE(answer.assignment.empty());
}

TEST(Sync, IsRefusedWhilePreparingAndParkedOnesAreSentToRejoin) {
  Pair pair;
  RequestToken b = pair.sync({.member = pair.b});
  pair.join({.version = 3});
  EXPECT_EQ(pair.synced(b).error_code, KafkaError::kRebalanceInProgress);
  EXPECT_EQ(pair.synced(pair.sync({.member = pair.b})).error_code, KafkaError::kRebalanceInProgress);
}

TEST(Heartbeat, IsAnsweredByTheStateOfTheGroup) {
  Pair pair;
  EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kNone) << "before the sync, too";
  pair.stabilise();
  EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kNone);
  EXPECT_EQ(pair.heartbeat("g", pair.a, 0), KafkaError::kIllegalGeneration);
  EXPECT_EQ(pair.heartbeat("g", "ghost", 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.heartbeat("nowhere", pair.a, 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.heartbeat("", pair.a, 1), KafkaError::kInvalidGroupId);
  pair.join({.version = 3});
  EXPECT_EQ(pair.heartbeat("g", pair.a, 1), KafkaError::kRebalanceInProgress);
}

TEST(Leave, MemberThatLeavesStartsARebalance) {
  Pair pair;
  pair.stabilise();
  const auto* answer = pair.reply<wire::LeaveGroupResponse>(pair.leave("g", {{.member = pair.b}}));
  EXPECT_EQ(answer->error_code, KafkaError::kNone);
  EXPECT_EQ(answer->members.at(0).member_id, pair.b);
  EXPECT_EQ(pair.state_of("g"), "PreparingRebalance");
  EXPECT_EQ(pair.joined(pair.join({.member = pair.a})).members.size(), 1U);
}

TEST(Leave, ErrorsAreOfTheMemberSinceVersionThreeAndTopLevelBefore) {
  World world;
  world.stable_of_one();
  for (const char* group : {"g", "nowhere"}) {
    const auto* batch = world.reply<wire::LeaveGroupResponse>(world.leave(group, {{.member = "ghost"}}, 5));
    EXPECT_EQ(batch->error_code, KafkaError::kNone);
    EXPECT_EQ(batch->members.at(0).error_code, KafkaError::kUnknownMemberId);
    const auto* single = world.reply<wire::LeaveGroupResponse>(world.leave(group, {{.member = "ghost"}}, 2));
    EXPECT_EQ(single->error_code, KafkaError::kUnknownMemberId);
    EXPECT_TRUE(single->members.empty());
  }
  EXPECT_EQ(world.reply<wire::LeaveGroupResponse>(world.leave("", {{.member = "x"}}))->error_code,
            KafkaError::kInvalidGroupId);
}

TEST(Leave, BatchAnswersEachMemberForItself) {
  Pair pair;
  pair.stabilise();
  const auto* answer = pair.reply<wire::LeaveGroupResponse>(
      pair.leave("g", {{.member = pair.a}, {.member = "ghost"}, {.member = pair.b}}));
  ASSERT_EQ(answer->members.size(), 3U);
  EXPECT_EQ(answer->members[0].error_code, KafkaError::kNone);
  EXPECT_EQ(answer->members[1].error_code, KafkaError::kUnknownMemberId);
  EXPECT_EQ(answer->members[2].error_code, KafkaError::kNone);
  EXPECT_EQ(pair.state_of("g"), "Empty");
}

TEST(Leave, PendingMemberMayLeave) {
  World world;
  std::string pending = world.joined(world.join({})).member_id;
  const auto* answer = world.reply<wire::LeaveGroupResponse>(world.leave("g", {{.member = pending}}));
  EXPECT_EQ(answer->members.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(world.joined(world.join({.member = pending})).error_code, KafkaError::kUnknownMemberId);
}

TEST(Leave, ParkedMemberIsAnsweredBeforeItGoes) {
  Pair pair;
  RequestToken parked = pair.sync({.member = pair.b});
  pair.leave("g", {{.member = pair.b}});
  EXPECT_EQ(pair.synced(parked).error_code, KafkaError::kUnknownMemberId);
}

}  // namespace
}  // namespace barnabas::group
