#include "client/producer/accumulator.h"

#include <gtest/gtest.h>

#include <thread>

#include "runtime/testing/manual_executor.h"

namespace barnabas::client::producer {
namespace {

class CountingRandom final : public runtime::Random {
 public:
  uint64_t next() override { return ++last; }
  uint64_t last = 0;
};

struct Fixture : testing::Test {
  ProducerSettings settings;
  runtime::testing::ManualClock clock;
  CountingRandom random;
  int woken = 0;
  std::unique_ptr<Accumulator> accumulator;
  Topic topic{"t"};
  std::vector<std::unique_ptr<Partition>> owned;
  Topic::List list;
  Leader leader{1};

  void begin(int partitions = 1) {
    accumulator = std::make_unique<Accumulator>(settings, clock, random, [this] { ++woken; });
    for (int i = 0; i < partitions; ++i) {
      owned.push_back(std::make_unique<Partition>(topic, i));
      owned.back()->leader = &leader;
      list.push_back(owned.back().get());
      topic.available.push_back(i);
    }
    topic.partitions = &list;
  }
  Accumulator::Outcome add(Partition& partition, std::string_view value, bool sticky = false) {
    ProducerRecord record{.topic = "t", .value = value};
    Accumulator::Item item{.record = record, .shape = RecordShape(record)};
    return accumulator->append(partition, sticky, item);
  }
  int noted() {
    int count = 0;
    for (Partition* partition = accumulator->take_noted(); partition != nullptr; ++count) {
      Partition* next = partition->next_noted;
      partition->noted = false;
      partition = next;
    }
    return count;
  }
};
using AccumulatorTest = Fixture;

TEST_F(AccumulatorTest, WakesTheLoopForTheFirstRecordAndForFullBatches) {
  settings.batch_bytes = 1000;
  begin();
  add(*list[0], "first");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(noted(), 1);
  for (int i = 0; i < 5; ++i) add(*list[0], std::string(100, 'x'));
  EXPECT_EQ(woken, 1) << "nothing new for the loop";
  for (int i = 0; i < 5; ++i) add(*list[0], std::string(100, 'x'));
  EXPECT_EQ(woken, 2) << "a batch is full";
}

TEST_F(AccumulatorTest, DoesNotWakeALoopThatWillComeBy) {
  begin(2);
  accumulator->set_armed(clock.now() + milliseconds(3));
  add(*list[0], "x");
  EXPECT_EQ(woken, 0) << "its timer is due before the record has lingered";
  accumulator->set_armed(clock.now() + milliseconds(100));
  add(*list[1], "x");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(noted(), 2);
}

TEST_F(AccumulatorTest, DoesNotWakeTheLoopForABusyBroker) {
  settings.batch_bytes = 300;
  begin();
  leader.busy = true;
  accumulator->set_armed(clock.now());
  for (int i = 0; i < 20; ++i) add(*list[0], std::string(100, 'x'));
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(noted(), 1);
}

TEST_F(AccumulatorTest, HandsOutBatchesInOrder) {
  settings.batch_bytes = 300;
  begin();
  for (int i = 0; i < 7; ++i) add(*list[0], std::string(100, 'x'));
  EXPECT_EQ(list[0]->queued, 4);
  EXPECT_EQ(accumulator->due(*list[0]), MonotonicTime{}) << "full batches are due";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(accumulator->pop(*list[0], false)->record_count(), 2);
  EXPECT_EQ(accumulator->pop(*list[0], false), nullptr);
  EXPECT_EQ(accumulator->due(*list[0]), clock.now() + milliseconds(settings.linger_ms));
  EXPECT_EQ(accumulator->pop(*list[0], true)->record_count(), 1);
  EXPECT_EQ(list[0]->queued, 0);
}

TEST_F(AccumulatorTest, RecordsWithoutAKeyStayWithAPartitionForABatch) {
  settings.batch_bytes = 1000;
  begin(3);
  std::vector<int32_t> where;
  for (int i = 0; i < 90; ++i) {
    int32_t index;
    Accumulator::Outcome outcome;
    do {
      index = accumulator->sticky_partition(topic);
      outcome = add(*list[static_cast<size_t>(index)], std::string(100, 'x'), true);
    } while (outcome == Accumulator::Outcome::kMoved);
    ASSERT_EQ(outcome, Accumulator::Outcome::kTaken);
    where.push_back(index);
  }
  int changes = 0;
  for (size_t i = 1; i < where.size(); ++i) changes += where[i] != where[i - 1];
  EXPECT_GE(changes, 4);
  EXPECT_LE(changes, 12) << "at most once a batch";
  for (Partition* partition : list) EXPECT_GT(partition->queued, 0) << "and all get some";
}

TEST_F(AccumulatorTest, TakesARecordLargerThanABatchWithoutAKey) {
  settings.batch_bytes = 1000;
  begin();
  for (size_t size : {size_t{5000}, size_t{10}, size_t{5000}, size_t{5000}}) {
    auto outcome = Accumulator::Outcome::kMoved;
    for (int tries = 0; outcome == Accumulator::Outcome::kMoved && tries < 10; ++tries) {
      auto index = static_cast<size_t>(accumulator->sticky_partition(topic));
      outcome = add(*list[index], std::string(size, 'x'), true);
    }
    EXPECT_EQ(outcome, Accumulator::Outcome::kTaken) << size;
  }
}

TEST_F(AccumulatorTest, RefusesWhatHasNoRoomUntilABatchIsDone) {
  settings.batch_bytes = 1000;
  settings.buffer_memory_bytes = 2000;
  begin();
  std::string large(900, 'x');
  EXPECT_EQ(add(*list[0], large), Accumulator::Outcome::kTaken);
  EXPECT_EQ(add(*list[0], large), Accumulator::Outcome::kTaken);
  EXPECT_EQ(add(*list[0], large), Accumulator::Outcome::kNoRoom);
  std::thread waiting([&] { EXPECT_TRUE(accumulator->memory().wait_for_room(1000, seconds(30))); });
  accumulator->pop(*list[0], true).reset();
  waiting.join();
  EXPECT_EQ(add(*list[0], large), Accumulator::Outcome::kTaken);
}

TEST_F(AccumulatorTest, AWaitForRoomEndsWithItsDeadlineAndWithTheProducer) {
  settings.batch_bytes = 1000;
  settings.buffer_memory_bytes = 1000;
  begin();
  add(*list[0], "x");
  EXPECT_FALSE(accumulator->memory().wait_for_room(1000, Duration(0)));
  accumulator->close();
  EXPECT_TRUE(accumulator->memory().wait_for_room(1000, std::chrono::hours(1)));
  EXPECT_EQ(add(*list[0], "x"), Accumulator::Outcome::kClosed);
}

TEST_F(AccumulatorTest, FillsMorePlainBytesIntoBatchesThatCompressWell) {
  settings.batch_bytes = 1000;
  settings.compression.codec = wire::Codec::kLz4;
  begin();
  add(*list[0], "x");
  EXPECT_EQ(accumulator->pop(*list[0], true)->limit(), 1000u);
  for (int i = 0; i < 50; ++i) accumulator->learn_ratio(1000, 250);
  add(*list[0], "x");
  EXPECT_GE(accumulator->pop(*list[0], true)->limit(), 3000u);
  accumulator->forget_ratio();
  add(*list[0], "x");
  EXPECT_EQ(accumulator->pop(*list[0], true)->limit(), 1000u);
}

TEST_F(AccumulatorTest, ManyThreadsLoseNothing) {
  settings.batch_bytes = 500;
  begin(2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(add(*list[static_cast<size_t>(i % 2)], "value"), Accumulator::Outcome::kTaken);
    });
  }
  for (auto& thread : threads) thread.join();
  int records = 0;
  for (Partition* partition : list) {
    while (auto batch = accumulator->pop(*partition, true)) records += batch->record_count();
  }
  EXPECT_EQ(records, 8000);
}

TEST(TopicTable, FindsWhatWasAddedAlsoAfterItHasGrown) {
  TopicTable table;
  std::vector<Topic*> added;
  for (int i = 0; i < 100; ++i) added.push_back(&table.find_or_add("topic" + std::to_string(i)));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(table.find("topic" + std::to_string(i)), added[static_cast<size_t>(i)]);
  EXPECT_EQ(&table.find_or_add("topic7"), added[7]);
  EXPECT_EQ(table.find("none"), nullptr);
  EXPECT_EQ(table.all(), added);
}

}  // namespace
}  // namespace barnabas::client::producer
