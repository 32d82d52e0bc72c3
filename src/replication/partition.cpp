#include "replication/partition.h"

#include <algorithm>

#include "base/check.h"

namespace barnabas::replication {

bool Partition::apply(const PartitionRegistration& registration, Offset counted_end) {
  bool known = role_ != Role::kNone;
  if (known && registration.leader_epoch < registration_.leader_epoch) return false;
  if (known && registration.partition_epoch <= registration_.partition_epoch) return false;
  bool leads = registration.leader == self_;
  bool new_leadership = leads && (role_ != Role::kLeader || registration.leader_epoch > registration_.leader_epoch);
  registration_ = registration;
  counted_end_ = counted_end;
  if (new_leadership) {
    followers_.clear();
    epoch_start_ = counted_end;
  }
  role_ = leads ? Role::kLeader : Role::kFollower;
  if (leads) advance();
  return true;
}

bool Partition::local_advanced(Offset counted_end) {
  CHECK(counted_end >= counted_end_, "the contract never goes back but by truncation");
  counted_end_ = counted_end;
  return is_leader() && advance();
}

bool Partition::follower_fetched(BrokerId follower, Offset fetch_offset, MonotonicTime now) {
  if (!is_leader() || std::ranges::find(registration_.replicas, follower) == registration_.replicas.end()) return false;
  followers_[follower] = Follower{.end = fetch_offset, .last_fetch = now};
  return advance();
}

void Partition::truncated(Offset end) {
  counted_end_ = std::min(counted_end_, end);
  high_watermark_ = std::min(high_watermark_, end);
}

EpochCheck Partition::check_epoch(int32_t current_leader_epoch) const {
  if (current_leader_epoch < 0 || current_leader_epoch == registration_.leader_epoch.value) return EpochCheck::kOk;
  return current_leader_epoch < registration_.leader_epoch.value ? EpochCheck::kFenced : EpochCheck::kUnknown;
}

bool Partition::enough_in_sync(int32_t min_insync_replicas) const {
  auto replicas = static_cast<int32_t>(registration_.replicas.size());
  return static_cast<int32_t>(registration_.isr.size()) >= std::min(min_insync_replicas, replicas);
}

bool Partition::advance() {
  Offset lowest = counted_end_;
  for (BrokerId replica : registration_.isr) {
    if (replica == self_) continue;
    auto follower = followers_.find(replica);
    // In sync but not heard of since this leadership began: nothing may be committed past what was known before.
    if (follower == followers_.end()) return false;
    lowest = std::min(lowest, follower->second.end);
  }
  if (lowest <= high_watermark_) return false;
  high_watermark_ = lowest;
  return true;
}

}  // namespace barnabas::replication
