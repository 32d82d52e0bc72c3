#include "client/consumer/fetched_records.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "wire/control_record.h"
#include "wire/record_batch_builder.h"

namespace barnabas::client {
namespace {

struct BatchSpec {
  int64_t base = 0;
  std::vector<std::string> values;
  wire::Codec codec = wire::Codec::kNone;
  int64_t producer = -1;
  bool transactional = false;
  int32_t epoch = 3;
};

Buffer batch(const BatchSpec& spec) {
  wire::BatchOptions options;
  options.compression.codec = spec.codec;
  options.base_offset = Offset(spec.base);
  options.leader_epoch = LeaderEpoch(spec.epoch);
  options.producer_id = ProducerId(spec.producer);
  options.producer_epoch = spec.producer >= 0 ? int16_t{0} : int16_t{-1};
  options.base_sequence = spec.producer >= 0 ? 0 : -1;
  options.transactional = spec.transactional;
  wire::BatchBuilder builder(options);
  int64_t time = 1000 + spec.base;
  for (const auto& value : spec.values) {
    std::string key = "k" + value;
    wire::HeaderView header{"h", as_bytes(value)};
    builder.add({.timestamp = time++, .key = as_bytes(key), .value = as_bytes(value), .headers = {&header, 1}});
  }
  return builder.build();
}

Buffer marker(int64_t base, int64_t producer, wire::ControlRecordType type) {
  return wire::encode_end_txn_batch({.base_offset = Offset(base), .leader_epoch = LeaderEpoch(3), .timestamp = 5},
                                    {ProducerId(producer), 0}, {.type = type});
}

Buffer join(const std::vector<Buffer>& parts) {
  Buffer all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

FetchedRecords fetched(const Buffer& bytes, int64_t position, FetchedRecords::Options options = {},
                       std::vector<AbortedRange> aborted = {}) {
  auto frame = std::make_shared<const Buffer>(bytes);
  return FetchedRecords(std::make_shared<const std::string>("t"), 1, frame, *frame, std::move(aborted), position,
                        options);
}

std::vector<std::string> values(FetchedRecords& from, size_t most = 1000) {
  ConsumerRecords::Parts parts;
  EXPECT_TRUE(from.take(most, parts));
  std::vector<std::string> all;
  for (const auto& record : parts.records) all.emplace_back(*record.value);
  return all;
}

using Strings = std::vector<std::string>;

TEST(FetchedRecords, GivesRecordsWithAllTheirFields) {
  FetchedRecords from = fetched(batch({.base = 7, .values = {"a", "b"}}), 7);
  ConsumerRecords::Parts parts;
  ASSERT_EQ(from.take(10, parts), 2u);
  const ConsumerRecord& record = parts.records[1];
  EXPECT_EQ(record.topic, "t");
  EXPECT_EQ(record.partition, 1);
  EXPECT_EQ(record.offset, 8);
  EXPECT_EQ(record.timestamp, 1008);
  EXPECT_EQ(record.timestamp_type, TimestampType::kCreateTime);
  EXPECT_EQ(record.leader_epoch, 3);
  EXPECT_EQ(record.key, "kb");
  EXPECT_EQ(record.value, "b");
  ASSERT_EQ(record.headers.all().size(), 1u);
  EXPECT_EQ(record.headers.all()[0].value, "b");
  EXPECT_EQ(from.position(), 9);
}

TEST(FetchedRecords, OpensEveryCodec) {
  for (auto codec :
       {wire::Codec::kNone, wire::Codec::kGzip, wire::Codec::kSnappy, wire::Codec::kLz4, wire::Codec::kZstd}) {
    std::string large(200000, 'x');
    FetchedRecords from = fetched(batch({.values = {"a", large, "c"}, .codec = codec}), 0);
    EXPECT_EQ(values(from), (Strings{"a", large, "c"})) << wire::codec_name(codec);
    EXPECT_TRUE(from.at_end());
  }
}

TEST(FetchedRecords, HandsOutAsManyAsAskedForAndGoesOnInTheMiddleOfABatch) {
  FetchedRecords from = fetched(
      join({batch({.values = {"a", "b", "c"}, .codec = wire::Codec::kLz4}), batch({.base = 3, .values = {"d"}})}), 0);
  ConsumerRecords::Parts first;
  ASSERT_EQ(from.take(2, first), 2u);
  EXPECT_EQ(from.position(), 2);
  ConsumerRecords::Parts second;
  {
    ASSERT_EQ(from.take(2, second), 2u);
  }
  first = {};
  EXPECT_EQ(second.records[0].value, "c");
  EXPECT_EQ(second.records[1].value, "d");
}

TEST(FetchedRecords, SkipsWhatIsBelowThePosition) {
  FetchedRecords from = fetched(join({batch({.values = {"a", "b"}}), batch({.base = 2, .values = {"c", "d"}})}), 3);
  EXPECT_EQ(values(from), Strings{"d"});
}

TEST(FetchedRecords, EndsAtABatchThatIsCutShort) {
  Buffer bytes = join({batch({.values = {"a"}}), batch({.base = 1, .values = {"b"}})});
  bytes.resize(bytes.size() - 1);
  FetchedRecords from = fetched(bytes, 0);
  EXPECT_EQ(values(from), Strings{"a"});
  EXPECT_EQ(from.position(), 1);
}

TEST(FetchedRecords, NeverGivesControlRecordsButPassesOverThem) {
  FetchedRecords from = fetched(join({batch({.values = {"a"}, .producer = 9, .transactional = true}),
                                      marker(1, 9, wire::ControlRecordType::kCommit)}),
                                0);
  EXPECT_EQ(values(from), Strings{"a"});
  EXPECT_EQ(from.position(), 2);
}

TEST(FetchedRecords, ReadCommittedLeavesOutAbortedTransactionsOnly) {
  Buffer bytes = join({batch({.base = 0, .values = {"aborted"}, .producer = 9, .transactional = true}),
                       batch({.base = 1, .values = {"other"}, .producer = 8, .transactional = true}),
                       marker(2, 9, wire::ControlRecordType::kAbort),
                       batch({.base = 3, .values = {"again"}, .producer = 9, .transactional = true}),
                       marker(4, 9, wire::ControlRecordType::kCommit), marker(5, 8, wire::ControlRecordType::kCommit),
                       batch({.base = 6, .values = {"plain"}})});
  FetchedRecords committed = fetched(bytes, 0, {.read_committed = true}, {{9, 0}});
  EXPECT_EQ(values(committed), (Strings{"other", "again", "plain"}));
  FetchedRecords uncommitted = fetched(bytes, 0, {}, {{9, 0}});
  EXPECT_EQ(values(uncommitted), (Strings{"aborted", "other", "again", "plain"}));
}

TEST(FetchedRecords, GivesWhatCameBeforeADamagedBatchAndThenTheError) {
  Buffer bytes = join({batch({.values = {"a"}}), batch({.base = 1, .values = {"b"}})});
  bytes.back() ^= std::byte{1};
  FetchedRecords from = fetched(bytes, 0);
  ConsumerRecords::Parts parts;
  auto taken = from.take(10, parts);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, Error::Kind::kBadAnswer);
  EXPECT_NE(taken.error().message.find("t-1 at offset 1"), std::string::npos) << taken.error().message;
  ASSERT_EQ(parts.records.size(), 1u);
  EXPECT_EQ(from.position(), 1);
  EXPECT_TRUE(from.at_end());

  FetchedRecords unchecked = fetched(bytes, 0, {.check_crcs = false});
  ConsumerRecords::Parts more;
  (void)unchecked.take(10, more);
  EXPECT_GE(more.records.size(), 1u);
}

TEST(FetchedRecords, RefusesABombWithoutBlowingUp) {
  std::string zeros(size_t{1} << 20, '\0');
  std::vector<std::string> many(300, zeros);
  FetchedRecords from = fetched(batch({.values = many, .codec = wire::Codec::kZstd}), 0);
  ConsumerRecords::Parts parts;
  auto taken = from.take(1000, parts);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("more than is allowed"), std::string::npos) << taken.error().message;
}

TEST(FetchedRecords, AnyDamagedBytesAreAnErrorOrFewerRecords) {
  std::mt19937 random(7);
  for (auto codec :
       {wire::Codec::kNone, wire::Codec::kGzip, wire::Codec::kSnappy, wire::Codec::kLz4, wire::Codec::kZstd}) {
    Buffer good = join({batch({.values = {"one", "two", "three"}, .codec = codec}),
                        batch({.base = 3, .values = {"four"}, .codec = codec, .producer = 4, .transactional = true}),
                        marker(4, 4, wire::ControlRecordType::kAbort)});
    for (int round = 0; round < 2000; ++round) {
      Buffer bytes = good;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
        bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      }
      if (random() % 4 == 0) bytes.resize(random() % bytes.size());
      FetchedRecords from =
          fetched(bytes, 0, {.check_crcs = round % 2 == 0, .read_committed = round % 3 == 0}, {{4, 0}});
      ConsumerRecords::Parts parts;
      size_t sum = 0;
      for (int step = 0; step < 100 && !from.at_end(); ++step) {
        if (!from.take(2, parts)) break;
      }
      for (const auto& record : parts.records) {
        sum += record.key.value_or("").size() + record.value.value_or("").size() + record.headers.all().size();
      }
      EXPECT_LT(sum, size_t{1} << 20);
    }
  }
}

}  // namespace
}  // namespace barnabas::client
