#include "log/log_recovery.h"

#include <algorithm>
#include <set>

#include "log/file_names.h"

namespace barnabas::log {

using runtime::DirectoryEntry;
using runtime::OpenMode;
using wire::BatchHeader;

namespace {

constexpr size_t kScanWindow = 1 << 20;
constexpr uint64_t kProgressEvery = 64 << 20;

std::string number(Offset offset) {
  return std::to_string(offset.value);
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(LogOptions options) {
  std::unique_ptr<Log> log(new Log(options));
  LogRecovery recovery(*log, options);
  TRY(recovery.run());
  return log;
}

LogRecovery::LogRecovery(Log& log, const LogOptions& options)
    : log_(log), options_(options), floor_(std::max(options.durable_floor, options.recovery_point)) {}

std::string LogRecovery::describe(const Segment& segment) const {
  return log_.name_ + "/" + file_name(segment.base(), kLogSuffix);
}

void LogRecovery::report_progress(uint64_t bytes) {
  uint64_t before = progress_.bytes_done;
  progress_.bytes_done += bytes;
  bool due = before / kProgressEvery != progress_.bytes_done / kProgressEvery;
  if (options_.progress && (due || progress_.bytes_done == progress_.bytes_total)) options_.progress(progress_);
}

Result<> LogRecovery::run() {
  log_.opened_at_ = log_.segment_started_at_ = options_.now;
  TRY(tidy_up());
  TRY(list_segments());
  TRY(load_epochs());
  if (options_.clean) {
    TRY(open_clean());
  } else {
    TRY(recover());
  }
  TRY(settle_log_start());
  log_.epochs_dirty_ |= log_.epochs_.truncate_from_end(log_.end_);
  return {};
}

// Leftovers of what was interrupted, in Kafka's order of doing it.
Result<> LogRecovery::tidy_up() {
  TRY_ASSIGN(entries_, log_.directory_->list());
  bool leftovers = std::ranges::any_of(entries_, [](const DirectoryEntry& entry) {
    return entry.name.ends_with(kDeletedSuffix) || entry.name.ends_with(kCleanedSuffix) ||
           entry.name.ends_with(kSwapSuffix);
  });
  if (!leftovers) return {};
  std::optional<Offset> min_cleaned;
  for (const DirectoryEntry& entry : entries_) {
    std::optional<FileName> name = parse_file_name(entry.name);
    if (!name) continue;
    bool cleaned = name->suffix.ends_with(kCleanedSuffix);
    if (!cleaned && !name->suffix.ends_with(kDeletedSuffix)) continue;
    if (name->suffix.starts_with(".checkpoint")) continue;  // a metadata snapshot, which is not ours
    if (cleaned) min_cleaned = std::min(name->base, min_cleaned.value_or(name->base));
    TRY(log_.directory_->remove(entry.name));
  }
  if (min_cleaned) {
    // The swap of this group had not begun, or was not complete: the old segments are all there.
    for (const DirectoryEntry& entry : entries_) {
      std::optional<FileName> name = parse_file_name(entry.name);
      if (name && name->suffix.ends_with(kSwapSuffix) && name->base >= *min_cleaned) {
        TRY(log_.directory_->remove(entry.name));
      }
    }
  }
  TRY_ASSIGN(entries_, log_.directory_->list());
  TRY(finish_swaps());
  TRY_ASSIGN(entries_, log_.directory_->list());
  return {};
}

// Complete swap files replace the segments whose offsets they cover.
Result<> LogRecovery::finish_swaps() {
  std::optional<Offset> first;
  Offset end{0};
  for (const DirectoryEntry& entry : entries_) {
    std::optional<FileName> name = parse_file_name(entry.name);
    if (!name || name->suffix != std::string(kLogSuffix) + std::string(kSwapSuffix)) continue;
    TRY_ASSIGN(auto file, log_.directory_->open(entry.name, OpenMode::kRead));
    SegmentReader reader(*file, entry.size, kScanWindow);
    SegmentScan scan(reader, name->base, {.expected = name->base, .verify_crc = false});
    while (true) {
      TRY_ASSIGN(std::optional<BatchHeader> header, scan.next());
      if (!header) break;
    }
    first = std::min(name->base, first.value_or(name->base));
    end = std::max(end, scan.next_offset());
  }
  bool any = false;
  for (const DirectoryEntry& entry : entries_) {
    std::optional<FileName> name = parse_file_name(entry.name);
    if (!first || !name || name->base < *first || name->base >= end) continue;
    if (std::ranges::find(kSegmentSuffixes, name->suffix) == std::end(kSegmentSuffixes)) continue;
    TRY(log_.directory_->remove(entry.name));
  }
  for (const DirectoryEntry& entry : entries_) {
    if (!parse_file_name(entry.name) || !entry.name.ends_with(kSwapSuffix)) continue;
    TRY(log_.directory_->rename(entry.name, entry.name.substr(0, entry.name.size() - kSwapSuffix.size())));
    any = true;
  }
  if (any) TRY(log_.directory_->sync());
  return {};
}

Result<> LogRecovery::list_segments() {
  for (const DirectoryEntry& entry : entries_) {
    std::optional<FileName> name = parse_file_name(entry.name);
    if (!name || entry.is_directory) continue;
    if (name->suffix == kLogSuffix) log_.segments_.push_back(std::make_unique<Segment>(name->base, entry.size));
    if (name->suffix == kSnapshotSuffix) log_.snapshots_.push_back(name->base);
  }
  for (const DirectoryEntry& entry : entries_) {
    std::optional<FileName> name = parse_file_name(entry.name);
    if (!name || name->suffix == kLogSuffix ||
        std::ranges::find(kSegmentSuffixes, name->suffix) == std::end(kSegmentSuffixes)) {
      continue;
    }
    size_t index = log_.segments_.empty() ? 0 : log_.segment_at(name->base);
    if (log_.segments_.empty() || log_.segments_[index]->base() != name->base) {
      TRY(log_.directory_->remove(entry.name));  // an index without a log
    } else if (name->suffix == kTransactionIndexSuffix) {
      log_.segments_[index]->set_has_transaction_index(true);
    }
  }
  has_epoch_file_ = std::ranges::any_of(entries_, [](const DirectoryEntry& entry) { return entry.name == kEpochFile; });
  if (!log_.segments_.empty()) return {};

  Offset start = options_.log_start.value_or(Offset(0));
  if (floor_ > start) {
    log_.add_damage({.first = start, .end = floor_, .segment = start});
    start = floor_;
  }
  log_.segments_.push_back(std::make_unique<Segment>(start, 0));
  TRY(log_.segments_.back()->create(*log_.directory_));
  log_.segments_.back()->release();
  ++log_.names_made_;
  return {};
}

// What can be made again later must not keep a log from being opened when the disk is full.
Result<> LogRecovery::tolerate_full_disk(Result<> result) const {
  if (!result && result.error().code == ErrorCode::kNoSpace) return {};
  return result;
}

Result<> LogRecovery::load_epochs() {
  bool empty = std::ranges::all_of(log_.segments_, [](const auto& segment) { return segment->size() == 0; });
  if (!has_epoch_file_) {
    epochs_lost_ = !empty;
    return {};
  }
  TRY_ASSIGN(Buffer text, runtime::read_file(*log_.directory_, kEpochFile));
  Result<replication::EpochCache> parsed = replication::EpochCache::parse(as_text(text));
  if (parsed) {
    log_.epochs_ = *std::move(parsed);
  } else {
    log_.logger_->warning(log_.name_ + "/" + std::string(kEpochFile) + ": " + parsed.error().message +
                          "; it is rebuilt from the records");
    epochs_lost_ = !empty;
  }
  return {};
}

// A new epoch counts once the batch after it does not contradict: epochs are outside the checksum.
void LogRecovery::note_epoch(const BatchHeader& header) {
  LeaderEpoch epoch = header.leader_epoch();
  if (doubtful_epoch_.value >= 0 && epoch >= doubtful_epoch_) {
    log_.epochs_dirty_ |= log_.epochs_.assign(doubtful_epoch_, doubtful_start_);
  }
  doubtful_epoch_ = kNoEpoch;
  if (epoch > log_.epochs_.latest_epoch()) {
    doubtful_epoch_ = epoch;
    doubtful_start_ = header.first_offset();
  }
}

Result<> LogRecovery::rebuild_epochs() {
  for (size_t index = 0; index < log_.segments_.size(); ++index) {
    Offset base = log_.segments_[index]->base();
    TRY(log_.walk(index, 0, base, Log::WalkFor::kSweep, [&](const BatchHeader& header, uint64_t, SegmentScan&) {
      note_epoch(header);
      return Result<bool>(true);
    }));
  }
  if (doubtful_epoch_.value >= 0) log_.epochs_dirty_ |= log_.epochs_.assign(doubtful_epoch_, doubtful_start_);
  doubtful_epoch_ = kNoEpoch;
  return {};
}

Result<> LogRecovery::open_clean() {
  Segment& last = *log_.segments_.back();
  log_.end_ = log_.written_end_ = std::max(options_.recovery_point, last.base());
  // The clean stop wrote the log end twice. Where both say the same, the files stay closed until they are used.
  bool told_twice =
      last.size() == 0 ? log_.end_ == last.base() : !log_.snapshots_.empty() && log_.snapshots_.back() == log_.end_;
  if (!told_twice) TRY(log_.activate());
  log_.durable_end_ = log_.written_end_;
  if (epochs_lost_) TRY(rebuild_epochs());
  return {};
}

Result<> LogRecovery::recover() {
  size_t first = log_.segment_at(options_.recovery_point);
  for (size_t i = first; i < log_.segments_.size(); ++i) progress_.bytes_total += log_.segments_[i]->size();
  // Whatever says something about offsets from here on says it of bytes that may be gone.
  TRY(sync_what_is_there(first));
  log_.drop_snapshots(log_.segments_[first]->base() + 1, Offset(INT64_MAX));

  for (size_t index = first; index < log_.segments_.size(); ++index) {
    TRY_ASSIGN(bool go_on, recover_segment(index));
    if (go_on) continue;
    while (log_.segments_.size() > index + 1) {
      log_.logger_->warning(describe(*log_.segments_.back()) + ": removed, it lies behind the end of the log");
      TRY(log_.discard(*log_.segments_.back(), std::nullopt));
      log_.segments_.pop_back();
    }
  }
  if (doubtful_epoch_.value >= 0) log_.epochs_dirty_ |= log_.epochs_.assign(doubtful_epoch_, doubtful_start_);
  doubtful_epoch_ = kNoEpoch;
  if (epochs_lost_) TRY(rebuild_epochs());

  log_.written_end_ = log_.durable_end_ = log_.end_;
  log_.epochs_.truncate_from_end(log_.end_);
  TRY_ASSIGN(replication::ProducerState producers, log_.restore_producers(first));
  log_.producers_ = std::make_unique<replication::ProducerState>(std::move(producers));

  if (log_.end_ < floor_) {
    bool known = std::ranges::any_of(
        log_.damaged_, [&](const DamagedRange& range) { return range.first <= log_.end_ && range.end >= floor_; });
    Segment& last = *log_.segments_.back();
    if (!known) {
      log_.add_damage({.first = log_.end_, .end = floor_, .segment = last.base(), .position = last.size()});
    }
    log_.end_ = log_.written_end_ = log_.durable_end_ = floor_;
    TRY(log_.roll_to(floor_));  // offsets are never given out twice
  }
  bool has_records = log_.end_ > log_.segments_.front()->base();
  if (has_records && (log_.snapshots_.empty() || log_.snapshots_.back() != log_.end_)) {
    TRY(tolerate_full_disk(log_.write_snapshot(log_.end_)));
  }
  // All five batches of each producer were replayed; a snapshot would bring back one.
  if (log_.producers_->empty()) log_.producers_.reset();
  TRY(tolerate_full_disk(log_.persist_epochs()));
  // What was removed must not come back. Of a log without records nothing can.
  if (log_.end_ > log_.segments_.front()->base() || log_.segments_.size() > 1) TRY(log_.sync_names());
  log_.active_.reset();
  for (const auto& segment : log_.segments_) segment->release();
  return {};
}

// What a killed process wrote is only in the page cache, and about to be shown as durable. First of all: while nothing
// was changed here, the disk has little to do for it.
Result<> LogRecovery::sync_what_is_there(size_t first) {
  bool any = false;
  for (size_t index = first; index < log_.segments_.size(); ++index) {
    Segment& segment = *log_.segments_[index];
    if (segment.size() == 0) continue;
    any = true;
    TRY_ASSIGN(auto file, segment.file(*log_.directory_));
    TRY(file->sync());
  }
  if (any) TRY(log_.directory_->sync());
  return {};
}

bool LogRecovery::never_arrived(const BadStretch& bad) const {
  return options_.power_lost && bad.has_zero_sector && bad.first >= floor_;
}

Result<bool> LogRecovery::recover_segment(size_t index) {
  Segment& segment = *log_.segments_[index];
  bool last = std::none_of(log_.segments_.begin() + static_cast<ptrdiff_t>(index) + 1, log_.segments_.end(),
                           [](const auto& later) { return later->size() > 0; });
  Offset next_base = index + 1 < log_.segments_.size() ? log_.segments_[index + 1]->base() : Offset(INT64_MAX);
  bool go_on = true;
  if (segment.size() == 0) {
    // A Kafka that was killed leaves its index files at their full size, all zeros, and its tools take them for
    // entries.
    log_.remove_indexes(segment);
    log_.end_ = segment.base();
    return next_base == Offset(INT64_MAX) || next_base == log_.end_ || !tail_never_arrived(segment, next_base, last);
  }
  TRY_ASSIGN(std::unique_ptr<ActiveSegment> writer, ActiveSegment::create(*log_.directory_, segment));
  SegmentReader reader(*writer->file(), segment.size(), kScanWindow);
  SegmentScan scan(reader, segment.base(), {.expected = segment.base(), .verify_crc = true});
  uint64_t reported = 0;
  while (!scan.at_end()) {
    TRY_ASSIGN(std::optional<BatchHeader> header, scan.next());
    if (header) {
      writer->adopt(*header, scan.batch_position(), log_.config_->index_interval_bytes);
      note_epoch(*header);
      if (scan.position() - reported >= kProgressEvery) {
        report_progress(scan.position() - reported);
        reported = scan.position();
      }
      continue;
    }
    TRY_ASSIGN(BadStretch bad, scan.skip_bad());
    bool torn_tail = !bad.followed_by_batch && last && bad.first >= floor_;
    if (torn_tail || never_arrived(bad)) {
      TRY(cut(segment, bad));
      go_on = false;
      scan.resume_at(segment.size(), bad.first);
      break;
    }
    Offset end = bad.end;
    if (!bad.followed_by_batch) end = std::max(bad.first, last ? floor_ : next_base);
    log_.add_damage({.first = bad.first,
                     .end = end,
                     .segment = segment.base(),
                     .position = bad.position,
                     .length = bad.end_position - bad.position});
  }
  report_progress(segment.size() > reported ? segment.size() - reported : 0);
  log_.end_ = scan.next_offset();
  if (go_on && next_base != Offset(INT64_MAX) && log_.end_ < next_base)
    go_on = !tail_never_arrived(segment, next_base, last);
  Result<ActiveSegment::Files> indexes = writer->finish(*log_.directory_);
  segment.release();
  bool believed = !last || ActiveSegment::believes_indexes(segment);
  if (believed) ++log_.names_made_;
  if (indexes) {
    for (const auto& written : *indexes) {
      if (believed) TRY(written->sync());
    }
    segment.set_indexes_checked(true);
  } else {
    TRY(tolerate_full_disk(std::unexpected(indexes.error())));
    log_.remove_indexes(segment);
  }
  return go_on;
}

// The segment ends, with whole batches, before the next begins. Compaction leaves such gaps, today's or that of a
// policy long changed; so does the loss of power when the name of the next segment was on disk before this one's last
// records. Only where nothing follows is it the latter for certain enough to end the log there.
bool LogRecovery::tail_never_arrived(const Segment& segment, Offset next_base, bool nothing_follows) const {
  if (log_.config_->cleanup_compact || log_.damage_at(log_.end_) != nullptr) return false;
  bool lost = options_.power_lost && nothing_follows && log_.end_ >= floor_;
  log_.logger_->warning(describe(segment) + ": offsets " + number(log_.end_) + " to " + number(next_base - 1) +
                        " are not there; " +
                        (lost ? "they were not acknowledged, the log ends before them" : "left so"));
  return lost;
}

Result<> LogRecovery::cut(Segment& segment, const BadStretch& bad) {
  uint64_t lost = segment.size() - bad.position;
  log_.logger_->warning(describe(segment) + ": cut at offset " + number(bad.first) + ", byte " +
                        std::to_string(bad.position) + ": " + std::to_string(lost) +
                        " bytes behind it are no whole batch and were not acknowledged");
  TRY_ASSIGN(auto file, segment.file(*log_.directory_));
  TRY(file->truncate(bad.position));
  TRY(file->sync());
  segment.set_size(bad.position);
  return {};
}

Result<> LogRecovery::settle_log_start() {
  Offset first = log_.segments_.front()->base();
  Offset start = std::max(options_.log_start.value_or(first), first);
  if (start > log_.end_) {
    log_.logger_->warning(log_.name_ + ": ends at " + number(log_.end_) + ", before its log start " + number(start) +
                          ": it begins anew there");
    TRY(log_.truncate_fully_and_start_at(start));
  }
  log_.log_start_ = start;
  log_.epochs_dirty_ |= log_.epochs_.truncate_from_start(start);
  return {};
}

}  // namespace barnabas::log
