#include "replication/partition.h"

#include <gtest/gtest.h>

namespace barnabas::replication {
namespace {

constexpr BrokerId kSelf{1};
constexpr BrokerId kSecond{2};
constexpr BrokerId kThird{3};

PartitionRegistration registration(BrokerId leader, int32_t epoch, std::vector<BrokerId> isr, int32_t partition_epoch) {
  return {.leader = leader,
          .leader_epoch = LeaderEpoch(epoch),
          .partition_epoch = partition_epoch,
          .replicas = {kSelf, kSecond, kThird},
          .isr = std::move(isr)};
}

TEST(Partition, ASingleReplicaCommitsWhatItsContractCovers) {
  Partition partition(kSelf);
  ASSERT_TRUE(partition.apply(
      {.leader = kSelf, .leader_epoch = LeaderEpoch(0), .partition_epoch = 0, .replicas = {kSelf}, .isr = {kSelf}},
      Offset(0)));
  EXPECT_TRUE(partition.is_leader());
  EXPECT_TRUE(partition.local_advanced(Offset(5)));
  EXPECT_EQ(partition.high_watermark(), Offset(5));
  EXPECT_FALSE(partition.local_advanced(Offset(5)));
  EXPECT_TRUE(partition.replicated(Offset(5)));
  EXPECT_FALSE(partition.replicated(Offset(6)));
}

TEST(Partition, TheHighWatermarkIsTheSlowestInSyncReplica) {
  Partition partition(kSelf);
  partition.apply(registration(kSelf, 1, {kSelf, kSecond, kThird}, 0), Offset(0));
  EXPECT_FALSE(partition.local_advanced(Offset(10)));
  EXPECT_FALSE(partition.follower_fetched(kSecond, Offset(8), {}));
  EXPECT_EQ(partition.high_watermark(), Offset(0)) << "the third has not been heard of";
  EXPECT_TRUE(partition.follower_fetched(kThird, Offset(3), {}));
  EXPECT_EQ(partition.high_watermark(), Offset(3));
  EXPECT_TRUE(partition.apply(registration(kSelf, 1, {kSelf, kSecond}, 1), Offset(10)));
  EXPECT_EQ(partition.high_watermark(), Offset(8)) << "a replica that left the ISR no longer holds it back";
}

TEST(Partition, TheHighWatermarkNeverGoesBackWhenAReplicaLagsBehindIt) {
  Partition partition(kSelf);
  partition.restore_high_watermark(Offset(7));
  partition.apply(registration(kSelf, 2, {kSelf, kSecond}, 5), Offset(9));
  EXPECT_FALSE(partition.follower_fetched(kSecond, Offset(4), {}));
  EXPECT_EQ(partition.high_watermark(), Offset(7));
}

TEST(Partition, ANewLeadershipForgetsWhatFollowersHadUnderTheOld) {
  Partition partition(kSelf);
  partition.apply(registration(kSelf, 1, {kSelf, kSecond}, 0), Offset(0));
  partition.local_advanced(Offset(4));
  partition.follower_fetched(kSecond, Offset(4), {});
  EXPECT_EQ(partition.high_watermark(), Offset(4));
  partition.apply(registration(kSelf, 2, {kSelf, kSecond}, 1), Offset(4));
  EXPECT_FALSE(partition.local_advanced(Offset(9)));
  EXPECT_EQ(partition.epoch_start(), Offset(4));
  EXPECT_TRUE(partition.follower_fetched(kSecond, Offset(6), {}));
  EXPECT_EQ(partition.high_watermark(), Offset(6));
}

TEST(Partition, OldRegistrationsAreIgnored) {
  Partition partition(kSelf);
  EXPECT_TRUE(partition.apply(registration(kSelf, 3, {kSelf}, 7), Offset(0)));
  EXPECT_FALSE(partition.apply(registration(kSecond, 2, {kSecond}, 6), Offset(0)));
  EXPECT_FALSE(partition.apply(registration(kSelf, 3, {kSelf, kSecond}, 7), Offset(0)));
  EXPECT_TRUE(partition.is_leader());
}

TEST(Partition, EpochsOfClientsAreCheckedBothWays) {
  Partition partition(kSelf);
  partition.apply(registration(kSelf, 3, {kSelf}, 7), Offset(0));
  EXPECT_EQ(partition.check_epoch(-1), EpochCheck::kOk);
  EXPECT_EQ(partition.check_epoch(-5), EpochCheck::kOk) << "any negative epoch is absent";
  EXPECT_EQ(partition.check_epoch(3), EpochCheck::kOk);
  EXPECT_EQ(partition.check_epoch(2), EpochCheck::kFenced);
  EXPECT_EQ(partition.check_epoch(4), EpochCheck::kUnknown);
}

TEST(Partition, MinInsyncIsCappedByTheReplicationFactor) {
  Partition partition(kSelf);
  partition.apply(
      {.leader = kSelf, .leader_epoch = LeaderEpoch(0), .partition_epoch = 0, .replicas = {kSelf}, .isr = {kSelf}},
      Offset(0));
  EXPECT_TRUE(partition.enough_in_sync(2));
  Partition three(kSelf);
  three.apply(registration(kSelf, 1, {kSelf}, 0), Offset(0));
  EXPECT_FALSE(three.enough_in_sync(2));
}

TEST(Partition, TruncationTakesTheHighWatermarkBack) {
  Partition partition(kSelf);
  partition.apply(registration(kSelf, 1, {kSelf}, 0), Offset(9));
  EXPECT_EQ(partition.high_watermark(), Offset(9));
  partition.truncated(Offset(6));
  EXPECT_EQ(partition.high_watermark(), Offset(6));
}

}  // namespace
}  // namespace barnabas::replication
