// What a partition does when its storage is short of something, or fails.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/partition.h"
#include "log/log.h"
#include "log/log_config.h"
#include "log/log_dir.h"
#include "log/testing/memory_disk.h"
#include "runtime/logger.h"
#include "runtime/testing/manual_executor.h"
#include "wire/record_batch_builder.h"

namespace barnabas::broker {
namespace {

using wire::KafkaError;

struct Quiet final : runtime::Logger {
  void log(runtime::LogLevel, std::string_view) override {}
};

class PartitionStorageTest : public ::testing::Test {
 protected:
  PartitionStorageTest() {
    dir_ = *log::LogDir::open(disk_, "/data", logger_);
    settings_.segment_bytes = 100;  // the second record begins a new file
    open();
  }

  void open() {
    log::LogOptions options;
    options.directory = *dir_->create_partition({"t", 0}, Uuid{1, 1});
    options.name = "t-0";
    options.config = log_config_of(settings_);
    options.logger = &logger_;
    Partition::Options how{.self = BrokerId(1), .log_dir = "/data"};
    how.on_storage_failure = [this](const std::string& reason) { failures_.push_back(reason); };
    partition_ = std::make_shared<Partition>(PartitionName{"t", Uuid{1, 1}, 0}, std::move(how),
                                             *log::Log::open(std::move(options)),
                                             std::make_shared<const config::TopicConfig>(settings_), Offset(0));
    partition_->apply({.leader = BrokerId(1),
                       .leader_epoch = LeaderEpoch(0),
                       .partition_epoch = 0,
                       .replicas = {BrokerId(1)},
                       .isr = {BrokerId(1)}});
  }

  AppendAnswer append(wire::BatchOptions options = {}) {
    wire::BatchBuilder builder(options);
    builder.add({.timestamp = clock_.wall_time(), .value = as_bytes("value")});
    auto batch = std::make_shared<Buffer>(builder.build());
    AppendAnswer answer = partition_->append(
        {.records = MutableBytes(*batch), .owner = batch, .now = clock_.wall_time(), .from_client = false});
    partition_->write_staged(loop_);
    loop_.run_until_idle();
    return answer;
  }

  void fail_opens(ErrorCode code) {
    disk_.set_fault([code](const std::string& operation, const std::string& path) -> std::optional<Error> {
      if (operation != "open") return std::nullopt;
      return Error{code, "open " + path};
    });
  }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  log::testing::MemoryDisk disk_;
  Quiet logger_;
  config::TopicConfig settings_;
  std::unique_ptr<log::LogDir> dir_;
  std::vector<std::string> failures_;
  std::shared_ptr<Partition> partition_;
};

TEST_F(PartitionStorageTest, WithoutDescriptorsARequestFailsAndTheNextMayWork) {
  ASSERT_EQ(append().error, KafkaError::kNone);
  fail_opens(ErrorCode::kBusy);
  EXPECT_EQ(append().error, KafkaError::kKafkaStorageError);
  EXPECT_FALSE(partition_->status().failed);
  disk_.set_fault(nullptr);
  EXPECT_EQ(append().error, KafkaError::kNone);
  EXPECT_EQ(partition_->status().high_watermark, Offset(2));
  EXPECT_TRUE(failures_.empty());
}

TEST_F(PartitionStorageTest, WithoutDescriptorsASyncIsTriedAgain) {
  ASSERT_EQ(append().error, KafkaError::kNone);
  // The new file's name is to be made durable, which takes a descriptor.
  disk_.set_fault([](const std::string& operation, const std::string& path) -> std::optional<Error> {
    bool directory = operation == "open" && path.ends_with("/t-0");
    return directory ? std::optional(Error{ErrorCode::kBusy, "open " + path}) : std::nullopt;
  });
  EXPECT_EQ(append().error, KafkaError::kNone);
  EXPECT_EQ(partition_->status().high_watermark, Offset(1)) << "not durable, not committed";
  disk_.set_fault(nullptr);
  clock_.advance(seconds(1));
  loop_.run_until_idle();
  EXPECT_EQ(partition_->status().high_watermark, Offset(2));
  EXPECT_TRUE(failures_.empty());
}

TEST_F(PartitionStorageTest, ADeviceThatFailsIsReportedOnceAndForGood) {
  ASSERT_EQ(append().error, KafkaError::kNone);
  fail_opens(ErrorCode::kIo);
  EXPECT_EQ(append().error, KafkaError::kKafkaStorageError);
  EXPECT_TRUE(partition_->status().failed);
  EXPECT_EQ(failures_.size(), 1u);
  disk_.set_fault(nullptr);
  EXPECT_EQ(append().error, KafkaError::kKafkaStorageError);
  EXPECT_EQ(partition_->read({}).error, KafkaError::kKafkaStorageError);
  EXPECT_EQ(failures_.size(), 1u);
}

TEST_F(PartitionStorageTest, SilentProducersAreForgottenByTheConfiguredTime) {
  partition_->set_config(std::make_shared<const config::TopicConfig>(settings_), 60000);
  ASSERT_EQ(append({.producer_id = ProducerId(7), .producer_epoch = 0, .base_sequence = 0}).error, KafkaError::kNone);
  partition_->expire_producers(clock_.wall_time() + 59000);
  EXPECT_EQ(partition_->producers().size(), 1u);
  partition_->expire_producers(clock_.wall_time() + 61000);
  EXPECT_TRUE(partition_->producers().empty());
}

}  // namespace
}  // namespace barnabas::broker
