// The write side of Log: appends, and the one write that puts them into the file.
#include <algorithm>

#include "base/check.h"
#include "log/file_names.h"
#include "log/log.h"

namespace barnabas::log {

using wire::BatchHeader;

Result<AppendInfo> Log::append(MutableBytes batch, std::shared_ptr<const void> owner, LeaderEpoch epoch,
                               TimestampMs now) {
  TRY(usable());
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  if (header.size_in_bytes() != batch.size() || header.last_offset_delta < 0) {
    return fail(ErrorCode::kInvalid, "not one whole batch");
  }
  header.base_offset = end_.value;
  header.partition_leader_epoch = epoch.value;
  AppendInfo info{.first_offset = header.first_offset(),
                  .last_offset = header.last_offset(),
                  .bytes = batch.size(),
                  .max_timestamp = header.max_timestamp};
  TRY(prepare(info, header.has_producer_id(), now));
  // activate() may have found the log end to be another one.
  header.base_offset = end_.value;
  info.first_offset = header.first_offset();
  info.last_offset = header.last_offset();
  wire::assign_offset_and_epoch(batch, end_, epoch);
  TRY(commit(header, batch, std::move(owner)));
  return info;
}

Result<AppendInfo> Log::append_as_follower(BytesView batches, std::shared_ptr<const void> owner, TimestampMs now) {
  TRY(usable());
  TRY(activate());
  AppendInfo info{.first_offset = end_, .last_offset = end_ - 1};
  std::vector<wire::BatchView> views;
  bool has_producer = false;
  wire::BatchCursor cursor(batches);
  while (true) {
    TRY_ASSIGN(std::optional<wire::BatchView> view, cursor.next());
    if (!view) break;
    const BatchHeader& header = view->header;
    if (header.last_offset_delta < 0 || header.first_offset() <= info.last_offset) {
      return fail(ErrorCode::kInvalid, name_ + ": a replicated batch at offset " + std::to_string(header.base_offset) +
                                           " does not continue " + std::to_string(info.last_offset.value));
    }
    if (!wire::crc_matches(view->bytes)) {
      return fail(ErrorCode::kCorrupt, name_ + ": a replicated batch at offset " + std::to_string(header.base_offset) +
                                           " has a wrong checksum");
    }
    if (views.empty()) info.first_offset = header.first_offset();
    info.last_offset = header.last_offset();
    info.bytes += view->bytes.size();
    info.max_timestamp = std::max(info.max_timestamp, header.max_timestamp);
    has_producer = has_producer || header.has_producer_id();
    views.push_back(*view);
  }
  if (views.empty()) return info;
  TRY(prepare(info, has_producer, now));
  for (const wire::BatchView& view : views) TRY(commit(view.header, view.bytes, owner));
  return info;
}

Result<> Log::prepare(AppendInfo& info, bool has_producer, TimestampMs now) {
  TRY(activate());
  if (has_producer) TRY(producers());
  if (info.bytes > INT32_MAX) return fail(ErrorCode::kInvalid, name_ + ": more bytes than a segment can hold");
  TRY_ASSIGN(info.rolled, should_roll(info, now));
  if (info.rolled) {
    TRY(roll_to(std::max(end_, info.first_offset)));
    segment_started_at_ = now;
  }
  if (Result<> room = active_->reserve(info.bytes, config_->segment_bytes); !room) {
    if (!may_pass(room.error())) return poison(std::move(room).error());
    return room;
  }
  return {};
}

Result<> Log::commit(const BatchHeader& header, BytesView batch, std::shared_ptr<const void> owner) {
  if (header.leader_epoch() > epochs_.latest_epoch()) {
    epochs_dirty_ |= epochs_.assign(header.leader_epoch(), header.first_offset());
  }
  if (header.has_producer_id()) TRY(apply_to_producers(header, batch));
  active_->stage(header, batch, std::move(owner), config_->index_interval_bytes);
  end_ = header.next_offset();
  return {};
}

int64_t Log::roll_jitter_ms(Offset base) const {
  if (config_->segment_jitter_ms <= 0) return 0;
  // Spread over logs and segments, and the same whenever this segment is asked about.
  uint64_t mixed = std::hash<std::string>{}(name_) ^ static_cast<uint64_t>(base.value) * 0x9e3779b97f4a7c15ULL;
  return static_cast<int64_t>(mixed % static_cast<uint64_t>(config_->segment_jitter_ms));
}

Result<bool> Log::should_roll(const AppendInfo& info, TimestampMs now) {
  Segment& segment = *segments_.back();
  int64_t size = static_cast<int64_t>(segment.size());
  if (!segment.contains_relative(info.last_offset)) return true;
  if (size == 0) return false;
  if (size > config_->segment_bytes - static_cast<int64_t>(info.bytes)) return true;
  if (size + static_cast<int64_t>(info.bytes) > INT32_MAX) return true;
  if (active_->index_is_full(config_->segment_index_bytes)) return true;
  // By record time where the first batch has one, else by the clock.
  TRY_ASSIGN(TimestampMs first, segment.first_timestamp(*directory_));
  int64_t waited = first >= 0 ? info.max_timestamp - first : now - segment_started_at_;
  return waited > config_->segment_ms - roll_jitter_ms(segment.base());
}

bool Log::has_staged() const {
  return active_ && active_->has_staged();
}

Result<> Log::sync_segment_before() {
  Segment& segment = *segments_[segments_.size() - 2];
  auto synced = [&]() -> Result<> {
    TRY_ASSIGN(auto file, segment.file(*directory_));
    return file->sync();
  };
  if (Result<> result = synced(); !result) return poison(std::move(result).error());
  segment.set_durable(true);
  return {};
}

Result<> Log::write_staged() {
  TRY(usable());
  if (waits_for_segment_before()) TRY(sync_segment_before());
  return write_ready();
}

Result<> Log::write_ready() {
  TRY(usable());
  if (!has_staged() || waits_for_segment_before()) return {};
  // The epoch file is never behind the records.
  if (Result<> persisted = persist_epochs(); !persisted) {
    if (!may_pass(persisted.error())) return poison(std::move(persisted).error());
    TRY(take_back_staged());
    return persisted;
  }
  if (Result<> written = active_->write_staged(); !written) {
    if (!may_pass(written.error())) return poison(std::move(written).error());
    TRY(take_back_staged());
    return written;
  }
  written_end_ = end_;
  // Without them lookups are as right as with them.
  if (active_->has_many_unwritten()) (void)active_->write_indexes(*directory_);
  return {};
}

// The file system could not keep room: as if the appends since the last write had not been.
Result<> Log::take_back_staged() {
  Segment& segment = *segments_.back();
  segment.set_size(active_->written_size());
  // A prefix may have been written. Cutting it needs no room.
  if (Result<> cut = active_->file()->truncate(segment.size()); !cut) return poison(std::move(cut).error());
  active_.reset();
  ++generation_;
  end_ = written_end_;
  epochs_dirty_ |= epochs_.truncate_from_end(end_);
  producers_.reset();
  drop_snapshots(end_ + 1, Offset(INT64_MAX));
  TRY(activate());
  return {};
}

}  // namespace barnabas::log
