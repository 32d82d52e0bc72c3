#include "broker/log_cleaner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/topic_config.h"
#include "log/log.h"
#include "log/log_config.h"
#include "log/log_dir.h"
#include "log/testing/memory_disk.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/scope.h"
#include "runtime/stream.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"
#include "wire/record_batch_builder.h"

namespace barnabas::broker {
namespace {

constexpr const char* kDir = "/data";

struct Lines final : runtime::Logger {
  void log(runtime::LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

struct NoNetwork final : runtime::Network {
  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Endpoint&, const runtime::ListenOptions&) override {
    return fail(ErrorCode::kUnsupported, "no network");
  }
  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Executor&, runtime::Endpoint, Duration,
                                                                  runtime::CancelToken) override {
    co_return fail(ErrorCode::kUnsupported, "no network");
  }
};

struct Counter final : runtime::Random {
  uint64_t next() override { return ++value; }
  uint64_t value = 0;
};

class LogCleanerTest : public ::testing::Test {
 protected:
  LogCleanerTest() {
    dir_ = *log::LogDir::open(disk_, kDir, logger_);
    settings_.cleanup_compact = true;
    settings_.cleanup_delete = false;
    restart();
  }

  void restart() {
    cleaner_ = std::make_unique<LogCleaner>(
        world_, config_, [this] { return partitions_; }, [this](const std::string&) { return dir_.get(); });
  }

  std::shared_ptr<Partition> host(const std::string& topic, Uuid id) {
    log::LogOptions options;
    auto existing = dir_->open_partition(topic + "-0");
    options.directory = existing ? *std::move(existing) : *dir_->create_partition({topic, 0}, id);
    options.name = topic + "-0";
    options.config = log_config_of(settings_);
    options.logger = &logger_;
    auto log = log::Log::open(std::move(options));
    EXPECT_TRUE(log) << log.error().message;
    auto partition = std::make_shared<Partition>(
        PartitionName{topic, id, 0}, Partition::Options{.self = BrokerId(1), .log_dir = kDir}, *std::move(log),
        std::make_shared<const config::TopicConfig>(settings_), Offset(0));
    partition->apply({.leader = BrokerId(1),
                      .leader_epoch = LeaderEpoch(0),
                      .partition_epoch = 0,
                      .replicas = {BrokerId(1)},
                      .isr = {BrokerId(1)}});
    partitions_.push_back(partition);
    return partition;
  }

  // A batch for each key, committed, and a new segment.
  void fill(Partition& partition, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      wire::BatchBuilder builder({});
      builder.add({.timestamp = clock_.wall_time(), .key = as_bytes(key), .value = as_bytes(key)});
      auto batch = std::make_shared<Buffer>(builder.build());
      AppendAnswer answer = partition.append(
          {.records = MutableBytes(*batch), .owner = batch, .now = clock_.wall_time(), .from_client = false});
      ASSERT_EQ(answer.error, wire::KafkaError::kNone);
    }
    partition.write_staged(loop_);
    settle();
    partition.with_log([&](log::Log& log) {
      ASSERT_TRUE(log.roll(clock_.wall_time()));
      ASSERT_TRUE(log.flush());
    });
    ASSERT_EQ(partition.status().high_watermark, partition.status().log_end);
  }

  void settle() {
    do {
      loop_.run_until_idle();
    } while (workers_.run_one());
  }

  // Runs one cleaning to its end: the name of the log, "" when there was nothing to do.
  std::string clean() {
    logger_.lines.clear();
    auto job = cleaner_->begin();
    if (!job) return "";
    while (cleaner_->step(*job)) {
    }
    return logger_.lines.empty() ? "?" : logger_.lines.back().substr(0, logger_.lines.back().find(':'));
  }

  uint64_t size(Partition& partition) { return partition.status().size_bytes; }
  std::string checkpoint() { return std::string(as_text(disk_.read("/data/cleaner-offset-checkpoint"))); }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::testing::ManualWorkers workers_;
  log::testing::MemoryDisk disk_;
  Lines logger_;
  Counter random_;
  NoNetwork network_;
  runtime::World world_{clock_, random_, network_, disk_, workers_, logger_, {&loop_}};
  config::LogManagerConfig config_;
  config::TopicConfig settings_;
  std::unique_ptr<log::LogDir> dir_;
  std::vector<std::shared_ptr<Partition>> partitions_;
  std::unique_ptr<LogCleaner> cleaner_;
};

TEST_F(LogCleanerTest, TheDirtiestLogIsFirstAndTheCheckpointSaysHowFarItIsClean) {
  auto one = host("one", Uuid{1, 1});
  auto two = host("two", Uuid{2, 2});
  fill(*one, {"a", "b", "c", "d", "a"});
  EXPECT_EQ(clean(), "one-0");
  EXPECT_EQ(checkpoint(), "0\n1\none 0 5\n");
  fill(*one, {"a", "b", "c", "d", "a", "a", "a"});
  fill(*two, {"a", "a"});
  EXPECT_EQ(clean(), "two-0");
  EXPECT_EQ(clean(), "one-0");
  EXPECT_EQ(clean(), "");
  EXPECT_EQ(checkpoint(), "0\n2\none 0 12\ntwo 0 2\n");
}

TEST_F(LogCleanerTest, AfterAStartItGoesOnWhereTheCheckpointIs) {
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a"});
  EXPECT_EQ(clean(), "one-0");
  restart();
  EXPECT_EQ(clean(), "");
}

TEST_F(LogCleanerTest, ALogIsLeftUntilItIsDirtyEnoughOrItsOldestRecordWaitsTooLong) {
  settings_.min_cleanable_dirty_ratio = 0.9;
  settings_.max_compaction_lag_ms = 10'000;
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "b", "c", "d"});
  EXPECT_EQ(clean(), "one-0");
  fill(*one, {"a", "b", "c", "d"});
  EXPECT_EQ(clean(), "");
  loop_.advance(milliseconds(10'001));
  EXPECT_EQ(clean(), "one-0");
}

TEST_F(LogCleanerTest, LogsOfOtherPoliciesAreNotCompacted) {
  settings_.cleanup_compact = false;
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a"});
  EXPECT_EQ(clean(), "");
  settings_.cleanup_compact = settings_.cleanup_delete = true;
  one->set_config(std::make_shared<const config::TopicConfig>(settings_));
  EXPECT_EQ(clean(), "one-0");
}

TEST_F(LogCleanerTest, ATopicMadeAgainUnderItsNameBeginsDirty) {
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a", "a"});
  EXPECT_EQ(clean(), "one-0");
  one->abandon("deleted");
  partitions_.clear();
  ASSERT_TRUE(dir_->schedule_delete("one-0", Uuid{9, 9}, 0));
  auto again = host("one", Uuid{3, 3});
  fill(*again, {"a", "a", "a", "a"});
  uint64_t before = size(*again);
  EXPECT_EQ(clean(), "one-0");
  EXPECT_EQ(size(*again), before / 4);
}

TEST_F(LogCleanerTest, ALogThatIsDeletedWhileItIsCleanedLeavesItsSuccessorAlone) {
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a", "a"});
  auto job = cleaner_->begin();
  ASSERT_TRUE(job);
  ASSERT_TRUE(cleaner_->step(*job));
  one->abandon("deleted");
  partitions_.clear();
  ASSERT_TRUE(dir_->schedule_delete("one-0", Uuid{9, 9}, 0));
  auto again = host("one", Uuid{3, 3});
  fill(*again, {"a", "b", "c"});
  uint64_t before = size(*again);
  EXPECT_FALSE(cleaner_->step(*job));
  EXPECT_EQ(size(*again), before);
  for (const std::string& name : disk_.list("/data/one-0")) EXPECT_FALSE(name.ends_with(".cleaned")) << name;
}

TEST_F(LogCleanerTest, WithoutRoomItTriesAgainLater) {
  auto one = host("one", Uuid{1, 1});
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) keys.push_back("key" + std::to_string(i % 40));
  fill(*one, keys);
  disk_.set_capacity(disk_.used_bytes() + 100);
  EXPECT_EQ(clean(), "one-0");
  EXPECT_EQ(dir_->read_checkpoint(log::CheckpointKind::kCleaner)->count({"one", 0}), 0u);
  disk_.set_capacity(std::nullopt);
  EXPECT_EQ(clean(), "one-0");
  EXPECT_NE(checkpoint().find("one 0 50"), std::string::npos);
}

TEST_F(LogCleanerTest, SeveralLogsAreCleanedAtOnceButNoneTwice) {
  auto one = host("one", Uuid{1, 1});
  auto two = host("two", Uuid{2, 2});
  fill(*one, {"a", "a"});
  fill(*two, {"a", "a"});
  auto first = cleaner_->begin();
  auto second = cleaner_->begin();
  ASSERT_TRUE(first && second);
  EXPECT_NE(&first->partition(), &second->partition());
  EXPECT_FALSE(cleaner_->begin());
  for (auto* job : {&first, &second, &first, &second, &first, &second}) {
    if (*job && !cleaner_->step(**job)) job->reset();
  }
  EXPECT_FALSE(first || second);
  EXPECT_EQ(checkpoint(), "0\n2\none 0 2\ntwo 0 2\n");
  fill(*one, {"a", "a"});
  EXPECT_TRUE(cleaner_->begin());
}

TEST_F(LogCleanerTest, ThereAreAsManyWorkersAsThreadsAlsoAfterAChange) {
  std::vector<std::shared_ptr<Partition>> logs;
  for (const char* name : {"one", "two", "three"}) logs.push_back(host(name, Uuid{7, logs.size()}));
  for (const auto& log : logs) fill(*log, {"a", "a"});
  runtime::Scope scope(loop_);
  loop_.spawn(scope, cleaner_->run(scope.token()));
  loop_.advance(milliseconds(config_.cleaner_backoff_ms));
  EXPECT_EQ(workers_.waiting(), 1u);
  config_.cleaner_threads = 3;
  config_.cleaner_backoff_ms = 100;
  cleaner_->reconfigure(config_);
  loop_.advance(milliseconds(100));
  EXPECT_EQ(workers_.waiting(), 3u);
  settle();
  EXPECT_EQ(checkpoint(), "0\n3\none 0 2\nthree 0 2\ntwo 0 2\n");
  config_.cleaner_threads = 1;
  cleaner_->reconfigure(config_);
  settle();
  loop_.advance(milliseconds(100));
  EXPECT_EQ(workers_.waiting(), 1u);
  settle();
  scope.cancel();
  settle();
  EXPECT_TRUE(scope.empty());
}

TEST_F(LogCleanerTest, AShorterBackoffAndAHigherRateCountAtOnce) {
  config_.cleaner_io_max_bytes_per_second = 1;
  config_.cleaner_backoff_ms = 10'000'000;
  restart();
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a", "a", "a"});
  uint64_t before = size(*one);
  runtime::Scope scope(loop_);
  loop_.spawn(scope, cleaner_->run(scope.token()));
  settle();
  config_.cleaner_backoff_ms = 10;
  cleaner_->reconfigure(config_);
  settle();
  loop_.advance(milliseconds(10));
  settle();
  EXPECT_EQ(size(*one), before) << "the reading is not paid for";
  config_.cleaner_io_max_bytes_per_second = 1e9;
  cleaner_->reconfigure(config_);
  settle();
  loop_.advance(milliseconds(10));
  settle();
  EXPECT_EQ(size(*one), before / 4);
  scope.cancel();
  settle();
  EXPECT_TRUE(scope.empty());
}

TEST_F(LogCleanerTest, ItRunsInTheBackgroundAndHoldsToTheRateOfBytes) {
  config_.cleaner_io_max_bytes_per_second = 100;
  restart();
  auto one = host("one", Uuid{1, 1});
  fill(*one, {"a", "a", "a", "a"});
  uint64_t before = size(*one);
  runtime::Scope scope(loop_);
  loop_.spawn(scope, cleaner_->run(scope.token()));
  auto advance = [&](Duration duration) {
    settle();
    loop_.advance(duration);
    settle();
  };
  advance(milliseconds(14'999));
  EXPECT_EQ(size(*one), before);
  advance(milliseconds(1));
  EXPECT_EQ(size(*one), before);  // read, which has to be paid for
  advance(milliseconds(10'000));
  EXPECT_EQ(size(*one), before / 4);
  scope.cancel();
  settle();
  EXPECT_TRUE(scope.empty());
}

}  // namespace
}  // namespace barnabas::broker
