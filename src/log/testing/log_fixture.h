// What tests of logs share: a disk in memory, logs on it, batches to put in, and their records read back.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "log/log.h"
#include "log/testing/memory_disk.h"
#include "runtime/logger.h"
#include "wire/record_batch_builder.h"

namespace barnabas::log::testing {

class RecordingLogger : public runtime::Logger {
 public:
  void log(runtime::LogLevel level, std::string_view line) override {
    if (level >= runtime::LogLevel::kWarning) lines.emplace_back(line);
  }
  std::vector<std::string> lines;
};

struct BatchSpec {
  int records = 1;
  TimestampMs timestamp = 1000;  // of the first record; each next is one later
  size_t value_bytes = 20;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t sequence = -1;
  bool transactional = false;
  wire::Codec codec{};
  int64_t base_offset = 0;
  int32_t epoch = -1;
};

// The value of the record is "v<seed>-<i>" and as many dots as it takes.
Buffer make_batch(const BatchSpec& spec, int seed = 0);
Buffer make_marker(int64_t producer_id, int16_t producer_epoch, bool commit, TimestampMs timestamp = 1000,
                   int32_t coordinator_epoch = 0);

struct ReadRecord {
  int64_t offset = 0;
  TimestampMs timestamp = 0;
  std::string value;
  bool operator==(const ReadRecord&) const = default;
};

class LogFixture : public ::testing::Test {
 protected:
  static constexpr const char* kPath = "/data/topic-0";

  LogFixture() { options_now_ = 1'700'000'000'000; }

  // Opens the log on `disk_`; a failure is a test failure and nullptr.
  std::unique_ptr<Log> open(bool clean = false, Offset recovery_point = Offset(0));
  Result<std::unique_ptr<Log>> try_open(LogOptions options);
  LogOptions options(bool clean, Offset recovery_point);

  // Appends, writes, and returns the first offset, or -1 (and a test failure).
  int64_t append(Log& log, const BatchSpec& spec, int epoch = 0);
  int64_t append_bytes(Log& log, Buffer batch, int epoch = 0);
  // All records in [from, upper) through plan_read(), each plan as small as `max_bytes` makes it.
  std::vector<ReadRecord> read(Log& log, int64_t from, int64_t upper = INT64_MAX, uint32_t max_bytes = 1 << 20);

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::shared_ptr<LogConfig> config_ = std::make_shared<LogConfig>();
  RecordingLogger logger_;
  TimestampMs options_now_;
  int next_seed_ = 0;
};

}  // namespace barnabas::log::testing
