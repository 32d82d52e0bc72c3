// Offsets by time: the searches behind ListOffsets.
#include <algorithm>

#include "log/file_names.h"
#include "log/log.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {

using wire::BatchHeader;

namespace {

// The first record of the batch at or after `from` that is `timestamp` or later. Records in damaged compressed data are
// not there to be found.
std::optional<TimestampOffset> first_in_batch(const BatchHeader& header, BytesView batch, Offset from,
                                              TimestampMs timestamp) {
  auto made = [&](TimestampMs when, Offset offset) {
    return TimestampOffset{.timestamp = when, .offset = offset, .epoch = header.leader_epoch()};
  };
  wire::RecordIterator records(header, batch, wire::RecordIterator::Want::kShape);
  wire::RecordView record;
  while (records.next(record)) {
    TimestampMs when = header.record_timestamp(record.timestamp_delta);
    Offset offset = header.first_offset() + record.offset_delta;
    if (when >= timestamp && offset >= from) return made(when, offset);
  }
  return std::nullopt;
}

}  // namespace

Result<MaxTimestamp> Log::segment_max_timestamp(size_t index) {
  if (index + 1 == segments_.size()) {
    TRY_ASSIGN(ActiveSegment * active, activate());
    if (index + 1 == segments_.size()) return active->max_timestamp();
  }
  if (!segments_[index]->indexes_checked()) {
    TRY_ASSIGN(TimeIndex times, time_index(index));
    if (times.last()) segments_[index]->set_indexes_checked(true);
  }
  return segments_[index]->max_timestamp(*directory_);
}

Result<std::optional<TimestampOffset>> Log::first_record_at_least(size_t index, TimestampMs timestamp) {
  Segment& segment = *segments_[index];
  // No record up to the last smaller entry of the time index is late enough; the scan begins there.
  Offset begin = segment.base();
  std::optional<TimeEntry> entry;
  if (index + 1 == segments_.size()) {
    TRY_ASSIGN(ActiveSegment * active, activate());
    TRY_ASSIGN(entry, active->times().floor(timestamp - 1));
  } else {
    TRY_ASSIGN(TimeIndex times, time_index(index));
    TRY_ASSIGN(entry, times.floor(timestamp - 1));
  }
  if (entry) begin = segment.base() + entry->relative_offset;
  Offset expected;
  TRY_ASSIGN(uint64_t position, position_before(index, begin, expected));
  std::optional<TimestampOffset> found;
  TRY(walk(index, position, expected, WalkFor::kLookup,
           [&](const BatchHeader& header, uint64_t, SegmentScan& scan) -> Result<bool> {
             if (header.max_timestamp < timestamp || header.last_offset() < log_start_) return true;
             TRY_ASSIGN(BytesView batch, scan.batch_bytes());
             found = first_in_batch(header, batch, log_start_, timestamp);
             return !found.has_value();
           }));
  return found;
}

Result<std::optional<TimestampOffset>> Log::offset_for_timestamp(TimestampMs timestamp) {
  TRY(usable());
  for (size_t index = segment_at(log_start_); index < segments_.size(); ++index) {
    TRY_ASSIGN(MaxTimestamp max, segment_max_timestamp(index));
    if (max.timestamp < timestamp) continue;
    TRY_ASSIGN(std::optional<TimestampOffset> found, first_record_at_least(index, timestamp));
    if (found) return found;
  }
  return std::nullopt;
}

Result<std::optional<TimestampOffset>> Log::offset_of_max_timestamp() {
  TRY(usable());
  std::optional<size_t> best;
  MaxTimestamp latest;
  for (size_t index = segment_at(log_start_); index < segments_.size(); ++index) {
    TRY_ASSIGN(MaxTimestamp max, segment_max_timestamp(index));
    if (max.timestamp > latest.timestamp) {
      latest = max;
      best = index;
    }
  }
  if (!best) return std::nullopt;
  return first_record_at_least(*best, latest.timestamp);
}

}  // namespace barnabas::log
