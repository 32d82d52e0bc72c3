#include "log/cleaner_filter.h"

#include <string>

#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {

using wire::BatchHeader;
using What = FilteredBatch::What;

namespace {

std::unexpected<Error> corrupt(const BatchHeader& header, const std::string& why) {
  return fail(ErrorCode::kCorrupt, "the batch at offset " + std::to_string(header.base_offset) + ": " + why);
}

Buffer rebuild(const BatchHeader& header, BytesView batch, const std::vector<bool>& decisions,
               std::optional<TimestampMs> horizon) {
  bool append_time = header.timestamp_type() == wire::TimestampType::kLogAppendTime;
  wire::BatchBuilder builder({.compression = {.codec = header.compression()},
                              .base_offset = header.first_offset(),
                              .leader_epoch = header.leader_epoch(),
                              .producer_id = ProducerId(header.producer_id),
                              .producer_epoch = header.producer_epoch,
                              .base_sequence = header.base_sequence,
                              .log_append_time = append_time ? std::optional(header.max_timestamp) : std::nullopt,
                              .transactional = header.is_transactional(),
                              .control = header.is_control(),
                              .delete_horizon = horizon});
  wire::RecordIterator records(header, batch);
  wire::RecordView record;
  for (size_t i = 0; i < decisions.size() && records.next(record); ++i) {
    if (!decisions[i]) continue;
    builder.add({.timestamp = header.record_timestamp(record.timestamp_delta),
                 .key = record.key,
                 .value = record.value,
                 .read_headers = record.headers,
                 .offset_delta = record.offset_delta});
  }
  builder.set_last_offset_delta(header.last_offset_delta);
  return builder.build();
}

}  // namespace

bool CleanerFilter::is_last_of_producer(const BatchHeader& header) const {
  if (!header.has_producer_id()) return false;
  auto found = rules_.last_of_producers.find(ProducerId(header.producer_id));
  if (found == rules_.last_of_producers.end()) return false;
  const LastOfProducer& last = found->second;
  return last.data_offset ? header.last_offset() == *last.data_offset
                          : header.is_control() && header.producer_epoch == last.epoch;
}

bool CleanerFilter::keeps(Offset offset, const std::optional<BytesView>& key, bool has_value,
                          bool horizon_passed) const {
  if (offset >= map_end_) return true;
  if (!key) return false;
  std::optional<Offset> latest = map_.find(*key);
  if (latest && offset < *latest) return false;
  return has_value || !horizon_passed;
}

Result<FilteredBatch> CleanerFilter::filter(const BatchHeader& header, BytesView batch,
                                            CleanerTransactions& transactions,
                                            std::vector<replication::AbortedTransaction>& kept_aborted) {
  bool superfluous =
      header.is_control() ? transactions.control_batch(header, batch, kept_aborted) : transactions.data_batch(header);
  bool horizon_passed = header.delete_horizon() && *header.delete_horizon() <= rules_.now;
  bool drop_all = superfluous && (!header.is_control() || horizon_passed);
  bool keep_emptied = is_last_of_producer(header) || header.next_offset() == rules_.high_watermark;

  int32_t kept = 0;
  bool has_tombstone = false;
  decisions_.clear();
  if (!drop_all) {
    wire::RecordIterator records(header, batch);
    wire::RecordView record;
    int32_t delta_before = -1;
    while (records.next(record)) {
      if (record.offset_delta <= delta_before || record.offset_delta > header.last_offset_delta) {
        return corrupt(header, "its records are not in order");
      }
      delta_before = record.offset_delta;
      Offset offset = header.first_offset() + record.offset_delta;
      bool keep = header.is_control() || keeps(offset, record.key, record.value.has_value(), horizon_passed);
      decisions_.push_back(keep);
      if (!keep) continue;
      ++kept;
      has_tombstone |= !record.value;
    }
    if (Result<> read = records.status(); !read) return corrupt(header, read.error().message);
  }

  if (kept == 0) {
    if (!keep_emptied) return FilteredBatch{};
    if (header.record_count == 0) return FilteredBatch{.what = What::kAsItWas};
    return FilteredBatch{.what = What::kRewritten, .rewritten = wire::encode_emptied_batch(header)};
  }
  bool marker_without_data = superfluous && header.is_control();
  bool new_horizon = (has_tombstone || marker_without_data) && !header.delete_horizon();
  if (kept == header.record_count && !new_horizon) return FilteredBatch{.what = What::kAsItWas, .kept = kept};
  std::optional<TimestampMs> horizon =
      new_horizon ? std::optional(rules_.now + rules_.delete_retention_ms) : header.delete_horizon();
  return FilteredBatch{
      .what = What::kRewritten, .rewritten = rebuild(header, batch, decisions_, horizon), .kept = kept};
}

}  // namespace barnabas::log
