#include "log/cleaner.h"

#include <algorithm>
#include <string>

#include "log/file_names.h"
#include "log/log.h"
#include "log/segment_scan.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {

using wire::BatchHeader;

Cleaner::Cleaner(runtime::Directory& directory, CleanPlan plan, OffsetMap& map, Options options)
    : directory_(directory),
      plan_(std::move(plan)),
      map_(map),
      options_(std::move(options)),
      map_end_(plan_.range.first_dirty),
      transactions_(plan_.aborted) {}

Result<std::shared_ptr<runtime::File>> Cleaner::open(const PlannedSegment& segment) {
  auto file = directory_.open(file_name(segment.base, kLogSuffix), runtime::OpenMode::kRead);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kCancelled, plan_.name + ": a segment went away while the log was cleaned");
  }
  return file;
}

Result<> Cleaner::walk(PlannedSegment& segment, const Visit& visit) {
  if (segment.size == 0) return {};
  TRY_ASSIGN(auto file, open(segment));
  SegmentReader reader(*file, segment.size, options_.io_buffer_bytes);
  SegmentScan scan(reader, segment.base, {.expected = segment.base, .verify_crc = true});
  auto bad = [&](const std::string& what) {
    if (!segment.untouchable && options_.logger != nullptr) {
      options_.logger->warning(plan_.name + "/" + file_name(segment.base, kLogSuffix) + " is not compacted: " + what);
    }
    segment.untouchable = true;
  };
  while (!scan.at_end()) {
    if (options_.stopped()) return fail(ErrorCode::kCancelled, plan_.name + ": cleaning was stopped");
    TRY_ASSIGN(std::optional<BatchHeader> header, scan.next());
    if (!header) {
      bad("byte " + std::to_string(scan.position()) + " begins no batch");
      TRY(scan.skip_bad());
      continue;
    }
    TRY_ASSIGN(BytesView batch, scan.batch_bytes());
    stats_.bytes_read += batch.size();
    Result<bool> go_on = visit(*header, batch);
    if (!go_on && go_on.error().code != ErrorCode::kCorrupt) return std::unexpected(std::move(go_on).error());
    if (!go_on) bad(go_on.error().message);
    if (go_on && !*go_on) return {};
  }
  return {};
}

// False: the map is full.
Result<bool> Cleaner::index_batch(const BatchHeader& header, BytesView batch, CleanerTransactions& transactions) {
  if (header.is_control()) {
    std::vector<replication::AbortedTransaction> unused;
    transactions.control_batch(header, batch, unused);
    return true;
  }
  if (transactions.data_batch(header)) return true;
  wire::RecordIterator records(header, batch);
  wire::RecordView record;
  while (records.next(record)) {
    Offset offset = header.first_offset() + record.offset_delta;
    if (!record.key || offset < plan_.range.first_dirty || offset > header.last_offset()) continue;
    if (!map_.put(*record.key, offset)) return false;
  }
  if (Result<> read = records.status(); !read) {
    return fail(ErrorCode::kCorrupt, "offset " + std::to_string(header.base_offset) + ": " + read.error().message);
  }
  return true;
}

Result<> Cleaner::build_map() {
  CleanableRange range = plan_.range;
  auto overlap = std::make_shared<std::vector<replication::AbortedTransaction>>();
  std::ranges::copy_if(*plan_.aborted, std::back_inserter(*overlap),
                       [&](const auto& aborted) { return aborted.last_offset >= range.first_dirty; });
  CleanerTransactions transactions(std::move(overlap));
  bool full = false;
  for (PlannedSegment& segment : plan_.segments) {
    if (segment.end <= range.first_dirty) continue;
    TRY(walk(segment, [&](const BatchHeader& header, BytesView batch) -> Result<bool> {
      if (header.last_offset() < range.first_dirty) return true;
      TRY_ASSIGN(bool fits, index_batch(header, batch, transactions));
      full = !fits;
      if (fits) map_end_ = std::max(map_end_, header.next_offset());
      return fits;
    }));
    if (full) break;
    map_end_ = std::max(map_end_, segment.end);
  }
  if (full && map_end_ == range.first_dirty) {
    return fail(ErrorCode::kInvalid, plan_.name + ": not even one batch fits into the memory of the cleaner; " +
                                         "log.cleaner.dedupe.buffer.size is too small");
  }
  return {};
}

// A segment that stays as it is; but its transactions have to be known.
Result<> Cleaner::pass_by(PlannedSegment& segment) {
  std::vector<replication::AbortedTransaction> unused;
  return walk(segment, [&](const BatchHeader& header, BytesView batch) -> Result<bool> {
    if (header.is_control()) {
      transactions_.control_batch(header, batch, unused);
    } else {
      transactions_.data_batch(header);
    }
    return true;
  });
}

Cleaner::Group Cleaner::next_group() const {
  Group group{.first = next_, .end = next_ + 1};
  const auto& segments = plan_.segments;
  uint64_t bytes = segments[next_].size;
  auto interval = static_cast<uint64_t>(std::max(plan_.index_interval_bytes, 1));
  for (; group.end < segments.size(); ++group.end) {
    const PlannedSegment& next = segments[group.end];
    bytes += next.size;
    bool fits = next.base < map_end_ && !next.untouchable && bytes <= plan_.segment_bytes &&
                bytes / interval * TimeEntry::kSize <= plan_.segment_index_bytes &&
                next.end - segments[next_].base <= INT32_MAX;
    if (!fits) break;
  }
  return group;
}

Result<CleanedSegment*> Cleaner::segment_for(const BatchHeader& header, Output& output) {
  if (!output.segments.back()->has_room(header)) {
    // Batches can grow a little, by the times counted from a new horizon.
    TRY_ASSIGN(auto next, CleanedSegment::create(directory_, header.first_offset(), plan_.index_interval_bytes));
    output.segments.push_back(std::move(next));
  }
  return output.segments.back().get();
}

Result<bool> Cleaner::write_group(Group group, Output& output) {
  CleanerFilter filter(plan_.rules, map_, map_end_);
  TRY_ASSIGN(auto first,
             CleanedSegment::create(directory_, plan_.segments[group.first].base, plan_.index_interval_bytes));
  output.segments.push_back(std::move(first));
  output.changed = group.end - group.first > 1;
  TimestampMs modified_at = 0;
  for (size_t i = group.first; i < group.end; ++i) {
    PlannedSegment& segment = plan_.segments[i];
    TRY(walk(segment, [&](const BatchHeader& header, BytesView batch) -> Result<bool> {
      std::vector<replication::AbortedTransaction> kept_aborted;
      TRY_ASSIGN(FilteredBatch filtered, filter.filter(header, batch, transactions_, kept_aborted));
      stats_.records_kept += static_cast<uint64_t>(filtered.kept);
      output.changed |= filtered.what != FilteredBatch::What::kAsItWas;
      if (filtered.what == FilteredBatch::What::kDrop) return true;
      BatchHeader left = header;
      if (filtered.what == FilteredBatch::What::kRewritten) {
        TRY_ASSIGN(left, BatchHeader::decode(filtered.rewritten));
        batch = filtered.rewritten;
      }
      TRY_ASSIGN(CleanedSegment * to, segment_for(left, output));
      TRY(to->append(left, batch));
      to->aborted().insert(to->aborted().end(), kept_aborted.begin(), kept_aborted.end());
      stats_.bytes_written += batch.size();
      return true;
    }));
    if (segment.untouchable) return false;
    TRY_ASSIGN(auto file, open(segment));
    TRY_ASSIGN(modified_at, file->modified_at());
  }
  if (!output.changed) return true;
  for (const auto& segment : output.segments) TRY(segment->finish(modified_at));
  return true;
}

void Cleaner::forsake(const Output& output) {
  for (const auto& segment : output.segments) CleanedSegment::remove(directory_, segment->base());
}

Result<> Cleaner::place(Group group, const Output& output, const WithLog& with_log) {
  // All names first: at a start, one that is missing must not make the rest look complete.
  TRY(directory_.sync());
  std::vector<Offset> bases;
  for (const auto& segment : output.segments) bases.push_back(segment->base());
  bool unchanged = false;
  Result<> placed;
  with_log([&](Log& log) {
    auto at = std::ranges::find_if(
        log.segments(), [&](const auto& segment) { return segment->base() == plan_.segments[group.first].base; });
    unchanged = !log.failed() && log.generation() == plan_.generation;
    for (size_t i = group.first; i < group.end && unchanged; ++i, ++at) {
      unchanged = at != log.segments().end() && (*at)->base() == plan_.segments[i].base &&
                  (*at)->size() == plan_.segments[i].size;
    }
    if (!unchanged) return;
    placed = log.replace_segments(plan_.segments[group.first].base, plan_.segments[group.end - 1].base, bases,
                                  plan_.rules.now);
  });
  if (!unchanged) {
    forsake(output);
    return fail(ErrorCode::kCancelled, plan_.name + ": the log was changed while it was cleaned");
  }
  // After a failure files stay as they are: some may be .swap already, and the next start knows what to do with them.
  return placed;
}

Result<bool> Cleaner::clean_next(const WithLog& with_log) {
  while (next_ < plan_.segments.size() && plan_.segments[next_].untouchable) TRY(pass_by(plan_.segments[next_++]));
  if (next_ == plan_.segments.size() || plan_.segments[next_].base >= map_end_) return false;

  Group group = next_group();
  CleanerTransactions before = transactions_;
  Output output;
  Result<bool> written = write_group(group, output);
  if (!written || !*written || !output.changed) forsake(output);
  if (!written) return std::unexpected(std::move(written).error());
  if (!*written) {
    transactions_ = std::move(before);  // again, around the bad segment
    return true;
  }
  next_ = group.end;
  if (!output.changed) return true;
  TRY(place(group, output, with_log));
  stats_.segments_before += group.end - group.first;
  stats_.segments_after += output.segments.size();
  return true;
}

}  // namespace barnabas::log
