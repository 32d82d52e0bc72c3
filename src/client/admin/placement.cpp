// Where replicas are and who leads: elections and reassignments.
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/alter_partition_reassignments_request.h"
#include "wire/messages/alter_partition_reassignments_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/list_partition_reassignments_request.h"
#include "wire/messages/list_partition_reassignments_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;
using EachPartition = Outcomes<TopicPartition, void>;

runtime::Task<Result<EachPartition>> elect_leaders(Cluster& cluster, ElectionType type,
                                                   std::optional<std::vector<TopicPartition>> partitions) {
  wire::ElectLeadersRequest request;
  request.election_type = static_cast<int8_t>(type);
  request.timeout_ms = request_timeout_ms(cluster);
  request.topic_partitions.reset();
  if (partitions) {
    request.topic_partitions.emplace();
    for (auto& [topic, numbers] : by_topic(*partitions)) request.topic_partitions->push_back({topic, numbers, {}});
  }
  auto answer = co_await ask_controller<wire::ElectLeadersResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::ElectLeadersResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "leader election"));
  }
  EachPartition done;
  for (const auto& topic : answer->message.replica_election_results) {
    for (const auto& partition : topic.partition_result) {
      TopicPartition key{topic.topic, partition.partition_id};
      done.insert_or_assign(key, outcome(partition.error_code, name_of(key), partition.error_message));
    }
  }
  co_return done;
}

runtime::Task<Result<EachPartition>> alter_reassignments(
    Cluster& cluster, std::map<TopicPartition, std::optional<std::vector<int32_t>>> targets) {
  wire::AlterPartitionReassignmentsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  for (const auto& [partition, replicas] : targets) {
    if (request.topics.empty() || request.topics.back().name != partition.topic) {
      request.topics.emplace_back().name = partition.topic;
    }
    request.topics.back().partitions.push_back({.partition_index = partition.partition, .replicas = replicas});
  }
  auto answer = co_await ask_controller<wire::AlterPartitionReassignmentsResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::AlterPartitionReassignmentsResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  const auto& told = answer->message;
  if (told.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(told.error_code, "reassignment", told.error_message));
  }
  EachPartition done;
  for (const auto& topic : told.responses) {
    for (const auto& partition : topic.partitions) {
      TopicPartition key{topic.name, partition.partition_index};
      done.insert_or_assign(key, outcome(partition.error_code, name_of(key), partition.error_message));
    }
  }
  co_return done;
}

using Reassignments = std::map<TopicPartition, PartitionReassignment>;

runtime::Task<Result<Reassignments>> list_reassignments(Cluster& cluster,
                                                        std::optional<std::vector<TopicPartition>> partitions) {
  wire::ListPartitionReassignmentsRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  if (partitions) {
    request.topics.emplace();
    for (auto& [topic, numbers] : by_topic(*partitions)) request.topics->push_back({topic, numbers, {}});
  }
  auto answer = co_await ask_controller<wire::ListPartitionReassignmentsResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::ListPartitionReassignmentsResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  const auto& told = answer->message;
  if (told.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(told.error_code, "reassignments", told.error_message));
  }
  Reassignments under_way;
  for (const auto& topic : told.topics) {
    for (const auto& partition : topic.partitions) {
      under_way.insert_or_assign({topic.name, partition.partition_index},
                                 PartitionReassignment{.replicas = partition.replicas,
                                                       .adding = partition.adding_replicas,
                                                       .removing = partition.removing_replicas});
    }
  }
  co_return under_way;
}

}  // namespace
}  // namespace admin

Admin::Each<TopicPartition> Admin::elect_leaders(ElectionType type,
                                                 std::optional<std::vector<TopicPartition>> partitions) {
  return core_->start(admin::elect_leaders(core_->cluster(), type, std::move(partitions)));
}
Admin::Each<TopicPartition> Admin::alter_partition_reassignments(
    std::map<TopicPartition, std::optional<std::vector<int32_t>>> targets) {
  return core_->start(admin::alter_reassignments(core_->cluster(), std::move(targets)));
}
Future<std::map<TopicPartition, PartitionReassignment>> Admin::list_partition_reassignments(
    std::optional<std::vector<TopicPartition>> partitions) {
  return core_->start(admin::list_reassignments(core_->cluster(), std::move(partitions)));
}

}  // namespace barnabas::client
