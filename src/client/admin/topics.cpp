// Topics and their records.
#include <algorithm>

#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;

// The first code that says the controller is elsewhere, among those of each topic.
template <class Items>
KafkaError controller_code(const Items& items) {
  for (const auto& item : items) {
    if (item.error_code == KafkaError::kNotController) return item.error_code;
  }
  return KafkaError::kNone;
}

runtime::Task<Result<Outcomes<std::string, CreatedTopic>>> create_topics(Cluster& cluster, std::vector<NewTopic> topics,
                                                                         bool validate_only) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  request.validate_only = validate_only;
  for (const auto& topic : topics) {
    auto& asked = request.topics.emplace_back();
    asked.name = topic.name;
    asked.num_partitions = topic.assignments.empty() ? topic.partitions : -1;
    asked.replication_factor = topic.assignments.empty() ? topic.replication_factor : int16_t{-1};
    for (const auto& [partition, replicas] : topic.assignments) asked.assignments.push_back({partition, replicas, {}});
    for (const auto& [name, value] : topic.configs) asked.configs.push_back({name, value, {}});
  }
  auto answer = co_await ask_controller<wire::CreateTopicsResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::CreateTopicsResponse& response) { return controller_code(response.topics); });
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<std::string, CreatedTopic> done;
  for (auto& topic : answer->message.topics) {
    CreatedTopic created;
    created.id = public_id(topic.topic_id);
    created.partitions = topic.num_partitions;
    created.replication_factor = topic.replication_factor;
    if (topic.configs) {
      for (auto& config : *topic.configs) {
        created.configs.push_back({.name = std::move(config.name),
                                   .value = std::move(config.value),
                                   .source = static_cast<ConfigEntry::Source>(config.config_source),
                                   .read_only = config.read_only,
                                   .sensitive = config.is_sensitive});
      }
    }
    done.insert_or_assign(topic.name,
                          outcome(topic.error_code, "topic " + topic.name, topic.error_message, std::move(created)));
  }
  co_return done;
}

runtime::Task<Result<Outcomes<std::string, void>>> delete_topics(Cluster& cluster, std::vector<std::string> topics) {
  auto deadline = api_deadline(cluster);
  auto peer = co_await cluster.connection(Target::controller(), deadline);
  if (!peer) co_return std::unexpected(peer.error());
  auto version = (*peer)->version_of<wire::DeleteTopicsRequest>();
  if (!version) co_return std::unexpected(version.error());
  wire::DeleteTopicsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  bool by_state = *version >= 6;
  for (const auto& topic : topics) {
    if (by_state) {
      request.topics.push_back({.name = topic});
    } else {
      request.topic_names.push_back(topic);
    }
  }
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await cluster.call<wire::DeleteTopicsResponse>(Target::controller(), request, deadline, *version);
    if (!answer) co_return std::unexpected(answer.error());
    if (controller_code(answer->message.responses) == KafkaError::kNotController) {
      cluster.request_refresh();
      auto slept = co_await cluster.back_off(attempt, deadline);
      if (slept) continue;
    }
    Outcomes<std::string, void> done;
    for (auto& topic : answer->message.responses) {
      std::string name = topic.name.value_or("");
      done.insert_or_assign(name, outcome(topic.error_code, "topic " + name, topic.error_message));
    }
    co_return done;
  }
}

runtime::Task<Result<Outcomes<Uuid128, void>>> delete_topics_by_id(Cluster& cluster, std::vector<Uuid128> ids) {
  wire::DeleteTopicsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  for (const auto& id : ids) request.topics.push_back({.topic_id = internal_id(id)});
  auto answer = co_await ask_controller<wire::DeleteTopicsResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::DeleteTopicsResponse& response) { return controller_code(response.responses); });
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<Uuid128, void> done;
  for (auto& topic : answer->message.responses) {
    Uuid128 id = public_id(topic.topic_id);
    done.insert_or_assign(id, outcome(topic.error_code, "topic " + id.to_string(), topic.error_message));
  }
  co_return done;
}

runtime::Task<Result<std::vector<TopicListing>>> list_topics(Cluster& cluster, bool with_internal) {
  wire::MetadataRequest request;
  request.topics = std::nullopt;
  auto answer = co_await cluster.call<wire::MetadataResponse>(Target::any(), std::move(request), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "topics"));
  }
  std::vector<TopicListing> listed;
  for (auto& topic : answer->message.topics) {
    if (topic.error_code != KafkaError::kNone || !topic.name) continue;
    if (topic.is_internal && !with_internal) continue;
    listed.push_back({.name = *std::move(topic.name), .id = public_id(topic.topic_id), .internal = topic.is_internal});
  }
  std::ranges::sort(listed, {}, &TopicListing::name);
  co_return listed;
}

// The nodes of a metadata answer, as the descriptions name them.
ClusterMetadata brokers_of(const wire::MetadataResponse& response) {
  ClusterMetadata metadata;
  for (const auto& broker : response.brokers) {
    metadata.brokers.emplace(
        broker.node_id,
        BrokerNode{.id = broker.node_id, .host = broker.host, .port = broker.port, .rack = broker.rack});
  }
  return metadata;
}

// By Metadata: what every cluster answers, without eligible leader replicas.
runtime::Task<Result<Outcomes<std::string, TopicDescription>>> describe_by_metadata(Cluster& cluster,
                                                                                    std::vector<std::string> topics,
                                                                                    bool with_authorized_operations,
                                                                                    MonotonicTime deadline) {
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.include_topic_authorized_operations = with_authorized_operations;
  for (const auto& topic : topics) request.topics->push_back({.name = topic});
  auto answer = co_await cluster.call<wire::MetadataResponse>(Target::any(), std::move(request), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  ClusterMetadata nodes = brokers_of(answer->message);
  Outcomes<std::string, TopicDescription> done;
  for (auto& topic : answer->message.topics) {
    std::string name = topic.name.value_or("");
    TopicDescription description{.name = name,
                                 .id = public_id(topic.topic_id),
                                 .internal = topic.is_internal,
                                 .authorized_operations = operations_of(topic.topic_authorized_operations)};
    for (const auto& partition : topic.partitions) {
      auto& told = description.partitions.emplace_back();
      told.partition = partition.partition_index;
      if (partition.leader_id >= 0) told.leader = node_of(nodes, partition.leader_id);
      told.leader_epoch = partition.leader_epoch;
      told.replicas = nodes_of(nodes, partition.replica_nodes);
      told.in_sync_replicas = nodes_of(nodes, partition.isr_nodes);
      told.offline_replicas = nodes_of(nodes, partition.offline_replicas);
    }
    std::ranges::sort(description.partitions, {}, &TopicPartitionInfo::partition);
    done.insert_or_assign(name, outcome(topic.error_code, "topic " + name, {}, std::move(description)));
  }
  co_return done;
}

// By DescribeTopicPartitions (KIP-966), page by page.
runtime::Task<Result<Outcomes<std::string, TopicDescription>>> describe_topics(Cluster& cluster,
                                                                               std::vector<std::string> topics,
                                                                               bool with_authorized_operations) {
  auto deadline = api_deadline(cluster);
  auto peer = co_await cluster.connection(Target::any(), deadline);
  if (!peer) co_return std::unexpected(peer.error());
  if ((*peer)->api(wire::DescribeTopicPartitionsRequest::kApiKey).empty()) {
    auto described = co_await describe_by_metadata(cluster, std::move(topics), with_authorized_operations, deadline);
    co_return described;
  }
  auto refreshed = co_await cluster.refresh(deadline);
  if (!refreshed) co_return std::unexpected(refreshed.error());
  const ClusterMetadata& nodes = **refreshed;

  Outcomes<std::string, TopicDescription> done;
  wire::DescribeTopicPartitionsRequest request;
  std::ranges::sort(topics);
  for (const auto& topic : topics) request.topics.push_back({.name = topic});
  while (!request.topics.empty()) {
    auto answer = co_await cluster.call<wire::DescribeTopicPartitionsResponse>(Target::any(), request, deadline);
    if (!answer) co_return std::unexpected(answer.error());
    for (auto& topic : answer->message.topics) {
      std::string name = topic.name.value_or("");
      if (topic.error_code != KafkaError::kNone) {
        done.insert_or_assign(name, std::unexpected(broker_error(topic.error_code, "topic " + name)));
        continue;
      }
      auto at = done.try_emplace(name, TopicDescription{}).first;
      if (!at->second) continue;
      TopicDescription& description = *at->second;
      description.name = name;
      description.id = public_id(topic.topic_id);
      description.internal = topic.is_internal;
      if (with_authorized_operations) {
        description.authorized_operations = operations_of(topic.topic_authorized_operations);
      }
      for (const auto& partition : topic.partitions) {
        auto& told = description.partitions.emplace_back();
        told.partition = partition.partition_index;
        if (partition.leader_id >= 0) told.leader = node_of(nodes, partition.leader_id);
        told.leader_epoch = partition.leader_epoch;
        told.replicas = nodes_of(nodes, partition.replica_nodes);
        told.in_sync_replicas = nodes_of(nodes, partition.isr_nodes);
        told.offline_replicas = nodes_of(nodes, partition.offline_replicas);
        if (partition.eligible_leader_replicas) {
          told.eligible_leader_replicas = nodes_of(nodes, *partition.eligible_leader_replicas);
        }
        if (partition.last_known_elr) {
          told.last_known_eligible_leader_replicas = nodes_of(nodes, *partition.last_known_elr);
        }
      }
    }
    auto next = answer->message.next_cursor;
    if (!next) break;
    bool moved = !request.cursor || std::pair(request.cursor->topic_name, request.cursor->partition_index) <
                                        std::pair(next->topic_name, next->partition_index);
    if (!moved) {
      co_return std::unexpected(
          Error{.kind = Error::Kind::kBadAnswer, .message = "the broker's list of partitions does not come to an end"});
    }
    std::erase_if(request.topics, [&](const auto& topic) { return topic.name < next->topic_name; });
    request.cursor.emplace();
    request.cursor->topic_name = next->topic_name;
    request.cursor->partition_index = next->partition_index;
  }
  co_return done;
}

runtime::Task<Result<Outcomes<std::string, void>>> create_partitions(Cluster& cluster,
                                                                     std::map<std::string, NewPartitions> topics,
                                                                     bool validate_only) {
  wire::CreatePartitionsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  request.validate_only = validate_only;
  for (const auto& [name, wanted] : topics) {
    auto& asked = request.topics.emplace_back();
    asked.name = name;
    asked.count = wanted.total_count;
    asked.assignments.reset();
    if (wanted.assignments.empty()) continue;
    asked.assignments.emplace();
    for (const auto& replicas : wanted.assignments) asked.assignments->push_back({.broker_ids = replicas});
  }
  auto answer = co_await ask_controller<wire::CreatePartitionsResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::CreatePartitionsResponse& response) { return controller_code(response.results); });
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<std::string, void> done;
  for (auto& topic : answer->message.results) {
    done.insert_or_assign(topic.name, outcome(topic.error_code, "topic " + topic.name, topic.error_message));
  }
  co_return done;
}

struct DeleteBefore {
  std::map<TopicPartition, int64_t> before;

  runtime::Task<Result<Outcomes<TopicPartition, int64_t>>> operator()(Cluster& cluster, int32_t broker,
                                                                      std::vector<TopicPartition> partitions,
                                                                      MonotonicTime deadline) const {
    wire::DeleteRecordsRequest request;
    request.timeout_ms = request_timeout_ms(cluster);
    for (const auto& [topic, numbers] : by_topic(partitions)) {
      auto& asked = request.topics.emplace_back();
      asked.name = topic;
      for (int32_t number : numbers) asked.partitions.push_back({number, before.at({topic, number}), {}});
    }
    auto answer = co_await cluster.call<wire::DeleteRecordsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<TopicPartition, int64_t> done;
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        TopicPartition key{topic.name, partition.partition_index};
        done.insert_or_assign(key, outcome(partition.error_code, name_of(key), {}, partition.low_watermark));
      }
    }
    co_return done;
  }
};

runtime::Task<Result<Outcomes<TopicPartition, int64_t>>> delete_records(Cluster& cluster,
                                                                        std::map<TopicPartition, int64_t> before) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : before) partitions.push_back(partition);
  auto deadline = api_deadline(cluster);
  auto done = co_await ask_leaders<int64_t>(cluster, std::move(partitions), deadline, DeleteBefore{std::move(before)});
  co_return done;
}

}  // namespace
}  // namespace admin

Admin::Each<std::string, CreatedTopic> Admin::create_topics(std::vector<NewTopic> topics, bool validate_only) {
  return core_->start(admin::create_topics(core_->cluster(), std::move(topics), validate_only));
}
Admin::Each<std::string> Admin::delete_topics(std::vector<std::string> topics) {
  return core_->start(admin::delete_topics(core_->cluster(), std::move(topics)));
}
Admin::Each<Uuid128> Admin::delete_topics_by_id(std::vector<Uuid128> ids) {
  return core_->start(admin::delete_topics_by_id(core_->cluster(), std::move(ids)));
}
Future<std::vector<TopicListing>> Admin::list_topics(bool with_internal) {
  return core_->start(admin::list_topics(core_->cluster(), with_internal));
}
Admin::Each<std::string, TopicDescription> Admin::describe_topics(std::vector<std::string> topics,
                                                                  bool with_authorized_operations) {
  return core_->start(admin::describe_topics(core_->cluster(), std::move(topics), with_authorized_operations));
}
Admin::Each<std::string> Admin::create_partitions(std::map<std::string, NewPartitions> topics, bool validate_only) {
  return core_->start(admin::create_partitions(core_->cluster(), std::move(topics), validate_only));
}
Admin::Each<TopicPartition, int64_t> Admin::delete_records(std::map<TopicPartition, int64_t> before) {
  return core_->start(admin::delete_records(core_->cluster(), std::move(before)));
}

}  // namespace barnabas::client
