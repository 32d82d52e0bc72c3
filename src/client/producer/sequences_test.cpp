#include "client/producer/sequences.h"

#include <gtest/gtest.h>

#include "client/producer/topic.h"

namespace barnabas::client::producer {
namespace {

using wire::KafkaError;

struct Fixture : testing::Test {
  Memory memory{1 << 20, 1024};
  Topic topic{"t"};
  Partition partition{topic, 0};
  PartitionSequences& sequences = partition.sequences;
  Sequencer idempotent{true, false};
  Sequencer transactional{true, true};

  // A new batch on the wire.
  BatchPtr send(Sequencer& sequencer, int records = 1) {
    auto batch = std::make_shared<Batch>(partition, memory, *memory.try_take(1024), 1024, MonotonicTime{});
    ProducerRecord record{.topic = "t", .value = "v"};
    for (int i = 0; i < records; ++i) batch->append(record, RecordShape(record), 1, 0, nullptr);
    EXPECT_TRUE(sequencer.ready_for_new_batch(sequences));
    sequences.assign(*batch);
    sequences.add_in_flight(batch);
    batch->on_the_wire = true;
    return batch;
  }
  void acknowledge(const BatchPtr& batch, int64_t offset) {
    batch->on_the_wire = false;
    sequences.acknowledged(*batch, offset);
    sequences.remove_in_flight(*batch);
  }
  bool refused(Sequencer& sequencer, const BatchPtr& batch, KafkaError code, int64_t log_start = 0) {
    batch->on_the_wire = false;
    return sequencer.may_retry(sequences, *batch, code, log_start);
  }
};
using SequencesTest = Fixture;

TEST_F(SequencesTest, CountRecordsFromZero) {
  idempotent.set_identity({9, 0});
  auto first = send(idempotent, 3), second = send(idempotent, 2);
  EXPECT_EQ(first->base_sequence(), 0);
  EXPECT_EQ(second->base_sequence(), 3);
  acknowledge(first, 100);
  EXPECT_EQ(sequences.last_acknowledged(), 2);
  EXPECT_EQ(sequences.last_acknowledged_offset(), 102);
}

TEST_F(SequencesTest, NothingIsSentWithoutAnIdentity) {
  EXPECT_FALSE(idempotent.ready_for_new_batch(sequences));
}

TEST_F(SequencesTest, AGapMadeByAnEarlierBatchIsWaitedFor) {
  idempotent.set_identity({9, 0});
  auto first = send(idempotent), second = send(idempotent);
  EXPECT_TRUE(refused(idempotent, first, KafkaError::kNotLeaderOrFollower));
  EXPECT_TRUE(refused(idempotent, second, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_FALSE(idempotent.bump_needed());
}

// KIP-360: the batch that is next in order and refused all the same shows that the broker lost what came before.
TEST_F(SequencesTest, AGapThatNobodyFillsBumpsTheEpoch) {
  idempotent.set_identity({9, 0});
  acknowledge(send(idempotent, 4), 0);
  auto next = send(idempotent), after = send(idempotent);
  EXPECT_TRUE(refused(idempotent, next, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_TRUE(idempotent.bump_needed());
  EXPECT_FALSE(idempotent.bump_if_possible()) << "the other may yet be taken under the old epoch";
  EXPECT_TRUE(refused(idempotent, after, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_TRUE(idempotent.bump_if_possible());
  EXPECT_EQ(idempotent.identity(), (ProducerIdentity{9, 1}));
  EXPECT_EQ(next->base_sequence(), 0);
  EXPECT_EQ(after->base_sequence(), 1);
  EXPECT_EQ(after->identity().epoch, 1);
  EXPECT_EQ(sequences.next(), 2);
}

TEST_F(SequencesTest, OtherPartitionsTakeTheNewEpochWhenNothingOfTheOldIsInFlight) {
  idempotent.set_identity({9, 0});
  auto old = send(idempotent, 2);
  idempotent.set_identity({9, 1});
  EXPECT_FALSE(idempotent.ready_for_new_batch(sequences));
  acknowledge(old, 5);
  EXPECT_EQ(send(idempotent)->base_sequence(), 0);
}

TEST_F(SequencesTest, TheLastEpochIsFollowedByANewId) {
  idempotent.set_identity({9, INT16_MAX});
  auto batch = send(idempotent);
  EXPECT_TRUE(refused(idempotent, batch, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_TRUE(idempotent.bump_if_possible());
  EXPECT_FALSE(idempotent.identity().valid());
}

TEST_F(SequencesTest, ABatchThatFailsForGoodLeavesNoGap) {
  idempotent.set_identity({9, 0});
  auto bad = send(idempotent, 2), good = send(idempotent);
  EXPECT_FALSE(refused(idempotent, bad, KafkaError::kInvalidRecord));
  idempotent.failed(sequences, *bad, true);
  EXPECT_TRUE(refused(idempotent, good, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_TRUE(idempotent.bump_if_possible());
  EXPECT_EQ(good->base_sequence(), 0);
  EXPECT_EQ(good->identity().epoch, 1);
}

TEST_F(SequencesTest, InATransactionTheOthersMoveUpInstead) {
  transactional.set_identity({9, 4});
  auto bad = send(transactional, 2), good = send(transactional, 3);
  transactional.failed(sequences, *bad, true);
  EXPECT_EQ(good->base_sequence(), 0);
  EXPECT_EQ(sequences.next(), 3);
  EXPECT_FALSE(transactional.bump_if_possible());
}

TEST_F(SequencesTest, AForgottenProducerWhoseLogWasTrimmedBeginsAgain) {
  transactional.set_identity({9, 4});
  acknowledge(send(transactional, 5), 10);
  auto next = send(transactional);
  EXPECT_TRUE(refused(transactional, next, KafkaError::kUnknownProducerId, 100));
  EXPECT_EQ(next->base_sequence(), 0);
  EXPECT_EQ(next->identity().epoch, 4);
  EXPECT_TRUE(next->sequence_was_reset);
}

TEST_F(SequencesTest, AForgottenProducerWhoseRecordsAreThereFailsItsTransaction) {
  transactional.set_identity({9, 4});
  acknowledge(send(transactional, 5), 10);
  auto next = send(transactional);
  EXPECT_TRUE(refused(transactional, next, KafkaError::kUnknownProducerId, -1)) << "ask again for the log's start";
  EXPECT_FALSE(refused(transactional, next, KafkaError::kUnknownProducerId, 3));
  EXPECT_TRUE(refused(idempotent, next, KafkaError::kUnknownProducerId, 3));
  EXPECT_TRUE(idempotent.bump_needed());
}

TEST_F(SequencesTest, AfterAnExpiryNothingNewIsSentUntilItsFateIsKnown) {
  idempotent.set_identity({9, 0});
  auto expired = send(idempotent), later = send(idempotent);
  sequences.mark_unresolved(*expired);
  idempotent.failed(sequences, *expired, false);
  EXPECT_FALSE(idempotent.ready_for_new_batch(sequences));
  EXPECT_TRUE(idempotent.resolve(sequences)) << "something is in flight: not yet";
  EXPECT_TRUE(sequences.unresolved());
  acknowledge(later, 1);
  EXPECT_TRUE(idempotent.resolve(sequences));
  EXPECT_FALSE(sequences.unresolved());
  EXPECT_FALSE(idempotent.bump_needed()) << "the later one was taken, so the expired one had been too";
  EXPECT_TRUE(idempotent.ready_for_new_batch(sequences));
}

TEST_F(SequencesTest, AnExpiredBatchOfUnknownFateBumpsTheEpoch) {
  idempotent.set_identity({9, 0});
  auto expired = send(idempotent);
  sequences.mark_unresolved(*expired);
  idempotent.failed(sequences, *expired, false);
  EXPECT_TRUE(idempotent.resolve(sequences));
  EXPECT_TRUE(idempotent.bump_if_possible());
  EXPECT_EQ(send(idempotent)->identity().epoch, 1);
}

TEST_F(SequencesTest, AnExpiredBatchOfUnknownFateAbortsATransaction) {
  transactional.set_identity({9, 0});
  auto expired = send(transactional);
  sequences.mark_unresolved(*expired);
  transactional.failed(sequences, *expired, false);
  EXPECT_FALSE(transactional.resolve(sequences));
}

TEST_F(SequencesTest, WithoutIdempotenceOnlyRetriableCodesAreRetried) {
  Sequencer plain(false, false);
  auto batch = send(plain);
  EXPECT_TRUE(refused(plain, batch, KafkaError::kNotLeaderOrFollower));
  EXPECT_FALSE(refused(plain, batch, KafkaError::kOutOfOrderSequenceNumber));
  EXPECT_FALSE(refused(plain, batch, KafkaError::kInvalidRecord));
}

}  // namespace
}  // namespace barnabas::client::producer
