#include "wire/batch_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

#include "base/varint.h"
#include "wire/kafka_error.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

// Each row is what Apache Kafka 4.3.0 answered to the same bytes.

namespace barnabas::wire {
namespace {

constexpr TimestampMs kNow = 1'800'000'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr Codec kRealCodecs[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr ProduceContext kContext{.now = kNow, .api_version = 9};

// Where the fields lie that the tests falsify.
constexpr size_t kBaseOffsetAt = 0;
constexpr size_t kLengthAt = 8;
constexpr size_t kEpochAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;
constexpr size_t kLastOffsetDeltaAt = 23;
constexpr size_t kMaxTimestampAt = 35;
constexpr size_t kProducerIdAt = 43;
constexpr size_t kSequenceAt = 53;
constexpr size_t kCountAt = 57;

Buffer batch_of(int records, Codec codec = Codec::kNone, TimestampMs timestamp = kNow) {
  BatchBuilder builder({.compression = {codec}});
  for (int i = 0; i < records; ++i) {
    std::string key = "key-" + std::to_string(i);
    builder.add({.timestamp = timestamp, .key = as_bytes(key), .value = as_bytes("a value of some length")});
  }
  return builder.build();
}

void fix_crc(Buffer& batch) {
  store_be(batch.data() + kCrcAt, compute_crc(batch));
}

template <class T>
Buffer with(Buffer batch, size_t at, T value) {
  store_be(batch.data() + at, value);
  fix_crc(batch);
  return batch;
}

// A batch whose records are the given bytes.
Buffer raw_batch(BytesView records, int32_t count, Codec codec = Codec::kNone) {
  Buffer compressed = compress({codec}, records);
  Buffer batch(kBatchOverhead);
  batch.insert(batch.end(), compressed.begin(), compressed.end());
  BatchHeader header{.batch_length = static_cast<int32_t>(batch.size() - kLogOverhead),
                     .attributes = static_cast<int16_t>(codec),
                     .last_offset_delta = count - 1,
                     .base_timestamp = kNow,
                     .max_timestamp = kNow,
                     .record_count = count};
  header.encode(batch);
  fix_crc(batch);
  return batch;
}

// Records with these offset deltas, key and value null.
Buffer records_with_deltas(std::initializer_list<int> deltas) {
  Buffer records;
  for (int delta : deltas) {
    for (int b : {12, 0, 0}) records.push_back(static_cast<std::byte>(b));
    append_varint(records, delta);
    for (int b : {1, 1, 0}) records.push_back(static_cast<std::byte>(b));
  }
  return records;
}

struct Refused {
  KafkaError error;
  bool before_log;
  bool has_message = false;
};

void expect_refused(BytesView records, Refused expected, const BatchPolicy& policy = {},
                    const ProduceContext& context = kContext) {
  BatchVerdict verdict = validate_batch(records, policy, context);
  EXPECT_EQ(static_cast<int>(verdict.error), static_cast<int>(expected.error));
  EXPECT_EQ(verdict.refused_before_log, expected.before_log);
  EXPECT_EQ(verdict.error_message.has_value(), expected.has_message);
  EXPECT_FALSE(verdict.accepted());
}

// The bytes a leader would store at offset 500 in epoch 4.
Buffer stored(const BatchVerdict& verdict) {
  EXPECT_TRUE(verdict.accepted());
  Buffer copy = to_buffer(verdict.bytes());
  verdict.stamp(copy, Offset(500), LeaderEpoch(4));
  EXPECT_TRUE(crc_matches(copy));
  auto header = BatchHeader::decode(copy);
  EXPECT_TRUE(header.has_value());
  EXPECT_EQ(header->first_offset(), Offset(500));
  EXPECT_EQ(header->leader_epoch(), LeaderEpoch(4));
  EXPECT_EQ(header->max_timestamp, verdict.header.max_timestamp);
  EXPECT_EQ(header->attributes, verdict.header.attributes);
  return copy;
}

// Accepted, and but for offset and epoch the client's own bytes.
void expect_verbatim(const Buffer& batch, const BatchPolicy& policy = {}) {
  BatchVerdict verdict = validate_batch(batch, policy, kContext);
  ASSERT_TRUE(verdict.accepted()) << static_cast<int>(verdict.error);
  EXPECT_EQ(verdict.rewrite, HeaderRewrite::kNone);
  EXPECT_TRUE(verdict.rebuilt.empty());
  Buffer copy = stored(verdict);
  EXPECT_EQ(to_hex(BytesView(copy).subspan(kMagicAt)), to_hex(BytesView(batch).subspan(kMagicAt)));
}

TEST(Produce, AGoodBatchIsStoredAsItIs) {
  expect_verbatim(batch_of(1));
  expect_verbatim(batch_of(100));
  for (Codec codec : kRealCodecs) expect_verbatim(batch_of(100, codec));
}

TEST(Produce, NoRecordsAtAll) {
  expect_refused({}, {KafkaError::kInvalidRecord, true});
}

TEST(Produce, WrongChecksum) {
  Buffer batch = batch_of(2);
  batch.back() ^= std::byte{1};
  expect_refused(batch, {KafkaError::kCorruptMessage, true});
}

TEST(Produce, OldMagicsAreInvalid) {
  for (int8_t magic : {0, 1}) {
    expect_refused(with(batch_of(1), kMagicAt, magic), {KafkaError::kInvalidRecord, true});
    expect_refused(with(batch_of(1), kMagicAt, magic), {KafkaError::kInvalidRecord, true}, {}, {.api_version = 3});
  }
}

TEST(Produce, MagicsThatNeverWereAreDamage) {
  for (int8_t magic : {3, -1})
    expect_refused(with(batch_of(1), kMagicAt, magic), {KafkaError::kCorruptMessage, true, true});
}

TEST(Produce, ALengthBeyondTheDataIsAsNoBatch) {
  Buffer batch = batch_of(1);
  store_be<int32_t>(batch.data() + kLengthAt, static_cast<int32_t>(batch.size()));
  expect_refused(batch, {KafkaError::kInvalidRecord, true});
}

TEST(Produce, ALengthThatNothingHasIsDamage) {
  expect_refused(with<int32_t>(batch_of(1), kLengthAt, 10), {KafkaError::kCorruptMessage, true, true});
  expect_refused(with<int32_t>(batch_of(1), kLengthAt, -1), {KafkaError::kCorruptMessage, true, true});
}

TEST(Produce, AnyTruncationIsRefused) {
  Buffer batch = batch_of(2);
  for (size_t size = 0; size < batch.size(); ++size) {
    expect_refused(BytesView(batch).first(size), {KafkaError::kInvalidRecord, true});
  }
}

TEST(Produce, FiveBytesBehindTheBatchAreIgnored) {
  Buffer batch = batch_of(2);
  Buffer longer = batch;
  longer.resize(longer.size() + 5);
  BatchVerdict verdict = validate_batch(longer, {}, kContext);
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.original.size(), batch.size());
}

TEST(Produce, TwoBatchesAreOneTooMany) {
  Buffer two = batch_of(1);
  Buffer one = two;
  two.insert(two.end(), one.begin(), one.end());
  for (int16_t version : {3, 9, 13}) {
    expect_refused(two, {KafkaError::kInvalidRecord, true}, {}, {.now = kNow, .api_version = version});
  }
  Buffer zeros = one;
  zeros.resize(zeros.size() + 40);
  expect_refused(zeros, {KafkaError::kCorruptMessage, true, true});
}

TEST(Produce, BaseOffsetMustBeZero) {
  Buffer batch = batch_of(1);
  store_be<int64_t>(batch.data() + kBaseOffsetAt, 77);
  expect_refused(batch, {KafkaError::kInvalidRecord, false});
}

TEST(Produce, TheLeaderEpochIsOverwritten) {
  Buffer batch = batch_of(1);
  store_be<int32_t>(batch.data() + kEpochAt, 99);
  stored(validate_batch(batch, {}, kContext));
}

TEST(Produce, CountsThatDisagree) {
  for (int32_t count : {3, 1, 0, -1}) {
    expect_refused(with(batch_of(2), kCountAt, count), {KafkaError::kInvalidRecord, false});
  }
  for (int32_t delta : {-1, 5, INT32_MAX, INT32_MIN}) {
    expect_refused(with(batch_of(2), kLastOffsetDeltaAt, delta), {KafkaError::kInvalidRecord, false});
  }
  Buffer lies = with<int32_t>(batch_of(1), kCountAt, 2);
  expect_refused(with<int32_t>(lies, kLastOffsetDeltaAt, 1), {KafkaError::kInvalidRecord, false});
}

TEST(Produce, RecordsThatDoNotFillTheBatch) {
  Buffer records = records_with_deltas({0});
  Buffer longer = records;
  longer.resize(longer.size() + 3);
  expect_refused(raw_batch(longer, 1), {KafkaError::kInvalidRecord, false});
  Buffer too_long = records;
  too_long[0] = std::byte{60};
  expect_refused(raw_batch(too_long, 1), {KafkaError::kInvalidRecord, false});
}

TEST(Produce, UncompressedOffsetDeltasAreNotLookedAt) {
  expect_verbatim(raw_batch(records_with_deltas({0, 0}), 2));
  expect_verbatim(raw_batch(records_with_deltas({1, 0}), 2));
}

TEST(Produce, CompressedOffsetDeltasMustRise) {
  for (Codec codec : kRealCodecs) {
    expect_refused(raw_batch(records_with_deltas({0, 0, 0}), 3, codec), {KafkaError::kUnknownServerError, false});
    expect_verbatim(raw_batch(records_with_deltas({0, 1, 2}), 3, codec));
  }
}

TEST(Produce, CompressedCountsAndRubbishBehindTheRecords) {
  for (Codec codec : kRealCodecs) {
    expect_refused(raw_batch(records_with_deltas({0, 1}), 3, codec), {KafkaError::kInvalidRecord, false});
    expect_refused(raw_batch(records_with_deltas({0, 1, 2}), 2, codec), {KafkaError::kInvalidRecord, false});
    Buffer records = records_with_deltas({0, 1});
    records.push_back(std::byte{9});
    expect_refused(raw_batch(records, 2, codec), {KafkaError::kInvalidRecord, false});
  }
}

TEST(Produce, DataThatNoCodecMadeIsKafkasOwnFailure) {
  Buffer plain = batch_of(2);
  for (int16_t bits : {5, 6, 7}) {
    expect_refused(with(plain, kAttributesAt, bits), {KafkaError::kUnknownServerError, false});
  }
  for (Codec codec : kRealCodecs) {
    Buffer batch = batch_of(2, codec);
    std::mt19937 random(3);
    for (size_t at = kBatchOverhead; at < batch.size(); ++at) batch[at] = static_cast<std::byte>(random());
    batch[kBatchOverhead] = std::byte{0xff};
    fix_crc(batch);
    expect_refused(batch, {KafkaError::kUnknownServerError, false});
  }
}

TEST(Produce, ZstdNeedsVersionSeven) {
  expect_refused(batch_of(1, Codec::kZstd), {KafkaError::kUnsupportedCompressionType, true}, {},
                 {.now = kNow, .api_version = 6});
  EXPECT_TRUE(validate_batch(batch_of(1, Codec::kZstd), {}, {.now = kNow, .api_version = 7}).accepted());
  EXPECT_TRUE(validate_batch(batch_of(1, Codec::kLz4), {}, {.now = kNow, .api_version = 3}).accepted());
}

TEST(Produce, ClientsWriteNoControlRecords) {
  expect_refused(with<int16_t>(batch_of(1), kAttributesAt, kControlBit), {KafkaError::kInvalidRecord, false});
}

TEST(Produce, BitsWithoutAMeaningAreStoredAsSent) {
  for (int16_t bits : {0x40, 0x100}) expect_verbatim(with(batch_of(1), kAttributesAt, bits));
}

TEST(Produce, AClaimOfLogAppendTimeIsTakenBack) {
  Buffer batch = with<int16_t>(batch_of(2), kAttributesAt, kLogAppendTimeBit);
  BatchVerdict verdict = validate_batch(batch, {}, kContext);
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.rewrite, HeaderRewrite::kClearLogAppendTime);
  EXPECT_EQ(BatchHeader::decode(stored(verdict))->attributes, 0);
}

TEST(Produce, AClaimOfLogAppendTimeIsRefusedWhereTheBrokerSetsIt) {
  BatchPolicy policy{.timestamp_type = TimestampType::kLogAppendTime};
  Buffer batch = with<int16_t>(batch_of(2), kAttributesAt, kLogAppendTimeBit);
  BatchVerdict verdict = validate_batch(batch, policy, kContext);
  EXPECT_EQ(verdict.error, KafkaError::kInvalidTimestamp);
  EXPECT_EQ(verdict.record_errors.size(), 2u);
}

TEST(Produce, SizesCountTheWholeBatch) {
  Buffer batch = batch_of(10);
  int32_t size = static_cast<int32_t>(batch.size());
  expect_verbatim(batch, {.max_message_bytes = size});
  expect_refused(batch, {KafkaError::kMessageTooLarge, true}, {.max_message_bytes = size - 1});
  expect_verbatim(batch, {.segment_bytes = size});
  expect_refused(batch, {KafkaError::kRecordListTooLarge, true}, {.segment_bytes = size - 1});
}

TEST(Produce, CompactedTopicsNeedKeys) {
  BatchPolicy policy{.compacted = true};
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    BatchBuilder builder({.compression = {codec}});
    builder.add({.timestamp = kNow, .key = as_bytes("k"), .value = as_bytes("v")});
    builder.add({.timestamp = kNow, .key = std::nullopt, .value = as_bytes("v")});
    builder.add({.timestamp = kNow, .key = as_bytes("k"), .value = std::nullopt});
    Buffer batch = builder.build();
    for (Strictness strictness : {Strictness::kStrict, Strictness::kTrustCompressed}) {
      policy.strictness = strictness;
      BatchVerdict verdict = validate_batch(batch, policy, kContext);
      EXPECT_EQ(verdict.error, KafkaError::kInvalidRecord);
      EXPECT_FALSE(verdict.refused_before_log);
      EXPECT_TRUE(verdict.error_message.has_value());
      ASSERT_EQ(verdict.record_errors.size(), 1u);
      EXPECT_EQ(verdict.record_errors[0].batch_index, 1);
      EXPECT_FALSE(verdict.record_errors[0].message.empty());
    }
    EXPECT_TRUE(validate_batch(batch, {}, kContext).accepted());
  }
}

TEST(Produce, TimesOutsideTheTopicsBounds) {
  for (Codec codec : {Codec::kNone, Codec::kZstd}) {
    BatchBuilder builder({.compression = {codec}});
    builder.add({.timestamp = kNow});
    builder.add({.timestamp = kNow + kHour + 1});
    builder.add({.timestamp = kNow + kHour});
    builder.add({.timestamp = kNow - 1001});
    builder.add({.timestamp = kNow - 1000});
    Buffer batch = builder.build();
    BatchPolicy policy{.timestamp_before_max_ms = 1000};
    BatchVerdict verdict = validate_batch(batch, policy, kContext);
    EXPECT_EQ(verdict.error, KafkaError::kInvalidTimestamp);
    EXPECT_TRUE(verdict.error_message.has_value());
    ASSERT_EQ(verdict.record_errors.size(), 2u);
    EXPECT_EQ(verdict.record_errors[0].batch_index, 1);
    EXPECT_EQ(verdict.record_errors[1].batch_index, 3);
    verdict = validate_batch(batch, {}, kContext);
    ASSERT_EQ(verdict.record_errors.size(), 1u);
    EXPECT_EQ(verdict.record_errors[0].batch_index, 1);
  }
}

TEST(Produce, TimesBeforeTheEpochOfTimeAreFine) {
  for (TimestampMs timestamp : {-1, 0, -2}) {
    BatchVerdict verdict = validate_batch(batch_of(2, Codec::kNone, timestamp), {}, kContext);
    EXPECT_TRUE(verdict.accepted()) << timestamp;
  }
}

TEST(Produce, NoTimestampIsNeverOutOfBounds) {
  EXPECT_TRUE(validate_batch(batch_of(2, Codec::kNone, -1), {.timestamp_before_max_ms = 10}, kContext).accepted());
}

TEST(Produce, AMaximumThatLiesIsCorrected) {
  for (Codec codec : {Codec::kNone, Codec::kSnappy}) {
    Buffer batch = with(batch_of(2, codec), kMaxTimestampAt, kNow + 3 * kHour);
    BatchVerdict verdict = validate_batch(batch, {}, kContext);
    ASSERT_TRUE(verdict.accepted());
    EXPECT_EQ(verdict.rewrite, HeaderRewrite::kMaxTimestamp);
    EXPECT_EQ(BatchHeader::decode(stored(verdict))->max_timestamp, kNow);
  }
}

TEST(Produce, LogAppendTimeTakesTheBrokersTime) {
  BatchPolicy policy{.timestamp_type = TimestampType::kLogAppendTime};
  for (Codec codec : {Codec::kNone, Codec::kGzip}) {
    Buffer batch = batch_of(2, codec, kNow + 2 * kHour);
    BatchVerdict verdict = validate_batch(batch, policy, kContext);
    ASSERT_TRUE(verdict.accepted());
    EXPECT_EQ(verdict.rewrite, HeaderRewrite::kLogAppendTime);
    BatchHeader header = *BatchHeader::decode(stored(verdict));
    EXPECT_EQ(header.timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_EQ(header.max_timestamp, kNow);
    EXPECT_EQ(header.compression(), codec);
  }
}

TEST(Produce, AProducerIdNeedsASequence) {
  expect_refused(with<int64_t>(batch_of(1), kProducerIdAt, 5), {KafkaError::kInvalidRecord, false});
  Buffer idempotent = with<int64_t>(batch_of(1), kProducerIdAt, 5);
  expect_verbatim(with<int32_t>(idempotent, kSequenceAt, 0));
  expect_verbatim(with<int32_t>(batch_of(1), kSequenceAt, 3));
}

TEST(Recompression, TheTopicsCodecWins) {
  for (Codec source : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    for (Codec target : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
      BatchPolicy policy{.compression = Compression{target}};
      Buffer batch = batch_of(50, source);
      BatchVerdict verdict = validate_batch(batch, policy, kContext);
      ASSERT_TRUE(verdict.accepted()) << codec_name(source) << codec_name(target);
      EXPECT_EQ(verdict.rebuilt.empty(), source == target);
      Buffer copy = stored(verdict);
      BatchHeader header = *BatchHeader::decode(copy);
      EXPECT_EQ(header.compression(), target);
      EXPECT_EQ(header.record_count, 50);
      RecordIterator records(header, copy);
      RecordView record;
      for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(records.next(record));
        EXPECT_EQ(record.offset_delta, i);
        EXPECT_EQ(as_text(*record.key), "key-" + std::to_string(i));
      }
      EXPECT_FALSE(records.next(record));
      EXPECT_TRUE(records.status().has_value());
    }
  }
}

TEST(Recompression, WrongOffsetDeltasAreSetRight) {
  BatchPolicy policy{.compression = Compression{Codec::kZstd}};
  for (Codec source : {Codec::kNone, Codec::kGzip}) {
    BatchVerdict verdict = validate_batch(raw_batch(records_with_deltas({5, 0, 0}), 3, source), policy, kContext);
    ASSERT_TRUE(verdict.accepted());
    RecordIterator records(verdict.header, verdict.rebuilt);
    RecordView record;
    for (int i = 0; records.next(record); ++i) EXPECT_EQ(record.offset_delta, i);
    EXPECT_EQ(records.records_read(), 3);
  }
}

TEST(Recompression, KeepsTheProducer) {
  BatchBuilder builder({.producer_id = ProducerId(4), .producer_epoch = 2, .base_sequence = 8, .transactional = true});
  builder.add({.timestamp = kNow});
  BatchVerdict verdict = validate_batch(builder.build(), {.compression = Compression{Codec::kLz4, 12}}, kContext);
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.header.producer_id, 4);
  EXPECT_EQ(verdict.header.producer_epoch, 2);
  EXPECT_EQ(verdict.header.base_sequence, 8);
  EXPECT_TRUE(verdict.header.is_transactional());
}

TEST(Recompression, SetsTheBrokersTime) {
  BatchPolicy policy{.compression = Compression{Codec::kLz4}, .timestamp_type = TimestampType::kLogAppendTime};
  BatchVerdict verdict = validate_batch(batch_of(3, Codec::kNone, 1000), policy, kContext);
  BatchHeader header = *BatchHeader::decode(stored(verdict));
  EXPECT_EQ(header.timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(header.max_timestamp, kNow);
}

TEST(Recompression, TheSizeIsCheckedAgain) {
  BatchBuilder builder({.compression = {Codec::kZstd}});
  Buffer zeros(20 << 20);
  builder.add({.timestamp = kNow, .key = as_bytes("k"), .value = zeros});
  builder.add({.timestamp = kNow, .key = std::nullopt, .value = zeros});
  Buffer bomb = builder.build();
  BatchPolicy policy{.compression = Compression{Codec::kNone}};
  expect_refused(bomb, {KafkaError::kMessageTooLarge, true}, policy);
  policy.compacted = true;  // what is wrong with records is said first
  EXPECT_EQ(validate_batch(bomb, policy, kContext).error, KafkaError::kInvalidRecord);
}

TEST(TrustCompressed, OpensOnlyWhatItMust) {
  BatchPolicy policy{.strictness = Strictness::kTrustCompressed};
  EXPECT_FALSE(validate_batch(batch_of(5, Codec::kLz4), policy, kContext).opened);
  EXPECT_TRUE(validate_batch(batch_of(5), policy, kContext).opened);
  Buffer liar = with(batch_of(5, Codec::kLz4), kMaxTimestampAt, kNow + 3 * kHour);
  BatchVerdict verdict = validate_batch(liar, policy, kContext);
  EXPECT_TRUE(verdict.opened);
  EXPECT_EQ(verdict.rewrite, HeaderRewrite::kMaxTimestamp);
  policy.timestamp_before_max_ms = kHour;
  EXPECT_TRUE(validate_batch(batch_of(5, Codec::kLz4), policy, kContext).opened);
  policy.timestamp_type = TimestampType::kLogAppendTime;
  verdict = validate_batch(batch_of(5, Codec::kLz4), policy, kContext);
  EXPECT_FALSE(verdict.opened);
  EXPECT_EQ(verdict.rewrite, HeaderRewrite::kLogAppendTime);
  policy.compacted = true;
  EXPECT_TRUE(validate_batch(batch_of(5, Codec::kLz4), policy, kContext).opened);
}

TEST(Produce, AnyFlippedByteHasAnAnswer) {
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    Buffer batch = batch_of(3, codec);
    for (size_t at = 0; at < batch.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Buffer damaged = batch;
        damaged[at] ^= static_cast<std::byte>(1 << bit);
        if (at != kLengthAt && at > kLengthAt + 3) fix_crc(damaged);
        BatchVerdict verdict = validate_batch(damaged, {}, kContext);
        if (verdict.accepted()) stored(verdict);
        validate_batch(damaged, {.compression = Compression{Codec::kLz4}, .compacted = true}, kContext);
      }
    }
  }
}

// Kafka goes on as long as it takes; we end before a small batch keeps a loop busy for seconds.
TEST(BatchValidator, ABatchThatDecompressesToFarMoreThanAMessageMayHaveIsTooLarge) {
  std::string zeros(1 << 20, '\0');
  BatchBuilder builder({.compression = {Codec::kZstd}});
  for (int i = 0; i < 140; ++i) builder.add({.timestamp = kNow, .value = as_bytes(zeros)});
  Buffer batch = builder.build();
  ASSERT_LT(batch.size(), 100'000u);
  EXPECT_EQ(validate_batch(batch, {}, kContext).error, KafkaError::kMessageTooLarge);
  BatchPolicy larger;
  larger.max_message_bytes = 20 << 20;
  EXPECT_EQ(validate_batch(batch, larger, kContext).error, KafkaError::kNone);
}

TEST(BatchValidator, OfVeryManyFaultsSomeAreTold) {
  BatchBuilder builder({.compression = {Codec::kZstd}});
  for (int i = 0; i < 50'000; ++i) builder.add({.timestamp = kNow, .value = as_bytes("without a key")});
  BatchPolicy policy;
  policy.compacted = true;
  Buffer batch = builder.build();
  auto verdict = validate_batch(batch, policy, kContext);
  EXPECT_EQ(verdict.error, KafkaError::kInvalidRecord);
  EXPECT_GE(verdict.record_errors.size(), 100u);
  EXPECT_LE(verdict.record_errors.size(), 10'000u);
}

}  // namespace
}  // namespace barnabas::wire
