// What tests of compaction share: batches of keys and values, a cleaning from plan to end, and what a log holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/cleaner.h"
#include "log/testing/log_fixture.h"

namespace barnabas::log::testing {

struct KeyValue {
  std::optional<std::string> key;
  std::optional<std::string> value;
};

struct KeyedSpec {
  TimestampMs timestamp = 1000;
  wire::Codec codec{};
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t sequence = -1;
  bool transactional = false;
};

Buffer make_keyed_batch(const std::vector<KeyValue>& records, const KeyedSpec& spec = {});

class CleanerFixture : public LogFixture {
 protected:
  static constexpr int64_t kDeleteRetention = 1000;

  CleanerFixture() { config_->cleanup_compact = true; }

  int64_t put(Log& log, const std::vector<KeyValue>& records, const KeyedSpec& spec = {});
  void roll(Log& log) { EXPECT_TRUE(log.roll(options_now_)); }
  // One cleaning of everything below `high_watermark` from checkpoint_ on, which it moves.
  Result<CleanerStats> clean(Log& log, Offset high_watermark = Offset(INT64_MAX));
  // "offset:key=value" of every record of data, "offset:commit" or "offset:abort" of markers.
  std::vector<std::string> contents(Log& log);
  // The headers of all batches.
  std::vector<wire::BatchHeader> batches(Log& log);
  // Whole batches, from the log start.
  std::vector<Buffer> batch_bytes(Log& log);

  std::optional<Offset> checkpoint_;
  CleanerLags lags_;
  uint64_t map_bytes_ = 1 << 20;
};

}  // namespace barnabas::log::testing
