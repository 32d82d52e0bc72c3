// What several commands show of a cluster: nodes, and topics with their partitions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/admin.h"
#include "cli/invocation.h"

namespace barnabas::cli {

Value ids_of(const std::vector<client::Node>& nodes);
Value ids_of(const std::vector<int32_t>& ids);
// "host:9092", "[::1]:9092".
std::string address_of(const client::Node& node);
// "1 (host:9092)", or null.
Value named_node(const std::optional<client::Node>& node);
// "orders-0".
std::string name_of(const client::TopicPartition& partition);

// The topics named, or all (internal ones too), in the order of names. Tells what failed: an unknown topic is an item
// that failed, an unreachable cluster ends it with nothing.
std::optional<std::vector<client::TopicDescription>> describe_topics(Invocation& call,
                                                                     const std::vector<std::string>& names);

// The partitions that arguments mean: "orders" (all of a topic), "orders:0", "orders/0", or "orders-0" where there is
// no topic of that name. Without arguments all of the cluster. Tells what failed.
struct ChosenPartition {
  client::TopicPartition partition;
  client::TopicPartitionInfo info;
};
std::optional<std::vector<ChosenPartition>> choose_partitions(Invocation& call,
                                                              const std::vector<std::string>& arguments);

// "topic", "topic:0", "topic/0" apart; "topic-0" is left whole.
std::pair<std::string, std::optional<int32_t>> split_partition(const std::string& text);

// Those of `ids` that the cluster has; tells of each other.
std::vector<int32_t> known_brokers(Invocation& call, const client::ClusterDescription& cluster,
                                   const std::vector<int32_t>& ids);

// "1,2,3" as broker ids; nothing for anything else.
std::optional<std::vector<int32_t>> broker_ids(std::string_view text);

}  // namespace barnabas::cli
