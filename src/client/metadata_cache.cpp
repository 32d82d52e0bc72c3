#include "client/metadata_cache.h"

#include <fmt/format.h>

#include <utility>

#include "wire/messages/metadata_response.h"

namespace barnabas::client {

namespace {

using Partition = wire::MetadataResponse::MetadataResponsePartition;
using Topic = wire::MetadataResponse::MetadataResponseTopic;

PartitionMetadata partition_of(const Partition& answered) {
  PartitionMetadata partition;
  partition.leader = answered.leader_id;
  partition.leader_epoch = answered.leader_epoch;
  partition.replicas = answered.replica_nodes;
  partition.in_sync_replicas = answered.isr_nodes;
  partition.offline_replicas = answered.offline_replicas;
  partition.error = answered.error_code;
  return partition;
}

Result<std::shared_ptr<const TopicMetadata>> topic_of(const Topic& answered, const TopicMetadata* before) {
  auto topic = std::make_shared<TopicMetadata>();
  topic->name = *answered.name;
  topic->id = answered.topic_id;
  topic->internal = answered.is_internal;
  topic->error = answered.error_code;
  size_t count = answered.partitions.size();
  topic->partitions.resize(count);
  std::vector<bool> seen(count);
  bool same = before && before->id == topic->id;
  for (const Partition& each : answered.partitions) {
    auto index = static_cast<size_t>(each.partition_index);
    if (each.partition_index < 0 || index >= count || seen[index]) {
      return std::unexpected(Error{.kind = Error::Kind::kBadAnswer,
                                   .message = fmt::format("the broker told of partition {} of {} of topic {}",
                                                          each.partition_index, count, topic->name)});
    }
    seen[index] = true;
    bool older = same && index < before->partitions.size() && each.leader_epoch >= 0 &&
                 before->partitions[index].leader_epoch > each.leader_epoch;
    topic->partitions[index] = older ? before->partitions[index] : partition_of(each);
  }
  return topic;
}

void rebuild_names(ClusterMetadata& metadata) {
  metadata.names.clear();
  for (const auto& [name, topic] : metadata.topics) {
    if (!topic->id.is_zero()) metadata.names.emplace(topic->id, name);
  }
}

}  // namespace

const TopicMetadata* ClusterMetadata::topic(std::string_view name) const {
  auto found = topics.find(name);
  return found == topics.end() ? nullptr : found->second.get();
}

const PartitionMetadata* ClusterMetadata::partition(std::string_view name, int32_t partition) const {
  const TopicMetadata* known = topic(name);
  if (!known || partition < 0 || static_cast<size_t>(partition) >= known->partitions.size()) return nullptr;
  return &known->partitions[static_cast<size_t>(partition)];
}

Result<std::shared_ptr<const ClusterMetadata>> merge_metadata(const ClusterMetadata& before,
                                                              const wire::MetadataResponse& answer,
                                                              const MetadataMerge& merge) {
  auto after = std::make_shared<ClusterMetadata>();
  after->cluster_id = answer.cluster_id.value_or("");
  after->controller = answer.controller_id;
  after->fetched = merge.partial ? before.fetched : merge.now;
  for (const auto& broker : answer.brokers) {
    after->brokers.insert_or_assign(
        broker.node_id,
        BrokerNode{.id = broker.node_id, .host = broker.host, .port = broker.port, .rack = broker.rack});
  }
  // Of another cluster nothing is kept, epochs least of all.
  bool same_cluster = before.cluster_id.empty() || before.cluster_id == after->cluster_id;
  if (merge.partial && same_cluster) after->topics = before.topics;
  for (const Topic& answered : answer.topics) {
    if (!answered.name) continue;
    auto topic = topic_of(answered, same_cluster ? before.topic(*answered.name) : nullptr);
    if (!topic) return std::unexpected(topic.error());
    after->topics.insert_or_assign(*answered.name, *std::move(topic));
  }
  rebuild_names(*after);
  return after;
}

std::shared_ptr<const ClusterMetadata> merge_leader(const ClusterMetadata& before, const LeaderNews& news) {
  const PartitionMetadata* known = before.partition(news.topic, news.partition);
  if (!known || known->leader_epoch >= news.leader_epoch) return nullptr;
  auto after = std::make_shared<ClusterMetadata>(before);
  for (const BrokerNode& broker : news.endpoints) after->brokers.insert_or_assign(broker.id, broker);
  auto& entry = after->topics.find(news.topic)->second;
  auto topic = std::make_shared<TopicMetadata>(*entry);
  PartitionMetadata& partition = topic->partitions[static_cast<size_t>(news.partition)];
  partition.leader = news.leader;
  partition.leader_epoch = news.leader_epoch;
  partition.error = wire::KafkaError::kNone;
  entry = std::move(topic);
  return after;
}

}  // namespace barnabas::client
