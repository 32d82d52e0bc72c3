// DeleteTopics and CreatePartitions.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "controller/assignment.h"
#include "controller/controller.h"
#include "controller/placement.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"

namespace barnabas::controller {

namespace {

using wire::CreatePartitionsRequest;
using wire::CreatePartitionsResponse;
using wire::DeleteTopicsRequest;
using wire::DeleteTopicsResponse;

struct Refusal {
  KafkaError error;
  std::string message;
};

Refusal standard(KafkaError error) {
  return {error, std::string(wire::kafka_error_message(error))};
}

// Adds the new partitions of one topic to `records`, or says why not.
std::optional<Refusal> grow(const metadata::Image& image, const CreatePartitionsRequest::CreatePartitionsTopic& request,
                            const std::function<uint64_t()>& random, std::vector<MetadataRecord>& records) {
  const metadata::Topic* topic = image.topic(request.name);
  if (topic == nullptr) return standard(KafkaError::kUnknownTopicOrPartition);
  int32_t have = topic->partition_count();
  if (request.count == have) {
    return Refusal{KafkaError::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", have)};
  }
  if (request.count < have) {
    return Refusal{KafkaError::kInvalidPartitions,
                   fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.", request.name,
                               have, request.count)};
  }
  int32_t additional = request.count - have;
  if (additional > kMaxPartitionsPerRequest) {
    return Refusal{KafkaError::kPolicyViolation, "Excessively large number of partitions per request."};
  }
  size_t replication = have > 0 ? topic->partitions.front()->replicas.size() : 1;
  if (request.assignments) {
    if (std::ssize(*request.assignments) != additional) {
      return Refusal{
          KafkaError::kInvalidReplicaAssignment,
          fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                      additional, request.assignments->size())};
    }
    for (int32_t i = 0; i < additional; ++i) {
      std::vector<BrokerId> replicas;
      for (int32_t id : (*request.assignments)[static_cast<size_t>(i)].broker_ids) replicas.emplace_back(id);
      if (auto why = assignment_problem(image, replicas, replication)) {
        return Refusal{KafkaError::kInvalidReplicaAssignment, std::move(*why)};
      }
      if (!any_active(image, replicas)) {
        return Refusal{
            KafkaError::kInvalidReplicaAssignment,
            fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced "
                        "or in controlled shutdown.",
                        have + i)};
      }
      records.emplace_back(new_partition(image, topic->id, have + i, replicas));
    }
    return std::nullopt;
  }
  Placer placer(placement_candidates(image), random);
  if (auto why = placer.problem(static_cast<int>(replication))) {
    return Refusal{KafkaError::kInvalidReplicationFactor, std::move(*why)};
  }
  for (int32_t i = 0; i < additional; ++i) {
    std::vector<BrokerId> replicas = placer.place(static_cast<int>(replication));
    if (!any_active(image, replicas)) {
      return Refusal{KafkaError::kInvalidReplicationFactor,
                     "All brokers are currently fenced or in controlled shutdown."};
    }
    records.emplace_back(new_partition(image, topic->id, have + i, replicas));
  }
  return std::nullopt;
}

}  // namespace

Decision<CreatePartitionsResponse> Controller::create_partitions(const CreatePartitionsRequest& request) const {
  Decision<CreatePartitionsResponse> decision;
  std::map<std::string, int> mentioned;
  for (const auto& topic : request.topics) ++mentioned[topic.name];
  std::set<std::string> answered;
  for (const auto& topic : request.topics) {
    bool twice = mentioned[topic.name] > 1;
    if (twice && !answered.insert(topic.name).second) continue;
    std::optional<Refusal> refusal;
    std::vector<MetadataRecord> records;
    if (twice) {
      refusal = Refusal{KafkaError::kInvalidRequest, "Duplicate topic name."};
    } else {
      refusal = grow(image(), topic, options_.random, records);
    }
    auto& row = decision.response.results.emplace_back();
    row.name = topic.name;
    if (refusal) {
      row.error_code = refusal->error;
      row.error_message = std::move(refusal->message);
    } else if (!request.validate_only) {
      decision.records.insert(decision.records.end(), records.begin(), records.end());
    }
  }
  return decision;
}

Decision<DeleteTopicsResponse> Controller::delete_topics(const DeleteTopicsRequest& request) const {
  Decision<DeleteTopicsResponse> decision;
  std::vector<DeleteTopicsRequest::DeleteTopicState> wanted = request.topics;
  for (const std::string& name : request.topic_names) wanted.emplace_back().name = name;

  auto answer = [&](const std::optional<std::string>& name, const Uuid& id, std::optional<Refusal> refusal) {
    auto& row = decision.response.responses.emplace_back();
    row.name = name;
    row.topic_id = id;
    if (!refusal) return;
    row.error_code = refusal->error;
    row.error_message = std::move(refusal->message);
  };
  std::map<std::string, int> names;
  std::map<Uuid, int> ids;
  for (const auto& topic : wanted) {
    if (topic.name) ++names[*topic.name];
    if (!topic.name) ++ids[topic.topic_id];
  }
  std::set<std::string> names_answered;
  std::set<Uuid> doomed;
  for (const auto& topic : wanted) {
    if (topic.name && !topic.topic_id.is_zero()) {
      answer(topic.name, topic.topic_id,
             Refusal{KafkaError::kInvalidRequest, "You may not specify both topic name and topic id."});
      continue;
    }
    if (!topic.name && topic.topic_id.is_zero()) {
      answer(std::nullopt, kZeroUuid,
             Refusal{KafkaError::kInvalidRequest, "Neither topic name nor id were specified."});
      continue;
    }
    if (topic.name && names[*topic.name] > 1) {
      if (names_answered.insert(*topic.name).second) {
        answer(topic.name, kZeroUuid, Refusal{KafkaError::kInvalidRequest, "Duplicate topic name."});
      }
      continue;
    }
    if (!topic.name && ids[topic.topic_id] > 1) {
      if (doomed.insert(topic.topic_id).second) {
        answer(std::nullopt, topic.topic_id, Refusal{KafkaError::kInvalidRequest, "Duplicate topic id."});
      }
      continue;
    }
    const metadata::Topic* found = topic.name ? image().topic(*topic.name) : image().topic(topic.topic_id);
    if (found == nullptr) {
      answer(topic.name, topic.topic_id,
             standard(topic.name ? KafkaError::kUnknownTopicOrPartition : KafkaError::kUnknownTopicId));
      continue;
    }
    if (!doomed.insert(found->id).second) {
      answer(topic.name, topic.topic_id,
             Refusal{KafkaError::kInvalidRequest, "The provided topic name maps to an ID that was already supplied."});
      continue;
    }
    wire::RemoveTopicRecord record;
    record.topic_id = found->id;
    decision.records.emplace_back(std::move(record));
    answer(found->name, found->id, std::nullopt);
  }
  return decision;
}

}  // namespace barnabas::controller
