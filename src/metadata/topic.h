// Topics and partitions as the metadata log describes them. Values are immutable once in an image and shared between
// images: a changed partition is a new Partition in a new Topic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"

namespace barnabas::metadata {

inline constexpr BrokerId kNoLeader{-1};

enum class LeaderRecoveryState : int8_t { kRecovered = 0, kRecovering = 1 };

struct Partition {
  std::vector<BrokerId> replicas;
  std::vector<Uuid> directories;  // one for each replica, or empty in logs older than metadata.version 17
  std::vector<BrokerId> isr;
  std::vector<BrokerId> elr;  // eligible leader replicas (KIP-966)
  std::vector<BrokerId> last_known_elr;
  std::vector<BrokerId> adding_replicas;
  std::vector<BrokerId> removing_replicas;
  BrokerId leader = kNoLeader;
  LeaderEpoch leader_epoch{-1};
  int32_t partition_epoch = -1;
  LeaderRecoveryState recovery = LeaderRecoveryState::kRecovered;

  bool has_replica(BrokerId broker) const;
  bool in_isr(BrokerId broker) const;
  // Where `broker` keeps its replica; the zero id when it has none or the log does not say.
  Uuid directory_of(BrokerId broker) const;

  bool operator==(const Partition&) const = default;
};

struct Topic {
  std::string name;
  Uuid id;
  // Index = partition id. An entry is null only in a damaged log with a gap.
  std::vector<std::shared_ptr<const Partition>> partitions;

  int32_t partition_count() const { return static_cast<int32_t>(partitions.size()); }
  const Partition* partition(int32_t index) const {
    return index >= 0 && index < partition_count() ? partitions[static_cast<size_t>(index)].get() : nullptr;
  }
};

using TopicPtr = std::shared_ptr<const Topic>;

// Names of topics that the cluster itself keeps; clients may not write or (except for offsets) create them.
inline constexpr std::string_view kConsumerOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionStateTopic = "__transaction_state";
inline constexpr std::string_view kShareGroupStateTopic = "__share_group_state";
inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";
bool is_internal_topic(std::string_view name);

}  // namespace barnabas::metadata
