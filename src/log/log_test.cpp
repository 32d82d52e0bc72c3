#include "log/log.h"

#include "log/testing/log_fixture.h"

namespace barnabas::log {
namespace {

using testing::BatchSpec;
using testing::make_batch;
using testing::make_marker;
using testing::ReadRecord;

class LogTest : public testing::LogFixture {};

std::vector<int64_t> offsets(const std::vector<ReadRecord>& records) {
  std::vector<int64_t> all;
  for (const ReadRecord& record : records) all.push_back(record.offset);
  return all;
}

TEST_F(LogTest, ANewLogIsEmptyAndBeginsAtZero) {
  auto log = open();
  EXPECT_EQ(log->log_start_offset(), Offset(0));
  EXPECT_EQ(log->log_end_offset(), Offset(0));
  EXPECT_TRUE(read(*log, 0).empty());
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000000.log"));
}

TEST_F(LogTest, RecordsAreReadBackInOrderWithTheirOffsets) {
  auto log = open();
  EXPECT_EQ(append(*log, {.records = 3}), 0);
  EXPECT_EQ(append(*log, {.records = 2}), 3);
  EXPECT_EQ(append(*log, {.records = 1}), 5);
  EXPECT_EQ(log->log_end_offset(), Offset(6));
  std::vector<ReadRecord> records = read(*log, 0);
  EXPECT_EQ(offsets(records), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(records[4].value, "v1-1................");
  EXPECT_EQ(offsets(read(*log, 4)), (std::vector<int64_t>{4, 5}));
}

TEST_F(LogTest, StagedBatchesAreNotReadableBeforeTheyAreWritten) {
  auto log = open();
  append(*log, {.records = 2});
  auto owner = std::make_shared<Buffer>(make_batch({.records = 2}, 9));
  ASSERT_TRUE(log->append(*owner, owner, LeaderEpoch(0), 0));
  EXPECT_EQ(log->log_end_offset(), Offset(4));
  EXPECT_EQ(log->written_end(), Offset(2));
  EXPECT_EQ(read(*log, 0).size(), 2u);
  EXPECT_FALSE(log->plan_read(Offset(3), Offset(4), 100, true));
  ASSERT_TRUE(log->write_staged());
  EXPECT_EQ(read(*log, 0).size(), 4u);
}

TEST_F(LogTest, AllThatWasStagedGoesOutInOneWrite) {
  auto log = open();
  append(*log, {});
  uint64_t writes = disk_->operations("write");
  for (int i = 0; i < 10; ++i) {
    auto owner = std::make_shared<Buffer>(make_batch({}, i));
    ASSERT_TRUE(log->append(*owner, owner, LeaderEpoch(0), 0));
  }
  ASSERT_TRUE(log->write_staged());
  EXPECT_EQ(disk_->operations("write"), writes + 1);
  EXPECT_EQ(read(*log, 0).size(), 11u);
}

TEST_F(LogTest, OffsetAndEpochAreStampedIntoTheBatch) {
  auto log = open();
  append(*log, {.records = 4});
  append(*log, {.records = 1}, 7);
  ReadPlan plan = *log->plan_read(Offset(4), Offset(5), 1000, true);
  EXPECT_EQ(plan.first_offset, Offset(4));
  Buffer bytes = *plan.payload.to_buffer();
  wire::BatchHeader header = *wire::BatchHeader::decode(bytes);
  EXPECT_EQ(header.base_offset, 4);
  EXPECT_EQ(header.partition_leader_epoch, 7);
}

TEST_F(LogTest, AReadIsCutAtMaxBytesButGivesOneWholeBatchWhenAsked) {
  auto log = open();
  append(*log, {.value_bytes = 100});
  append(*log, {.value_bytes = 100});
  uint64_t batch = log->size_bytes() / 2;
  EXPECT_EQ(log->plan_read(Offset(0), Offset(2), 1, true)->payload.size(), batch);
  EXPECT_EQ(log->plan_read(Offset(0), Offset(2), 1, false)->payload.size(), 0u);
  EXPECT_EQ(log->plan_read(Offset(0), Offset(2), static_cast<uint32_t>(batch + 10), true)->payload.size(), batch + 10);
}

TEST_F(LogTest, AReadStopsBeforeTheBatchThatHoldsTheUpperBound) {
  auto log = open();
  append(*log, {.records = 2});
  append(*log, {.records = 2});
  append(*log, {.records = 2});
  EXPECT_EQ(offsets(read(*log, 0, 4)), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(offsets(read(*log, 0, 3)), (std::vector<int64_t>{0, 1}));
  EXPECT_TRUE(read(*log, 4, 4).empty());
}

TEST_F(LogTest, OffsetsOutsideTheLogAreRefused) {
  auto log = open();
  append(*log, {.records = 2});
  EXPECT_FALSE(log->plan_read(Offset(3), Offset(10), 100, true));
  EXPECT_FALSE(log->plan_read(Offset(-1), Offset(10), 100, true));
  ASSERT_TRUE(log->advance_log_start(Offset(1)));
  EXPECT_FALSE(log->plan_read(Offset(0), Offset(10), 100, true));
}

TEST_F(LogTest, ASegmentRollsBySizeAndReadsGoAcross) {
  config_->segment_bytes = 1000;
  config_->index_interval_bytes = 200;
  auto log = open();
  for (int i = 0; i < 40; ++i) append(*log, {.records = 2, .value_bytes = 50});
  EXPECT_GT(log->segments().size(), 5u);
  for (const auto& segment : log->segments()) EXPECT_LE(segment->size(), 1000u);
  for (uint32_t max_bytes : {1u, 300u, 100000u}) {
    EXPECT_EQ(read(*log, 0, INT64_MAX, max_bytes).size(), 80u);
    EXPECT_EQ(offsets(read(*log, 71, INT64_MAX, max_bytes)).front(), 71);
  }
}

TEST_F(LogTest, ASegmentRollsByTheTimeOfItsRecords) {
  config_->segment_ms = 100;
  auto log = open();
  append(*log, {.timestamp = 1000});
  append(*log, {.timestamp = 1100});
  EXPECT_EQ(log->segments().size(), 1u);
  append(*log, {.timestamp = 1101});
  EXPECT_EQ(log->segments().size(), 2u);
  EXPECT_EQ(log->segments().back()->base(), Offset(2));
}

TEST_F(LogTest, AFullIndexRolls) {
  config_->index_interval_bytes = 1;
  config_->segment_index_bytes = 40;  // five offset entries, three time entries
  auto log = open();
  for (int i = 0; i < 20; ++i) append(*log, {.timestamp = 1000 + i});
  EXPECT_GT(log->segments().size(), 3u);
  EXPECT_EQ(read(*log, 0).size(), 20u);
}

TEST_F(LogTest, IndexEntriesAreKafkasToTheByte) {
  config_->index_interval_bytes = 100;
  auto log = open();
  for (int i = 0; i < 4; ++i) append(*log, {.records = 2, .timestamp = 1000 + 10 * i, .value_bytes = 30});
  uint64_t batch = log->size_bytes() / 4;
  ASSERT_LT(batch, 200u);
  ASSERT_GT(batch, 100u);
  ASSERT_TRUE(log->close());
  // The batch at position 0 has no entry; every other came after more than 100 bytes.
  Buffer index = disk_->read("/data/topic-0/00000000000000000000.index");
  ASSERT_EQ(index.size(), 24u);
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(load_be<int32_t>(index.data() + 8 * (i - 1)), 2 * i + 1);
    EXPECT_EQ(load_be<int32_t>(index.data() + 8 * (i - 1) + 4), static_cast<int32_t>(batch) * i);
  }
  Buffer times = disk_->read("/data/topic-0/00000000000000000000.timeindex");
  ASSERT_EQ(times.size(), 36u);
  EXPECT_EQ(load_be<int64_t>(times.data()), 1011);
  EXPECT_EQ(load_be<int32_t>(times.data() + 8), 3);
  EXPECT_EQ(load_be<int64_t>(times.data() + 24), 1031);
  EXPECT_EQ(load_be<int32_t>(times.data() + 32), 7);
}

TEST_F(LogTest, ACleanStopMakesTheNextStartTouchNoSegment) {
  {
    auto log = open();
    for (int i = 0; i < 10; ++i) append(*log, {.records = 2});
    EXPECT_EQ(*log->close(), Offset(20));
    EXPECT_FALSE(log->write_staged());
  }
  uint64_t opens = disk_->operations("open");
  uint64_t reads = disk_->operations("read");
  auto log = open(true, Offset(20));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  EXPECT_LE(disk_->operations("open"), opens + 2);  // the directory and the epoch file
  EXPECT_LE(disk_->operations("read"), reads + 1);
  EXPECT_EQ(read(*log, 0).size(), 20u);
  EXPECT_EQ(append(*log, {}), 20);
  EXPECT_TRUE(logger_.lines.empty()) << logger_.lines.front();
}

TEST_F(LogTest, ACleanLogWithoutACheckpointFindsItsEnd) {
  {
    auto log = open();
    for (int i = 0; i < 10; ++i) append(*log, {.records = 2});
    ASSERT_TRUE(log->close());
  }
  auto log = open(true, Offset(0));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  EXPECT_EQ(append(*log, {}), 20);
}

TEST_F(LogTest, AfterAKillEverythingWrittenIsThere) {
  config_->segment_bytes = 700;
  {
    auto log = open();
    for (int i = 0; i < 30; ++i) append(*log, {.records = 2, .value_bytes = 40});
    disk_->kill();
  }
  auto log = open();
  EXPECT_EQ(log->log_end_offset(), Offset(60));
  EXPECT_EQ(log->durable_end(), Offset(60));
  EXPECT_EQ(read(*log, 0).size(), 60u);
  EXPECT_TRUE(log->damaged().empty());
}

TEST_F(LogTest, WhatASyncPlanNamesSurvivesLostPower) {
  {
    auto log = open();
    append(*log, {.records = 5});
    SyncPlan plan = *log->sync_plan();
    EXPECT_EQ(plan.end, Offset(5));
    append(*log, {.records = 5});
    for (auto& file : plan.files) ASSERT_TRUE(file->sync());
    log->mark_durable(plan);
    EXPECT_EQ(log->durable_end(), Offset(5));
    EXPECT_FALSE(log->sync_plan()->empty());
    disk_->lose_power();
  }
  auto log = open();
  EXPECT_GE(log->log_end_offset(), Offset(5));
  EXPECT_EQ(offsets(read(*log, 0, 5)), (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST_F(LogTest, ASyncPlanCoversSegmentsThatRolledAndTheirIndexes) {
  config_->segment_bytes = 300;
  {
    LogOptions lazy = options(false, Offset(0));
    lazy.sync_before_roll = false;
    auto log = *try_open(std::move(lazy));
    for (int i = 0; i < 12; ++i) append(*log, {.value_bytes = 50});
    EXPECT_EQ(*log->checkpoint(), Offset(0));
    SyncPlan plan = *log->sync_plan();
    size_t rolled = log->segments().size() - 1;
    EXPECT_EQ(plan.files.size(), 1 + 3 * rolled + 2) << "and the epoch file, and the names";
    for (auto& file : plan.files) ASSERT_TRUE(file->sync());
    log->mark_durable(plan);
    EXPECT_TRUE(log->sync_plan()->empty());
    EXPECT_EQ(*log->checkpoint(), Offset(12));
    disk_->lose_power();
  }
  EXPECT_EQ(read(*open(), 0).size(), 12u);
}

TEST_F(LogTest, TheFirstPlanOfANewLogCoversWhatItsDirectoryBeganWith) {
  disk_->open_directory(kPath, true);
  {
    auto directory = *disk_->open_directory(kPath, true);
    ASSERT_TRUE(runtime::replace_file_unsynced(*directory, "partition.metadata", as_bytes("the topic")));
    LogOptions made = options(false, Offset(0));
    made.created = true;
    uint64_t syncs = disk_->operations("sync");
    auto log = *try_open(std::move(made));
    EXPECT_EQ(disk_->operations("sync"), syncs) << "an empty log has nothing to make durable";
    append(*log, {}, 7);
    SyncPlan plan = *log->sync_plan();
    for (auto& file : plan.files) ASSERT_TRUE(file->sync());
    log->mark_durable(plan);
  }
  disk_->lose_power();
  EXPECT_EQ(as_text(disk_->read("/data/topic-0/partition.metadata")), "the topic");
  EXPECT_EQ(as_text(disk_->read("/data/topic-0/leader-epoch-checkpoint")), "0\n1\n7 0\n");
  EXPECT_EQ(read(*open(), 0).size(), 1u);
}

TEST_F(LogTest, OnALoopARollSyncsNothingAndTheNextSegmentWaitsForTheOneBefore) {
  config_->segment_bytes = 300;  // two batches
  auto log = open();
  for (int i = 0; i < 2; ++i) append(*log, {.value_bytes = 50});
  uint64_t syncs = disk_->operations("sync");
  auto stage = [&] {
    auto batch = std::make_shared<Buffer>(make_batch({.value_bytes = 50}));
    ASSERT_TRUE(log->append(*batch, batch, LeaderEpoch(0), options_now_));
    ASSERT_TRUE(log->write_ready());
  };
  stage();
  ASSERT_EQ(log->segments().size(), 2u);
  EXPECT_EQ(disk_->operations("sync"), syncs);
  EXPECT_EQ(log->written_end(), Offset(2)) << "the first segment is not on disk";
  EXPECT_TRUE(log->has_staged());
  SyncPlan plan = *log->sync_plan();
  EXPECT_EQ(plan.end, Offset(2));
  stage();
  for (auto& file : plan.files) ASSERT_TRUE(file->sync());
  log->mark_durable(plan);
  ASSERT_TRUE(log->write_ready());
  EXPECT_EQ(log->written_end(), Offset(4));
  // A roll within one plan has to block.
  for (int i = 0; i < 4; ++i) stage();
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->durable_end(), Offset(8));
  EXPECT_EQ(read(*log, 0).size(), 8u);
}

TEST_F(LogTest, ALogThatNobodyUsesClosesItsFilesAndGoesOnLater) {
  auto log = open();
  for (int i = 0; i < 3; ++i) append(*log, {.timestamp = options_now_ + i});
  ASSERT_TRUE(log->flush());
  ASSERT_TRUE(log->rest());
  EXPECT_TRUE(log->segments().back()->is_open()) << "used since the last time";
  ASSERT_TRUE(log->rest());
  EXPECT_FALSE(log->segments().back()->is_open());
  EXPECT_EQ(read(*log, 0).size(), 3u);
  append(*log, {.timestamp = options_now_ + 3});
  EXPECT_EQ(log->log_end_offset(), Offset(4));
  EXPECT_EQ((*log->offset_of_max_timestamp())->offset, Offset(3));
  ASSERT_TRUE(log->close());
}

TEST_F(LogTest, ASyncOfBytesThatWereTruncatedMakesNothingDurable) {
  auto log = open();
  append(*log, {.records = 5});
  append(*log, {.records = 5});
  SyncPlan plan = *log->sync_plan();
  ASSERT_TRUE(log->truncate_to(Offset(5)));
  append(*log, {.records = 5});
  log->mark_durable(plan);
  EXPECT_LE(log->durable_end(), Offset(5));
}

TEST_F(LogTest, AFullDiskRefusesTheAppendAndChangesNothing) {
  auto log = open();
  append(*log, {.records = 2});
  disk_->set_capacity(disk_->used_bytes());
  auto big = std::make_shared<Buffer>(make_batch({.value_bytes = 200000}, 1));
  Result<AppendInfo> refused = log->append(*big, big, LeaderEpoch(0), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(log->log_end_offset(), Offset(2));
  EXPECT_EQ(append(*log, {}), 2) << "what was reserved before is there";
  disk_->set_capacity(std::nullopt);
  ASSERT_TRUE(log->append(*big, big, LeaderEpoch(0), 0));
  ASSERT_TRUE(log->write_staged());
  EXPECT_EQ(read(*log, 0).size(), 4u);
}

TEST_F(LogTest, WithoutReservationAFullDiskTakesStagedAppendsBack) {
  disk_->set_reserve_supported(false);
  auto log = open();
  append(*log, {.records = 2, .producer_id = 5, .producer_epoch = 0, .sequence = 0});
  disk_->set_capacity(disk_->used_bytes() + 100);
  auto batch = std::make_shared<Buffer>(
      make_batch({.records = 3, .value_bytes = 200, .producer_id = 5, .producer_epoch = 0, .sequence = 2}));
  uint64_t generation = log->generation();
  ASSERT_TRUE(log->append(*batch, batch, LeaderEpoch(0), 0));
  Result<> written = log->write_staged();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(log->log_end_offset(), Offset(2));
  EXPECT_NE(log->generation(), generation);
  disk_->set_capacity(std::nullopt);
  ASSERT_TRUE(log->append(*batch, batch, LeaderEpoch(0), 0));
  ASSERT_TRUE(log->write_staged());
  EXPECT_EQ(read(*log, 0).size(), 5u);
  EXPECT_EQ((*log->producers())->find(ProducerId(5))->last_sequence(), 4);
}

TEST_F(LogTest, AFullDiskAtARollLosesNothing) {
  config_->segment_bytes = 2000;
  auto log = open();
  for (int i = 0; i < 6; ++i) append(*log, {.value_bytes = 200});
  for (uint64_t spare = 0; spare < 400; spare += 7) {
    disk_->set_capacity(disk_->used_bytes() + spare);
    auto batch = std::make_shared<Buffer>(make_batch({.value_bytes = 1500}, 1));
    int64_t end = log->log_end_offset().value;
    Result<AppendInfo> info = log->append(*batch, batch, LeaderEpoch(0), 0);
    if (info) ASSERT_TRUE(log->write_staged());
    EXPECT_EQ(log->log_end_offset().value, info ? end + 1 : end);
    EXPECT_EQ(read(*log, 0).size(), static_cast<size_t>(log->log_end_offset().value));
  }
  disk_->set_capacity(std::nullopt);
  int64_t end = log->log_end_offset().value;
  EXPECT_EQ(append(*log, {.value_bytes = 1500}), end);
  disk_->kill();
  EXPECT_EQ(read(*open(), 0).size(), static_cast<size_t>(end + 1));
}

TEST_F(LogTest, ALogOpensAndReadsOnAFullDisk) {
  config_->segment_bytes = 1000;
  config_->index_interval_bytes = 100;
  for (bool clean : {true, false}) {
    {
      auto log = open();
      for (int i = 0; i < 10; ++i) append(*log, {.timestamp = 1000 + i, .value_bytes = 200});
      if (clean) ASSERT_TRUE(log->close());
      if (!clean) disk_->kill();
    }
    for (const std::string& name : disk_->list("/data/topic-0")) {
      if (name.ends_with("index")) disk_->remove("/data/topic-0/" + name);
    }
    disk_->set_capacity(disk_->used_bytes());
    auto log = open(clean, clean ? Offset(10) : Offset(0));
    ASSERT_TRUE(log);
    EXPECT_EQ(read(*log, 0).size(), 10u);
    EXPECT_EQ((*log->offset_for_timestamp(1004))->offset, Offset(4));
    EXPECT_EQ((*log->offset_of_max_timestamp())->offset, Offset(9));
    auto batch = std::make_shared<Buffer>(make_batch({.value_bytes = 900}, 1));
    Result<AppendInfo> info = log->append(*batch, batch, LeaderEpoch(0), 0);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::kNoSpace);
    disk_->set_capacity(std::nullopt);
    EXPECT_EQ(append(*log, {.value_bytes = 900}), 10);
    EXPECT_EQ(read(*log, 0).size(), 11u);
    disk_->remove("/data/topic-0");
  }
}

TEST_F(LogTest, AFailedWritePoisonsTheLog) {
  auto log = open();
  append(*log, {});
  disk_->set_fault([](const std::string& operation, const std::string&) {
    return operation == "write" ? std::optional(Error{ErrorCode::kIo, "the device is gone"}) : std::nullopt;
  });
  auto batch = std::make_shared<Buffer>(make_batch({}));
  ASSERT_TRUE(log->append(*batch, batch, LeaderEpoch(0), 0));
  EXPECT_FALSE(log->write_staged());
  disk_->set_fault(nullptr);
  Result<AppendInfo> later = log->append(*batch, batch, LeaderEpoch(0), 0);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kIo);
  EXPECT_TRUE(log->failed());
}

TEST_F(LogTest, AFollowerKeepsTheLeadersOffsetsAndEpochs) {
  auto log = open();
  Buffer first = make_batch({.records = 3, .base_offset = 10, .epoch = 2}, 1);
  Buffer second = make_batch({.records = 1, .base_offset = 15, .epoch = 3}, 2);
  auto both = std::make_shared<Buffer>(first);
  both->insert(both->end(), second.begin(), second.end());
  both->insert(both->end(), second.begin(), second.begin() + 30);  // cut by the leader's max_bytes
  Result<AppendInfo> info = log->append_as_follower(*both, both, 0);
  ASSERT_TRUE(info) << info.error().message;
  ASSERT_TRUE(log->write_staged());
  EXPECT_EQ(log->log_end_offset(), Offset(16));
  EXPECT_EQ(offsets(read(*log, 0)), (std::vector<int64_t>{10, 11, 12, 15}));
  EXPECT_EQ(log->epochs().entries().size(), 2u);
  EXPECT_EQ(log->epochs().latest_epoch(), LeaderEpoch(3));
  EXPECT_FALSE(log->append_as_follower(first, nullptr, 0)) << "offsets do not go back";
  (*both)[70] ^= std::byte{1};
  EXPECT_FALSE(log->append_as_follower(*both, both, 0));
}

TEST_F(LogTest, TheEpochFileIsThereBeforeTheFirstRecordOfTheEpoch) {
  auto log = open();
  log->assign_epoch(LeaderEpoch(4));
  EXPECT_FALSE(disk_->exists("/data/topic-0/leader-epoch-checkpoint"));
  append(*log, {}, 4);
  EXPECT_EQ(as_text(disk_->read("/data/topic-0/leader-epoch-checkpoint")), "0\n1\n4 0\n");
}

TEST_F(LogTest, TimestampsAreFoundExactlyAlsoInsideCompressedBatches) {
  config_->index_interval_bytes = 100;
  config_->segment_bytes = 600;
  auto log = open();
  for (int i = 0; i < 20; ++i) {
    append(*log, {.records = 5, .timestamp = 1000 + 100 * i, .codec = i % 2 == 0 ? wire::Codec{1} : wire::Codec{}});
  }
  for (int64_t wanted : {0, 1000, 1003, 1004, 1005, 1500, 2903, 2904}) {
    int64_t batch = wanted < 1000 ? 0 : (wanted - 1000) / 100;
    int64_t delta = wanted < 1000 ? 0 : (wanted - 1000) % 100;
    int64_t expected = delta <= 4 ? batch * 5 + delta : (batch + 1) * 5;
    auto found = log->offset_for_timestamp(wanted);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE(*found) << wanted;
    EXPECT_EQ((*found)->offset, Offset(expected)) << wanted;
    EXPECT_EQ((*found)->epoch, LeaderEpoch(0));
  }
  EXPECT_FALSE(log->offset_for_timestamp(2905)->has_value());
  auto max = *log->offset_of_max_timestamp();
  EXPECT_EQ(max->offset, Offset(99));
  EXPECT_EQ(max->timestamp, 2904);
}

TEST_F(LogTest, ATimestampThatGoesBackDoesNotHideAnEarlierRecord) {
  config_->index_interval_bytes = 1;
  auto log = open();
  append(*log, {.timestamp = 5000});
  append(*log, {.timestamp = 1000});
  append(*log, {.timestamp = 9000});
  append(*log, {.timestamp = 2000});
  EXPECT_EQ((*log->offset_for_timestamp(900))->offset, Offset(0));
  EXPECT_EQ((*log->offset_for_timestamp(5001))->offset, Offset(2));
  EXPECT_EQ((*log->offset_of_max_timestamp())->offset, Offset(2));
  ASSERT_TRUE(log->advance_log_start(Offset(1)));
  EXPECT_EQ((*log->offset_for_timestamp(900))->offset, Offset(1)) << "never below the log start";
}

TEST_F(LogTest, TransactionsAreTrackedAndAbortedOnesListed) {
  config_->segment_bytes = 400;
  auto log = open();
  append(*log, {.records = 2,
                .timestamp = options_now_,
                .producer_id = 1,
                .producer_epoch = 0,
                .sequence = 0,
                .transactional = true});
  append(*log, {.records = 1,
                .timestamp = options_now_,
                .producer_id = 2,
                .producer_epoch = 0,
                .sequence = 0,
                .transactional = true});
  EXPECT_EQ((*log->producers())->first_unstable_offset(), Offset(0));
  append_bytes(*log, make_marker(1, 0, false, options_now_));  // offset 3
  append(*log, {.records = 3, .value_bytes = 100});
  append_bytes(*log, make_marker(2, 0, true, options_now_));  // offset 7
  append(*log, {.records = 1,
                .timestamp = options_now_,
                .producer_id = 1,
                .producer_epoch = 0,
                .sequence = 2,
                .transactional = true});
  append_bytes(*log, make_marker(1, 0, false, options_now_));  // offset 9
  EXPECT_GT(log->segments().size(), 1u);

  auto aborted = *log->aborted_transactions(Offset(0), Offset(10));
  ASSERT_EQ(aborted.size(), 2u);
  EXPECT_EQ(aborted[0].first_offset, Offset(0));
  EXPECT_EQ(aborted[0].last_offset, Offset(3));
  EXPECT_EQ(aborted[0].last_stable_offset, Offset(2)) << "the other transaction was open";
  EXPECT_EQ(aborted[1].first_offset, Offset(8));
  EXPECT_EQ(aborted[1].last_stable_offset, Offset(10));
  EXPECT_EQ(log->aborted_transactions(Offset(4), Offset(8))->size(), 0u);
  EXPECT_EQ(log->aborted_transactions(Offset(4), Offset(9))->size(), 1u);

  (*log->producers())->high_watermark_advanced(Offset(10));
  EXPECT_EQ((*log->producers())->first_unstable_offset(), std::nullopt);
  replication::ProducerState before = **log->producers();
  disk_->kill();
  auto again = open();
  EXPECT_EQ(*again->aborted_transactions(Offset(0), Offset(10)), aborted);
  (*again->producers())->high_watermark_advanced(Offset(10));
  EXPECT_EQ(**again->producers(), before) << "the state is a function of the log";
}

TEST_F(LogTest, ProducerStateSurvivesACleanRestartWithTheNewestBatchOfEach) {
  {
    auto log = open();
    for (int i = 0; i < 7; ++i)
      append(*log, {.timestamp = options_now_, .producer_id = 9, .producer_epoch = 1, .sequence = i});
    ASSERT_TRUE(log->close());
  }
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000007.snapshot"));
  auto log = open(true, Offset(7));
  wire::BatchHeader again =
      *wire::BatchHeader::decode(make_batch({.producer_id = 9, .producer_epoch = 1, .sequence = 6}));
  auto verdict = log->check_producer(again, replication::AppendOrigin::kClient);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->kind, replication::ProducerVerdict::Kind::kDuplicate);
  EXPECT_EQ(verdict->base_offset, Offset(6));
}

TEST_F(LogTest, AProducerThatWasSilentForADayIsForgottenAtTheStart) {
  {
    auto log = open();
    append(*log, {.timestamp = 1000, .producer_id = 9, .producer_epoch = 1, .sequence = 0});
    ASSERT_TRUE(log->close());
  }
  EXPECT_TRUE((*open(true, Offset(1))->producers())->empty());
}

TEST_F(LogTest, TruncationCutsWholeBatchesAndOffsetsGoOnThere) {
  config_->segment_bytes = 400;
  auto log = open();
  for (int i = 0; i < 10; ++i) append(*log, {.records = 3, .value_bytes = 30}, i / 3);
  ASSERT_TRUE(log->truncate_to(Offset(100)));
  EXPECT_EQ(log->log_end_offset(), Offset(30));
  ASSERT_TRUE(log->truncate_to(Offset(14)));
  EXPECT_EQ(log->log_end_offset(), Offset(12));
  EXPECT_EQ(log->epochs().latest_epoch(), LeaderEpoch(1));
  EXPECT_EQ(read(*log, 0).size(), 12u);
  EXPECT_EQ(append(*log, {}, 9), 12);
  disk_->kill();
  EXPECT_EQ(read(*open(), 0).size(), 13u);
}

TEST_F(LogTest, ATruncationIsDurable) {
  {
    auto log = open();
    for (int i = 0; i < 4; ++i) append(*log, {.records = 1});
    ASSERT_TRUE(log->flush());
    ASSERT_TRUE(log->truncate_to(Offset(2)));
    disk_->lose_power();
  }
  EXPECT_EQ(open()->log_end_offset(), Offset(2));
}

TEST_F(LogTest, TruncatingFullyBeginsAnewElsewhere) {
  auto log = open();
  append(*log, {.records = 4});
  ASSERT_TRUE(log->truncate_fully_and_start_at(Offset(1000)));
  EXPECT_EQ(log->log_start_offset(), Offset(1000));
  EXPECT_EQ(append(*log, {}), 1000);
  disk_->kill();
  auto again = open();
  EXPECT_EQ(again->log_start_offset(), Offset(1000));
  EXPECT_EQ(again->log_end_offset(), Offset(1001));
}

TEST_F(LogTest, RetentionBySizeRemovesTheOldestFirst) {
  config_->segment_bytes = 300;
  config_->retention_bytes = 700;
  config_->retention_ms = -1;
  auto log = open();
  for (int i = 0; i < 20; ++i) append(*log, {.value_bytes = 50});
  size_t before = log->segments().size();
  auto removed = log->apply_retention(options_now_, log->log_end_offset());
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(removed->empty());
  EXPECT_GE(log->size_bytes(), 700u);
  EXPECT_LT(log->size_bytes() - log->segments().front()->size(), 700u);
  EXPECT_EQ(log->segments().size() + removed->size(), before);
  EXPECT_EQ(log->log_start_offset(), log->segments().front()->base());
  EXPECT_FALSE(disk_->exists("/data/topic-0/00000000000000000000.log"));
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000000.log.deleted"));
  EXPECT_EQ(*log->remove_due(options_now_ + 59999), options_now_ + 60000);
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000000.log.deleted"));
  EXPECT_EQ(*log->remove_due(options_now_ + 60000), std::nullopt);
  EXPECT_FALSE(disk_->exists("/data/topic-0/00000000000000000000.log.deleted"));
}

TEST_F(LogTest, RetentionByTimeGoesByRecordTimeAndMayTakeTheActiveSegment) {
  config_->retention_ms = 1000;
  auto log = open();
  append(*log, {.records = 2, .timestamp = options_now_ - 5000});
  EXPECT_TRUE(log->apply_retention(options_now_, Offset(1))->empty()) << "not above the high watermark";
  EXPECT_EQ(log->apply_retention(options_now_, Offset(2))->size(), 1u);
  EXPECT_EQ(log->log_start_offset(), Offset(2));
  EXPECT_EQ(log->log_end_offset(), Offset(2));
  append(*log, {.timestamp = options_now_ + 5000});
  EXPECT_TRUE(log->apply_retention(options_now_, Offset(3))->empty()) << "a time to come holds it";
  EXPECT_EQ(append(*log, {}), 3);
}

TEST_F(LogTest, ACompactedTopicLosesOnlySegmentsBeforeTheLogStart) {
  config_->cleanup_delete = false;
  config_->retention_ms = 1;
  config_->segment_bytes = 200;
  auto log = open();
  for (int i = 0; i < 6; ++i) append(*log, {.value_bytes = 60});
  EXPECT_TRUE(log->apply_retention(options_now_, Offset(6))->empty());
  ASSERT_TRUE(log->advance_log_start(Offset(3)));
  EXPECT_FALSE(log->apply_retention(options_now_, Offset(6))->empty());
  EXPECT_EQ(log->log_start_offset(), Offset(3));
}

TEST_F(LogTest, TheLogStartOfTheCheckpointIsKept) {
  {
    auto log = open();
    append(*log, {.records = 10});
    disk_->kill();
  }
  LogOptions with = options(false, Offset(0));
  with.log_start = Offset(4);
  auto log = *try_open(std::move(with));
  EXPECT_EQ(log->log_start_offset(), Offset(4));
  EXPECT_EQ(log->log_end_offset(), Offset(10));
  log.reset();
  with = options(false, Offset(0));
  with.log_start = Offset(50);
  log = *try_open(std::move(with));
  EXPECT_EQ(log->log_start_offset(), Offset(50));
  EXPECT_EQ(log->log_end_offset(), Offset(50));
}

}  // namespace
}  // namespace barnabas::log
