#include "wire/record_batch_builder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

Buffer testdata(const std::string& name) {
  std::ifstream file(std::string(BARNABAS_TESTDATA) + "/batches/" + name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_buffer(as_bytes(text));
}

// The batch made again out of what was read of it.
Result<Buffer> rebuild(BytesView batch) {
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  BatchOptions options{.compression = {header.compression()},
                       .base_offset = header.first_offset(),
                       .leader_epoch = header.leader_epoch(),
                       .producer_id = ProducerId(header.producer_id),
                       .producer_epoch = header.producer_epoch,
                       .base_sequence = header.base_sequence,
                       .transactional = header.is_transactional(),
                       .control = header.is_control(),
                       .delete_horizon = header.delete_horizon()};
  if (header.timestamp_type() == TimestampType::kLogAppendTime) options.log_append_time = header.max_timestamp;
  BatchBuilder builder(options);
  RecordIterator records(header, batch);
  RecordView record;
  while (records.next(record)) {
    builder.add({.timestamp = header.base_timestamp + record.timestamp_delta,
                 .key = record.key,
                 .value = record.value,
                 .read_headers = record.headers,
                 .offset_delta = record.offset_delta});
  }
  TRY(records.status());
  builder.set_last_offset_delta(header.last_offset_delta);
  return builder.build();
}

TEST(BatchBuilder, MakesKafkasUncompressedBatchesToTheByte) {
  for (const char* name :
       {"bootstrap.checkpoint", "none.log", "transactions.log", "append_time.log", "compacted.log", "cleaned.log"}) {
    Buffer file = testdata(name);
    BatchCursor cursor(file);
    for (;;) {
      auto batch = cursor.next();
      ASSERT_TRUE(batch.has_value());
      if (!*batch) break;
      if ((*batch)->header.is_compressed()) continue;
      auto again = (*batch)->header.record_count == 0 ? Result<Buffer>(encode_emptied_batch((*batch)->header))
                                                      : rebuild((*batch)->bytes);
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(to_hex(*again), to_hex((*batch)->bytes)) << name;
    }
  }
}

TEST(BatchBuilder, HeaderSaysWhatTheOptionsDo) {
  BatchBuilder builder({.compression = {Codec::kLz4},
                        .base_offset = Offset(50),
                        .leader_epoch = LeaderEpoch(3),
                        .producer_id = ProducerId(9),
                        .producer_epoch = 2,
                        .base_sequence = 77,
                        .transactional = true});
  builder.add({.timestamp = 20, .value = as_bytes("a")});
  builder.add({.timestamp = 10, .value = as_bytes("b"), .offset_delta = 4});
  builder.add({.timestamp = 15, .value = as_bytes("c")});
  EXPECT_EQ(builder.record_count(), 3);
  EXPECT_EQ(builder.max_timestamp(), 20);
  Buffer batch = builder.build();
  auto header = BatchHeader::decode(batch);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->first_offset(), Offset(50));
  EXPECT_EQ(header->last_offset(), Offset(55));
  EXPECT_EQ(header->leader_epoch(), LeaderEpoch(3));
  EXPECT_EQ(header->compression(), Codec::kLz4);
  EXPECT_TRUE(header->is_transactional());
  EXPECT_EQ(header->base_timestamp, 20);
  EXPECT_EQ(header->max_timestamp, 20);
  EXPECT_EQ(header->producer_id, 9);
  EXPECT_EQ(header->producer_epoch, 2);
  EXPECT_EQ(header->base_sequence, 77);
  EXPECT_EQ(header->last_sequence(), 82);
  EXPECT_EQ(header->size_in_bytes(), batch.size());
  EXPECT_TRUE(crc_matches(batch));
}

TEST(BatchBuilder, TheSizeIsForetoldExactlyWithoutCompression) {
  BatchBuilder builder({});
  EXPECT_EQ(builder.estimated_size(), kBatchOverhead);
  HeaderView headers[] = {{"h", as_bytes("1")}, {"none", std::nullopt}};
  std::string value(1000, 'v');
  size_t foretold = builder.estimated_size();
  for (int i = 0; i < 100; ++i) {
    NewRecord record{.timestamp = i * 100000, .value = as_bytes(value).first(i), .headers = headers};
    foretold += builder.plain_size_of(record);
    builder.add(record);
    EXPECT_EQ(builder.estimated_size(), foretold);
  }
  EXPECT_EQ(builder.build().size(), foretold);
}

TEST(BatchBuilder, TheEstimateNeverFallsShortOfWhatIsWritten) {
  for (Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    BatchBuilder builder({.compression = {codec}});
    std::string value(500, 'v');
    for (int i = 0; i < 2000; ++i) builder.add({.timestamp = i, .value = as_bytes(value)});
    EXPECT_GE(builder.estimated_size(), builder.written_size());
    size_t estimate = builder.estimated_size();
    EXPECT_LE(builder.build().size(), estimate + 64) << codec_name(codec);
  }
}

TEST(BatchBuilder, NullAndEmptyAreDifferent) {
  BatchBuilder builder({});
  builder.add({.timestamp = -1, .key = std::nullopt, .value = BytesView()});
  builder.add({.timestamp = -1, .key = BytesView(), .value = std::nullopt});
  Buffer batch = builder.build();
  RecordIterator records(*BatchHeader::decode(batch), batch);
  RecordView record;
  ASSERT_TRUE(records.next(record));
  EXPECT_FALSE(record.key.has_value());
  EXPECT_TRUE(record.value.has_value() && record.value->empty());
  ASSERT_TRUE(records.next(record));
  EXPECT_TRUE(record.key.has_value() && record.key->empty());
  EXPECT_FALSE(record.value.has_value());
}

TEST(BatchBuilder, ADeleteHorizonTakesTheBaseTimestampsPlace) {
  BatchBuilder builder({.delete_horizon = 5000});
  builder.add({.timestamp = 1000, .value = as_bytes("v")});
  Buffer batch = builder.build();
  auto header = BatchHeader::decode(batch);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->delete_horizon(), 5000);
  RecordIterator records(*header, batch);
  RecordView record;
  ASSERT_TRUE(records.next(record));
  EXPECT_EQ(header->record_timestamp(record.timestamp_delta), 1000);
}

TEST(BatchBuilder, ExtremeTimestampsComeBack) {
  BatchBuilder builder({});
  for (TimestampMs timestamp : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-1}}) builder.add({.timestamp = timestamp});
  Buffer batch = builder.build();
  auto header = BatchHeader::decode(batch);
  RecordIterator records(*header, batch);
  RecordView record;
  for (TimestampMs timestamp : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-1}}) {
    ASSERT_TRUE(records.next(record));
    EXPECT_EQ(header->record_timestamp(record.timestamp_delta), timestamp);
  }
}

}  // namespace
}  // namespace barnabas::wire
