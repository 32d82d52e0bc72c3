// Compaction of logs with transactions and idempotent producers.
#include <gtest/gtest.h>

#include "log/testing/cleaner_fixture.h"
#include "wire/control_record.h"

namespace barnabas::log {
namespace {

using testing::make_marker;
using Lines = std::vector<std::string>;

class CleanerTransactionTest : public testing::CleanerFixture {
 protected:
  testing::KeyedSpec of(int64_t producer, int32_t sequence, bool transactional = true) {
    return {.timestamp = options_now_,
            .producer_id = producer,
            .producer_epoch = 0,
            .sequence = sequence,
            .transactional = transactional};
  }
  void filler(Log& log, const std::string& key) {
    put(log, {{key, "x"}});
    roll(log);
  }
  size_t aborted(Log& log) { return log.aborted_transactions(Offset(0), log.log_end_offset())->size(); }
};

TEST_F(CleanerTransactionTest, AbortedRecordsGoAtOnceAndDoNotReplaceOthers) {
  auto log = open();
  put(*log, {{"a", "1"}});
  put(*log, {{"a", "aborted"}, {"b", "aborted"}}, of(5, 0));
  append_bytes(*log, make_marker(5, 0, false));
  put(*log, {{"c", "1"}}, of(5, 2));
  append_bytes(*log, make_marker(5, 0, true));
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"0:a=1", "3:abort", "4:c=1", "5:commit"}));
}

TEST_F(CleanerTransactionTest, AMarkerStaysUntilItsDataIsGoneAndItsHorizonPassed) {
  auto log = open();
  put(*log, {{"a", "aborted"}}, of(5, 0));
  append_bytes(*log, make_marker(5, 0, false));
  put(*log, {{"z", "1"}}, of(5, 1, false));  // not its last batch then
  roll(*log);
  ASSERT_EQ(aborted(*log), 1u);

  ASSERT_TRUE(clean(*log));  // the data goes
  EXPECT_EQ(contents(*log), (Lines{"1:abort", "2:z=1"}));
  EXPECT_FALSE(batches(*log)[0].delete_horizon());
  EXPECT_EQ(aborted(*log), 1u);

  filler(*log, "f1");
  ASSERT_TRUE(clean(*log));  // nothing left of it: the count begins
  EXPECT_EQ(contents(*log)[0], "1:abort");
  EXPECT_EQ(batches(*log)[0].delete_horizon(), options_now_ + kDeleteRetention);
  EXPECT_EQ(aborted(*log), 0u);

  options_now_ += kDeleteRetention;
  filler(*log, "f2");
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log)[0], "2:z=1");
}

TEST_F(CleanerTransactionTest, ACommitMarkerWithDataStaysAsItIs) {
  auto log = open();
  put(*log, {{"a", "1"}}, of(5, 0));
  append_bytes(*log, make_marker(5, 0, true));
  roll(*log);
  auto before = batch_bytes(*log);
  for (int i = 0; i < 3; ++i) {
    options_now_ += kDeleteRetention;
    filler(*log, "f" + std::to_string(i));
    ASSERT_TRUE(clean(*log));
  }
  EXPECT_EQ(batch_bytes(*log)[0], before[0]);
  EXPECT_EQ(batch_bytes(*log)[1], before[1]);
}

TEST_F(CleanerTransactionTest, AnOpenTransactionStopsTheCleaning) {
  auto log = open();
  put(*log, {{"a", "1"}});
  put(*log, {{"a", "2"}});
  roll(*log);
  put(*log, {{"a", "3"}}, of(5, 0));
  roll(*log);
  put(*log, {{"a", "4"}});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"1:a=2", "2:a=3", "3:a=4"}));
  EXPECT_EQ(checkpoint_, Offset(2));
  append_bytes(*log, make_marker(5, 0, true));
  roll(*log);
  ASSERT_TRUE(clean(*log));
  // Offset 2 is empty now, but remembered: the last of its producer.
  EXPECT_EQ(contents(*log), (Lines{"3:a=4", "4:commit"}));
}

TEST_F(CleanerTransactionTest, ATransactionWhoseMarkerLiesInTheActiveSegmentIsKnownToBeAborted) {
  auto log = open();
  put(*log, {{"a", "1"}});
  put(*log, {{"a", "aborted"}}, of(5, 0));
  roll(*log);
  append_bytes(*log, make_marker(5, 0, false));
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"0:a=1", "2:abort"}));
  EXPECT_EQ(aborted(*log), 1u);
}

TEST_F(CleanerTransactionTest, TheLastBatchOfAProducerStaysWithoutRecordsSoThatItsSequenceIsKnown) {
  auto log = open();
  put(*log, {{"a", "1"}, {"b", "1"}}, of(9, 0, false));
  put(*log, {{"a", "2"}, {"b", "2"}}, of(9, 2, false));
  put(*log, {{"a", "3"}, {"b", "3"}});
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"4:a=3", "5:b=3"}));
  auto left = batches(*log);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].size_in_bytes(), wire::kBatchOverhead);
  EXPECT_EQ(left[0].base_offset, 2);
  EXPECT_EQ(left[0].last_offset(), Offset(3));
  EXPECT_EQ(left[0].last_sequence(), 3);

  // Found again by a start that has nothing but the log.
  disk_->kill();
  log.reset();
  for (const std::string& name : disk_->list("/data/topic-0")) {
    if (name.ends_with(".snapshot")) disk_->remove("/data/topic-0/" + name);
  }
  log = open();
  auto repeated = log->check_producer(
      {.last_offset_delta = 1, .producer_id = 9, .producer_epoch = 0, .base_sequence = 2, .record_count = 2},
      replication::AppendOrigin::kClient);
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->kind, replication::ProducerVerdict::Kind::kDuplicate);
  EXPECT_EQ(repeated->base_offset, Offset(2));

  // Once the producer goes on, the empty batch goes.
  put(*log, {{"c", "1"}}, of(9, 4, false));
  roll(*log);
  ASSERT_TRUE(clean(*log));
  EXPECT_EQ(contents(*log), (Lines{"4:a=3", "5:b=3", "6:c=1"}));
  EXPECT_EQ(batches(*log).size(), 2u);
}

}  // namespace
}  // namespace barnabas::log
