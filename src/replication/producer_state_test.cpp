#include "replication/producer_state.h"

#include <gtest/gtest.h>

#include "replication/producer_snapshot.h"
#include "wire/kafka_error.h"
#include "wire/record_batch.h"

namespace barnabas::replication {
namespace {

using wire::BatchHeader;
using wire::KafkaError;
using Kind = ProducerVerdict::Kind;

constexpr int64_t kId = 7;

struct Spec {
  int64_t base_offset = 0;
  int32_t sequence = 0;
  int32_t records = 1;
  int16_t epoch = 0;
  bool transactional = false;
  int64_t producer = kId;
  TimestampMs timestamp = 1000;
};

BatchHeader batch(const Spec& spec) {
  BatchHeader header;
  header.base_offset = spec.base_offset;
  header.batch_length = 49;
  header.attributes = spec.transactional ? wire::kTransactionalBit : int16_t{0};
  header.last_offset_delta = spec.records - 1;
  header.base_timestamp = header.max_timestamp = spec.timestamp;
  header.producer_id = spec.producer;
  header.producer_epoch = spec.epoch;
  header.base_sequence = spec.sequence;
  header.record_count = spec.records;
  return header;
}

TransactionMarker marker(int64_t offset, bool commit, int16_t epoch = 0, int64_t producer = kId) {
  return {.producer_id = ProducerId(producer),
          .producer_epoch = epoch,
          .coordinator_epoch = 3,
          .commit = commit,
          .offset = Offset(offset),
          .timestamp = 2000};
}

ProducerVerdict check(const ProducerState& state, const Spec& spec) {
  return state.check_batch(batch(spec), AppendOrigin::kClient);
}

TEST(ProducerState, AnUnknownProducerMayStartAnywhere) {
  EXPECT_TRUE(check(ProducerState(), {.sequence = 9}).accepted());
}

TEST(ProducerState, TheNextSequenceIsTakenAndAGapIsRefused) {
  ProducerState state;
  state.apply_batch(batch({.sequence = 0, .records = 3}));
  EXPECT_TRUE(check(state, {.sequence = 3}).accepted());
  EXPECT_EQ(check(state, {.sequence = 4}).error, KafkaError::kOutOfOrderSequenceNumber);
  EXPECT_EQ(check(state, {.sequence = 2}).error, KafkaError::kOutOfOrderSequenceNumber) << "overlaps, no duplicate";
}

TEST(ProducerState, ARepeatOfAnyOfTheLastFiveBatchesGetsItsFirstAnswer) {
  ProducerState state;
  for (int i = 0; i < 6; ++i) {
    state.apply_batch(batch({.base_offset = 100 + 2 * i, .sequence = 2 * i, .records = 2, .timestamp = 50 + i}));
  }
  EXPECT_EQ(check(state, {.sequence = 0, .records = 2}).error, KafkaError::kOutOfOrderSequenceNumber) << "the sixth";
  for (int i = 1; i < 6; ++i) {
    ProducerVerdict verdict = check(state, {.sequence = 2 * i, .records = 2});
    EXPECT_EQ(verdict.kind, Kind::kDuplicate);
    EXPECT_EQ(verdict.base_offset, Offset(100 + 2 * i));
    EXPECT_EQ(verdict.timestamp, 50 + i);
  }
  EXPECT_EQ(check(state, {.sequence = 10, .records = 1}).kind, Kind::kRefuse) << "another length is no repeat";
}

TEST(ProducerState, SequencesWrapFromTheLargestToZero) {
  ProducerState state;
  state.apply_batch(batch({.sequence = INT32_MAX, .records = 2}));
  EXPECT_EQ(state.find(ProducerId(kId))->last_sequence(), 0);
  EXPECT_EQ(check(state, {.sequence = INT32_MAX, .records = 2}).kind, Kind::kDuplicate);
  EXPECT_TRUE(check(state, {.sequence = 1}).accepted());
  ProducerState exact;
  exact.apply_batch(batch({.sequence = INT32_MAX}));
  EXPECT_TRUE(check(exact, {.sequence = 0}).accepted());
  EXPECT_FALSE(check(exact, {.sequence = 1}).accepted());
}

TEST(ProducerState, AnOldEpochIsFencedAndANewOneBeginsAtZero) {
  ProducerState state;
  state.apply_batch(batch({.sequence = 0, .epoch = 5}));
  EXPECT_EQ(check(state, {.sequence = 1, .epoch = 4}).error, KafkaError::kInvalidProducerEpoch);
  EXPECT_EQ(check(state, {.sequence = 1, .epoch = 6}).error, KafkaError::kOutOfOrderSequenceNumber);
  EXPECT_TRUE(check(state, {.sequence = 0, .epoch = 6}).accepted());
  EXPECT_TRUE(state.check_batch(batch({.sequence = 9, .epoch = 4}), AppendOrigin::kReplication).accepted());
}

TEST(ProducerState, ABatchOutsideOfAnOpenTransactionIsRefused) {
  ProducerState state;
  state.apply_batch(batch({.sequence = 0, .transactional = true}));
  EXPECT_EQ(check(state, {.sequence = 1}).error, KafkaError::kInvalidTxnState);
  EXPECT_TRUE(check(state, {.sequence = 1, .transactional = true}).accepted());
}

TEST(ProducerState, ReadersOfCommittedDataStopAtTheFirstOpenTransaction) {
  ProducerState state;
  state.apply_batch(batch({.base_offset = 10, .transactional = true, .producer = 1}));
  state.apply_batch(batch({.base_offset = 12, .transactional = true, .producer = 2}));
  EXPECT_EQ(state.first_unstable_offset(), Offset(10));
  std::optional<CompletedTransaction> first = state.apply_marker(marker(14, false, 0, 1));
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->aborted);
  EXPECT_EQ(first->first_offset, Offset(10));
  EXPECT_EQ(first->last_stable_offset, Offset(12));
  EXPECT_EQ(state.first_unstable_offset(), Offset(10)) << "the marker is not replicated yet";
  state.high_watermark_advanced(Offset(14));
  EXPECT_EQ(state.first_unstable_offset(), Offset(10));
  state.high_watermark_advanced(Offset(15));
  EXPECT_EQ(state.first_unstable_offset(), Offset(12));
  EXPECT_EQ(state.apply_marker(marker(15, true, 0, 2))->last_stable_offset, Offset(16));
  state.high_watermark_advanced(Offset(16));
  EXPECT_EQ(state.first_unstable_offset(), std::nullopt);
}

TEST(ProducerState, AMarkerWithoutATransactionCompletesNothing) {
  ProducerState state;
  EXPECT_EQ(state.apply_marker(marker(3, true)), std::nullopt);
  EXPECT_EQ(state.find(ProducerId(kId))->coordinator_epoch, 3);
}

TEST(ProducerState, AMarkerWithANewEpochBeginsSequencesAnew) {
  ProducerState state;
  state.apply_batch(batch({.sequence = 0, .records = 4, .transactional = true}));
  state.apply_marker(marker(4, true, 1));
  EXPECT_EQ(check(state, {.sequence = 4, .epoch = 0, .transactional = true}).error, KafkaError::kInvalidProducerEpoch);
  EXPECT_TRUE(check(state, {.sequence = 0, .epoch = 1, .transactional = true}).accepted());
}

TEST(ProducerState, MarkersOfOldEpochsAndCoordinatorsAreFenced) {
  ProducerState state;
  state.apply_batch(batch({.epoch = 2, .transactional = true}));
  auto error = [&](const TransactionMarker& sent) {
    return state.check_marker(sent, AppendOrigin::kCoordinator).error;
  };
  EXPECT_EQ(error(marker(1, true, 1)), KafkaError::kInvalidProducerEpoch);
  EXPECT_EQ(error(marker(1, true, 2)), KafkaError::kNone);
  TransactionMarker second_version = marker(1, true, 2);
  second_version.transaction_version = 2;
  EXPECT_EQ(error(second_version), KafkaError::kInvalidProducerEpoch);
  second_version.producer_epoch = 3;
  EXPECT_EQ(error(second_version), KafkaError::kNone);
  state.apply_marker(second_version);
  EXPECT_EQ(error(second_version), KafkaError::kNone) << "repeated after a fail-over of the coordinator";
  second_version.coordinator_epoch = 2;
  EXPECT_EQ(error(second_version), KafkaError::kTransactionCoordinatorFenced);
}

TEST(ProducerState, OnlySilentProducersWithoutATransactionExpire) {
  ProducerState state;
  state.apply_batch(batch({.producer = 1, .timestamp = 1000}));
  state.apply_batch(batch({.transactional = true, .producer = 2, .timestamp = 1000}));
  state.apply_batch(batch({.producer = 3, .timestamp = 1500}));
  EXPECT_EQ(state.expire(1999, 1000), 0u);
  EXPECT_EQ(state.expire(2000, 1000), 1u);
  EXPECT_EQ(state.find(ProducerId(1)), nullptr);
  EXPECT_NE(state.find(ProducerId(2)), nullptr);
}

TEST(ProducerSnapshot, AnEmptyOneIsTheTenBytesOfKafka) {
  EXPECT_EQ(to_hex(encode_producer_snapshot(ProducerState())), "000148674bc700000000");
}

TEST(ProducerSnapshot, AFileOfKafkaReadsAndWritesBackToTheByte) {
  // disk-4.3: an idempotent producer and one whose transaction was committed with a new epoch.
  std::string text =
      "0001937fd1fd00000002"
      "0000000000000000000000000004000000000000000400000000000001a2079a54dbffffffffffffffffffffffff"
      "00000000000000010003ffffffffffffffffffffffff00000000000001a2079a579000000000ffffffffffffffff";
  Buffer bytes;
  for (size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  Result<ProducerState> state = decode_producer_snapshot(bytes);
  ASSERT_TRUE(state) << state.error().message;
  const ProducerState::Producer* idempotent = state->find(ProducerId(0));
  ASSERT_NE(idempotent, nullptr);
  EXPECT_EQ(idempotent->last_sequence(), 4);
  EXPECT_EQ(idempotent->batches().back().first_offset(), Offset(4));
  EXPECT_EQ(state->find(ProducerId(1))->batch_count, 0);
  EXPECT_EQ(state->find(ProducerId(1))->coordinator_epoch, 0);
  EXPECT_EQ(to_hex(encode_producer_snapshot(*state)), text);
}

TEST(ProducerSnapshot, OpenTransactionsComeBack) {
  ProducerState state;
  state.apply_batch(batch({.base_offset = 33, .transactional = true}));
  Result<ProducerState> back = decode_producer_snapshot(encode_producer_snapshot(state));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->first_unstable_offset(), Offset(33));
  EXPECT_EQ(*back, state);
}

TEST(ProducerSnapshot, EveryFlippedByteIsNoticed) {
  ProducerState state;
  state.apply_batch(batch({}));
  Buffer good = encode_producer_snapshot(state);
  for (size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{0x10};
    EXPECT_FALSE(decode_producer_snapshot(bad)) << i;
    EXPECT_FALSE(decode_producer_snapshot(BytesView(good).first(i))) << i;
  }
}

}  // namespace
}  // namespace barnabas::replication
