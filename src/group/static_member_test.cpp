// Static members (KIP-345, KIP-814): a restart within the session timeout must not cost a rebalance.
#include <gtest/gtest.h>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

// A leader "one" and a follower "two", both static, stable in generation 1.
struct StaticPair : World {
  StaticPair() {
    RequestToken first = join(ask("one"));
    RequestToken second = join(ask("two"));
    advance(seconds(6));
    one = joined(first).member_id, two = joined(second).member_id;
    sync({.member = one, .assignments = {{one, "A"}, {two, "B"}}, .instance = "one"});
    sync({.member = two, .instance = "two"});
    EXPECT_EQ(state_of("g"), "Stable");
  }
  static Join ask(const std::string& instance, int16_t version = 9) {
    return {.instance = instance, .session_ms = 30'000, .version = version};
  }
  std::string one;
  std::string two;
};

TEST(StaticMember, JoinsAtOnceUnderAnIdOfItsInstance) {
  World world;
  RequestToken token = world.join({.instance = "worker-1"});
  world.advance(seconds(3));
  EXPECT_EQ(world.joined(token).member_id, "worker-1-00000000-0000-4000-8000-000000000001");
  EXPECT_EQ(world.joined(token).members.at(0).group_instance_id, "worker-1");
}

TEST(StaticMember, FollowerRestartsWithoutARebalanceAndKeepsItsAssignment) {
  StaticPair pair;
  const auto& back = pair.joined(pair.join(StaticPair::ask("two")));
  EXPECT_EQ(back.error_code, KafkaError::kNone);
  EXPECT_NE(back.member_id, pair.two);
  EXPECT_EQ(back.generation_id, 1);
  EXPECT_EQ(back.leader, pair.one);
  EXPECT_FALSE(back.skip_assignment);
  EXPECT_TRUE(back.members.empty());
  EXPECT_EQ(pair.state_of("g"), "Stable");
  EXPECT_EQ(pair.synced(pair.sync({.member = back.member_id, .instance = "two"})).assignment, bytes_of("B"));
}

TEST(StaticMember, OldSelfIsFencedAfterARestart) {
  StaticPair pair;
  pair.join(StaticPair::ask("two"));
  EXPECT_EQ(pair.heartbeat("g", pair.two, 1, "two"), KafkaError::kFencedInstanceId);
  EXPECT_EQ(pair.heartbeat("g", pair.two, 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.synced(pair.sync({.member = pair.two, .instance = "two"})).error_code, KafkaError::kFencedInstanceId);
  EXPECT_EQ(pair.commit_error_of({.member = pair.two, .generation = 1, .instance = "two"}),
            KafkaError::kFencedInstanceId);
  World::Join ask = StaticPair::ask("two");
  ask.member = pair.two;
  EXPECT_EQ(pair.joined(pair.join(ask)).error_code, KafkaError::kFencedInstanceId);
  const auto* left = pair.reply<wire::LeaveGroupResponse>(pair.leave("g", {{.member = pair.two, .instance = "two"}}));
  EXPECT_EQ(left->members.at(0).error_code, KafkaError::kFencedInstanceId);
}

TEST(StaticMember, LeaderThatRestartsIsToldToSkipTheAssignment) {
  StaticPair pair;
  const auto& back = pair.joined(pair.join(StaticPair::ask("one", 9)));
  EXPECT_EQ(back.generation_id, 1);
  EXPECT_TRUE(back.skip_assignment);
  EXPECT_EQ(back.leader, back.member_id);
  EXPECT_EQ(back.members.size(), 2U);
}

TEST(StaticMember, LeaderThatCannotBeToldToSkipIsToldItsOldNameLeads) {
  StaticPair pair;
  const auto& back = pair.joined(pair.join(StaticPair::ask("one", 8)));
  EXPECT_EQ(back.generation_id, 1);
  EXPECT_FALSE(back.skip_assignment);
  EXPECT_EQ(back.leader, pair.one) << "so that it does not think it leads";
  EXPECT_TRUE(back.members.empty());
}

TEST(StaticMember, NewIdIsInTheLogBeforeItIsGivenOut) {
  StaticPair pair;
  pair.hold = true;
  RequestToken token = pair.join(StaticPair::ask("two"));
  EXPECT_EQ(pair.reply<wire::JoinGroupResponse>(token), nullptr);
  pair.flush();
  std::string member = pair.joined(token).member_id;
  pair.reload();
  EXPECT_EQ(pair.heartbeat("g", member, 1, "two"), KafkaError::kNone);
  EXPECT_EQ(pair.heartbeat("g", pair.two, 1, "two"), KafkaError::kFencedInstanceId);
}

TEST(StaticMember, OldIdStaysWhenTheLogRefusesTheNewOne) {
  StaticPair pair;
  pair.refuse_next = KafkaError::kNotEnoughReplicas;
  const auto& answer = pair.joined(pair.join(StaticPair::ask("two")));
  EXPECT_EQ(answer.error_code, KafkaError::kCoordinatorNotAvailable);
  EXPECT_EQ(answer.member_id, "");
  EXPECT_EQ(pair.heartbeat("g", pair.two, 1, "two"), KafkaError::kNone);
  EXPECT_EQ(pair.synced(pair.sync({.member = pair.two, .instance = "two"})).assignment, bytes_of("B"));
}

TEST(StaticMember, RestartThatChangesTheProtocolRebalances) {
  World world;
  auto ask = [](const char* instance, std::vector<std::string> protocols) {
    return World::Join{.instance = instance, .protocols = std::move(protocols)};
  };
  RequestToken first = world.join(ask("one", {"range", "sticky"}));
  RequestToken second = world.join(ask("two", {"range", "sticky"}));
  world.advance(seconds(6));
  std::string one = world.joined(first).member_id;
  world.sync({.member = one, .instance = "one"});
  world.sync({.member = world.joined(second).member_id, .instance = "two"});
  ASSERT_EQ(world.state_of("g"), "Stable");
  world.join(ask("two", {"sticky"}));
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
}

TEST(StaticMember, RestartBeforeTheAssignmentIsOutRebalances) {
  World world;
  RequestToken first = world.join({.instance = "one"});
  world.advance(seconds(3));
  ASSERT_EQ(world.state_of("g"), "CompletingRebalance");
  const auto& back = world.joined(world.join({.instance = "one"}));
  EXPECT_NE(back.member_id, world.joined(first).member_id);
  EXPECT_EQ(back.generation_id, 2);
}

TEST(StaticMember, RestartWhilePreparingFencesTheParkedRequest) {
  World world;
  RequestToken first = world.join({.instance = "one"});
  RequestToken second = world.join({.instance = "one"});
  EXPECT_EQ(world.joined(first).error_code, KafkaError::kFencedInstanceId);
  world.advance(seconds(6));
  EXPECT_EQ(world.joined(second).error_code, KafkaError::kNone);
  EXPECT_EQ(world.joined(second).members.size(), 1U);
}

TEST(StaticMember, IsKeptByARebalanceThatItMissesUntilItsSessionEnds) {
  StaticPair pair;
  RequestToken third = pair.join({.instance = "three", .session_ms = 30'000, .rebalance_ms = 5'000});
  World::Join again = StaticPair::ask("one");
  again.member = pair.one, again.rebalance_ms = 5'000;
  RequestToken first = pair.join(again);
  // "two" asked for a minute, and is silent.
  pair.advance(seconds(29));
  EXPECT_EQ(pair.reply<wire::JoinGroupResponse>(third), nullptr);
  pair.advance(seconds(1));  // its session ends: the others are all there
  EXPECT_EQ(pair.joined(third).generation_id, 2);
  EXPECT_EQ(pair.joined(first).members.size(), 2U);
}

TEST(StaticMember, RebalanceWithOnlyAbsentStaticMembersWaitsForTheirSessions) {
  StaticPair pair;
  auto [dynamic, token] = pair.join_twice({.session_ms = 6'000, .rebalance_ms = 2'000});
  pair.leave("g", {{.member = dynamic}});
  EXPECT_EQ(pair.joined(token).error_code, KafkaError::kUnknownMemberId);
  pair.advance(seconds(29));
  EXPECT_EQ(pair.state_of("g"), "PreparingRebalance");
  pair.advance(seconds(1));
  EXPECT_EQ(pair.state_of("g"), "Empty");
}

TEST(StaticMember, IsRemovedByItsInstanceIdAlone) {
  StaticPair pair;
  const auto* answer = pair.reply<wire::LeaveGroupResponse>(
      pair.leave("g", {{.member = "", .instance = "two"}, {.member = "", .instance = "nine"}, {.member = ""}}));
  ASSERT_EQ(answer->members.size(), 3U);
  EXPECT_EQ(answer->members[0].error_code, KafkaError::kNone);
  EXPECT_EQ(answer->members[0].member_id, "");
  EXPECT_EQ(answer->members[0].group_instance_id, "two");
  EXPECT_EQ(answer->members[1].error_code, KafkaError::kUnknownMemberId);
  EXPECT_EQ(answer->members[2].error_code, KafkaError::kUnknownMemberId);
  EXPECT_EQ(pair.state_of("g"), "PreparingRebalance");
}

}  // namespace
}  // namespace barnabas::group
