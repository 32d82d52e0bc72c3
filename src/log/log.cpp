#include "log/log.h"

#include <algorithm>

#include "base/check.h"
#include "log/file_names.h"

namespace barnabas::log {

namespace {
constexpr size_t kLookupWindow = 8 << 10;
}

Log::Log(LogOptions& options)
    : directory_(std::move(options.directory)),
      name_(std::move(options.name)),
      topic_id_(options.topic_id),
      config_(std::move(options.config)),
      logger_(options.logger),
      sync_before_roll_(options.sync_before_roll) {
  CHECK(directory_ != nullptr && config_ != nullptr && logger_ != nullptr);
}

Log::~Log() = default;

uint64_t Log::size_bytes() const {
  uint64_t total = 0;
  for (const auto& segment : segments_) total += segment->size();
  return total;
}

Result<> Log::usable() const {
  if (failed_) return std::unexpected(*failed_);
  return {};
}

std::unexpected<Error> Log::poison(Error error) {
  if (!failed_) {
    logger_->error(name_ + ": " + error.message + "; the log takes no more requests");
    failed_ = Error{ErrorCode::kIo, name_ + " failed before: " + error.message};
  }
  return std::unexpected(std::move(error));
}

Result<ActiveSegment*> Log::activate() {
  TRY(usable());
  if (active_) return active_.get();
  Segment& segment = *segments_.back();
  TRY_ASSIGN(std::unique_ptr<ActiveSegment> active, ActiveSegment::open(*directory_, segment));
  TRY_ASSIGN(uint64_t file_size, active->file()->size());
  if (file_size < segment.size()) {
    return poison({ErrorCode::kCorrupt, file_name(segment.base(), kLogSuffix) + " became shorter while it was closed"});
  }
  // What the index does not cover is walked; the batch at its last entry is counted already.
  Offset indexed = active->indexed_offset();
  SegmentReader reader(*active->file(), segment.size(), kLookupWindow);
  SegmentScan scan(reader, segment.base(),
                   {.position = active->indexed_position(), .expected = segment.base(), .verify_crc = false});
  while (!scan.at_end()) {
    if (skip_known_damage(scan, segment.base())) continue;
    TRY_ASSIGN(std::optional<wire::BatchHeader> header, scan.next());
    if (header) {
      if (header->last_offset() > indexed) {
        active->adopt(*header, scan.batch_position(), config_->index_interval_bytes);
      }
      continue;
    }
    TRY_ASSIGN(BadStretch bad, scan.skip_bad());
    add_damage({.first = bad.first,
                .end = bad.followed_by_batch ? bad.end : std::max(end_, bad.first),
                .segment = segment.base(),
                .position = bad.position,
                .length = bad.end_position - bad.position});
  }
  active_ = std::move(active);
  segment.set_indexes_checked(true);
  if (scan.next_offset() > end_) {
    // A clean stop wrote a smaller log end than there is: what is there counts.
    logger_->warning(name_ + ": the log ends at " + std::to_string(scan.next_offset().value) +
                     ", after the recorded end " + std::to_string(end_.value));
    end_ = written_end_ = scan.next_offset();
  } else if (scan.next_offset() < end_) {
    if (damage_at(scan.next_offset()) == nullptr) {
      add_damage({.first = scan.next_offset(), .end = end_, .segment = segment.base(), .position = segment.size()});
    }
    TRY(roll_to(end_));  // offsets are never given out twice
  }
  return active_.get();
}

Result<> Log::roll_to(Offset base) {
  TRY_ASSIGN(ActiveSegment * old, activate());
  if (base == segments_.back()->base()) return {};
  TRY(write_staged());
  // Everything that may find the disk full comes before anything changes.
  TRY_ASSIGN(ActiveSegment::Files indexes, old->finish(*directory_));
  TRY(write_snapshot(base));
  if (sync_before_roll_ && !segments_.back()->durable()) {
    if (Result<> synced = old->file()->sync(); !synced) return poison(std::move(synced).error());
    segments_.back()->set_durable(true);
  }
  auto segment = std::make_unique<Segment>(base, 0);
  segment->set_durable(false);
  TRY_ASSIGN(std::unique_ptr<ActiveSegment> active, ActiveSegment::create(*directory_, *segment));
  segment->set_indexes_checked(true);
  for (auto& file : indexes) unsynced_indexes_.push_back({std::move(file), segments_.back()->base()});
  segments_.push_back(std::move(segment));
  active_ = std::move(active);
  names_dirty_ = true;
  return {};
}

Result<> Log::roll(TimestampMs) {
  TRY_ASSIGN(ActiveSegment * active, activate());
  if (active->segment().size() == 0) return {};
  return roll_to(end_);
}

Result<> Log::sync_names() {
  if (!names_dirty_) return {};
  if (Result<> synced = directory_->sync(); !synced) {
    if (may_pass(synced.error())) return synced;
    return poison(std::move(synced).error());
  }
  names_dirty_ = false;
  return {};
}

Result<SyncPlan> Log::sync_plan() {
  TRY(usable());
  SyncPlan plan{.end = written_end_, .generation = generation_};
  if (durable_end_ >= written_end_ && unsynced_indexes_.empty()) return plan;
  TRY(sync_names());
  for (const auto& segment : segments_) {
    if (segment->durable()) continue;
    auto file = segment->file(*directory_);
    if (!file && may_pass(file.error())) return std::unexpected(std::move(file).error());
    if (!file) return poison(std::move(file).error());
    plan.files.push_back(*std::move(file));
  }
  for (const UnsyncedIndex& index : unsynced_indexes_) plan.files.push_back(index.file);
  return plan;
}

void Log::mark_durable(const SyncPlan& plan) {
  if (plan.generation != generation_) return;
  std::erase_if(unsynced_indexes_, [&](const UnsyncedIndex& index) {
    return std::ranges::find(plan.files, index.file) != plan.files.end();
  });
  if (plan.end <= durable_end_) return;
  durable_end_ = plan.end;
  // The last segment may hold more by now.
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (segment_end(i) <= plan.end) segments_[i]->set_durable(true);
  }
  if (plan.end == written_end_) segments_.back()->set_durable(true);
}

Result<> Log::flush() {
  TRY(write_staged());
  TRY_ASSIGN(SyncPlan plan, sync_plan());
  for (const auto& file : plan.files) {
    if (Result<> synced = file->sync(); !synced) return poison(std::move(synced).error());
  }
  mark_durable(plan);
  return {};
}

void Log::assign_epoch(LeaderEpoch epoch) {
  epochs_dirty_ |= epochs_.assign(epoch, end_);
}

Result<> Log::persist_epochs() {
  if (!epochs_dirty_) return {};
  std::string text = epochs_.print();
  TRY(runtime::replace_file(*directory_, kEpochFile, as_bytes(text)));
  epochs_dirty_ = false;
  return {};
}

Result<Offset> Log::checkpoint() {
  TRY(usable());
  // An epoch without records may be lost: nothing was written or read in it.
  if (epochs_dirty_ && epochs_.latest() && epochs_.latest()->start_offset < end_) TRY(persist_epochs());
  if (active_ && !active_->has_staged()) TRY(active_->write_indexes(*directory_));
  return unsynced_indexes_.empty() ? durable_end_ : std::min(durable_end_, unsynced_indexes_.front().segment);
}

Result<Offset> Log::close() {
  TRY(flush());
  if (active_) {
    TRY_ASSIGN(ActiveSegment::Files indexes, active_->finish(*directory_));
    for (const auto& file : indexes) {
      if (Result<> synced = file->sync(); !synced) return poison(std::move(synced).error());
    }
    names_dirty_ = true;
  }
  bool has_records = end_ > segments_.front()->base();
  if (has_records && (snapshots_.empty() || snapshots_.back() != end_)) {
    TRY(write_snapshot(end_));
    // One that an earlier stop left, and that no segment begins with, has served.
    std::erase_if(snapshots_, [&](Offset at) {
      bool needed = at == end_ || segments_[segment_at(at)]->base() == at;
      if (!needed) (void)directory_->remove(file_name(at, kSnapshotSuffix));
      return !needed;
    });
  }
  if (epochs_dirty_ && epochs_.latest()) {
    if (epochs_.latest()->start_offset < end_) {
      TRY(persist_epochs());
    } else {
      // Only epochs without records: nothing is lost when the file is, so it need not be durable.
      std::string text = epochs_.print();
      std::string temporary = std::string(kEpochFile) + ".tmp";
      TRY_ASSIGN(auto file, directory_->open(temporary, runtime::OpenMode::kCreate));
      TRY(file->truncate(0));
      TRY(file->write_at(0, as_bytes(text)));
      TRY(directory_->rename(temporary, kEpochFile));
    }
  }
  TRY(sync_names());
  release_files();
  active_.reset();
  segments_.back()->release();
  failed_ = Error{ErrorCode::kClosed, name_ + " is closed"};
  return end_;
}

void Log::release_files() {
  for (const auto& segment : segments_) {
    if (segment->durable() && (segment != segments_.back() || !active_)) segment->release();
  }
}

Result<replication::ProducerVerdict> Log::check_producer(const wire::BatchHeader& batch,
                                                         replication::AppendOrigin origin) {
  if (!batch.has_producer_id()) return replication::ProducerVerdict{};
  TRY_ASSIGN(replication::ProducerState * state, producers());
  return state->check_batch(batch, origin);
}

Result<replication::ProducerVerdict> Log::check_marker(const replication::TransactionMarker& marker,
                                                       replication::AppendOrigin origin) {
  TRY_ASSIGN(replication::ProducerState * state, producers());
  return state->check_marker(marker, origin);
}

}  // namespace barnabas::log
