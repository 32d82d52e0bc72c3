// CreateTopics: names, numbers, configs and placement, each with Kafka's own complaint.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "controller/assignment.h"
#include "controller/controller.h"
#include "controller/placement.h"
#include "controller/topic_names.h"
#include "metadata/features.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"

namespace barnabas::controller {

namespace {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;
using Topic = CreateTopicsRequest::CreatableTopic;
using Row = CreateTopicsResponse::CreatableTopicResult;

Row refused(const std::string& name, KafkaError error, std::string message) {
  Row row;
  row.name = name;
  row.error_code = error;
  row.error_message = std::move(message);
  row.configs.reset();
  return row;
}

struct Refusal {
  KafkaError error;
  std::string message;
};

using Assignments = std::vector<std::vector<BrokerId>>;

std::optional<Refusal> manual_assignments(const metadata::Image& image, const Topic& topic, Assignments& out) {
  auto wrong = [](std::string why) { return Refusal{KafkaError::kInvalidReplicaAssignment, std::move(why)}; };
  if (topic.replication_factor != -1) {
    return Refusal{KafkaError::kInvalidRequest,
                   "A manual partition assignment was specified, but replication factor was not set to -1."};
  }
  if (topic.num_partitions != -1) {
    return Refusal{KafkaError::kInvalidRequest,
                   "A manual partition assignment was specified, but numPartitions was not set to -1."};
  }
  std::map<int32_t, std::vector<BrokerId>> by_index;
  std::optional<size_t> like;
  for (const auto& assignment : topic.assignments) {
    std::vector<BrokerId> replicas;
    for (int32_t id : assignment.broker_ids) replicas.emplace_back(id);
    if (!by_index.try_emplace(assignment.partition_index, replicas).second) {
      return wrong(
          fmt::format("Found multiple manual partition assignments for partition {}", assignment.partition_index));
    }
    if (auto why = assignment_problem(image, replicas, like)) return wrong(std::move(*why));
    like = replicas.size();
  }
  for (auto& [index, replicas] : by_index) {
    if (index != std::ssize(out)) return wrong("partitions should be a consecutive 0-based integer sequence");
    if (!any_active(image, replicas)) {
      return wrong(
          fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced or "
                      "in controlled shutdown.",
                      index));
    }
    out.push_back(std::move(replicas));
  }
  return std::nullopt;
}

std::optional<Refusal> placed_assignments(const metadata::Image& image, const Topic& topic, const Options& options,
                                          Assignments& out) {
  if (topic.replication_factor < -1 || topic.replication_factor == 0) {
    return Refusal{KafkaError::kInvalidReplicationFactor,
                   "Replication factor must be larger than 0, or -1 to use the default value."};
  }
  if (topic.num_partitions < -1 || topic.num_partitions == 0) {
    return Refusal{KafkaError::kInvalidPartitions, "Number of partitions was set to an invalid non-positive value."};
  }
  int32_t count = topic.num_partitions == -1 ? options.default_partitions : topic.num_partitions;
  int replication = topic.replication_factor == -1 ? options.default_replication_factor : topic.replication_factor;
  Placer placer(placement_candidates(image), options.random);
  if (auto why = placer.problem(replication)) {
    return Refusal{KafkaError::kInvalidReplicationFactor, std::move(*why)};
  }
  for (int32_t i = 0; i < count; ++i) {
    out.push_back(placer.place(replication));
    if (!any_active(image, out.back())) {
      return Refusal{KafkaError::kInvalidReplicationFactor,
                     fmt::format("Unable to replicate the partition {} time(s): All brokers are currently fenced or in "
                                 "controlled shutdown.",
                                 replication)};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> topic_configs(const Topic& topic, const ConfigValidator& validator, metadata::ConfigMap& out) {
  for (const auto& config : topic.configs) {
    if (!config.value) {
      return Refusal{KafkaError::kInvalidConfig, "Null value not supported for topic configs: " + config.name};
    }
    out.insert_or_assign(config.name, *config.value);
  }
  auto problem = validator.check({metadata::ResourceType::kTopic, topic.name}, {}, out);
  if (problem) return Refusal{problem->error, std::move(problem->message)};
  return std::nullopt;
}

int64_t partitions_asked(const CreateTopicsRequest& request, int32_t default_partitions) {
  int64_t total = 0;
  for (const Topic& topic : request.topics) {
    if (!topic.assignments.empty()) {
      total += std::ssize(topic.assignments);
    } else {
      total += topic.num_partitions == -1 ? default_partitions : std::max(topic.num_partitions, 0);
    }
  }
  return total;
}

void append_records(const metadata::Image& image, const Topic& topic, const Uuid& id,
                    const metadata::ConfigMap& configs, const Assignments& assignments,
                    std::vector<MetadataRecord>& records) {
  wire::TopicRecord record;
  record.name = topic.name;
  record.topic_id = id;
  records.emplace_back(std::move(record));
  for (const auto& [name, value] : configs) {
    wire::ConfigRecord config;
    config.resource_type = static_cast<int8_t>(metadata::ResourceType::kTopic);
    config.resource_name = topic.name;
    config.name = name;
    config.value = value;
    records.emplace_back(std::move(config));
  }
  if (configs.contains("min.insync.replicas") && image.feature_level(metadata::kElrVersion) > 0) {
    wire::ClearElrRecord clear;
    clear.topic_name = topic.name;
    records.emplace_back(std::move(clear));
  }
  for (size_t i = 0; i < assignments.size(); ++i) {
    records.emplace_back(new_partition(image, id, static_cast<int32_t>(i), assignments[i]));
  }
}

Row created(const Topic& topic, const Uuid& id, const metadata::ConfigMap& configs, const Assignments& assignments,
            const ConfigValidator& validator) {
  Row row;
  row.name = topic.name;
  row.topic_id = id;
  row.error_message.reset();
  row.num_partitions = static_cast<int32_t>(assignments.size());
  row.replication_factor = static_cast<int16_t>(assignments.front().size());
  for (DescribedConfig& config : validator.describe_topic(configs)) {
    auto& c = row.configs->emplace_back();
    c.name = std::move(config.name);
    c.value = std::move(config.value);
    c.read_only = config.read_only;
    c.config_source = config.source;
    c.is_sensitive = config.sensitive;
  }
  return row;
}

}  // namespace

std::optional<std::string> Controller::colliding_topic(const std::string& name) const {
  if (!has_collision_chars(name)) return std::nullopt;
  auto found = collisions_.find(collision_form(name));
  if (found == collisions_.end()) return std::nullopt;
  for (const std::string& other : found->second) {
    if (other != name && image().topic(other) != nullptr) return other;
  }
  return std::nullopt;
}

Decision<CreateTopicsResponse> Controller::create_topics(const CreateTopicsRequest& request) const {
  Decision<CreateTopicsResponse> decision;
  auto add = [&](Row row) { decision.response.topics.push_back(std::move(row)); };
  std::map<std::string, int> mentioned;
  for (const Topic& topic : request.topics) ++mentioned[topic.name];

  const bool too_many = partitions_asked(request, options_.default_partitions) > kMaxPartitionsPerRequest;
  std::set<std::string> answered;
  for (const Topic& topic : request.topics) {
    const std::string& name = topic.name;
    if (mentioned[name] > 1) {
      if (answered.insert(name).second) add(refused(name, KafkaError::kInvalidRequest, "Duplicate topic name."));
      continue;
    }
    if (too_many) {
      add(refused(name, KafkaError::kPolicyViolation, "Excessively large number of partitions per request."));
      continue;
    }
    if (name == metadata::kClusterMetadataTopic) {
      add(refused(name, KafkaError::kInvalidRequest, "Creation of internal topic __cluster_metadata is prohibited."));
      continue;
    }
    if (auto why = topic_name_problem(name)) {
      add(refused(name, KafkaError::kInvalidTopicException, std::move(*why)));
      continue;
    }
    if (image().topic(name) != nullptr) {
      add(refused(name, KafkaError::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name)));
      continue;
    }
    // Only topics that exist count: two names of one request may collide, in Kafka too.
    if (auto other = colliding_topic(name)) {
      add(refused(name, KafkaError::kInvalidTopicException,
                  fmt::format("Topic '{}' collides with existing topic: {}", name, *other)));
      continue;
    }
    Assignments assignments;
    metadata::ConfigMap configs;
    std::optional<Refusal> refusal = topic_configs(topic, *validator_, configs);
    if (!refusal) {
      refusal = topic.assignments.empty() ? placed_assignments(image(), topic, options_, assignments)
                                          : manual_assignments(image(), topic, assignments);
    }
    if (refusal) {
      add(refused(name, refusal->error, std::move(refusal->message)));
      continue;
    }
    Uuid id = random_uuid();
    if (!request.validate_only) append_records(image(), topic, id, configs, assignments, decision.records);
    add(created(topic, id, configs, assignments, *validator_));
  }
  return decision;
}

}  // namespace barnabas::controller
