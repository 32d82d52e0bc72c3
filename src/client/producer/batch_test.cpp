#include "client/producer/batch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "client/producer/topic.h"
#include "wire/batch_validator.h"
#include "wire/record_batch_builder.h"

namespace barnabas::client::producer {
namespace {

struct Fixture : testing::Test {
  Memory memory{1 << 20, 4096};
  Topic topic{"t"};
  Partition partition{topic, 0};
  ProducerOptions options;

  BatchPtr begin(size_t limit = 4096) {
    return std::make_shared<Batch>(partition, memory, *memory.try_take(limit), limit, MonotonicTime{1});
  }
  static bool add(Batch& batch, std::string_view value, uint64_t tag, TimestampMs timestamp = 1000,
                  Producer::Callback* callback = nullptr) {
    ProducerRecord record{.topic = "t", .value = value};
    return batch.append(record, RecordShape(record), timestamp, tag, callback);
  }
};
using BatchTest = Fixture;

std::vector<std::string> values_of(BytesView bytes) {
  std::vector<std::string> values;
  auto header = wire::BatchHeader::decode(bytes);
  EXPECT_TRUE(header.has_value());
  EXPECT_TRUE(wire::crc_matches(bytes));
  wire::RecordIterator records(*header, bytes);
  wire::RecordView record;
  while (records.next(record)) values.emplace_back(as_text(*record.value));
  EXPECT_EQ(static_cast<size_t>(header->record_count), values.size());
  return values;
}

TEST_F(BatchTest, IsTheSameToTheByteAsTheBuildersOfBatches) {
  auto batch = begin();
  std::vector<Header> headers{{"h", "1"}, {"null", std::nullopt}};
  std::vector<ProducerRecord> records{{.topic = "t", .key = "k", .value = "v", .headers = headers},
                                      {.topic = "t", .value = ""},
                                      {.topic = "t", .key = ""}};
  wire::BatchBuilder expected(
      {.producer_id = ProducerId(7), .producer_epoch = 3, .base_sequence = 11, .transactional = true});
  std::vector<wire::HeaderView> expected_headers{{"h", as_bytes("1")}, {"null", std::nullopt}};
  TimestampMs time = 1700000000000;
  for (const ProducerRecord& record : records) {
    ASSERT_TRUE(batch->append(record, RecordShape(record), time, 0, nullptr));
    wire::NewRecord same{.timestamp = time};
    if (record.key) same.key = as_bytes(*record.key);
    if (record.value) same.value = as_bytes(*record.value);
    if (!record.headers.empty()) same.headers = expected_headers;
    expected.add(same);
    time -= 20000;  // times may go back
  }
  batch->set_identity({7, 3}, 11);
  BytesView sealed = batch->seal({}, true);
  EXPECT_EQ(to_hex(sealed), to_hex(expected.build()));
}

TEST_F(BatchTest, NeverGrowsBeyondItsLimitButTakesOneRecordThatIsLarger) {
  auto batch = begin(4096);
  int taken = 0;
  while (add(*batch, std::string(100, 'x'), 0)) ++taken;
  EXPECT_LE(batch->plain_size(), 4096u);
  EXPECT_GT(batch->plain_size() + 120, 4096u);
  EXPECT_EQ(batch->record_count(), taken);

  auto large = std::make_shared<Batch>(partition, memory, *memory.try_take(10000), 4096, MonotonicTime{});
  EXPECT_TRUE(add(*large, std::string(9000, 'x'), 0));
  EXPECT_FALSE(add(*large, "x", 0));
}

TEST_F(BatchTest, CompressesOnceAndCanChangeItsSequence) {
  for (auto codec : {wire::Codec::kGzip, wire::Codec::kSnappy, wire::Codec::kLz4, wire::Codec::kZstd}) {
    auto batch = begin();
    std::vector<std::string> values;
    for (int i = 0; i < 50; ++i) {
      values.push_back("value " + std::to_string(i) + std::string(40, 'a'));
      ASSERT_TRUE(add(*batch, values.back(), 0));
    }
    batch->set_identity({1, 0}, 5);
    BytesView first = batch->seal({.codec = codec}, false);
    EXPECT_LT(first.size(), batch->plain_size());
    EXPECT_EQ(values_of(first), values);
    batch->set_identity({1, 1}, 0);
    BytesView second = batch->seal({.codec = codec}, false);
    EXPECT_EQ(values_of(second), values);
    EXPECT_EQ(wire::BatchHeader::decode(second)->base_sequence, 0);
    EXPECT_EQ(wire::BatchHeader::decode(second)->producer_epoch, 1);
  }
}

TEST_F(BatchTest, GivesBackItsMemory) {
  size_t before = memory.used();
  auto batch = begin();
  EXPECT_GT(memory.used(), before);
  batch.reset();
  EXPECT_EQ(memory.used(), before);
}

TEST_F(BatchTest, ReportsTagsInRunsBetweenCallbacks) {
  std::vector<std::pair<int64_t, std::vector<uint64_t>>> reports;
  std::vector<int64_t> called;
  options.on_delivery = [&](const DeliveryReport& report) {
    EXPECT_EQ(report.topic, "t");
    EXPECT_EQ(report.error, nullptr);
    reports.emplace_back(report.base_offset, std::vector<uint64_t>(report.tags.begin(), report.tags.end()));
  };
  auto batch = begin();
  Producer::Callback callback = [&](Result<RecordMetadata> result) { called.push_back(result->offset); };
  add(*batch, "a", 10);
  add(*batch, "b", 11);
  add(*batch, "c", 0, 1000, &callback);
  add(*batch, "d", 12);
  batch->report({.base_offset = 100}, "t", 0, options);
  batch->report({.base_offset = 200}, "t", 0, options);  // the second time tells nobody
  EXPECT_EQ(called, std::vector<int64_t>{102});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0], (std::pair<int64_t, std::vector<uint64_t>>(100, {10, 11})));
  EXPECT_EQ(reports[1], (std::pair<int64_t, std::vector<uint64_t>>(103, {12})));
}

TEST_F(BatchTest, TellsInterceptorsOfEveryRecord) {
  std::vector<std::pair<int64_t, Timestamp>> seen;
  options.interceptors.push_back({.on_acknowledgement = [&](const Result<RecordMetadata>& report) {
    seen.emplace_back(report->offset, report->timestamp);
  }});
  auto batch = begin();
  add(*batch, "a", 1, 50);
  add(*batch, "b", 2, 40);
  batch->report({.base_offset = 7}, "t", 0, options);
  EXPECT_EQ(seen, (std::vector<std::pair<int64_t, Timestamp>>{{7, 50}, {8, 40}}));
}

TEST_F(BatchTest, SplitsIntoPartsThatKeepOrderReportsAndSequences) {
  std::vector<uint64_t> tags;
  std::vector<int64_t> called;
  options.on_delivery = [&](const DeliveryReport& report) {
    tags.insert(tags.end(), report.tags.begin(), report.tags.end());
  };
  auto flush = std::make_shared<FlushWait>();
  flush->left = 1;
  auto batch = begin();
  batch->flushes.push_back(flush);
  std::vector<std::string> values;
  for (uint64_t i = 0; i < 20; ++i) {
    values.push_back("v" + std::to_string(i) + std::string(100, 'x'));
    Producer::Callback callback = [&, i](Result<RecordMetadata>) { called.push_back(static_cast<int64_t>(i)); };
    ASSERT_TRUE(add(*batch, values.back(), i, 1000 - static_cast<int64_t>(i) * 100, i == 13 ? &callback : nullptr));
  }
  batch->set_identity({5, 1}, INT32_MAX - 3);
  auto parts = batch->split(batch->plain_size() / 2);
  EXPECT_TRUE(batch->done());
  ASSERT_GE(parts.size(), 2u);
  EXPECT_EQ(flush->left, parts.size());
  std::vector<std::string> got;
  int32_t sequence = INT32_MAX - 3;
  for (auto& part : parts) {
    EXPECT_EQ(part->base_sequence(), sequence);
    sequence = sequence_after(sequence, part->record_count());
    auto some = values_of(part->seal({}, false));
    got.insert(got.end(), some.begin(), some.end());
    part->report({.base_offset = 0}, "t", 0, options);
  }
  EXPECT_EQ(got, values);
  EXPECT_EQ(tags.size(), 19u);
  EXPECT_TRUE(std::ranges::is_sorted(tags));
  EXPECT_EQ(called, std::vector<int64_t>{13});
}

TEST(Sequences, WrapFromTheLargestToZero) {
  EXPECT_EQ(sequence_after(0, 5), 5);
  EXPECT_EQ(sequence_after(INT32_MAX, 1), 0);
  EXPECT_EQ(sequence_after(INT32_MAX - 1, 3), 1);
}

}  // namespace
}  // namespace barnabas::client::producer
