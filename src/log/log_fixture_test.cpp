// The bodies of testing/log_fixture.h; a test file, so that the library stays free of test code.
#include "log/testing/log_fixture.h"

#include "wire/control_record.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log::testing {

Buffer make_batch(const BatchSpec& spec, int seed) {
  wire::BatchBuilder builder({.compression = {.codec = spec.codec},
                              .base_offset = Offset(spec.base_offset),
                              .leader_epoch = LeaderEpoch(spec.epoch),
                              .producer_id = ProducerId(spec.producer_id),
                              .producer_epoch = spec.producer_epoch,
                              .base_sequence = spec.sequence,
                              .transactional = spec.transactional});
  for (int i = 0; i < spec.records; ++i) {
    std::string value = "v" + std::to_string(seed) + "-" + std::to_string(i);
    if (value.size() < spec.value_bytes) value.append(spec.value_bytes - value.size(), '.');
    builder.add({.timestamp = spec.timestamp + i, .value = as_bytes(value)});
  }
  return builder.build();
}

Buffer make_marker(int64_t producer_id, int16_t producer_epoch, bool commit, TimestampMs timestamp,
                   int32_t coordinator_epoch) {
  return wire::encode_end_txn_batch(
      {.timestamp = timestamp}, {.producer_id = ProducerId(producer_id), .producer_epoch = producer_epoch},
      {.type = commit ? wire::ControlRecordType::kCommit : wire::ControlRecordType::kAbort,
       .coordinator_epoch = coordinator_epoch});
}

LogOptions LogFixture::options(bool clean, Offset recovery_point) {
  LogOptions options;
  auto directory = disk_->open_directory(kPath, true);
  EXPECT_TRUE(directory) << directory.error().message;
  options.directory = *std::move(directory);
  options.name = "topic-0";
  options.config = config_;
  options.clean = clean;
  options.recovery_point = recovery_point;
  options.now = options_now_;
  options.logger = &logger_;
  return options;
}

Result<std::unique_ptr<Log>> LogFixture::try_open(LogOptions options) {
  return Log::open(std::move(options));
}

std::unique_ptr<Log> LogFixture::open(bool clean, Offset recovery_point) {
  auto log = Log::open(options(clean, recovery_point));
  EXPECT_TRUE(log) << log.error().message;
  return log ? *std::move(log) : nullptr;
}

int64_t LogFixture::append_bytes(Log& log, Buffer batch, int epoch) {
  auto owner = std::make_shared<Buffer>(std::move(batch));
  Result<AppendInfo> info = log.append(*owner, owner, LeaderEpoch(epoch), options_now_);
  EXPECT_TRUE(info) << info.error().message;
  Result<> written = log.write_staged();
  EXPECT_TRUE(written) << written.error().message;
  return info && written ? info->first_offset.value : -1;
}

int64_t LogFixture::append(Log& log, const BatchSpec& spec, int epoch) {
  return append_bytes(log, make_batch(spec, next_seed_++), epoch);
}

std::vector<ReadRecord> LogFixture::read(Log& log, int64_t from, int64_t upper, uint32_t max_bytes) {
  std::vector<ReadRecord> found;
  Offset next(from);
  while (true) {
    Result<ReadPlan> plan = log.plan_read(next, Offset(upper), max_bytes, true);
    EXPECT_TRUE(plan) << plan.error().message;
    if (!plan || plan->empty()) return found;
    Result<Buffer> bytes = plan->payload.to_buffer();
    EXPECT_TRUE(bytes) << bytes.error().message;
    if (!bytes) return found;
    wire::BatchCursor cursor(*bytes);
    while (true) {
      Result<std::optional<wire::BatchView>> view = cursor.next();
      EXPECT_TRUE(view) << view.error().message;
      if (!view || !*view) break;
      EXPECT_TRUE(wire::crc_matches((*view)->bytes));
      wire::RecordIterator records((*view)->header, (*view)->bytes);
      wire::RecordView record;
      while (records.next(record)) {
        int64_t offset = (*view)->header.base_offset + record.offset_delta;
        if (offset < next.value) continue;
        found.push_back({.offset = offset,
                         .timestamp = (*view)->header.record_timestamp(record.timestamp_delta),
                         .value = record.value ? std::string(as_text(*record.value)) : std::string("(null)")});
      }
      EXPECT_TRUE(records.status()) << records.status().error().message;
      EXPECT_GT((*view)->header.next_offset(), next);
      next = (*view)->header.next_offset();
    }
  }
}

}  // namespace barnabas::log::testing
