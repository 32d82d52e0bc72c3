#include "raft/log_index.h"

#include <algorithm>

#include "base/check.h"

namespace barnabas::raft {

LeaderEpoch LogIndex::last_epoch() const {
  return epochs_.empty() ? epoch_before_start_ : epochs_.back().epoch;
}

LeaderEpoch LogIndex::epoch_at(Offset offset) const {
  LeaderEpoch epoch = epoch_before_start_;
  for (const EpochStart& e : epochs_) {
    if (e.start > offset) break;
    epoch = e.epoch;
  }
  return epoch;
}

EpochEnd LogIndex::end_of_epoch(LeaderEpoch epoch) const {
  EpochEnd found{epoch_before_start_, start_};
  for (size_t i = 0; i < epochs_.size() && epochs_[i].epoch <= epoch; ++i) {
    found = {epochs_[i].epoch, i + 1 < epochs_.size() ? epochs_[i + 1].start : end_};
  }
  return found;
}

const VoterSet& LogIndex::voters() const {
  static const VoterSet kNobody;
  return voters_.empty() ? kNobody : voters_.back().voters;
}

void LogIndex::append(LeaderEpoch epoch, Offset base, Offset end) {
  CHECK(base == end_);
  CHECK(end > base);
  CHECK(epoch >= last_epoch());
  if (epochs_.empty() || epochs_.back().epoch < epoch) epochs_.push_back({epoch, base});
  end_ = end;
}

void LogIndex::flush(Offset up_to) {
  flushed_ = std::clamp(up_to, flushed_, end_);
}

void LogIndex::truncate(Offset to) {
  CHECK(to >= start_);
  if (to >= end_) return;
  end_ = to;
  flushed_ = std::min(flushed_, to);
  while (!epochs_.empty() && epochs_.back().start >= to) epochs_.pop_back();
  while (!voters_.empty() && voters_.back().offset >= to) voters_.pop_back();
  if (kraft_version_at_ >= to) kraft_version_at_ = Offset(-1);  // the level itself is never lowered again
}

void LogIndex::add_voters(VotersAt voters) {
  CHECK(voters_.empty() || voters_.back().offset < voters.offset);
  voters_.push_back(std::move(voters));
}

void LogIndex::set_kraft_version(int16_t level, Offset at) {
  kraft_version_ = level;
  kraft_version_at_ = at;
}

void LogIndex::start_from_snapshot(SnapshotId id) {
  bool holds_it = end_ > id.end && epoch_at(id.end - 1) == id.epoch;
  if (holds_it) {
    set_start(id.end);
  } else {
    epochs_.clear();
    start_ = end_ = flushed_ = id.end;
    epoch_before_start_ = id.epoch;
  }
  add_snapshot(id);
}

void LogIndex::restart_at(SnapshotId id, VoterSet voters, int16_t kraft_version) {
  epochs_.clear();
  start_ = end_ = flushed_ = id.end;
  epoch_before_start_ = id.epoch;
  snapshot_ = id;
  voters_.clear();
  if (!voters.empty()) voters_.push_back({id.end - 1, std::move(voters)});
  set_kraft_version(kraft_version, id.end - 1);
}

void LogIndex::add_snapshot(SnapshotId id) {
  if (!snapshot_ || *snapshot_ < id) snapshot_ = id;
}

void LogIndex::set_start(Offset start) {
  CHECK(start <= end_);
  if (start <= start_) return;
  epoch_before_start_ = epoch_at(start - 1);
  start_ = start;
  while (epochs_.size() > 1 && epochs_[1].start <= start) epochs_.erase(epochs_.begin());
  if (epochs_.size() == 1 && start == end_) epochs_.clear();
}

}  // namespace barnabas::raft
