// The cluster and its nodes: brokers, log directories, quorum, features, versions.
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/api.h"
#include "wire/messages/add_raft_voter_request.h"
#include "wire/messages/add_raft_voter_response.h"
#include "wire/messages/alter_replica_log_dirs_request.h"
#include "wire/messages/alter_replica_log_dirs_response.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/remove_raft_voter_request.h"
#include "wire/messages/remove_raft_voter_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;

runtime::Task<Result<ClusterDescription>> describe_cluster(Cluster& cluster, bool with_authorized_operations,
                                                           bool with_fenced) {
  auto deadline = api_deadline(cluster);
  auto peer = co_await cluster.connection(Target::any(), deadline);
  if (!peer) co_return std::unexpected(peer.error());
  ClusterDescription description;
  if ((*peer)->api(wire::DescribeClusterRequest::kApiKey).empty()) {  // before 2.8
    auto metadata = co_await cluster.refresh(deadline);
    if (!metadata) co_return std::unexpected(metadata.error());
    description.cluster_id = (*metadata)->cluster_id;
    if ((*metadata)->controller >= 0) description.controller = node_of(**metadata, (*metadata)->controller);
    for (const auto& [id, broker] : (*metadata)->brokers) description.nodes.push_back(node_of(**metadata, id));
    co_return description;
  }
  auto version = (*peer)->version_of<wire::DescribeClusterRequest>();
  if (!version) co_return std::unexpected(version.error());
  wire::DescribeClusterRequest request;
  request.include_cluster_authorized_operations = with_authorized_operations;
  if (with_fenced && *version < 2) {
    co_return std::unexpected(Error{.kind = Error::Kind::kUnsupported,
                                    .message = "the cluster is too old to list fenced brokers (KIP-1073)"});
  }
  request.include_fenced_brokers = with_fenced;
  auto answer =
      co_await cluster.call<wire::DescribeClusterResponse>(Target::any(), std::move(request), deadline, *version);
  if (!answer) co_return std::unexpected(answer.error());
  auto& told = answer->message;
  if (told.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(told.error_code, "cluster", told.error_message));
  }
  description.cluster_id = told.cluster_id;
  for (const auto& broker : told.brokers) {
    Node node{broker.broker_id, broker.host, broker.port, broker.rack, broker.is_fenced};
    if (node.id == told.controller_id) description.controller = node;
    description.nodes.push_back(std::move(node));
  }
  description.authorized_operations = operations_of(told.cluster_authorized_operations);
  co_return description;
}

runtime::Task<Result<Outcomes<int32_t, std::vector<LogDirDescription>>>> describe_log_dirs(
    Cluster& cluster, std::vector<int32_t> brokers) {
  auto deadline = api_deadline(cluster);
  Outcomes<int32_t, std::vector<LogDirDescription>> done;
  for (int32_t broker : brokers) {
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    auto answer =
        co_await cluster.call<wire::DescribeLogDirsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) {
      done.insert_or_assign(broker, std::unexpected(answer.error()));
      continue;
    }
    std::vector<LogDirDescription> directories;
    for (const auto& told : answer->message.results) {
      LogDirDescription directory{.path = told.log_dir, .cordoned = told.is_cordoned};
      if (told.error_code != KafkaError::kNone) {
        directory.error = broker_error(told.error_code, "log directory " + told.log_dir);
      }
      if (told.total_bytes >= 0) directory.total_bytes = told.total_bytes;
      if (told.usable_bytes >= 0) directory.usable_bytes = told.usable_bytes;
      for (const auto& topic : told.topics) {
        for (const auto& partition : topic.partitions) {
          directory.replicas.push_back({.partition = {topic.name, partition.partition_index},
                                        .size_bytes = partition.partition_size,
                                        .offset_lag = partition.offset_lag,
                                        .future = partition.is_future_key});
        }
      }
      directories.push_back(std::move(directory));
    }
    done.insert_or_assign(
        broker, outcome(answer->message.error_code, "broker " + std::to_string(broker), {}, std::move(directories)));
  }
  co_return done;
}

runtime::Task<Result<Outcomes<TopicPartitionReplica, void>>> alter_replica_log_dirs(
    Cluster& cluster, std::map<TopicPartitionReplica, std::string> moves) {
  auto deadline = api_deadline(cluster);
  std::map<int32_t, std::map<std::string, std::map<std::string, std::vector<int32_t>>>> by_broker;
  for (const auto& [replica, path] : moves) {
    by_broker[replica.broker][path][replica.partition.topic].push_back(replica.partition.partition);
  }
  Outcomes<TopicPartitionReplica, void> done;
  for (const auto& [broker, paths] : by_broker) {
    wire::AlterReplicaLogDirsRequest request;
    for (const auto& [path, topics] : paths) {
      auto& directory = request.dirs.emplace_back();
      directory.path = path;
      for (const auto& [topic, partitions] : topics) directory.topics.push_back({topic, partitions, {}});
    }
    auto answer =
        co_await cluster.call<wire::AlterReplicaLogDirsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) {
      for (const auto& [replica, path] : moves) {
        if (replica.broker == broker) done.insert_or_assign(replica, std::unexpected(answer.error()));
      }
      continue;
    }
    for (const auto& topic : answer->message.results) {
      for (const auto& partition : topic.partitions) {
        TopicPartitionReplica key{{topic.topic_name, partition.partition_index}, broker};
        done.insert_or_assign(key, outcome(partition.error_code, name_of(key.partition)));
      }
    }
  }
  co_return done;
}

QuorumDescription::Replica replica_of(const wire::DescribeQuorumResponse::ReplicaState& state) {
  QuorumDescription::Replica replica{.id = state.replica_id,
                                     .directory = public_id(state.replica_directory_id),
                                     .log_end_offset = state.log_end_offset};
  if (state.last_fetch_timestamp >= 0) replica.last_fetch = state.last_fetch_timestamp;
  if (state.last_caught_up_timestamp >= 0) replica.last_caught_up = state.last_caught_up_timestamp;
  return replica;
}

runtime::Task<Result<QuorumDescription>> describe_quorum(Cluster& cluster) {
  wire::DescribeQuorumRequest request;
  request.topics.push_back({.topic_name = "__cluster_metadata", .partitions = {{}}});
  auto answer = co_await ask_controller<wire::DescribeQuorumResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::DescribeQuorumResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  auto& told = answer->message;
  if (told.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(told.error_code, "quorum", told.error_message));
  }
  if (told.topics.size() != 1 || told.topics[0].partitions.size() != 1) {
    co_return std::unexpected(
        Error{.kind = Error::Kind::kBadAnswer, .message = "the quorum's description is not of one partition"});
  }
  const auto& partition = told.topics[0].partitions[0];
  if (partition.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(partition.error_code, "quorum", partition.error_message));
  }
  QuorumDescription description{.leader_id = partition.leader_id,
                                .leader_epoch = partition.leader_epoch,
                                .high_watermark = partition.high_watermark};
  for (const auto& voter : partition.current_voters) description.voters.push_back(replica_of(voter));
  for (const auto& observer : partition.observers) description.observers.push_back(replica_of(observer));
  for (const auto& node : told.nodes) {
    auto& listeners = description.nodes[node.node_id];
    for (const auto& listener : node.listeners) {
      listeners.push_back({.name = listener.name, .host = listener.host, .port = listener.port});
    }
  }
  co_return description;
}

runtime::Task<Result<>> add_raft_voter(Cluster& cluster, Voter voter, std::optional<std::string> cluster_id) {
  wire::AddRaftVoterRequest request;
  request.cluster_id = std::move(cluster_id);
  request.timeout_ms = request_timeout_ms(cluster);
  request.voter_id = voter.id;
  request.voter_directory_id = internal_id(voter.directory);
  for (const auto& listener : voter.listeners) {
    request.listeners.push_back(
        {.name = listener.name, .host = listener.host, .port = static_cast<uint16_t>(listener.port)});
  }
  auto answer = co_await cluster.call<wire::AddRaftVoterResponse>(Target::controller(), std::move(request),
                                                                  api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  co_return outcome(answer->message.error_code, "voter " + std::to_string(voter.id), answer->message.error_message);
}

runtime::Task<Result<>> remove_raft_voter(Cluster& cluster, int32_t id, Uuid128 directory,
                                          std::optional<std::string> cluster_id) {
  wire::RemoveRaftVoterRequest request;
  request.cluster_id = std::move(cluster_id);
  request.voter_id = id;
  request.voter_directory_id = internal_id(directory);
  auto answer = co_await cluster.call<wire::RemoveRaftVoterResponse>(Target::controller(), std::move(request),
                                                                     api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  co_return outcome(answer->message.error_code, "voter " + std::to_string(id), answer->message.error_message);
}

runtime::Task<Result<>> unregister_broker(Cluster& cluster, int32_t id) {
  wire::UnregisterBrokerRequest request;
  request.broker_id = id;
  auto answer = co_await ask_controller<wire::UnregisterBrokerResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::UnregisterBrokerResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  co_return outcome(answer->message.error_code, "broker " + std::to_string(id), answer->message.error_message);
}

// Asked again although the connection asked it once: levels change while it is open.
runtime::Task<Result<Answer<wire::ApiVersionsResponse>>> ask_versions(Cluster& cluster, Target target,
                                                                      MonotonicTime deadline) {
  wire::ApiVersionsRequest request;
  request.client_software_name = "barnabas-cpp";
  request.client_software_version = "1.0";
  auto answer = co_await cluster.call<wire::ApiVersionsResponse>(target, std::move(request), deadline, 4);
  co_return answer;
}

runtime::Task<Result<FeatureDescription>> describe_features(Cluster& cluster) {
  auto answer = co_await ask_versions(cluster, Target::any(), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  const auto& told = answer->message;
  if (told.error_code != KafkaError::kNone) co_return std::unexpected(broker_error(told.error_code, "features"));
  FeatureDescription description{.finalized_epoch = told.finalized_features_epoch};
  for (const auto& feature : told.finalized_features) description.finalized[feature.name] = feature.max_version_level;
  for (const auto& feature : told.supported_features) {
    description.supported[feature.name] = {feature.min_version, feature.max_version};
  }
  co_return description;
}

runtime::Task<Result<Outcomes<std::string, void>>> update_features(Cluster& cluster,
                                                                   std::map<std::string, FeatureUpdate> updates,
                                                                   bool validate_only) {
  wire::UpdateFeaturesRequest request;
  request.timeout_ms = request_timeout_ms(cluster);
  request.validate_only = validate_only;
  for (const auto& [name, update] : updates) {
    auto& asked = request.feature_updates.emplace_back();
    asked.feature = name;
    asked.max_version_level = update.max_level;
    asked.upgrade_type = static_cast<int8_t>(update.type);
  }
  auto answer = co_await ask_controller<wire::UpdateFeaturesResponse>(
      cluster, std::move(request), api_deadline(cluster),
      [](const wire::UpdateFeaturesResponse& response) { return response.error_code; });
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<std::string, void> done;
  // One outcome for all since version 2: all are changed, or none.
  for (const auto& [name, update] : updates) {
    done.emplace(name, outcome(answer->message.error_code, "feature " + name, answer->message.error_message));
  }
  for (const auto& result : answer->message.results) {
    if (answer->message.error_code != KafkaError::kNone) break;
    done.insert_or_assign(result.feature,
                          outcome(result.error_code, "feature " + result.feature, result.error_message));
  }
  co_return done;
}

runtime::Task<Result<Outcomes<int32_t, std::vector<ApiVersionRange>>>> api_versions(Cluster& cluster,
                                                                                    std::vector<int32_t> brokers) {
  auto deadline = api_deadline(cluster);
  if (brokers.empty()) {
    auto metadata = co_await cluster.refresh(deadline);
    if (!metadata) co_return std::unexpected(metadata.error());
    for (const auto& [id, broker] : (*metadata)->brokers) brokers.push_back(id);
  }
  Outcomes<int32_t, std::vector<ApiVersionRange>> done;
  for (int32_t broker : brokers) {
    auto answer = co_await ask_versions(cluster, Target::of(broker), deadline);
    if (!answer) {
      done.insert_or_assign(broker, std::unexpected(answer.error()));
      continue;
    }
    std::vector<ApiVersionRange> ranges;
    for (const auto& api : answer->message.api_keys) {
      ApiVersionRange range{.key = api.api_key, .min = api.min_version, .max = api.max_version};
      if (const wire::ApiInfo* known = wire::find_api(api.api_key)) {
        range.name = known->name;
        int16_t usable = std::min(api.max_version, known->max_version);
        if (usable >= std::max(api.min_version, known->min_version)) range.usable = usable;
      }
      ranges.push_back(std::move(range));
    }
    done.insert_or_assign(
        broker, outcome(answer->message.error_code, "broker " + std::to_string(broker), {}, std::move(ranges)));
  }
  co_return done;
}

}  // namespace
}  // namespace admin

Future<ClusterDescription> Admin::describe_cluster(bool with_authorized_operations, bool with_fenced) {
  return core_->start(admin::describe_cluster(core_->cluster(), with_authorized_operations, with_fenced));
}
Admin::Each<int32_t, std::vector<LogDirDescription>> Admin::describe_log_dirs(std::vector<int32_t> brokers) {
  return core_->start(admin::describe_log_dirs(core_->cluster(), std::move(brokers)));
}
Admin::Each<TopicPartitionReplica> Admin::alter_replica_log_dirs(std::map<TopicPartitionReplica, std::string> moves) {
  return core_->start(admin::alter_replica_log_dirs(core_->cluster(), std::move(moves)));
}
Future<QuorumDescription> Admin::describe_quorum() {
  return core_->start(admin::describe_quorum(core_->cluster()));
}
Future<> Admin::add_raft_voter(Voter voter, std::optional<std::string> cluster_id) {
  return core_->start(admin::add_raft_voter(core_->cluster(), std::move(voter), std::move(cluster_id)));
}
Future<> Admin::remove_raft_voter(int32_t id, Uuid128 directory, std::optional<std::string> cluster_id) {
  return core_->start(admin::remove_raft_voter(core_->cluster(), id, directory, std::move(cluster_id)));
}
Future<> Admin::unregister_broker(int32_t id) {
  return core_->start(admin::unregister_broker(core_->cluster(), id));
}
Future<FeatureDescription> Admin::describe_features() {
  return core_->start(admin::describe_features(core_->cluster()));
}
Admin::Each<std::string> Admin::update_features(std::map<std::string, FeatureUpdate> updates, bool validate_only) {
  return core_->start(admin::update_features(core_->cluster(), std::move(updates), validate_only));
}
Admin::Each<int32_t, std::vector<ApiVersionRange>> Admin::api_versions(std::vector<int32_t> brokers) {
  return core_->start(admin::api_versions(core_->cluster(), std::move(brokers)));
}

}  // namespace barnabas::client
