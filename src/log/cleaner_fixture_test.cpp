// The bodies of testing/cleaner_fixture.h; a test file, so that the library stays free of test code.
#include "log/testing/cleaner_fixture.h"
#include "wire/control_record.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log::testing {

Buffer make_keyed_batch(const std::vector<KeyValue>& records, const KeyedSpec& spec) {
  wire::BatchBuilder builder({.compression = {.codec = spec.codec},
                              .producer_id = ProducerId(spec.producer_id),
                              .producer_epoch = spec.producer_epoch,
                              .base_sequence = spec.sequence,
                              .transactional = spec.transactional});
  TimestampMs timestamp = spec.timestamp;
  for (const KeyValue& record : records) {
    wire::NewRecord made{.timestamp = timestamp++};
    if (record.key) made.key = as_bytes(*record.key);
    if (record.value) made.value = as_bytes(*record.value);
    builder.add(made);
  }
  return builder.build();
}

int64_t CleanerFixture::put(Log& log, const std::vector<KeyValue>& records, const KeyedSpec& spec) {
  return append_bytes(log, make_keyed_batch(records, spec));
}

Result<CleanerStats> CleanerFixture::clean(Log& log, Offset high_watermark) {
  high_watermark = std::min(high_watermark, log.log_end_offset());
  TRY_ASSIGN(replication::ProducerState * producers, log.producers());
  producers->high_watermark_advanced(high_watermark);
  TRY_ASSIGN(CleanableRange range, find_cleanable(log, checkpoint_, high_watermark, lags_, options_now_));
  if (range.empty()) return CleanerStats{};
  TRY_ASSIGN(CleanPlan plan, plan_cleaning(log, range, high_watermark, kDeleteRetention, options_now_));
  OffsetMap map(map_bytes_, 0.9);
  Cleaner cleaner(log.directory(), std::move(plan), map, {.logger = &logger_});
  TRY(cleaner.build_map());
  bool more = true;
  while (more) {
    TRY_ASSIGN(more, cleaner.clean_next([&](const std::function<void(Log&)>& work) { work(log); }));
  }
  checkpoint_ = cleaner.clean_until();
  return cleaner.stats();
}

std::vector<Buffer> CleanerFixture::batch_bytes(Log& log) {
  std::vector<Buffer> found;
  Offset next = log.log_start_offset();
  while (true) {
    Result<ReadPlan> plan = log.plan_read(next, Offset(INT64_MAX), 1 << 20, true);
    EXPECT_TRUE(plan) << plan.error().message;
    if (!plan || plan->empty()) return found;
    Buffer bytes = *plan->payload.to_buffer();
    wire::BatchCursor cursor(bytes);
    while (true) {
      Result<std::optional<wire::BatchView>> view = cursor.next();
      EXPECT_TRUE(view) << view.error().message;
      if (!view || !*view) break;
      EXPECT_TRUE(wire::crc_matches((*view)->bytes));
      found.emplace_back((*view)->bytes.begin(), (*view)->bytes.end());
      next = (*view)->header.next_offset();
    }
  }
}

std::vector<wire::BatchHeader> CleanerFixture::batches(Log& log) {
  std::vector<wire::BatchHeader> headers;
  for (const Buffer& bytes : batch_bytes(log)) headers.push_back(*wire::BatchHeader::decode(bytes));
  return headers;
}

std::vector<std::string> CleanerFixture::contents(Log& log) {
  std::vector<std::string> all;
  for (const Buffer& bytes : batch_bytes(log)) {
    wire::BatchHeader header = *wire::BatchHeader::decode(bytes);
    wire::RecordIterator records(header, bytes);
    wire::RecordView record;
    while (records.next(record)) {
      std::string line = std::to_string(header.base_offset + record.offset_delta) + ":";
      if (header.is_control()) {
        bool commit = *wire::decode_control_key(*record.key) == wire::ControlRecordType::kCommit;
        all.push_back(line + (commit ? "commit" : "abort"));
        continue;
      }
      line += record.key ? std::string(as_text(*record.key)) : "(null)";
      all.push_back(line + "=" + (record.value ? std::string(as_text(*record.value)) : "(null)"));
    }
    EXPECT_TRUE(records.status()) << records.status().error().message;
  }
  return all;
}

}  // namespace barnabas::log::testing
