#include "wire/record_batch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "wire/control_record.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

// Files that Apache Kafka 4.3.0 wrote.
Buffer testdata(const std::string& name) {
  std::ifstream file(std::string(BARNABAS_TESTDATA) + "/batches/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_buffer(as_bytes(text));
}

Buffer small_batch(Compression compression = {}) {
  BatchBuilder builder({.compression = compression});
  builder.add({.timestamp = 1000, .key = as_bytes("k"), .value = as_bytes("v")});
  builder.add({.timestamp = 1005, .value = as_bytes("w")});
  return builder.build();
}

TEST(BatchHeader, FieldsOfAKafkaBatch) {
  Buffer file = testdata("bootstrap.checkpoint");
  auto header = BatchHeader::decode(file);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->base_offset, 0);
  EXPECT_EQ(header->size_in_bytes(), 83u);
  EXPECT_EQ(header->magic, 2);
  EXPECT_TRUE(header->is_control());
  EXPECT_FALSE(header->is_transactional());
  EXPECT_FALSE(header->is_compressed());
  EXPECT_EQ(header->timestamp_type(), TimestampType::kCreateTime);
  EXPECT_EQ(header->record_count, 1);
  EXPECT_EQ(header->producer_id, -1);
  EXPECT_EQ(header->last_sequence(), kNoSequence);
  EXPECT_EQ(header->delete_horizon(), std::nullopt);
  Buffer again(kBatchOverhead);
  header->encode(again);
  EXPECT_EQ(to_hex(again), to_hex(BytesView(file).first(kBatchOverhead)));
}

TEST(BatchHeader, SequencesWrap) {
  BatchHeader header{.last_offset_delta = 1, .base_sequence = INT32_MAX};
  EXPECT_EQ(header.last_sequence(), 0);
  header.last_offset_delta = 0;
  EXPECT_EQ(header.last_sequence(), INT32_MAX);
}

TEST(BatchHeader, RecordTimesWrapInsteadOfOverflowing) {
  BatchHeader header{.base_timestamp = INT64_MAX};
  EXPECT_EQ(header.record_timestamp(1), INT64_MIN);
  header.attributes = kLogAppendTimeBit;
  header.max_timestamp = 77;
  EXPECT_EQ(header.record_timestamp(1), 77);
}

TEST(BatchHeader, RefusesWhatIsNoBatch) {
  Buffer batch = small_batch();
  for (size_t size = 0; size < kBatchOverhead; ++size) {
    EXPECT_FALSE(BatchHeader::decode(BytesView(batch).first(size)).has_value());
  }
  Buffer odd = batch;
  odd[16] = std::byte{1};
  EXPECT_EQ(BatchHeader::decode(odd).error().code, ErrorCode::kUnsupported);
  odd[16] = std::byte{3};
  EXPECT_EQ(BatchHeader::decode(odd).error().code, ErrorCode::kCorrupt);
  for (int32_t length : {-1, 0, 48, INT32_MIN}) {
    odd = batch;
    store_be(odd.data() + 8, length);
    EXPECT_EQ(BatchHeader::decode(odd).error().code, ErrorCode::kCorrupt) << length;
  }
}

TEST(BatchCursor, WalksKafkasFilesAndTheirChecksumsAreRight) {
  for (const char* name : {"bootstrap.checkpoint", "none.log", "gzip.log", "snappy.log", "lz4.log", "zstd.log",
                           "transactions.log", "append_time.log", "compacted.log", "cleaned.log"}) {
    Buffer file = testdata(name);
    BatchCursor cursor(file);
    int64_t next_offset = -1;
    int batches = 0;
    for (;;) {
      auto batch = cursor.next();
      ASSERT_TRUE(batch.has_value()) << name;
      if (!*batch) break;
      ++batches;
      EXPECT_TRUE(crc_matches((*batch)->bytes)) << name;
      EXPECT_GE((*batch)->header.base_offset, next_offset) << name;
      next_offset = (*batch)->header.next_offset().value;
    }
    EXPECT_GT(batches, 0);
    EXPECT_EQ(cursor.position(), file.size()) << name;
    EXPECT_TRUE(cursor.tail().empty()) << name;
  }
}

TEST(BatchCursor, APartialTailIsReportedAndNoError) {
  Buffer one = small_batch();
  Buffer two = one;
  two.insert(two.end(), one.begin(), one.end());
  for (size_t size = one.size(); size < two.size(); ++size) {
    BatchCursor cursor(BytesView(two).first(size));
    auto first = cursor.next();
    ASSERT_TRUE(first.has_value() && first->has_value());
    auto second = cursor.next();
    ASSERT_TRUE(second.has_value()) << size;
    EXPECT_FALSE(second->has_value());
    EXPECT_EQ(cursor.position(), one.size());
    EXPECT_EQ(cursor.tail().size(), size - one.size());
  }
}

TEST(BatchCursor, BytesThatAreNoBatchAreAnError) {
  Buffer zeros(100);
  EXPECT_FALSE(BatchCursor(zeros).next().has_value());
  Buffer odd = small_batch();
  odd[16] = std::byte{9};
  BatchCursor cursor(odd);
  EXPECT_FALSE(cursor.next().has_value());
  EXPECT_EQ(cursor.position(), 0u);
}

TEST(Rewriting, OffsetAndEpochLeaveTheChecksumAlone) {
  Buffer batch = small_batch();
  assign_offset_and_epoch(batch, Offset(123456789012), LeaderEpoch(7));
  auto header = BatchHeader::decode(batch);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->first_offset(), Offset(123456789012));
  EXPECT_EQ(header->last_offset(), Offset(123456789013));
  EXPECT_EQ(header->leader_epoch(), LeaderEpoch(7));
  EXPECT_TRUE(crc_matches(batch));
}

TEST(Rewriting, TimestampsCorrectTheChecksumInSmallAndLargeBatches) {
  for (size_t value_size : {10, 100000}) {
    Buffer value(value_size, std::byte{'x'});
    BatchBuilder builder({});
    builder.add({.timestamp = 1, .value = value});
    Buffer batch = builder.build();
    set_timestamps(batch, TimestampType::kLogAppendTime, 1700000000000);
    EXPECT_TRUE(crc_matches(batch));
    auto header = BatchHeader::decode(batch);
    EXPECT_EQ(header->timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_EQ(header->max_timestamp, 1700000000000);
    set_timestamps(batch, TimestampType::kCreateTime, 1);
    EXPECT_TRUE(crc_matches(batch));
    EXPECT_EQ(BatchHeader::decode(batch)->attributes, 0);
  }
}

TEST(Rewriting, TimestampsThatAreRightAlreadyTouchNothing) {
  Buffer batch = small_batch();
  store_be<int16_t>(batch.data() + 21, 0x100);  // a bit without a meaning, and so a wrong checksum
  Buffer before = batch;
  set_timestamps(batch, TimestampType::kCreateTime, 1005);
  EXPECT_EQ(batch, before);
}

TEST(Rewriting, AFlippedByteShowsInTheChecksum) {
  Buffer batch = small_batch();
  for (size_t at = 17; at < batch.size(); ++at) {
    Buffer damaged = batch;
    damaged[at] ^= std::byte{0x10};
    EXPECT_FALSE(crc_matches(damaged)) << at;
  }
}

}  // namespace
}  // namespace barnabas::wire
