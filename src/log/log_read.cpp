// The read side of Log: from an offset to bytes of a file.
#include <algorithm>

#include "log/file_names.h"
#include "log/log.h"

namespace barnabas::log {

using runtime::OpenMode;
using wire::BatchHeader;

namespace {
constexpr size_t kDamageLogged = 20;
constexpr size_t kLookupWindow = 8 << 10;
constexpr size_t kSweepWindow = 1 << 20;
}  // namespace

size_t Log::segment_at(Offset offset) const {
  auto after = std::ranges::upper_bound(segments_, offset, {}, [](const auto& segment) { return segment->base(); });
  return after == segments_.begin() ? 0 : static_cast<size_t>(after - segments_.begin()) - 1;
}

Offset Log::segment_end(size_t index) const {
  return index + 1 < segments_.size() ? segments_[index + 1]->base() : end_;
}

uint64_t Log::readable_size(size_t index) const {
  return index + 1 == segments_.size() && active_ ? active_->written_size() : segments_[index]->size();
}

// Ranges do not overlap: by offset they are in the order of segment and position too.
const DamagedRange* Log::damage_at(Offset offset) const {
  auto after = std::ranges::upper_bound(damaged_, offset, {}, &DamagedRange::first);
  if (after == damaged_.begin() || std::prev(after)->end <= offset) return nullptr;
  return &*std::prev(after);
}

void Log::add_damage(DamagedRange range) {
  if (damaged_.size() < kDamageLogged) logger_->error(name_ + ": " + range.to_string());
  if (damaged_.size() == kDamageLogged) logger_->error(name_ + ": there is more damage, which is not listed here");
  auto at = std::ranges::upper_bound(damaged_, range.first, {}, &DamagedRange::first);
  damaged_.insert(at, range);
}

bool Log::skip_known_damage(SegmentScan& scan, Offset segment) const {
  if (damaged_.empty()) return false;
  auto place = [](const DamagedRange& range) { return std::pair(range.segment, range.position); };
  auto after = std::ranges::upper_bound(damaged_, std::pair(segment, scan.position()), {}, place);
  if (after == damaged_.begin()) return false;
  const DamagedRange& range = *std::prev(after);
  if (range.segment != segment || scan.position() >= range.position + range.length) return false;
  scan.resume_at(range.position + range.length, range.end);
  return true;
}

Result<OffsetIndex> Log::offset_index(size_t index) {
  Segment& segment = *segments_[index];
  auto load = [&]() -> Result<OffsetIndex> {
    TRY_ASSIGN(auto file, directory_->open(file_name(segment.base(), kOffsetIndexSuffix), OpenMode::kRead));
    return OffsetIndex::load(std::move(file));
  };
  Result<OffsetIndex> loaded = load();
  bool sound = loaded && (!loaded->last() || static_cast<uint64_t>(loaded->last()->position) < segment.size());
  if (sound) return loaded;
  TRY_ASSIGN(bool rebuilt, rebuild_indexes(index));
  if (!rebuilt) return OffsetIndex();
  return load();
}

Result<TimeIndex> Log::time_index(size_t index) {
  Segment& segment = *segments_[index];
  auto load = [&]() -> Result<TimeIndex> {
    TRY_ASSIGN(auto file, directory_->open(file_name(segment.base(), kTimeIndexSuffix), OpenMode::kRead));
    return TimeIndex::load(std::move(file));
  };
  Result<TimeIndex> loaded = load();
  // A segment with records was closed with an entry, but for records without timestamps: then walking it is all.
  if (loaded && (loaded->last() || segment.size() == 0 || segment.indexes_checked())) return loaded;
  TRY_ASSIGN(bool rebuilt, rebuild_indexes(index));
  if (!rebuilt) return TimeIndex();
  return load();
}

// Of a closed segment, from its records. False: there is no room on the disk for them; searches walk the segment.
Result<bool> Log::rebuild_indexes(size_t index) {
  Segment& segment = *segments_[index];
  logger_->warning(name_ + ": the indexes of " + file_name(segment.base(), kLogSuffix) + " are rebuilt");
  TRY_ASSIGN(std::unique_ptr<ActiveSegment> writer, ActiveSegment::create(*directory_, segment));
  TRY(walk(index, 0, segment.base(), WalkFor::kSweep,
           [&](const BatchHeader& header, uint64_t position, SegmentScan&) -> Result<bool> {
             writer->adopt(header, position, config_->index_interval_bytes);
             return true;
           }));
  segment.set_max_timestamp(writer->max_timestamp());
  Result<ActiveSegment::Files> files = writer->finish(*directory_);
  if (!files) {
    if (files.error().code != ErrorCode::kNoSpace) return std::unexpected(std::move(files).error());
    remove_indexes(segment);
    return false;
  }
  for (const auto& file : *files) TRY(file->sync());
  segment.set_indexes_checked(true);
  return true;
}

// A half-written index could be taken for a whole one.
void Log::remove_indexes(Segment& segment) {
  (void)directory_->remove(file_name(segment.base(), kOffsetIndexSuffix));
  (void)directory_->remove(file_name(segment.base(), kTimeIndexSuffix));
  segment.set_indexes_checked(false);
}

Result<> Log::walk(size_t index, uint64_t position, Offset expected, WalkFor purpose, const BatchVisitor& visit) {
  Segment& segment = *segments_[index];
  TRY_ASSIGN(auto file, segment.file(*directory_));
  SegmentReader reader(*file, readable_size(index), purpose == WalkFor::kSweep ? kSweepWindow : kLookupWindow);
  SegmentScan scan(reader, segment.base(), {.position = position, .expected = expected, .verify_crc = false});
  while (!scan.at_end()) {
    if (skip_known_damage(scan, segment.base())) continue;
    TRY_ASSIGN(std::optional<BatchHeader> header, scan.next());
    if (header) {
      TRY_ASSIGN(bool go_on, visit(*header, scan.batch_position(), scan));
      if (!go_on) return {};
      continue;
    }
    TRY_ASSIGN(BadStretch bad, scan.skip_bad());
    add_damage({.first = bad.first,
                .end = bad.followed_by_batch ? bad.end : std::max(bad.first, segment_end(index)),
                .segment = segment.base(),
                .position = bad.position,
                .length = bad.end_position - bad.position});
  }
  return {};
}

// A place in the segment at or before the batch with `offset`, and the least offset that can be there.
Result<uint64_t> Log::position_before(size_t index, Offset offset, Offset& expected) {
  Segment& segment = *segments_[index];
  expected = segment.base();
  int64_t relative = offset - segment.base();
  std::optional<OffsetEntry> entry;
  if (index + 1 == segments_.size()) {
    TRY_ASSIGN(ActiveSegment * active, activate());
    if (index + 1 < segments_.size()) return uint64_t{0};
    TRY_ASSIGN(entry, active->offsets().floor(relative));
  } else if (segment.size() > static_cast<uint64_t>(config_->index_interval_bytes)) {
    TRY_ASSIGN(OffsetIndex offsets, offset_index(index));
    TRY_ASSIGN(entry, offsets.floor(relative));
  }
  return entry ? static_cast<uint64_t>(entry->position) : uint64_t{0};
}

Result<std::optional<BatchPlace>> Log::find_batch(size_t index, Offset offset) {
  if (index + 1 == segments_.size()) {
    TRY_ASSIGN(ActiveSegment * active, activate());
    if (index + 1 == segments_.size()) {
      std::optional<BatchPlace> recent = active->recent_batch(offset);
      if (recent && recent->position < active->written_size()) return recent;
    }
  }
  Offset expected;
  TRY_ASSIGN(uint64_t position, position_before(index, offset, expected));
  std::optional<BatchPlace> found;
  TRY(walk(index, position, expected, WalkFor::kLookup,
           [&](const BatchHeader& header, uint64_t at, SegmentScan&) -> Result<bool> {
             if (header.last_offset() < offset) return true;
             found = BatchPlace{.first_offset = header.first_offset(),
                                .last_offset = header.last_offset(),
                                .position = at,
                                .size = header.size_in_bytes(),
                                .max_timestamp = header.max_timestamp};
             return false;
           }));
  return found;
}

Result<ReadPlan> Log::plan_read(Offset from, Offset upper, uint32_t max_bytes, bool min_one_message) {
  TRY(usable());
  if (from < log_start_ || from > written_end_) {
    return fail(ErrorCode::kInvalid, name_ + ": offset " + std::to_string(from.value) + " is not in the log");
  }
  ++reads_;
  upper = std::min(upper, written_end_);
  ReadPlan plan{.first_offset = from, .upper_bound = from};
  for (size_t index = segment_at(from); index < segments_.size(); ++index) {
    plan.segment = segments_[index]->base();
    if (from >= upper) return plan;
    TRY_ASSIGN(std::optional<BatchPlace> first, find_batch(index, from));
    if (const DamagedRange* damage = damage_at(from))
      return fail(ErrorCode::kCorrupt, name_ + ": " + damage->to_string());
    if (!first) continue;
    if (first->first_offset >= upper) return plan;

    uint64_t end = readable_size(index);
    Offset bound = std::min(upper, segment_end(index));
    if (upper < segment_end(index)) {
      TRY_ASSIGN(std::optional<BatchPlace> beyond, find_batch(index, upper));
      if (beyond) end = beyond->position;
    }
    for (const DamagedRange& damage : damaged_) {
      if (damage.segment != segments_[index]->base() || damage.first < from) continue;
      if (damage.length > 0 && damage.position < end) end = damage.position;
      bound = std::min(bound, damage.first);
    }
    if (end <= first->position) return plan;
    uint64_t limit = max_bytes;
    if (first->size > limit) {
      if (!min_one_message) return plan;
      limit = first->size;
    }
    uint64_t length = std::min(end - first->position, limit);
    TRY_ASSIGN(auto file, segments_[index]->file(*directory_));
    plan.payload = Payload::range(std::move(file), first->position, length);
    plan.first_offset = first->first_offset;
    plan.upper_bound = bound;
    return plan;
  }
  return plan;
}

Result<std::vector<replication::AbortedTransaction>> Log::aborted_transactions(Offset from, Offset upper) {
  std::vector<replication::AbortedTransaction> found;
  for (size_t index = segment_at(from); index < segments_.size(); ++index) {
    Segment& segment = *segments_[index];
    if (index + 1 == segments_.size()) {
      TRY_ASSIGN(ActiveSegment * active, activate());
      if (index + 1 == segments_.size()) {
        replication::collect_aborted(active->aborted(), from, upper, found);
        break;
      }
    }
    if (!segment.has_transaction_index()) continue;
    TRY_ASSIGN(auto entries, transaction_index(index));
    if (replication::collect_aborted(entries, from, upper, found)) break;
  }
  std::ranges::sort(found, {}, &replication::AbortedTransaction::first_offset);
  return found;
}

}  // namespace barnabas::log
