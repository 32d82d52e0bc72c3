// What a Metadata answer changes in what is known: pure functions from one snapshot to the next. A leader that is known
// from a later epoch stays, whatever an older answer says, unless the topic was deleted and created anew.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/cluster.h"

namespace barnabas::wire {
struct MetadataResponse;
}

namespace barnabas::client {

struct MetadataMerge {
  // Topics not in the answer stay: it was asked for a few only. Else they go.
  bool partial = false;
  MonotonicTime now{};
};

// The snapshot after `answer`. kBadAnswer when partitions do not number from 0.
Result<std::shared_ptr<const ClusterMetadata>> merge_metadata(const ClusterMetadata& before,
                                                              const wire::MetadataResponse& answer,
                                                              const MetadataMerge& merge);

struct LeaderNews {
  std::string topic;
  int32_t partition = -1;
  int32_t leader = -1;
  int32_t leader_epoch = -1;
  std::vector<BrokerNode> endpoints;
};
// The snapshot with a newer leader; null when it was known already, or the partition is not known.
std::shared_ptr<const ClusterMetadata> merge_leader(const ClusterMetadata& before, const LeaderNews& news);

}  // namespace barnabas::client
