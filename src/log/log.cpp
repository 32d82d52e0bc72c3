#include "log/log.h"

#include <algorithm>
#include <utility>

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
  if (options.created) metadata_named_ = ++names_made_;
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
  if (segment.has_transaction_index()) TRY(transaction_index(segments_.size() - 1));
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
  auto segment = std::make_unique<Segment>(base, 0);
  segment->set_durable(false);
  TRY_ASSIGN(std::unique_ptr<ActiveSegment> active, ActiveSegment::create(*directory_, *segment));
  segment->set_indexes_checked(true);
  for (auto& file : indexes) unsynced_indexes_.push_back({std::move(file), segments_.back()->base()});
  segments_.push_back(std::move(segment));
  active_ = std::move(active);
  ++names_made_;
  return {};
}

Result<> Log::roll(TimestampMs) {
  TRY_ASSIGN(ActiveSegment * active, activate());
  if (active->segment().size() == 0) return {};
  return roll_to(end_);
}

Result<> Log::add_unsynced_files(std::vector<std::shared_ptr<runtime::Syncable>>& files) {
  for (auto [named, name] :
       {std::pair(epochs_named_, kEpochFile), std::pair(metadata_named_, kPartitionMetadataFile)}) {
    if (named <= names_durable_) continue;
    auto file = directory_->open(name, runtime::OpenMode::kReadWrite);
    if (file) {
      files.push_back(*std::move(file));
    } else if (file.error().code != ErrorCode::kNotFound) {
      return std::unexpected(std::move(file).error());
    }
  }
  return {};
}

Result<> Log::sync_names() {
  if (names_made_ == names_durable_) return {};
  auto sync_all = [&]() -> Result<> {
    std::vector<std::shared_ptr<runtime::Syncable>> files;
    TRY(add_unsynced_files(files));
    for (const auto& file : files) TRY(file->sync());
    return directory_->sync();
  };
  if (Result<> synced = sync_all(); !synced) {
    if (may_pass(synced.error())) return synced;
    return poison(std::move(synced).error());
  }
  names_durable_ = names_made_;
  return {};
}

bool Log::waits_for_segment_before() const {
  return sync_before_roll_ && segments_.size() > 1 && has_staged() && !segments_[segments_.size() - 2]->durable();
}

Result<SyncPlan> Log::sync_plan() {
  TRY(usable());
  SyncPlan plan{.end = written_end_, .generation = generation_, .names = names_durable_};
  if (durable_end_ >= written_end_ && unsynced_indexes_.empty() && !waits_for_segment_before()) return plan;
  auto collect = [&]() -> Result<> {
    if (names_made_ != names_durable_) {
      TRY(add_unsynced_files(plan.files));
      TRY_ASSIGN(auto names, directory_->names());
      plan.files.push_back(std::move(names));
      plan.names = names_made_;
    }
    for (const auto& segment : segments_) {
      if (segment->durable()) continue;
      TRY_ASSIGN(auto file, segment->file(*directory_));
      plan.files.push_back(std::move(file));
    }
    return {};
  };
  if (Result<> collected = collect(); !collected) {
    if (may_pass(collected.error())) return std::unexpected(std::move(collected).error());
    return poison(std::move(collected).error());
  }
  for (const UnsyncedIndex& index : unsynced_indexes_) plan.files.push_back(index.file);
  return plan;
}

void Log::mark_durable(const SyncPlan& plan) {
  if (plan.generation != generation_) return;
  names_durable_ = std::max(names_durable_, plan.names);
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
  TRY(runtime::replace_file_unsynced(*directory_, kEpochFile, as_bytes(text)));
  epochs_named_ = ++names_made_;
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
    ++names_made_;
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
  bool epochs_of_records = epochs_.latest() && epochs_.latest()->start_offset < end_;
  if (epochs_dirty_ && epochs_of_records) TRY(persist_epochs());
  if (has_records) TRY(sync_names());
  // Of epochs without records nothing is lost when the file is, so it need not be durable.
  if (has_records && epochs_dirty_ && epochs_.latest()) TRY(persist_epochs());
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

Result<> Log::rest() {
  TRY(usable());
  bool idle = end_ == std::exchange(end_at_rest_, end_) && std::exchange(reads_, 0) == 0;
  if (!idle) return {};
  release_files();
  if (!active_) return {};
  bool durable = durable_end_ == end_ && unsynced_indexes_.empty() && segments_.back()->durable();
  if (!durable) return {};
  TRY(active_->write_indexes(*directory_));
  TRY(active_->give_back_reserved());
  active_.reset();
  if (producers_ && producers_->empty()) producers_.reset();
  segments_.back()->release();
  return {};
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
