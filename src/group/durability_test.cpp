// What is visible when: nothing before the log has it for good, and a refused append leaves no trace.
#include <gtest/gtest.h>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

TEST(Durability, CommitIsAnsweredAndReadOnlyBelowTheHighWatermark) {
  World world;
  world.commit({.offset = 1});
  world.hold = true;
  RequestToken second = world.commit({.offset = 2});
  RequestToken third = world.commit({.offset = 3});
  EXPECT_EQ(world.reply<wire::OffsetCommitResponse>(second), nullptr);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  world.obey(world.shard.on_high_watermark(world.now, Offset(2)));
  EXPECT_NE(world.reply<wire::OffsetCommitResponse>(second), nullptr);
  EXPECT_EQ(world.reply<wire::OffsetCommitResponse>(third), nullptr);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 2);
  world.flush();
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 3);
}

TEST(Durability, GroupIsStableOnlyWhenItsAssignmentIsInTheLog) {
  World world;
  auto [member, token] = world.join_twice({});
  world.advance(seconds(3));
  world.hold = true;
  RequestToken sync = world.sync({.member = member, .assignments = {{member, "all"}}});
  EXPECT_EQ(world.reply<wire::SyncGroupResponse>(sync), nullptr);
  EXPECT_EQ(world.state_of("g"), "CompletingRebalance");
  world.flush();
  EXPECT_EQ(world.synced(sync).assignment, bytes_of("all"));
  EXPECT_EQ(world.state_of("g"), "Stable");
}

TEST(Durability, AssignmentOfAGenerationThatIsOverChangesNothing) {
  World world;
  auto [member, token] = world.join_twice({});
  world.advance(seconds(3));
  world.hold = true;
  RequestToken sync = world.sync({.member = member, .assignments = {{member, "all"}}});
  world.join({.version = 3});
  EXPECT_EQ(world.synced(sync).error_code, KafkaError::kRebalanceInProgress);
  world.flush();
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
}

TEST(Durability, RefusedCommitIsAnErrorAndLeavesTheOldOffset) {
  World world;
  world.commit({.offset = 1});
  world.refuse_next = KafkaError::kNotEnoughReplicas;
  EXPECT_EQ(world.commit_error_of({.offset = 2}), KafkaError::kCoordinatorNotAvailable);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  world.refuse_next = KafkaError::kKafkaStorageError;
  EXPECT_EQ(world.commit_error_of({.offset = 2}), KafkaError::kNotCoordinator);
  world.refuse_next = KafkaError::kMessageTooLarge;
  EXPECT_EQ(world.commit_error_of({.offset = 2}), KafkaError::kUnknownServerError);
  EXPECT_EQ(world.commit_error_of({.offset = 3}), KafkaError::kNone);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 3);
}

TEST(Durability, RefusedFirstCommitTakesTheGroupWithIt) {
  World world;
  world.refuse_next = KafkaError::kNotEnoughReplicas;
  world.commit({.offset = 1});
  EXPECT_EQ(world.shard.group_count(), 0U);
  EXPECT_EQ(world.state_of("g"), "Dead");
}

TEST(Durability, RefusedAssignmentSendsTheMembersToRejoin) {
  World world;
  auto [member, token] = world.join_twice({});
  world.advance(seconds(3));
  world.refuse_next = KafkaError::kNotEnoughReplicas;
  RequestToken sync = world.sync({.member = member, .assignments = {{member, "all"}}});
  EXPECT_EQ(world.synced(sync).error_code, KafkaError::kCoordinatorNotAvailable);
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
  EXPECT_EQ(world.joined(world.join({.member = member})).generation_id, 2);
}

TEST(Durability, RefusedBirthOfAGroupAnswersItsParkedMembers) {
  World world;
  world.refuse_next = KafkaError::kNotEnoughReplicas;
  RequestToken token = world.join({.version = 3});
  EXPECT_EQ(world.joined(token).error_code, KafkaError::kCoordinatorNotAvailable);
  EXPECT_EQ(world.shard.group_count(), 0U);
  EXPECT_EQ(world.timer, std::nullopt);
}

TEST(Durability, LogThatCutsItsTailUndoesAllOfItNewestFirst) {
  World world;
  world.commit({.offset = 1});
  world.hold = true;
  RequestToken a = world.commit({.offset = 2});
  RequestToken b = world.commit({.offset = 3});
  RequestToken deleted = 0;
  {
    Caller who = world.caller(2);
    deleted = who.token;
    world.obey(world.shard.delete_groups(who, world.now, {"g"}));
  }
  RequestToken c = world.commit({.offset = 4});
  EXPECT_EQ(world.state_of("g"), "Empty") << "readers still see it";
  world.obey(world.shard.append_failed(world.now, 2, KafkaError::kKafkaStorageError));
  for (RequestToken token : {a, b, c}) {
    EXPECT_EQ(world.reply<wire::OffsetCommitResponse>(token)->topics[0].partitions[0].error_code,
              KafkaError::kNotCoordinator);
  }
  EXPECT_EQ(world.reply<wire::DeleteGroupsResponse>(deleted)->results[0].error_code, KafkaError::kNotCoordinator);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 1);
  EXPECT_EQ(world.shard.parked_requests(), 0U);
}

TEST(Durability, ResignationAnswersEverythingParked) {
  World world;
  auto [member, join] = world.join_twice({});
  world.hold = true;
  RequestToken commit = world.commit({.group = "other"});
  EXPECT_EQ(world.shard.parked_requests(), 2U);
  world.obey(world.shard.resign());
  EXPECT_EQ(world.joined(join).error_code, KafkaError::kNotCoordinator);
  EXPECT_EQ(world.reply<wire::OffsetCommitResponse>(commit)->topics[0].partitions[0].error_code,
            KafkaError::kNotCoordinator);
  EXPECT_EQ(world.timer, std::nullopt);
}

TEST(Durability, ReloadedGroupGoesOnWhereItWas) {
  World world;
  std::string member = world.stable_of_one();
  world.commit({.member = member, .generation = 1, .offset = 42, .metadata = "note"});
  auto before = world.shard.describe("g", 6);
  world.reload();
  EXPECT_EQ(world.shard.describe("g", 6), before);
  EXPECT_EQ(world.fetch("g", "orders", 0).committed_offset, 42);
  EXPECT_EQ(world.fetch("g", "orders", 0).metadata, "note");
  EXPECT_EQ(world.heartbeat("g", member, 1), KafkaError::kNone);
  EXPECT_EQ(world.synced(world.sync({.member = member})).assignment, bytes_of("all"));
  world.advance(seconds(10));
  EXPECT_EQ(world.state_of("g"), "Empty") << "its session ran from the load on";
}

TEST(Durability, ReloadedGroupOverALoweredLimitRebalances) {
  World world;
  auto [a, first] = world.join_twice({});
  auto [b, second] = world.join_twice({});
  world.advance(seconds(6));
  world.sync({.member = a, .assignments = {{a, "A"}, {b, "B"}}});
  world.config.group_max_size = 1;
  world.reload();
  EXPECT_EQ(world.state_of("g"), "PreparingRebalance");
}

}  // namespace
}  // namespace barnabas::group
