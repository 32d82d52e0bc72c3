// What makes a Log shorter: truncation at its end, retention at its start, replacement by compaction.
#include <algorithm>

#include "base/check.h"
#include "log/file_names.h"
#include "log/log.h"

namespace barnabas::log {

using runtime::OpenMode;

namespace {

// A missing file is as good as a removed one.
Result<> ignore_missing(Result<> result) {
  if (!result && result.error().code == ErrorCode::kNotFound) return {};
  return result;
}

}  // namespace

Result<> Log::discard(Segment& segment, std::optional<TimestampMs> due) {
  // The .log first: without it the others are orphans that the next start removes.
  for (std::string_view suffix : kSegmentSuffixes) {
    std::string name = file_name(segment.base(), suffix);
    if (due) {
      std::string deleted = name + std::string(kDeletedSuffix);
      Result<> renamed = directory_->rename(name, deleted);
      if (renamed) pending_deletes_.push_back({std::move(deleted), *due});
      TRY(ignore_missing(std::move(renamed)));
    } else {
      TRY(ignore_missing(directory_->remove(name)));
    }
  }
  ++names_made_;
  return {};
}

// The index files of a segment that is cut at `position`, before offset `end`.
Result<> Log::cut_indexes(Segment& segment, Offset end, uint64_t position) {
  int64_t relative = end - segment.base();
  auto offset_file = directory_->open(file_name(segment.base(), kOffsetIndexSuffix), OpenMode::kReadWrite);
  auto time_file = directory_->open(file_name(segment.base(), kTimeIndexSuffix), OpenMode::kReadWrite);
  if (offset_file && time_file) {
    Result<OffsetIndex> offsets = OffsetIndex::load(*offset_file);
    Result<TimeIndex> times = TimeIndex::load(*time_file);
    if (offsets && times) {
      TRY(offsets->truncate(relative, static_cast<int64_t>(position)));
      TRY(times->truncate(INT64_MAX, relative));
      TRY(offsets->write_out(*offset_file));
      TRY(times->write_out(*time_file));
    }
  }
  if (!segment.has_transaction_index()) return {};
  std::string name = file_name(segment.base(), kTransactionIndexSuffix);
  TRY_ASSIGN(Buffer bytes, runtime::read_file(*directory_, name));
  TRY_ASSIGN(auto entries, replication::decode_transaction_index(bytes));
  std::erase_if(entries, [&](const auto& entry) { return entry.last_offset >= end; });
  TRY_ASSIGN(auto file, directory_->open(name, OpenMode::kReadWrite));
  return file->truncate(entries.size() * replication::AbortedTransaction::kSize);
}

void Log::forget_damage_from(Offset end) {
  std::erase_if(damaged_, [&](const DamagedRange& range) { return range.first >= end; });
  for (DamagedRange& range : damaged_) range.end = std::min(range.end, end);
}

Result<> Log::truncate_to(Offset end) {
  TRY(usable());
  TRY(write_staged());
  if (end >= end_) return {};
  if (end < segments_.front()->base()) return truncate_fully_and_start_at(end);
  TRY(activate());
  TRY(active_->write_indexes(*directory_));
  size_t index = segment_at(end);
  TRY_ASSIGN(std::optional<BatchPlace> cut, find_batch(index, end));

  ++generation_;
  active_.reset();
  while (segments_.size() > index + 1) {
    if (Result<> gone = discard(*segments_.back(), std::nullopt); !gone) return poison(std::move(gone).error());
    segments_.pop_back();
  }
  Segment& last = *segments_.back();
  Offset new_end = cut ? std::min(end, cut->first_offset) : end;
  auto file = last.file(*directory_);
  if (!file) return poison(std::move(file).error());
  if (cut) {
    Result<> truncated = (*file)->truncate(cut->position);
    if (!truncated) return poison(std::move(truncated).error());
    last.set_size(cut->position);
    TRY(cut_indexes(last, new_end, cut->position));
  }
  if (Result<> synced = (*file)->sync(); !synced) return poison(std::move(synced).error());
  last.forget_timestamps();
  last.set_durable(true);

  end_ = written_end_ = new_end;
  durable_end_ = std::min(durable_end_, new_end);
  log_start_ = std::min(log_start_, new_end);
  forget_damage_from(new_end);
  std::erase_if(unsynced_indexes_, [&](const UnsyncedIndex& index) { return index.segment >= last.base(); });
  epochs_dirty_ |= epochs_.truncate_from_end(new_end);
  producers_.reset();
  drop_snapshots(new_end + 1, Offset(INT64_MAX));
  TRY(sync_names());
  TRY(persist_epochs());
  return {};
}

Result<> Log::truncate_fully_and_start_at(Offset start) {
  TRY(usable());
  ++generation_;
  active_.reset();
  for (const auto& segment : segments_) {
    if (Result<> gone = discard(*segment, std::nullopt); !gone) return poison(std::move(gone).error());
  }
  segments_.clear();
  segments_.push_back(std::make_unique<Segment>(start, 0));
  auto made = segments_.back()->create(*directory_);
  if (!made) return poison(std::move(made).error());
  log_start_ = end_ = written_end_ = durable_end_ = start;
  damaged_.clear();
  unsynced_indexes_.clear();
  epochs_dirty_ |= !epochs_.empty();
  epochs_.clear();
  producers_.reset();
  drop_snapshots(Offset(0), Offset(INT64_MAX));
  ++names_made_;
  TRY(sync_names());
  TRY(persist_epochs());
  return {};
}

bool Log::advance_log_start(Offset start) {
  if (start <= log_start_ || start > end_) return false;
  log_start_ = start;
  epochs_dirty_ |= epochs_.truncate_from_start(start);
  if (producers_) producers_->log_start_advanced(start);
  return true;
}

Result<std::vector<RemovedSegment>> Log::apply_retention(TimestampMs now, Offset high_watermark) {
  TRY(usable());
  std::vector<RemovedSegment> removed;
  int64_t over = static_cast<int64_t>(size_bytes()) - config_->retention_bytes;
  bool by_size = config_->cleanup_delete && config_->retention_bytes >= 0;
  bool by_time = config_->cleanup_delete && config_->retention_ms >= 0;
  for (size_t index = 0; index < segments_.size(); ++index) {
    Segment& segment = *segments_[index];
    bool last = index + 1 == segments_.size();
    Offset end = segment_end(index);
    if (end > high_watermark || (last && segment.size() == 0)) break;
    int64_t size = static_cast<int64_t>(segment.size());
    std::string reason;
    if (!last && end <= log_start_) {
      reason = "the log start has passed it";
    } else if (by_size && over - size >= 0) {
      reason = "retention.bytes";
    } else if (by_time) {
      TRY(segment_max_timestamp(index));
      TRY_ASSIGN(TimestampMs age, last ? active_age() : segment.age_timestamp(*directory_));
      if (now - age > config_->retention_ms) reason = "retention.ms";
    }
    if (reason.empty()) break;
    over -= size;
    removed.push_back({.base = segment.base(), .end = end, .bytes = segment.size(), .reason = std::move(reason)});
  }
  if (removed.empty()) return removed;
  if (removed.size() == segments_.size()) TRY(roll_to(end_));
  for (size_t i = 0; i < removed.size(); ++i) {
    TRY(discard(*segments_[i], now + config_->file_delete_delay_ms));
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(removed.size()));
  Offset first = segments_.front()->base();
  advance_log_start(first);
  std::erase_if(damaged_, [&](const DamagedRange& range) { return range.end <= first; });
  // The last snapshot is kept whatever segment it belonged to.
  if (!snapshots_.empty()) drop_snapshots(Offset(0), std::min(first, snapshots_.back()));
  return removed;
}

Result<TimestampMs> Log::active_age() {
  TRY_ASSIGN(ActiveSegment * active, activate());
  if (active->max_timestamp().timestamp >= 0) return active->max_timestamp().timestamp;
  return active->file()->modified_at();
}

Result<std::optional<TimestampMs>> Log::remove_due(TimestampMs now) {
  std::optional<TimestampMs> next;
  for (PendingDelete& pending : pending_deletes_) {
    if (pending.due > now) {
      next = std::min(pending.due, next.value_or(pending.due));
      continue;
    }
    TRY(ignore_missing(directory_->remove(pending.name)));
    pending.name.clear();
  }
  std::erase_if(pending_deletes_, [](const PendingDelete& pending) { return pending.name.empty(); });
  return next;
}

Result<> Log::replace_segments(Offset first, Offset last, const std::vector<Offset>& cleaned, TimestampMs now) {
  TRY(usable());
  CHECK(last < segments_.back()->base(), "the active segment cannot be replaced");
  auto rename_all = [&](Offset base, std::string_view from, std::string_view to) -> Result<> {
    for (std::string_view suffix : kSegmentSuffixes) {
      std::string name = file_name(base, suffix);
      TRY(ignore_missing(directory_->rename(name + std::string(from), name + std::string(to))));
    }
    return {};
  };
  // Whatever may fail for want of a descriptor comes before anything changes.
  std::vector<std::unique_ptr<Segment>> replacements;
  for (Offset base : cleaned) {
    TRY_ASSIGN(auto file, directory_->open(file_name(base, kLogSuffix) + std::string(kCleanedSuffix), OpenMode::kRead));
    TRY_ASSIGN(uint64_t size, file->size());
    replacements.push_back(std::make_unique<Segment>(base, size));
  }
  // Backwards: a start that finds .cleaned files knows that .swap files above them are not all there yet.
  for (auto base = cleaned.rbegin(); base != cleaned.rend(); ++base) {
    TRY(rename_all(*base, kCleanedSuffix, kSwapSuffix));
  }
  TRY(directory_->sync());
  // From here on the swap files are the truth: a failure leaves the rest to the next start.
  auto begin = std::ranges::find_if(segments_, [&](const auto& segment) { return segment->base() >= first; });
  auto end = std::find_if(begin, segments_.end(), [&](const auto& segment) { return segment->base() > last; });
  for (auto old = begin; old != end; ++old) {
    if (Result<> gone = discard(**old, now + config_->file_delete_delay_ms); !gone) {
      return poison(std::move(gone).error());
    }
  }
  for (const auto& segment : replacements) {
    Offset base = segment->base();
    if (Result<> placed = rename_all(base, kSwapSuffix, ""); !placed) return poison(std::move(placed).error());
    segment->set_has_transaction_index(directory_->exists(file_name(base, kTransactionIndexSuffix)));
  }
  begin = segments_.erase(begin, end);
  segments_.insert(begin, std::make_move_iterator(replacements.begin()), std::make_move_iterator(replacements.end()));
  std::erase_if(damaged_, [&](const DamagedRange& range) { return range.segment >= first && range.segment <= last; });
  if (Result<> synced = directory_->sync(); !synced) return poison(std::move(synced).error());
  return {};
}

}  // namespace barnabas::log
