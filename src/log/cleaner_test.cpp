#include "log/cleaner.h"

#include <gtest/gtest.h>

#include "log/testing/cleaner_fixture.h"

namespace barnabas::log {
namespace {

using testing::make_marker;
using Lines = std::vector<std::string>;

class CleanerTest : public testing::CleanerFixture {};

TEST_F(CleanerTest, OfEachKeyTheLatestValueStaysAtItsOffset) {
  auto log = open();
  put(*log, {{"a", "1"}, {"b", "1"}, {"a", "2"}});
  roll(*log);
  put(*log, {{"a", "3"}, {"c", "1"}});
  roll(*log);
  auto stats = clean(*log);
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_EQ(contents(*log), (Lines{"1:b=1", "3:a=3", "4:c=1"}));
  EXPECT_EQ(checkpoint_, Offset(5));
  EXPECT_EQ(log->segments().size(), 2u);  // two small ones became one, and the active
  EXPECT_EQ(log->log_end_offset(), Offset(5));
}

TEST_F(CleanerTest, TheActiveSegmentIsNotTouchedNorDoesItsContentCount) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  put(*log, {{"a", "2"}});
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"0:a=1", "1:a=2"}));
}

TEST_F(CleanerTest, AnUnchangedBatchIsCopiedToTheByte) {
  auto log = open();
  put(*log, {{"a", "1"}});
  put(*log, {{"b", "1"}, {"c", "1"}}, {.codec = wire::Codec::kLz4});
  put(*log, {{"a", "2"}});
  roll(*log);
  auto before = batch_bytes(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(batch_bytes(*log), (std::vector<Buffer>{before[1], before[2]}));
}

TEST_F(CleanerTest, ARewrittenBatchKeepsItsOffsetsEpochProducerAndTimes) {
  for (auto codec : {wire::Codec::kNone, wire::Codec::kGzip, wire::Codec::kZstd}) {
    disk_ = std::make_shared<testing::MemoryDisk>();
    checkpoint_.reset();
    auto log = open();
    put(*log, {{"x", "0"}});
    testing::KeyedSpec spec{.timestamp = 5000, .codec = codec, .producer_id = 7, .producer_epoch = 2, .sequence = 40};
    append_bytes(*log, testing::make_keyed_batch({{"a", "1"}, {"b", "1"}, {"a", "2"}, {"b", "2"}}, spec), 3);
    put(*log, {{"b", "3"}});
    roll(*log);
    ASSERT_TRUE(clean(*log));
    EXPECT_EQ(contents(*log), (Lines{"0:x=0", "3:a=2", "5:b=3"}));
    wire::BatchHeader header = batches(*log)[1];
    EXPECT_EQ(header.base_offset, 1);
    EXPECT_EQ(header.last_offset(), Offset(4));
    EXPECT_EQ(header.record_count, 1);
    EXPECT_EQ(header.compression(), codec);
    EXPECT_EQ(header.partition_leader_epoch, 3);
    EXPECT_EQ(header.producer_id, 7);
    EXPECT_EQ(header.producer_epoch, 2);
    EXPECT_EQ(header.base_sequence, 40);
    EXPECT_EQ(header.last_sequence(), 43);
    EXPECT_EQ(header.max_timestamp, 5002);
  }
}

TEST_F(CleanerTest, RecordsWithoutKeyAreDropped) {
  auto log = open();
  put(*log, {{std::nullopt, "1"}, {"a", "1"}});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:a=1"}));
}

TEST_F(CleanerTest, ATombstoneStaysFromItsFirstCleaningUntilItsHorizon) {
  auto log = open();
  put(*log, {{"a", "1"}, {"b", "1"}}, {.timestamp = 5000});
  put(*log, {{"a", std::nullopt}}, {.timestamp = 6000});
  roll(*log);
  options_now_ += 10 * kDeleteRetention;  // only cleaning starts the count
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:b=1", "2:a=(null)"}));
  wire::BatchHeader header = batches(*log)[1];
  EXPECT_EQ(header.delete_horizon(), options_now_ + kDeleteRetention);
  EXPECT_EQ(header.max_timestamp, 6000);
  EXPECT_EQ(read(*log, 2)[0].timestamp, 6000);

  options_now_ += kDeleteRetention - 1;
  put(*log, {{"c", "1"}});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:b=1", "2:a=(null)", "3:c=1"}));
  EXPECT_EQ(batches(*log)[1].delete_horizon(), header.delete_horizon());

  options_now_ += 1;
  put(*log, {{"d", "1"}});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:b=1", "3:c=1", "4:d=1"}));
}

TEST_F(CleanerTest, SegmentsYoungerThanTheMinimumLagWait) {
  lags_.min_ms = 5000;
  auto log = open();
  put(*log, {{"a", "1"}, {"a", "2"}}, {.timestamp = options_now_ - 5001});
  roll(*log);
  put(*log, {{"a", "3"}, {"a", "4"}}, {.timestamp = options_now_ - 100});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:a=2", "2:a=3", "3:a=4"}));
  EXPECT_EQ(checkpoint_, Offset(2));
}

TEST_F(CleanerTest, ARangeIsOverdueOnceItsOldestDirtyRecordPassedTheMaximumLag) {
  lags_.max_ms = 5000;
  auto log = open();
  put(*log, {{"a", "1"}}, {.timestamp = options_now_ - 5000});
  roll(*log);
  EXPECT_FALSE(find_cleanable(*log, {}, Offset(1), lags_, options_now_)->overdue);
  auto range = find_cleanable(*log, {}, Offset(1), lags_, options_now_ + 1);
  EXPECT_TRUE(range->overdue);
  EXPECT_EQ(range->end, Offset(1));
  EXPECT_EQ(range->dirty_ratio(), 1.0);
  EXPECT_FALSE(find_cleanable(*log, Offset(1), Offset(1), lags_, options_now_ + 1)->overdue);
}

TEST_F(CleanerTest, NothingAtOrAboveTheHighWatermarkIsCleaned) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  put(*log, {{"a", "2"}});
  roll(*log);
  put(*log, {{"a", "3"}});
  roll(*log);
  ASSERT_TRUE(clean(*log, Offset(2)));
  // The batch at the high watermark stays, empty: it says where the log ends.
  EXPECT_EQ(contents(*log), (Lines{"1:a=2", "2:a=3"}));
  EXPECT_EQ(checkpoint_, Offset(2));
}

TEST_F(CleanerTest, ACheckpointOutsideTheLogIsNotBelieved) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  EXPECT_EQ(find_cleanable(*log, Offset(5), Offset(1), {}, 0)->first_dirty, Offset(0));
  EXPECT_EQ(find_cleanable(*log, Offset(1), Offset(1), {}, 0)->first_dirty, Offset(1));
  put(*log, {{"a", "2"}});
  roll(*log);
  ASSERT_TRUE(log->advance_log_start(Offset(1)));
  EXPECT_EQ(find_cleanable(*log, Offset(0), Offset(2), {}, 0)->first_dirty, Offset(1));
}

TEST_F(CleanerTest, AMapThatIsTooSmallCleansABeginning) {
  auto log = open();
  for (int i = 0; i < 40; ++i) put(*log, {{"k" + std::to_string(i % 20), std::to_string(i)}});
  roll(*log);
  map_bytes_ = 16 * OffsetMap::kSlotBytes;  // of which fourteen keys
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(checkpoint_, Offset(14));
  EXPECT_EQ(contents(*log).size(), 40u);
  for (int round = 0; round < 4; ++round) ASSERT_TRUE(clean(*log));
  Lines expected;
  for (int i = 20; i < 40; ++i) {
    expected.push_back(std::to_string(i) + ":k" + std::to_string(i % 20) + "=" + std::to_string(i));
  }
  EXPECT_EQ(contents(*log), expected);
}

TEST_F(CleanerTest, AMapThatCannotHoldOneBatchIsAnErrorThatSaysSo) {
  auto log = open();
  std::vector<testing::KeyValue> many;
  for (int i = 0; i < 40; ++i) many.push_back({"k" + std::to_string(i), "v"});
  put(*log, many);
  roll(*log);
  map_bytes_ = 0;
  auto stats = clean(*log);
  ASSERT_FALSE(stats);
  EXPECT_NE(stats.error().message.find("dedupe.buffer.size"), std::string::npos);
}

TEST_F(CleanerTest, TheIndexesOfACleanedSegmentLeadToEveryOffset) {
  config_->index_interval_bytes = 100;
  auto log = open();
  for (int i = 0; i < 200; ++i) {
    put(*log, {{"k" + std::to_string(i % 70), std::string(30, 'v')}, {"once" + std::to_string(i), "v"}},
        {.timestamp = 1000 + i * 10});
  }
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_GT(disk_->read("/data/topic-0/00000000000000000000.index").size(), 100u);
  EXPECT_GT(disk_->read("/data/topic-0/00000000000000000000.timeindex").size(), 100u);
  auto all = read(*log, 0);
  size_t at = 0;
  for (int64_t offset = 0; offset < 400; ++offset) {
    while (at < all.size() && all[at].offset < offset) ++at;
    ASSERT_LT(at, all.size());
    ReadPlan plan = *log->plan_read(Offset(offset), Offset(400), 1, true);
    Buffer bytes = *plan.payload.to_buffer();
    wire::BatchHeader header = *wire::BatchHeader::decode(bytes);
    EXPECT_GE(header.last_offset(), Offset(offset));
    EXPECT_LE(header.base_offset, all[at].offset);
    EXPECT_GE(header.last_offset(), Offset(all[at].offset));
  }
  auto found = log->offset_for_timestamp(2000);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->timestamp, 2001);  // the record of 2000 went
  EXPECT_EQ((*found)->offset, Offset(201));
  EXPECT_TRUE(logger_.lines.empty());  // no index was rebuilt
}

TEST_F(CleanerTest, ASegmentOfWhichNothingIsLeftStaysEmpty) {
  config_->segment_bytes = 150;
  auto log = open();
  put(*log, {{"a", std::string(60, '1')}});
  put(*log, {{"a", std::string(60, '2')}});
  put(*log, {{"a", std::string(60, '3')}});
  ASSERT_EQ(log->segments().size(), 3u);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(log->segments().size(), 3u);
  EXPECT_EQ(log->segments()[0]->size(), 0u);
  EXPECT_EQ(log->log_start_offset(), Offset(0));
  EXPECT_EQ(read(*log, 0).front().offset, 1);
  ASSERT_TRUE(log->close());
  log = open(true, Offset(3));
  EXPECT_EQ(read(*log, 0).front().offset, 1);
}

TEST_F(CleanerTest, AGroupGrowsNoLargerThanASegmentMayBe) {
  auto log = open();
  for (int i = 0; i < 6; ++i) {
    put(*log, {{"k" + std::to_string(i), std::string(100, 'v')}});
    roll(*log);
  }
  config_->segment_bytes = 400;
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(log->segments().size(), 4u);
  for (const auto& segment : log->segments()) EXPECT_LE(segment->size(), 400u);
  EXPECT_EQ(contents(*log).size(), 6u);
}

TEST_F(CleanerTest, TheFileKeepsTheTimeOfTheLastSegmentItReplaces) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  put(*log, {{"a", "2"}});
  roll(*log);
  ASSERT_TRUE((*log->segments()[1]->file(log->directory()))->set_modified_at(77777));
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ((*log->segments()[0]->file(log->directory()))->modified_at(), 77777);
}

TEST_F(CleanerTest, AReadThatWasPlannedBeforeGoesOnInTheOldFile) {
  auto log = open();
  put(*log, {{"a", "1"}, {"a", "2"}});
  roll(*log);
  ReadPlan plan = *log->plan_read(Offset(0), Offset(2), 1000, true);
  ASSERT_TRUE(clean(*log));
  ASSERT_TRUE(log->remove_due(options_now_ + config_->file_delete_delay_ms));
  Buffer bytes = *plan.payload.to_buffer();
  EXPECT_EQ(wire::BatchHeader::decode(bytes)->record_count, 2);
}

TEST_F(CleanerTest, ALogThatWasTruncatedMeanwhileIsLeftAlone) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  put(*log, {{"a", "2"}});
  roll(*log);
  CleanableRange range = *find_cleanable(*log, {}, Offset(2), {}, options_now_);
  CleanPlan plan = *plan_cleaning(*log, range, Offset(2), 0, options_now_);
  OffsetMap map(1 << 20, 0.9);
  Cleaner cleaner(log->directory(), std::move(plan), map, {});
  ASSERT_TRUE(cleaner.build_map());
  auto result = cleaner.clean_next([&](const std::function<void(Log&)>& work) {
    ASSERT_TRUE(log->truncate_to(Offset(1)));
    work(*log);
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(contents(*log), (Lines{"0:a=1"}));
  for (const std::string& name : disk_->list("/data/topic-0")) EXPECT_FALSE(name.ends_with(".cleaned")) << name;
}

TEST_F(CleanerTest, ASegmentWithDamageStaysWholeAndIsCleanedAround) {
  auto log = open();
  put(*log, {{"a", "1"}});
  roll(*log);
  put(*log, {{"a", "2"}});
  put(*log, {{"b", "1"}});
  roll(*log);
  put(*log, {{"a", "3"}, {"b", "2"}});
  roll(*log);
  std::string path = "/data/topic-0/00000000000000000001.log";
  Buffer bytes = disk_->read(path);
  bytes[bytes.size() / 2 - 1] ^= std::byte{1};  // in the batch of offset 1
  disk_->write(path, bytes);
  auto stats = clean(*log);
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_EQ(checkpoint_, Offset(5));
  EXPECT_EQ(disk_->read(path), bytes);
  EXPECT_EQ(log->segments().size(), 4u);
  EXPECT_EQ(log->segments()[0]->size(), 0u);
  EXPECT_EQ(logger_.lines.size(), 1u);
}

TEST_F(CleanerTest, AFullDiskLeavesTheLogAsItWas) {
  auto log = open();
  for (int i = 0; i < 10; ++i) put(*log, {{"a", std::string(100, 'x')}, {"k" + std::to_string(i), "v"}});
  roll(*log);
  auto before = contents(*log);
  disk_->set_capacity(disk_->used_bytes() + 10);
  auto stats = clean(*log);
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(contents(*log), before);
  EXPECT_FALSE(log->failed());
  disk_->set_capacity(std::nullopt);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log).size(), 11u);
}

}  // namespace
}  // namespace barnabas::log
