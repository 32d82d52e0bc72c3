// ElectLeaders: preferred leaders back to the front, or, when told so, anybody at all.
#include <map>

#include <fmt/format.h>

#include "controller/controller.h"
#include "controller/partition_change.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"

namespace barnabas::controller {

namespace {

struct Outcome {
  KafkaError error = KafkaError::kNone;
  std::optional<std::string> message;
};

Outcome standard(KafkaError error) {
  return {error, std::string(wire::kafka_error_message(error))};
}

Outcome elect(const metadata::Image& image, const std::string& name, int32_t index, Election how,
              std::vector<MetadataRecord>& records) {
  const metadata::Topic* topic = image.topic(name);
  if (topic == nullptr) return {KafkaError::kUnknownTopicOrPartition, "No such topic as " + name};
  const metadata::Partition* partition = topic->partition(index);
  if (partition == nullptr) {
    return {KafkaError::kUnknownTopicOrPartition, fmt::format("No such partition as {}-{}", name, index)};
  }
  const bool preferred_leads = !partition->replicas.empty() && partition->leader == partition->replicas.front();
  const bool has_leader = partition->leader != metadata::kNoLeader;
  if (how == Election::kPreferred ? preferred_leads : has_leader) return standard(KafkaError::kElectionNotNeeded);
  PartitionChange change(
      *topic, index, [&](BrokerId broker) { return can_lead(image, *partition, broker); }, image.metadata_version());
  auto record = change.elect(how).build();
  if (!record || (how == Election::kPreferred && record->leader != partition->replicas.front().value)) {
    return standard(how == Election::kPreferred ? KafkaError::kPreferredLeaderNotAvailable
                                                : KafkaError::kEligibleLeadersNotAvailable);
  }
  records.emplace_back(std::move(*record));
  return {};
}

}  // namespace

Decision<wire::ElectLeadersResponse> Controller::elect_leaders(const wire::ElectLeadersRequest& request) const {
  Decision<wire::ElectLeadersResponse> decision;
  if (request.election_type != 0 && request.election_type != 1) {
    decision.response.error_code = KafkaError::kInvalidRequest;
    return decision;
  }
  Election how = request.election_type == 0 ? Election::kPreferred : Election::kUnclean;
  std::map<std::string, wire::ElectLeadersResponse::ReplicaElectionResult> results;
  auto answer = [&](const std::string& topic, int32_t index, Outcome outcome) {
    auto& result = results[topic];
    result.topic = topic;
    auto& row = result.partition_result.emplace_back();
    row.partition_id = index;
    row.error_code = outcome.error;
    row.error_message = std::move(outcome.message);
  };
  if (request.topic_partitions) {
    for (const auto& topic : *request.topic_partitions) {
      for (int32_t index : topic.partitions) {
        answer(topic.topic, index, elect(image(), topic.topic, index, how, decision.records));
      }
    }
  } else {
    // All partitions: those that are fine already are not worth a row.
    for (const metadata::TopicPtr& topic : image().topics()) {
      for (int32_t index = 0; index < topic->partition_count(); ++index) {
        Outcome outcome = elect(image(), topic->name, index, how, decision.records);
        if (outcome.error != KafkaError::kElectionNotNeeded) answer(topic->name, index, std::move(outcome));
      }
    }
  }
  for (auto& [name, result] : results) decision.response.replica_election_results.push_back(std::move(result));
  return decision;
}

}  // namespace barnabas::controller
