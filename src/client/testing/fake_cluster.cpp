#include "client/testing/fake_cluster.h"

#include <utility>

#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::client::testing {

using wire::KafkaError;

FakeCluster::FakeCluster(FakeNetwork& network, int32_t count) : network_(network) {
  for (int32_t id = 1; id <= count; ++id) {
    ids_.push_back(id);
    members[id] = "b" + std::to_string(id);
    FakeBroker& each = broker(id);
    each.serve<wire::MetadataRequest>([this, &each](const Asked& asked) -> std::optional<std::string> {
      if (silent) {
        unanswered_.push_back({&each, asked});
        return std::nullopt;
      }
      return answer_metadata(asked);
    });
    each.serve<wire::FindCoordinatorRequest>([this](const Asked& asked) { return answer_coordinator(asked); });
  }
}

void FakeCluster::add_topic(const std::string& name, std::vector<Partition> partitions) {
  Topic& topic = topics[name];
  topic.id = Uuid{.most = 7, .least = std::hash<std::string>()(name)};
  topic.partitions = std::move(partitions);
}

size_t FakeCluster::metadata_requests() const {
  size_t count = 0;
  for (int32_t id : ids_) count += network_.broker("b" + std::to_string(id)).asked_of(wire::MetadataRequest::kApiKey);
  return count;
}

size_t FakeCluster::coordinator_requests() const {
  size_t count = 0;
  for (int32_t id : ids_) {
    count += network_.broker("b" + std::to_string(id)).asked_of(wire::FindCoordinatorRequest::kApiKey);
  }
  return count;
}

void FakeCluster::answer_now() {
  silent = false;
  for (Unanswered& each : std::exchange(unanswered_, {})) {
    each.broker->wires.back()->send(*answer_metadata(each.asked));
  }
}

std::optional<std::string> FakeCluster::answer_metadata(const Asked& asked) {
  auto request = asked.as<wire::MetadataRequest>();
  wire::MetadataResponse response;
  if (asked.version >= 13) response.error_code = metadata_error;
  for (const auto& [id, host] : members) {
    auto& node = response.brokers.emplace_back();
    node.node_id = id;
    node.host = host;
    node.port = 9092;
  }
  response.cluster_id = cluster_id;
  response.controller_id = controller;
  last_asked.clear();
  asked_for_all = !request.topics.has_value();
  if (request.topics) {
    for (const auto& topic : *request.topics) last_asked.push_back(*topic.name);
  }
  std::vector<std::string> names = last_asked;
  if (asked_for_all) {
    for (const auto& [name, topic] : topics) names.push_back(name);
  }
  for (const std::string& name : names) {
    auto& told = response.topics.emplace_back();
    told.name = name;
    auto known = topics.find(name);
    if (known == topics.end()) {
      told.error_code = KafkaError::kUnknownTopicOrPartition;
      if (request.allow_auto_topic_creation && creates_topics) add_topic(name, {{1, 0}});
      continue;
    }
    told.error_code = known->second.error;
    told.topic_id = known->second.id;
    for (size_t i = 0; i < known->second.partitions.size(); ++i) {
      const Partition& partition = known->second.partitions[i];
      auto& each = told.partitions.emplace_back();
      each.partition_index = static_cast<int32_t>(i);
      each.leader_id = partition.leader;
      each.leader_epoch = partition.epoch;
      each.replica_nodes = each.isr_nodes = {partition.leader};
      if (partition.leader < 0) each.error_code = KafkaError::kLeaderNotAvailable;
    }
  }
  return answer_frame(asked, response);
}

std::optional<std::string> FakeCluster::answer_coordinator(const Asked& asked) {
  auto request = asked.as<wire::FindCoordinatorRequest>();
  wire::FindCoordinatorResponse response;
  auto of = [this](const std::string& key) {
    auto known = coordinators.find(key);
    return known == coordinators.end() ? Coordinator{.node = -1, .error = KafkaError::kCoordinatorNotAvailable}
                                       : known->second;
  };
  if (asked.version >= 4) {
    for (const std::string& key : request.coordinator_keys) {
      Coordinator told = of(key);
      auto& each = response.coordinators.emplace_back();
      each.key = key;
      each.node_id = told.node;
      each.host = "b" + std::to_string(told.node);
      each.port = 9092;
      each.error_code = told.error;
      each.error_message = "";
    }
  } else {
    Coordinator told = of(request.key);
    response.node_id = told.node;
    response.host = "b" + std::to_string(told.node);
    response.port = 9092;
    response.error_code = told.error;
  }
  return answer_frame(asked, response);
}

}  // namespace barnabas::client::testing
