// The quorum of one: what every single node does at each start.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "raft/raft.h"
#include "wire/record_batch.h"

namespace barnabas::raft {
namespace {

constexpr TimestampMs kWall = 0x1a207966271;  // of the real log's first batch
const ReplicaKey kSelf{1, *Uuid::parse("zOqpdMjGSeabifHcdFamSA")};

VoterSet one_voter() {
  return VoterSet({Voter{.key = kSelf, .endpoints = {{"CONTROLLER", "127.0.0.1", 0x5a35}}}});
}

LogIndex fresh_log() {
  LogIndex log;
  log.set_kraft_version(1, Offset(-1));
  log.add_voters({Offset(-1), one_voter()});
  return log;
}

Options options() {
  return {.self = kSelf, .cluster_id = "c", .random = [] { return uint64_t{0}; }};
}

Buffer first_batch_of_kafka() {
  std::ifstream in(BARNABAS_TESTDATA "/first-start.log", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  auto header = wire::BatchHeader::decode(as_bytes(text));
  return to_buffer(as_bytes(text).first(header->size_in_bytes()));
}

TEST(SingleVoter, ElectsItselfAtOnceAndWritesKafkasFirstBatchToTheByte) {
  Raft raft(options(), {}, fresh_log());
  Output out = raft.start({{0}, kWall});
  ASSERT_TRUE(out.persist.has_value());
  EXPECT_EQ(*out.persist, (PersistedState{.leader_id = 1, .epoch = LeaderEpoch(1)}));
  EXPECT_EQ(raft.role(), Role::kLeader);
  ASSERT_EQ(out.after_persist.append.size(), 1u);
  EXPECT_EQ(to_hex(out.after_persist.append[0].bytes), to_hex(first_batch_of_kafka()));
  EXPECT_TRUE(out.after_persist.flush);
  // Nobody hears of the new leader before its first batch is on disk.
  EXPECT_FALSE(out.after_persist.leader_change.has_value());
  EXPECT_FALSE(out.after_persist.committed.has_value());

  out = raft.flushed({{1}, kWall}, Offset(3));
  EXPECT_EQ(out.after_persist.committed, Offset(3));
  EXPECT_EQ(out.after_persist.leader_change, (LeaderChange{1, LeaderEpoch(1), true, Offset(0)}));
  EXPECT_TRUE(out.after_persist.send.empty());
  EXPECT_EQ(raft.wake_at().nanos, INT64_MAX);  // nothing to wait for, ever
}

TEST(SingleVoter, CommitsOnlyWhatIsOnDisk) {
  Raft raft(options(), {}, fresh_log());
  raft.start({{0}, kWall});
  raft.flushed({{0}, kWall}, Offset(3));
  std::vector<Buffer> values{to_buffer(as_bytes("a")), to_buffer(as_bytes("b"))};
  auto out = raft.propose({{1}, 77}, LeaderEpoch(1), values);
  ASSERT_TRUE(out.has_value());
  EXPECT_FALSE(out->after_persist.committed.has_value());
  ASSERT_EQ(out->after_persist.append.size(), 1u);
  auto header = wire::BatchHeader::decode(out->after_persist.append[0].bytes);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->base_offset, 3);
  EXPECT_EQ(header->partition_leader_epoch, 1);
  EXPECT_EQ(header->record_count, 2);
  EXPECT_EQ(header->base_timestamp, 77);
  EXPECT_EQ(header->max_timestamp, 77);
  EXPECT_EQ(header->producer_id, -1);
  EXPECT_EQ(raft.flushed({{2}, 0}, Offset(5)).after_persist.committed, Offset(5));
  EXPECT_EQ(raft.flushed({{2}, 0}, Offset(5)).after_persist.committed, std::nullopt);
  EXPECT_FALSE(raft.propose({{3}, 0}, LeaderEpoch(0), values).has_value());
}

TEST(SingleVoter, LeadsTheNextEpochAfterARestartWithoutRepeatingTheVoters) {
  LogIndex log;
  log.append(LeaderEpoch(1), Offset(0), Offset(575));
  log.flush(Offset(575));
  log.add_voters({Offset(2), one_voter()});
  log.set_kraft_version(1, Offset(1));
  Raft raft(options(), {.leader_id = 1, .epoch = LeaderEpoch(1)}, log);
  Output out = raft.start({{0}, kWall});
  EXPECT_EQ(raft.epoch(), LeaderEpoch(2));
  EXPECT_EQ(raft.role(), Role::kLeader);
  ASSERT_EQ(out.after_persist.append.size(), 1u);
  EXPECT_EQ(wire::BatchHeader::decode(out.after_persist.append[0].bytes)->record_count, 1);
  EXPECT_EQ(out.after_persist.append[0].base, Offset(575));
}

TEST(SingleVoter, TakesTheLogsEpochWhenQuorumStateIsLost) {
  LogIndex log;
  log.append(LeaderEpoch(4), Offset(0), Offset(10));
  log.flush(Offset(10));
  log.add_voters({Offset(2), one_voter()});
  log.set_kraft_version(1, Offset(1));
  Raft raft(options(), {}, log);
  raft.start({{0}, kWall});
  EXPECT_EQ(raft.epoch(), LeaderEpoch(5));
}

TEST(SingleVoter, StaysResignedUntilItsTimerAndThenComesBack) {
  Raft raft(options(), {}, fresh_log());
  raft.start({{0}, kWall});
  raft.flushed({{0}, kWall}, Offset(3));
  Output out = raft.resign({{1}, kWall});
  EXPECT_EQ(raft.role(), Role::kResigned);
  EXPECT_EQ(out.after_persist.leader_change, (LeaderChange{-1, LeaderEpoch(1), false, Offset(-1)}));
  EXPECT_FALSE(raft.propose({{2}, 0}, LeaderEpoch(1), std::vector<Buffer>(1)).has_value());
  raft.tick({{seconds(5).count() * 1000000000}, kWall});
  EXPECT_EQ(raft.role(), Role::kLeader);
  EXPECT_EQ(raft.epoch(), LeaderEpoch(3));
}

TEST(SingleVoter, ServesObserversFromTheHighWatermarkOn) {
  Raft raft(options(), {}, fresh_log());
  raft.start({{0}, kWall});
  raft.flushed({{0}, kWall}, Offset(3));
  FetchRequest fetch{.cluster_id = "c", .replica = {9, {1, 1}}, .epoch = LeaderEpoch(0), .high_watermark = Offset(-1)};
  auto refused = raft.on_request({{1}, 1}, 1, fetch).after_persist.reply;
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(std::get<FetchResponse>(refused[0].response).error, KafkaError::kFencedLeaderEpoch);
  EXPECT_EQ(std::get<FetchResponse>(refused[0].response).leadership.leader_id, 1);  // how a starter finds the leader

  fetch.epoch = LeaderEpoch(1);
  auto served = raft.on_request({{2}, 2}, 2, fetch).after_persist.serve;
  ASSERT_EQ(served.size(), 1u);
  EXPECT_EQ(served[0].offset, Offset(0));
  EXPECT_EQ(served[0].limit, Offset(3));
  EXPECT_EQ(served[0].response.high_watermark, Offset(3));

  fetch.offset = Offset(3);
  fetch.last_epoch = LeaderEpoch(1);
  fetch.high_watermark = Offset(3);
  EXPECT_TRUE(raft.on_request({{3}, 3}, 3, fetch).nothing());  // parked
  auto proposed = raft.propose({{4}, 4}, LeaderEpoch(1), std::vector<Buffer>(1, Buffer(1)));
  ASSERT_EQ(proposed->after_persist.serve.size(), 1u);
  EXPECT_EQ(proposed->after_persist.serve[0].token, 3u);
  ASSERT_EQ(raft.observer_progress({{4}, 4}).size(), 1u);

  fetch.offset = Offset(99);
  auto diverged = raft.on_request({{5}, 5}, 5, fetch).after_persist.reply;
  ASSERT_EQ(diverged.size(), 1u);
  EXPECT_EQ(std::get<FetchResponse>(diverged[0].response).diverging, (EpochEnd{LeaderEpoch(1), Offset(4)}));
}

TEST(SingleVoter, IsNotDeposedByAStranger) {
  Raft raft(options(), {}, fresh_log());
  raft.start({{0}, kWall});
  raft.flushed({{0}, kWall}, Offset(3));
  VoteRequest vote{.cluster_id = "c",
                   .voter = {1, {9, 9}},
                   .candidate = {9, {1, 1}},
                   .epoch = LeaderEpoch(50),
                   .log_end = {LeaderEpoch(40), Offset(99)}};
  auto reply = raft.on_request({{1}, 1}, 1, vote).after_persist.reply;
  EXPECT_EQ(std::get<VoteResponse>(reply[0].response).error, KafkaError::kInvalidVoterKey);
  EXPECT_EQ(raft.role(), Role::kLeader);
  vote.cluster_id = "other";
  reply = raft.on_request({{1}, 1}, 1, vote).after_persist.reply;
  EXPECT_EQ(std::get<VoteResponse>(reply[0].response).error, KafkaError::kInconsistentClusterId);
}

}  // namespace
}  // namespace barnabas::raft
