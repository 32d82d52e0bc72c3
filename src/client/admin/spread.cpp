#include "client/admin/spread.h"

#include <limits>

#include "client/admin/acl_words.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::client::admin {

runtime::Task<Result<Leaders>> find_leaders(Cluster& cluster, std::vector<TopicPartition> partitions,
                                            MonotonicTime deadline) {
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  for (const auto& [topic, numbers] : by_topic(partitions)) request.topics->push_back({.name = topic});
  auto answer = co_await cluster.call<wire::MetadataResponse>(Target::any(), std::move(request), deadline);
  if (!answer) co_return std::unexpected(answer.error());

  std::map<std::string_view, const wire::MetadataResponse::MetadataResponseTopic*> topics;
  for (const auto& topic : answer->message.topics) {
    if (topic.name) topics.emplace(*topic.name, &topic);
  }
  Leaders leaders;
  for (auto& partition : partitions) {
    auto topic = topics.find(partition.topic);
    if (topic == topics.end() || topic->second->error_code != wire::KafkaError::kNone) {
      auto code = topic == topics.end() ? wire::KafkaError::kUnknownTopicOrPartition : topic->second->error_code;
      Error error = broker_error(code, "topic " + partition.topic);
      // That a topic is not there is told at once: it seldom comes while one waits.
      if (code == wire::KafkaError::kUnknownTopicOrPartition) error.retriable = false;
      leaders.missing.emplace(std::move(partition), std::move(error));
      continue;
    }
    const wire::MetadataResponse::MetadataResponsePartition* found = nullptr;
    for (const auto& candidate : topic->second->partitions) {
      if (candidate.partition_index == partition.partition) found = &candidate;
    }
    if (found == nullptr) {
      Error error = broker_error(wire::KafkaError::kUnknownTopicOrPartition, name_of(partition));
      error.retriable = false;
      leaders.missing.emplace(std::move(partition), std::move(error));
    } else if (found->leader_id < 0) {
      Error error = broker_error(wire::KafkaError::kLeaderNotAvailable, name_of(partition));
      leaders.missing.emplace(std::move(partition), std::move(error));
    } else {
      leaders.by_broker[found->leader_id].push_back(std::move(partition));
    }
  }
  // The brokers named here must be known to connect to them.
  if (!leaders.by_broker.empty()) {
    auto known = cluster.metadata();
    bool all_known = true;
    for (const auto& [broker, mine] : leaders.by_broker) all_known &= known && known->brokers.contains(broker);
    if (!all_known) {
      auto refreshed = co_await cluster.refresh(deadline);
      if (!refreshed) co_return std::unexpected(refreshed.error());
    }
  }
  co_return leaders;
}

std::map<std::string, std::vector<int32_t>> by_topic(const std::vector<TopicPartition>& partitions) {
  std::map<std::string, std::vector<int32_t>> topics;
  for (const auto& partition : partitions) topics[partition.topic].push_back(partition.partition);
  return topics;
}

std::string name_of(const TopicPartition& partition) {
  return "partition " + partition.topic + "-" + std::to_string(partition.partition);
}

std::optional<std::vector<std::string>> operations_of(int32_t bits) {
  if (bits == std::numeric_limits<int32_t>::min()) return std::nullopt;
  std::vector<std::string> names;
  for (int8_t code = 3; code < 32; ++code) {
    if ((static_cast<uint32_t>(bits) >> code & 1) != 0) names.emplace_back(acl_operation_name(code));
  }
  return names;
}

Uuid128 public_id(const Uuid& id) {
  return {.most = id.most, .least = id.least};
}

Uuid internal_id(const Uuid128& id) {
  return {.most = id.most, .least = id.least};
}

Node node_of(const ClusterMetadata& metadata, int32_t id) {
  auto found = metadata.brokers.find(id);
  if (found == metadata.brokers.end()) return {.id = id};
  const BrokerNode& broker = found->second;
  return {.id = id, .host = broker.host, .port = broker.port, .rack = broker.rack};
}

std::vector<Node> nodes_of(const ClusterMetadata& metadata, const std::vector<int32_t>& ids) {
  std::vector<Node> nodes;
  nodes.reserve(ids.size());
  for (int32_t id : ids) nodes.push_back(node_of(metadata, id));
  return nodes;
}

}  // namespace barnabas::client::admin
