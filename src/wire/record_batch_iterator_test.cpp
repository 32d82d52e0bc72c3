#include "wire/record_batch_iterator.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "wire/record_batch_builder.h"

namespace barnabas::wire {
namespace {

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

struct OwnedRecord {
  int64_t offset = 0;
  TimestampMs timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  bool operator==(const OwnedRecord&) const = default;
};

std::optional<std::string> own(const std::optional<BytesView>& bytes) {
  return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

Result<std::vector<OwnedRecord>> read_all(BytesView batch) {
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  RecordIterator records(header, batch);
  std::vector<OwnedRecord> all;
  RecordView record;
  while (records.next(record)) {
    OwnedRecord owned{.offset = header.base_offset + record.offset_delta,
                      .timestamp = header.record_timestamp(record.timestamp_delta),
                      .key = own(record.key),
                      .value = own(record.value)};
    for (const HeaderView& h : record.headers) owned.headers.emplace_back(h.key, own(h.value));
    all.push_back(std::move(owned));
  }
  TRY(records.status());
  return all;
}

// As next(), but only the shape; gives the number of records.
Result<int> walk(BytesView batch, DecompressionLimits limits = {}) {
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  RecordIterator records(header, batch, RecordIterator::Want::kShape, limits);
  RecordView record;
  int count = 0;
  while (records.next(record)) ++count;
  TRY(records.status());
  return count;
}

Buffer testdata(const std::string& name) {
  std::ifstream file(std::string(BARNABAS_TESTDATA) + "/batches/" + name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_buffer(as_bytes(text));
}

// Record i of the golden topics; partition 1 has the odd ones.
OwnedRecord golden_record(int i) {
  OwnedRecord record{.offset = i / 2, .timestamp = 1700000000000 + 1000 * i};
  if (i % 10 != 3) record.key = "key-" + std::to_string(i);
  if (i % 10 == 9) record.value = "";
  if (i % 10 != 7 && i % 10 != 9) record.value = "value-" + std::to_string(i) + "-" + std::string(i % 50, 'x');
  if (i % 3 == 0) record.headers.emplace_back("h1", "hv" + std::to_string(i));
  return record;
}

TEST(RecordIterator, ReadsWhatKafkaWroteWithEveryCodec) {
  for (const char* name : {"none.log", "gzip.log", "snappy.log", "lz4.log", "zstd.log"}) {
    Buffer file = testdata(name);
    BatchCursor cursor(file);
    int i = 1;
    for (;;) {
      auto batch = cursor.next();
      ASSERT_TRUE(batch.has_value());
      if (!*batch) break;
      auto records = read_all((*batch)->bytes);
      ASSERT_TRUE(records.has_value()) << name << records.error().message;
      EXPECT_EQ(static_cast<int>(records->size()), walk((*batch)->bytes).value_or(-1));
      for (const OwnedRecord& record : *records) {
        EXPECT_EQ(record, golden_record(i)) << name << " record " << i;
        i += 2;
      }
    }
    EXPECT_EQ(i, 201) << name;
  }
}

TEST(RecordIterator, LogAppendTimeIsTheTimeOfEveryRecord) {
  Buffer file = testdata("append_time.log");
  auto header = BatchHeader::decode(file);
  ASSERT_TRUE(header.has_value());
  ASSERT_EQ(header->timestamp_type(), TimestampType::kLogAppendTime);
  auto records = read_all(BytesView(file).first(header->size_in_bytes()));
  ASSERT_TRUE(records.has_value());
  for (const OwnedRecord& record : *records) EXPECT_EQ(record.timestamp, header->max_timestamp);
}

Buffer batch_of(Codec codec, int records, size_t value_size) {
  BatchBuilder builder({.compression = {codec}});
  for (int i = 0; i < records; ++i) {
    std::string key = "k" + std::to_string(i);
    std::string value(value_size, static_cast<char>('a' + i % 26));
    HeaderView headers[] = {{"trace", as_bytes("abc")}, {"none", std::nullopt}, {"", as_bytes("")}};
    builder.add({.timestamp = 1000 - i, .key = as_bytes(key), .value = as_bytes(value), .headers = headers});
  }
  return builder.build();
}

TEST(RecordIterator, RecordsLargerThanTheWindowComeWhole) {
  for (Codec codec : kCodecs) {
    Buffer batch = batch_of(codec, 5, 300000);
    auto records = read_all(batch);
    ASSERT_TRUE(records.has_value()) << codec_name(codec) << records.error().message;
    ASSERT_EQ(records->size(), 5u);
    EXPECT_EQ((*records)[4].value, std::string(300000, 'e'));
    EXPECT_EQ((*records)[4].timestamp, 996);
    ASSERT_EQ((*records)[4].headers.size(), 3u);
    EXPECT_EQ((*records)[4].headers[1].second, std::nullopt);
    EXPECT_EQ(walk(batch).value_or(-1), 5);
  }
}

TEST(RecordIterator, ManySmallRecordsCrossTheWindowsEdges) {
  for (Codec codec : kCodecs) {
    Buffer batch = batch_of(codec, 20000, 13);
    auto records = read_all(batch);
    ASSERT_TRUE(records.has_value());
    ASSERT_EQ(records->size(), 20000u);
    for (int i = 0; i < 20000; ++i) {
      ASSERT_EQ((*records)[i].offset, i);
      ASSERT_EQ((*records)[i].key, "k" + std::to_string(i));
    }
  }
}

TEST(RecordIterator, EveryCutOfTheRecordsIsAnError) {
  for (Codec codec : kCodecs) {
    Buffer batch = batch_of(codec, 3, 20);
    for (size_t size = kBatchOverhead; size < batch.size(); ++size) {
      Buffer cut(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(size));
      store_be(cut.data() + 8, static_cast<int32_t>(size - kLogOverhead));
      // The end mark of an lz4 frame is all that the last bytes are, and gzip's checksum comes after its data.
      EXPECT_FALSE(read_all(cut).has_value()) << codec_name(codec) << " cut at " << size;
      EXPECT_FALSE(walk(cut).has_value()) << codec_name(codec) << " cut at " << size;
    }
  }
}

TEST(RecordIterator, AFlippedByteNeverHarms) {
  for (Codec codec : kCodecs) {
    Buffer batch = batch_of(codec, 3, 20);
    for (size_t at = kBatchOverhead; at < batch.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Buffer damaged = batch;
        damaged[at] ^= static_cast<std::byte>(1 << bit);
        auto records = read_all(damaged);
        auto walked = walk(damaged);
        EXPECT_EQ(records.has_value(), walked.has_value());
      }
    }
  }
}

TEST(RecordIterator, MoreOrFewerRecordsThanAnnouncedAreAnError) {
  for (Codec codec : kCodecs) {
    for (int32_t count : {1, 2, 4, 1000000, -1}) {
      Buffer batch = batch_of(codec, 3, 20);
      store_be(batch.data() + 57, count);
      auto records = read_all(batch);
      ASSERT_FALSE(records.has_value()) << codec_name(codec) << count;
      EXPECT_EQ(records.error().code, ErrorCode::kInvalid);
    }
  }
}

TEST(RecordIterator, ABatchWithoutRecordsIsFine) {
  BatchHeader header = *BatchHeader::decode(batch_of(Codec::kLz4, 3, 20));
  Buffer emptied = encode_emptied_batch(header);
  auto records = read_all(emptied);
  ASSERT_TRUE(records.has_value());
  EXPECT_TRUE(records->empty());
}

TEST(RecordIterator, LengthsThatLieAreRefused) {
  // One record: length, attributes, timestamp delta, offset delta, key length, value length, header count.
  auto batch_with = [](std::initializer_list<int> bytes) {
    Buffer batch(kBatchOverhead);
    for (int b : bytes) batch.push_back(static_cast<std::byte>(b));
    BatchHeader header{.batch_length = static_cast<int32_t>(batch.size() - kLogOverhead), .record_count = 1};
    header.encode(batch);
    return batch;
  };
  EXPECT_TRUE(read_all(batch_with({12, 0, 0, 0, 1, 1, 0})).has_value());
  EXPECT_TRUE(read_all(batch_with({12, 0, 0, 0, 3, 9, 0})).has_value()) << "any negative length is null";
  EXPECT_FALSE(read_all(batch_with({0})).has_value()) << "an empty record";
  EXPECT_FALSE(read_all(batch_with({1})).has_value()) << "length -1";
  EXPECT_FALSE(read_all(batch_with({14, 0, 0, 0, 1, 1, 0})).has_value()) << "longer than the batch";
  EXPECT_FALSE(read_all(batch_with({10, 0, 0, 0, 1, 1, 0})).has_value()) << "shorter than its fields";
  EXPECT_FALSE(read_all(batch_with({12, 0, 0, 0, 8, 1, 0})).has_value()) << "a key beyond the record";
  EXPECT_FALSE(read_all(batch_with({12, 0, 0, 0, 1, 1, 1})).has_value()) << "-1 headers";
  EXPECT_FALSE(read_all(batch_with({12, 0, 0, 0, 1, 1, 2})).has_value()) << "a header that is not there";
  EXPECT_FALSE(read_all(batch_with({16, 0, 0, 0, 1, 1, 2, 1, 1})).has_value()) << "a header without a key";
  EXPECT_TRUE(read_all(batch_with({16, 0, 0, 0, 1, 1, 2, 0, 1})).has_value());
  EXPECT_FALSE(read_all(batch_with({0xff, 0xff, 0xff, 0xff, 0x0f})).has_value()) << "a length of 2^31";
}

TEST(RecordIterator, ABombStopsAtTheLimits) {
  BatchBuilder builder({.compression = {Codec::kZstd}});
  Buffer zeros(20 << 20);
  builder.add({.timestamp = 1, .value = zeros});
  Buffer bomb = builder.build();
  EXPECT_LT(bomb.size(), 4096u);
  EXPECT_EQ(walk(bomb).value_or(-1), 1) << "the shape needs no memory";
  EXPECT_FALSE(walk(bomb, {.batch_bytes = 1 << 20}).has_value());
  RecordIterator records(*BatchHeader::decode(bomb), bomb, RecordIterator::Want::kAll, {.record_bytes = 1 << 20});
  RecordView record;
  EXPECT_FALSE(records.next(record));
  EXPECT_FALSE(records.status().has_value());
}

TEST(RecordIterator, ALengthAloneGetsNoMemory) {
  // A compressed record that announces 100 MiB and has nothing: an error, and not after allocating them.
  Buffer plain;
  append_varint(plain, 100 << 20);
  Buffer batch(kBatchOverhead);
  Buffer compressed = compress({Codec::kLz4}, plain);
  batch.insert(batch.end(), compressed.begin(), compressed.end());
  BatchHeader header{.batch_length = static_cast<int32_t>(batch.size() - kLogOverhead),
                     .attributes = static_cast<int16_t>(Codec::kLz4),
                     .record_count = 1};
  header.encode(batch);
  auto records = read_all(batch);
  ASSERT_FALSE(records.has_value());
  EXPECT_EQ(records.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace barnabas::wire
