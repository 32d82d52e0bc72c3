// What disks do to logs, and what must be left of them.
#include "log/testing/log_fixture.h"

namespace barnabas::log {
namespace {

using testing::ReadRecord;

class DamageTest : public testing::LogFixture {
 protected:
  static constexpr const char* kLog = "/data/topic-0/00000000000000000000.log";

  // Ten batches of two records, each `batch_size_` bytes, synced; then the process is killed.
  void fill(int batches = 10) {
    auto log = open();
    for (int i = 0; i < batches; ++i) append(*log, {.records = 2, .value_bytes = 300});
    ASSERT_TRUE(log->flush());
    batch_size_ = log->size_bytes() / static_cast<size_t>(batches);
    disk_->kill();
  }

  void change(const std::function<void(Buffer&)>& what, const std::string& path = kLog) {
    Buffer content = disk_->read(path);
    what(content);
    disk_->write(path, content);
  }

  void flip(uint64_t at) {
    change([&](Buffer& bytes) { bytes[at] ^= std::byte{0x40}; });
  }

  std::unique_ptr<Log> recover(Offset recovery_point = Offset(0), bool power_lost = true) {
    LogOptions with = options(false, recovery_point);
    with.power_lost = power_lost;
    auto log = try_open(std::move(with));
    EXPECT_TRUE(log) << log.error().message;
    return log ? *std::move(log) : nullptr;
  }

  std::vector<int64_t> offsets(Log& log, int64_t from, int64_t upper = INT64_MAX) {
    std::vector<int64_t> all;
    for (const ReadRecord& record : read(log, from, upper)) all.push_back(record.offset);
    return all;
  }

  size_t batch_size_ = 0;
};

std::vector<int64_t> range(int64_t from, int64_t to) {
  std::vector<int64_t> all;
  for (int64_t i = from; i < to; ++i) all.push_back(i);
  return all;
}

TEST_F(DamageTest, ATornLastBatchIsCut) {
  fill();
  for (size_t left : {size_t{1}, size_t{60}, size_t{61}, batch_size_ - 1}) {
    change([&](Buffer& bytes) { bytes.resize(9 * batch_size_ + left); });
    auto log = recover();
    EXPECT_EQ(log->log_end_offset(), Offset(18));
    EXPECT_EQ(offsets(*log, 0), range(0, 18));
    EXPECT_EQ(disk_->read(kLog).size(), 9 * batch_size_);
    EXPECT_TRUE(log->damaged().empty());
    EXPECT_EQ(append(*log, {.records = 2, .value_bytes = 300}), 18);
    disk_->kill();
  }
}

TEST_F(DamageTest, ALastBatchThatIsMissingWholeIsNotMissed) {
  fill();
  change([&](Buffer& bytes) { bytes.resize(9 * batch_size_); });
  EXPECT_EQ(recover()->log_end_offset(), Offset(18));
}

TEST_F(DamageTest, ZerosInTheTailAreCut) {
  fill();
  change([&](Buffer& bytes) { bytes.resize(bytes.size() + 5000); });
  auto log = recover();
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  EXPECT_EQ(disk_->read(kLog).size(), 10 * batch_size_);
  EXPECT_EQ(logger_.lines.size(), 1u) << "said once, with the offset";
}

TEST_F(DamageTest, AFlippedByteInTheMiddleIsFencedOffAndReported) {
  fill();
  flip(4 * batch_size_ + 100);
  auto log = recover(Offset(20));
  ASSERT_EQ(log->damaged().size(), 1u);
  EXPECT_EQ(log->damaged()[0], (DamagedRange{.first = Offset(8),
                                             .end = Offset(10),
                                             .segment = Offset(0),
                                             .position = 4 * batch_size_,
                                             .length = batch_size_}));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  EXPECT_EQ(offsets(*log, 0, 8), range(0, 8));
  EXPECT_EQ(offsets(*log, 10), range(10, 20));
  for (int64_t lost : {8, 9}) {
    auto plan = log->plan_read(Offset(lost), Offset(20), 1000, true);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(plan.error().message.find("offsets 8 to 9"), std::string::npos) << plan.error().message;
  }
  ASSERT_FALSE(logger_.lines.empty());
  EXPECT_NE(logger_.lines[0].find("offsets 8 to 9"), std::string::npos);
  EXPECT_EQ(append(*log, {}), 20);
}

TEST_F(DamageTest, ReadsBeforeTheDamageEndThere) {
  fill();
  flip(4 * batch_size_ + 100);
  auto log = recover();
  auto plan = log->plan_read(Offset(2), Offset(20), 1 << 20, true);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->payload.size(), 3 * batch_size_);
}

TEST_F(DamageTest, TheDamageIsFoundAgainByTheNextRecovery) {
  fill();
  flip(4 * batch_size_ + 100);
  std::vector<DamagedRange> first = recover()->damaged();
  disk_->kill();
  EXPECT_EQ(recover()->damaged(), first);
  EXPECT_EQ(first.size(), 1u);
}

TEST_F(DamageTest, AHoleOfZerosInWhatWasDurableIsFencedOff) {
  fill(40);
  change([&](Buffer& bytes) { std::fill_n(bytes.begin() + 4096, 4096, std::byte{0}); });
  for (bool power_lost : {true, false}) {
    auto log = recover(Offset(80), power_lost);
    ASSERT_EQ(log->damaged().size(), 1u);
    EXPECT_EQ(log->log_end_offset(), Offset(80));
    Offset first = log->damaged()[0].first;
    Offset end = log->damaged()[0].end;
    EXPECT_EQ(offsets(*log, 0, first.value), range(0, first.value));
    EXPECT_EQ(offsets(*log, end.value), range(end.value, 80));
    disk_->kill();
  }
}

TEST_F(DamageTest, AHoleThatALossOfPowerLeftInTheUnsyncedTailEndsTheLog) {
  fill(40);
  change([&](Buffer& bytes) { std::fill_n(bytes.begin() + 8192, 4096, std::byte{0}); });
  int64_t before = static_cast<int64_t>(8192 / batch_size_) * 2;
  {
    auto log = recover(Offset(4), false);
    EXPECT_EQ(log->log_end_offset(), Offset(80)) << "without a loss of power it is damage";
    EXPECT_EQ(log->damaged().size(), 1u);
    disk_->kill();
  }
  auto log = recover(Offset(4), true);
  EXPECT_TRUE(log->damaged().empty());
  EXPECT_EQ(log->log_end_offset(), Offset(before));
  EXPECT_EQ(offsets(*log, 0), range(0, before));
}

// The sector that held the end of the last batch on disk, and the first bytes of the next one in memory, did not
// arrive; the one behind it did.
TEST_F(DamageTest, AHoleOfFewBytesAtTheEndOfASectorEndsTheLogToo) {
  fill(40);
  size_t batch = 3;
  auto missing = [&] { return 512 - batch * batch_size_ % 512; };
  while (batch < 39 && (missing() < 8 || missing() > 31)) ++batch;
  ASSERT_LT(batch, 39u) << "no batch begins shortly before the end of a sector";
  auto from = static_cast<ptrdiff_t>(batch * batch_size_);
  change([&](Buffer& bytes) { std::fill_n(bytes.begin() + from, missing(), std::byte{0}); });
  auto log = recover(Offset(4), true);
  EXPECT_TRUE(log->damaged().empty());
  EXPECT_EQ(log->log_end_offset(), Offset(static_cast<int64_t>(batch) * 2));
}

TEST_F(DamageTest, ATailThatWasDurableIsReportedAndItsOffsetsAreNotUsedAgain) {
  fill();
  change([&](Buffer& bytes) { bytes.resize(6 * batch_size_ + 10); });
  {
    auto log = recover(Offset(20));
    EXPECT_EQ(log->log_end_offset(), Offset(20));
    ASSERT_EQ(log->damaged().size(), 1u);
    EXPECT_EQ(log->damaged()[0].first, Offset(12));
    EXPECT_EQ(log->damaged()[0].end, Offset(20));
    EXPECT_EQ(offsets(*log, 0, 12), range(0, 12));
    EXPECT_FALSE(log->plan_read(Offset(15), Offset(20), 100, true));
    EXPECT_EQ(append(*log, {}), 20);
    EXPECT_EQ(offsets(*log, 20), range(20, 21));
    disk_->kill();
  }
  auto log = recover(Offset(0));
  EXPECT_EQ(log->log_end_offset(), Offset(21));
  EXPECT_EQ(offsets(*log, 20), range(20, 21));
}

TEST_F(DamageTest, ALostSegmentTailIsReportedToo) {
  fill();
  change([&](Buffer& bytes) { bytes.resize(6 * batch_size_); });
  auto log = recover(Offset(20));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  ASSERT_EQ(log->damaged().size(), 1u);
  EXPECT_EQ(log->damaged()[0].first, Offset(12));
  EXPECT_FALSE(log->plan_read(Offset(12), Offset(20), 100, true));
}

TEST_F(DamageTest, DamageAtTheEndOfAClosedSegmentIsNotItsEnd) {
  config_->segment_bytes = 2000;
  fill(10);
  auto log = open();
  ASSERT_GT(log->segments().size(), 2u);
  Offset next = log->segments()[1]->base();
  uint64_t size = log->segments()[0]->size();
  log.reset();
  disk_->kill();
  flip(size - 5);
  log = recover();
  ASSERT_EQ(log->damaged().size(), 1u);
  EXPECT_EQ(log->damaged()[0].end, next);
  EXPECT_EQ(offsets(*log, next.value), range(next.value, 20));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
}

TEST_F(DamageTest, IndexesThatAreLostBrokenOrAheadAreRebuilt) {
  config_->index_interval_bytes = 500;
  config_->segment_bytes = 4000;
  std::string base = "/data/topic-0/00000000000000000000";
  {
    auto log = open();
    for (int i = 0; i < 12; ++i) append(*log, {.records = 2, .timestamp = 1000 + 10 * i, .value_bytes = 300});
    ASSERT_TRUE(log->close());
  }
  Buffer index = disk_->read(base + ".index");
  Buffer times = disk_->read(base + ".timeindex");
  ASSERT_GT(index.size(), 16u);
  std::vector<std::function<void(const std::string&)>> harms{
      [&](const std::string& path) { disk_->remove(path); },
      [&](const std::string& path) { change([](Buffer& bytes) { bytes.resize(bytes.size() - 3); }, path); },
      [&](const std::string& path) { change([](Buffer& bytes) { bytes.resize(bytes.size() + 240); }, path); },
      [&](const std::string& path) { change([](Buffer& bytes) { std::ranges::fill(bytes, std::byte{0}); }, path); },
      [&](const std::string& path) { change([](Buffer& bytes) { std::ranges::fill(bytes, std::byte{0x7f}); }, path); },
  };
  for (bool clean : {true, false}) {
    for (size_t i = 0; i < harms.size(); ++i) {
      for (const char* suffix : {".index", ".timeindex"}) {
        SCOPED_TRACE(std::to_string(i) + suffix + (clean ? " clean" : " killed"));
        harms[i](base + suffix);
        auto log = open(clean, clean ? Offset(24) : Offset(0));
        EXPECT_EQ(offsets(*log, 5), range(5, 24));
        EXPECT_EQ((*log->offset_for_timestamp(1011))->offset, Offset(3));
        EXPECT_EQ(disk_->read(base + ".index"), index);
        EXPECT_EQ(disk_->read(base + ".timeindex"), times);
        EXPECT_TRUE(log->damaged().empty());
      }
    }
  }
}

TEST_F(DamageTest, IndexesThatAKilledKafkaLeftAtFullSizeGoWhenThereIsNothingToIndex) {
  fill();
  change([](Buffer& bytes) { bytes.clear(); });
  const std::string index = "/data/topic-0/00000000000000000000.index";
  const std::string timeindex = "/data/topic-0/00000000000000000000.timeindex";
  disk_->write(index, Buffer(1 << 20));
  disk_->write(timeindex, Buffer(1 << 20));
  {
    auto log = recover();
  }
  EXPECT_TRUE(disk_->read(index).empty());
  EXPECT_TRUE(disk_->read(timeindex).empty());
}

TEST_F(DamageTest, ALogThatIsAheadOfItsIndexIsReadWhole) {
  config_->index_interval_bytes = 500;
  fill();
  Buffer ahead = disk_->read(kLog);
  {
    auto log = recover();
    ASSERT_TRUE(log->truncate_to(Offset(10)));
    ASSERT_TRUE(log->close());
  }
  disk_->write(kLog, ahead);
  auto log = recover();
  EXPECT_EQ(offsets(*log, 0), range(0, 20));
  auto index = disk_->read("/data/topic-0/00000000000000000000.index");
  EXPECT_EQ(load_be<int32_t>(index.data() + index.size() - 8), 19);
}

TEST_F(DamageTest, SmallFilesThatAreLostOrBrokenAreRebuilt) {
  {
    auto log = open();
    append(*log, {.timestamp = options_now_, .producer_id = 4, .producer_epoch = 0, .sequence = 0}, 1);
    append(*log, {.timestamp = options_now_, .producer_id = 4, .producer_epoch = 0, .sequence = 1}, 3);
    ASSERT_TRUE(log->close());
  }
  std::string snapshot = "/data/topic-0/00000000000000000002.snapshot";
  std::string epochs = "/data/topic-0/leader-epoch-checkpoint";
  ASSERT_EQ(as_text(disk_->read(epochs)), "0\n2\n1 0\n3 1\n");
  for (bool clean : {true, false}) {
    for (const std::string& path : {snapshot, epochs}) {
      for (bool remove : {true, false}) {
        SCOPED_TRACE(path + (clean ? " clean" : " killed") + (remove ? " lost" : " broken"));
        if (remove) {
          disk_->remove(path);
        } else {
          disk_->write(path, as_bytes("nonsense"));
        }
        auto log = open(clean, clean ? Offset(2) : Offset(0));
        EXPECT_EQ((*log->producers())->find(ProducerId(4))->last_sequence(), 1);
        EXPECT_EQ(log->epochs().print(), "0\n2\n1 0\n3 1\n");
        EXPECT_EQ(log->log_end_offset(), Offset(2));
        append(*log, {.timestamp = options_now_, .producer_id = 4, .producer_epoch = 0, .sequence = 2}, 3);
        ASSERT_TRUE(log->truncate_to(Offset(2)));
        ASSERT_TRUE(log->close());
        EXPECT_TRUE(disk_->exists(snapshot));
      }
    }
  }
}

TEST_F(DamageTest, DamageInACleanlyClosedLogIsFoundWhenItIsRead) {
  config_->index_interval_bytes = 100000;
  {
    auto log = open();
    for (int i = 0; i < 10; ++i) append(*log, {.records = 2, .value_bytes = 300});
    ASSERT_TRUE(log->close());
  }
  batch_size_ = disk_->read(kLog).size() / 10;
  flip(4 * batch_size_ + 16);  // the magic
  auto log = open(true, Offset(20));
  EXPECT_TRUE(log->damaged().empty()) << "nothing was read yet";
  EXPECT_EQ(offsets(*log, 12), range(12, 20));
  ASSERT_EQ(log->damaged().size(), 1u);
  EXPECT_FALSE(log->plan_read(Offset(8), Offset(20), 100, true));
  EXPECT_EQ(offsets(*log, 0, 8), range(0, 8));
  EXPECT_EQ(append(*log, {}), 20);
}

TEST_F(DamageTest, AFileThatBecameShorterWhileClosedIsReported) {
  {
    auto log = open();
    for (int i = 0; i < 10; ++i) append(*log, {.records = 2, .value_bytes = 300});
    ASSERT_TRUE(log->close());
  }
  batch_size_ = disk_->read(kLog).size() / 10;
  change([&](Buffer& bytes) { bytes.resize(7 * batch_size_); });
  auto log = open(true, Offset(20));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
  EXPECT_EQ(offsets(*log, 0, 14), range(0, 14));
  EXPECT_FALSE(log->plan_read(Offset(14), Offset(20), 100, true));
  EXPECT_EQ(append(*log, {}), 20);
}

TEST_F(DamageTest, ABaseOffsetThatWasChangedDoesNotMoveOtherRecords) {
  fill();
  change([&](Buffer& bytes) { bytes[5 * batch_size_ + 6] = std::byte{1}; });  // 10 becomes 266: outside the checksum
  auto log = recover(Offset(20));
  ASSERT_EQ(log->damaged().size(), 1u);
  EXPECT_EQ(log->damaged()[0].first, Offset(10));
  EXPECT_EQ(log->damaged()[0].end, Offset(12));
  EXPECT_EQ(offsets(*log, 12), range(12, 20));
}

TEST_F(DamageTest, AnEpochThatWasChangedIsNotBelieved) {
  fill();
  change([&](Buffer& bytes) { bytes[5 * batch_size_ + 13] = std::byte{9}; });
  auto log = recover();
  EXPECT_EQ(log->epochs().latest_epoch(), LeaderEpoch(0));
  EXPECT_EQ(log->log_end_offset(), Offset(20));
}

TEST_F(DamageTest, AnyFlippedByteLeavesTheBatchesAroundItAndNeverCrashes) {
  {
    auto log = open();
    for (int i = 0; i < 6; ++i) append(*log, {.records = 2, .value_bytes = 10});
    ASSERT_TRUE(log->flush());
    disk_->kill();
  }
  Buffer good = disk_->read(kLog);
  size_t batch = good.size() / 6;
  for (size_t at = 0; at < good.size(); ++at) {
    for (std::byte bit : {std::byte{0x01}, std::byte{0x80}}) {
      SCOPED_TRACE(at);
      Buffer bad = good;
      bad[at] ^= bit;
      disk_->write(kLog, bad);
      logger_.lines.clear();
      auto log = recover(Offset(12), at % 2 == 0);
      ASSERT_TRUE(log);
      int64_t hit = static_cast<int64_t>(at / batch) * 2;
      EXPECT_GE(log->log_end_offset(), Offset(12));
      EXPECT_EQ(offsets(*log, 0, hit), range(0, hit));
      EXPECT_EQ(offsets(*log, hit + 2, 12), range(hit + 2, 12));
      int64_t next = log->log_end_offset().value;
      EXPECT_EQ(append(*log, {}), next);
      log.reset();
      disk_->remove("/data/topic-0");
    }
  }
}

TEST_F(DamageTest, GarbageInPlaceOfAnyFileIsSurvived) {
  config_->segment_bytes = 1500;
  {
    auto log = open();
    for (int i = 0; i < 8; ++i)
      append(*log,
             {.timestamp = options_now_, .value_bytes = 300, .producer_id = 1, .producer_epoch = 0, .sequence = i});
    ASSERT_TRUE(log->close());
  }
  auto saved = disk_->clone();
  for (const std::string& name : saved->list("/data/topic-0")) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}}) {
      for (bool clean : {true, false}) {
        SCOPED_TRACE(name + " " + std::to_string(size) + (clean ? " clean" : " killed"));
        disk_ = saved->clone();
        disk_->write("/data/topic-0/" + name, Buffer(size, std::byte{0xa5}));
        auto log = try_open(options(clean, Offset(8)));
        ASSERT_TRUE(log) << log.error().message;
        EXPECT_EQ((*log)->log_end_offset(), Offset(8));
        for (int64_t from = 0; from < 8; ++from) {
          auto plan = (*log)->plan_read(Offset(from), Offset(8), 1000, true);
          if (!plan) EXPECT_EQ(plan.error().code, ErrorCode::kCorrupt) << plan.error().message;
        }
        (void)(*log)->offset_for_timestamp(options_now_);
        EXPECT_EQ(append(**log, {}), 8);
      }
    }
  }
}

TEST_F(DamageTest, LeftoversOfDeletionAndCompactionAreTidiedUp) {
  fill();
  disk_->write("/data/topic-0/00000000000000000100.log.deleted", as_bytes("x"));
  disk_->write("/data/topic-0/00000000000000000100.index.deleted", as_bytes("x"));
  disk_->write("/data/topic-0/00000000000000000000.log.cleaned", as_bytes("x"));
  disk_->write("/data/topic-0/00000000000000000050.log.swap", as_bytes("x"));
  disk_->write("/data/topic-0/00000000000000000077.index", as_bytes("x"));
  disk_->write("/data/topic-0/00000000000000000100-0000000001.checkpoint.deleted", as_bytes("x"));
  auto log = recover();
  EXPECT_EQ(offsets(*log, 0), range(0, 20));
  for (const std::string& name : disk_->list("/data/topic-0")) {
    bool leftover = name.ends_with(".cleaned") || name.ends_with(".swap") || name == "00000000000000000077.index" ||
                    name.ends_with("100.log.deleted");
    EXPECT_FALSE(leftover) << name;
  }
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000100-0000000001.checkpoint.deleted")) << "not ours";
}

TEST_F(DamageTest, ABrokenTransactionIndexIsRebuiltWhenItIsRead) {
  config_->segment_bytes = 400;
  std::vector<replication::AbortedTransaction> aborted;
  Offset end;
  {
    auto log = open();
    testing::BatchSpec transactional{.records = 2,
                                     .timestamp = options_now_,
                                     .producer_id = 1,
                                     .producer_epoch = 0,
                                     .sequence = 0,
                                     .transactional = true};
    for (int i = 0; i < 4; ++i) {
      transactional.sequence = 2 * i;
      append(*log, transactional);
      append_bytes(*log, testing::make_marker(1, 0, false, options_now_));
    }
    ASSERT_GT(log->segments().size(), 1u);
    ASSERT_TRUE(log->segments().back()->size() > 0);
    aborted = *log->aborted_transactions(Offset(0), Offset(100));
    ASSERT_EQ(aborted.size(), 4u);
    end = *log->close();
  }
  for (const std::string& name : disk_->list("/data/topic-0")) {
    if (name.ends_with(".txnindex")) disk_->write("/data/topic-0/" + name, as_bytes("not an index"));
  }
  auto log = open(true, end);
  EXPECT_EQ(*log->aborted_transactions(Offset(0), Offset(100)), aborted);
  EXPECT_FALSE(log->failed());
  append(*log, {});
  ASSERT_TRUE(log->close());
}

TEST_F(DamageTest, AReplacementThatCannotBeOpenedChangesNothing) {
  config_->segment_bytes = 2000;
  fill(10);
  auto log = open();
  Offset third = log->segments()[2]->base();
  auto cleaned = testing::make_batch({.records = 1, .base_offset = third.value - 1, .epoch = 0}, 99);
  disk_->write("/data/topic-0/00000000000000000000.log.cleaned", cleaned);
  auto deny = [&](ErrorCode code) {
    disk_->set_fault([code](const std::string& operation, const std::string& path) -> std::optional<Error> {
      return operation == "open" ? std::optional(Error{code, path}) : std::nullopt;
    });
  };
  deny(ErrorCode::kBusy);
  Offset second = log->segments()[1]->base();
  EXPECT_FALSE(log->replace_segments(Offset(0), second, {Offset(0)}, options_now_));
  disk_->set_fault(nullptr);
  EXPECT_EQ(read(*log, 0).size(), 20u);
  ASSERT_TRUE(log->replace_segments(Offset(0), second, {Offset(0)}, options_now_));
  EXPECT_EQ(read(*log, 0)[0].offset, third.value - 1);
}

TEST_F(DamageTest, ACompleteSwapTakesThePlaceOfWhatItCovers) {
  config_->segment_bytes = 2000;
  fill(10);
  auto log = open();
  Offset second = log->segments()[1]->base();
  Offset third = log->segments()[2]->base();
  log.reset();
  disk_->kill();
  // Compaction left one batch of the first two segments.
  auto cleaned = testing::make_batch({.records = 1, .base_offset = third.value - 1, .epoch = 0}, 99);
  disk_->write("/data/topic-0/00000000000000000000.log.swap", cleaned);
  log = recover();
  EXPECT_EQ(log->segments()[1]->base(), third);
  EXPECT_LT(second, third);
  std::vector<ReadRecord> records = read(*log, 0);
  EXPECT_EQ(records[0].offset, third.value - 1);
  EXPECT_EQ(records[0].value.substr(0, 3), "v99");
  EXPECT_EQ(records.size(), 1u + static_cast<size_t>(20 - third.value));
}

TEST_F(DamageTest, SegmentsAreReplacedAllOrNothing) {
  config_->segment_bytes = 2000;
  auto log = open();
  for (int i = 0; i < 10; ++i) append(*log, {.records = 2, .value_bytes = 300});
  Offset third = log->segments()[2]->base();
  Offset last = log->segments()[1]->base();
  auto cleaned = testing::make_batch({.records = 1, .base_offset = third.value - 1, .epoch = 0}, 99);
  disk_->write("/data/topic-0/00000000000000000000.log.cleaned", cleaned);
  disk_->write("/data/topic-0/00000000000000000000.index.cleaned", {});
  disk_->write("/data/topic-0/00000000000000000000.timeindex.cleaned", {});
  ASSERT_TRUE(log->replace_segments(Offset(0), last, {Offset(0)}, options_now_));
  std::vector<int64_t> expected{third.value - 1};
  for (int64_t i = third.value; i < 20; ++i) expected.push_back(i);
  EXPECT_EQ(offsets(*log, 0), expected);
  EXPECT_TRUE(disk_->exists("/data/topic-0/00000000000000000000.log.deleted"));
  ASSERT_TRUE(log->remove_due(options_now_ + 60000));
  disk_->kill();
  EXPECT_EQ(offsets(*recover(), 0), expected);
}

}  // namespace
}  // namespace barnabas::log
