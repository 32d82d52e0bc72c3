// Partition: the replication core of one partition on one broker: who leads at which epoch, who is in sync, how far
// each replica is, and from that the high watermark. Pure: no clock, no log, no lock; its owner (broker::Partition)
// calls it under the partition's lock. One replica or three go through the same code.
//
// The local replica counts with the offset up to which the durability contract holds: what is synced (durability fsync)
// or written (page-cache). So the high watermark can never pass what the contract promises.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace barnabas::replication {

// A partition's registration in the metadata image, as far as replication cares.
struct PartitionRegistration {
  BrokerId leader{-1};
  LeaderEpoch leader_epoch{-1};
  int32_t partition_epoch = -1;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;

  bool operator==(const PartitionRegistration&) const = default;
};

enum class Role { kNone, kLeader, kFollower };

enum class EpochCheck { kOk, kFenced, kUnknown };  // of a client's current_leader_epoch: 0, 74, 75

class Partition {
 public:
  explicit Partition(BrokerId self) : self_(self) {}

  // Takes over a newer registration. `counted_end`: as in local_advanced(). A registration of an older leader epoch or
  // the same partition epoch is ignored (returns false).
  bool apply(const PartitionRegistration& registration, Offset counted_end);
  // The replica is no longer here, or not usable (its log directory failed).
  void resign() { role_ = Role::kNone; }

  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::kLeader; }
  LeaderEpoch leader_epoch() const { return registration_.leader_epoch; }
  const PartitionRegistration& registration() const { return registration_; }

  // Start value at load: the checkpointed high watermark, at most the log's counted end.
  void restore_high_watermark(Offset high_watermark) { high_watermark_ = high_watermark; }
  Offset high_watermark() const { return high_watermark_; }

  // The local log's contract holds up to `counted_end` now. True when the high watermark moved.
  bool local_advanced(Offset counted_end);
  // A follower has everything before `fetch_offset` (it asks for that offset next). True when the high watermark moved.
  bool follower_fetched(BrokerId follower, Offset fetch_offset, MonotonicTime now);
  // The log was truncated to `end`: nothing beyond counts any more.
  void truncated(Offset end);

  // KIP-320: -1 (absent) is never fenced.
  EpochCheck check_epoch(int32_t current_leader_epoch) const;

  // acks=all may not begin (19), or has failed (20), while fewer than min(min_insync, replicas) are in sync.
  bool enough_in_sync(int32_t min_insync_replicas) const;
  // acks=all is done for records before `end`.
  bool replicated(Offset end) const { return high_watermark_ >= end; }
  // Set when this broker became leader: consumers' "latest" is not known before the high watermark reaches it
  // (KIP-207).
  Offset epoch_start() const { return epoch_start_; }

 private:
  struct Follower {
    Offset end{-1};
    MonotonicTime last_fetch;
  };

  bool advance();

  BrokerId self_;
  Role role_ = Role::kNone;
  PartitionRegistration registration_;
  Offset counted_end_{0};
  Offset high_watermark_{0};
  Offset epoch_start_{0};
  std::map<BrokerId, Follower> followers_;
};

}  // namespace barnabas::replication
