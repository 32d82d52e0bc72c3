// Configuration overrides of topics, brokers, groups and client-metrics subscriptions.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "config/validate_alter.h"
#include "controller/controller.h"
#include "metadata/features.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"

namespace barnabas::controller {

namespace {

using metadata::ConfigMap;
using metadata::ConfigResource;
using metadata::Image;
using metadata::ResourceType;
using wire::AlterConfigsRequest;
using wire::IncrementalAlterConfigsRequest;

ConfigProblem problem_of(config::Refusal refusal) {
  return {static_cast<KafkaError>(refusal.error_code), std::move(refusal.message)};
}

// Whether the thing to be configured can be at all.
std::optional<ConfigProblem> resource_problem(const Image& image, int8_t type, const std::string& name) {
  auto invalid = [](std::string why) { return ConfigProblem{KafkaError::kInvalidRequest, std::move(why)}; };
  switch (static_cast<ResourceType>(type)) {
    case ResourceType::kTopic:
      if (image.topic(name) != nullptr) return std::nullopt;
      return ConfigProblem{KafkaError::kUnknownTopicOrPartition, fmt::format("The topic '{}' does not exist.", name)};
    case ResourceType::kBroker: {
      if (name.empty()) return std::nullopt;
      int32_t id = 0;
      auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
      if (error != std::errc() || end != name.data() + name.size()) {
        return invalid(fmt::format("Node id must be an integer, but it is: {}", name));
      }
      if (image.broker(BrokerId(id)) == nullptr) return invalid(fmt::format("No broker with id {} found.", id));
      return std::nullopt;
    }
    case ResourceType::kClientMetrics:
      if (name.empty()) return invalid("Default client metrics resources are not allowed.");
      return std::nullopt;
    case ResourceType::kGroup:
      if (name.empty()) return invalid("Default group resources are not allowed.");
      return std::nullopt;
    case ResourceType::kBrokerLogger:
      break;
  }
  return invalid(fmt::format("Unexpected resource type {}.", static_cast<int>(type)));
}

// What the changes make of the overrides; config/ has the rules.
std::optional<ConfigProblem> apply(const IncrementalAlterConfigsRequest::AlterConfigsResource& resource,
                                   ConfigMap& values) {
  std::vector<config::Change> changes;
  for (const auto& change : resource.configs) {
    changes.push_back({.name = change.name, .op = change.config_operation, .value = change.value});
  }
  if (auto refusal = config::check_changes(changes)) return problem_of(*std::move(refusal));
  auto type = static_cast<config::ResourceType>(resource.resource_type);
  auto after = config::apply_changes(type, values, changes);
  if (!after) return problem_of(std::move(after).error());
  values = *std::move(after);
  return std::nullopt;
}

// Records for what differs. Broker keys named by `mentioned` are written even when they stay the same: brokers take
// that as the order to read again what the value points at (a key store, say).
void append_records(const Image& image, const ConfigResource& resource, const ConfigMap& before, const ConfigMap& after,
                    const std::set<std::string>& mentioned, std::vector<MetadataRecord>& records) {
  std::set<std::string> names = mentioned;
  for (const auto& [name, value] : before) names.insert(name);
  bool min_isr = false;
  for (const std::string& name : names) {
    auto was = before.find(name);
    auto is = after.find(name);
    bool same = was == before.end() ? is == after.end() : is != after.end() && was->second == is->second;
    bool again = resource.type == ResourceType::kBroker && mentioned.contains(name) && is != after.end();
    if (same && !again) continue;
    wire::ConfigRecord record;
    record.resource_type = static_cast<int8_t>(resource.type);
    record.resource_name = resource.name;
    record.name = name;
    if (is == after.end()) {
      record.value.reset();
    } else {
      record.value = is->second;
    }
    records.emplace_back(std::move(record));
    min_isr = min_isr || name == "min.insync.replicas";
  }
  if (min_isr && image.feature_level(metadata::kElrVersion) > 0) {
    wire::ClearElrRecord clear;
    if (resource.type == ResourceType::kTopic) clear.topic_name = resource.name;
    records.emplace_back(std::move(clear));
  }
}

template <class Resources>
std::map<std::pair<int8_t, std::string>, int> count_resources(const Resources& resources) {
  std::map<std::pair<int8_t, std::string>, int> counts;
  for (const auto& resource : resources) ++counts[{resource.resource_type, resource.resource_name}];
  return counts;
}

template <class Row>
void fill(Row& row, int8_t type, const std::string& name, std::optional<ConfigProblem> problem) {
  row.resource_type = type;
  row.resource_name = name;
  row.error_message.reset();
  if (!problem) return;
  row.error_code = problem->error;
  row.error_message = std::move(problem->message);
}

const ConfigProblem kDuplicateResource{KafkaError::kInvalidRequest, "Each resource must appear at most once."};

}  // namespace

Decision<wire::IncrementalAlterConfigsResponse> Controller::incremental_alter_configs(
    const IncrementalAlterConfigsRequest& request) const {
  Decision<wire::IncrementalAlterConfigsResponse> decision;
  auto counts = count_resources(request.resources);
  for (const auto& resource : request.resources) {
    const int8_t type = resource.resource_type;
    const ConfigResource key{static_cast<ResourceType>(type), resource.resource_name};
    std::optional<ConfigProblem> problem;
    if (counts[{type, resource.resource_name}] > 1) problem = kDuplicateResource;
    if (!problem) problem = resource_problem(image(), type, resource.resource_name);
    const ConfigMap& before = image().config(key);
    ConfigMap after = before;
    if (!problem) problem = apply(resource, after);
    std::set<std::string> mentioned;
    for (const auto& change : resource.configs) mentioned.insert(change.name);
    if (!problem) problem = validator_->check(key, before, after);
    if (!problem && !request.validate_only) {
      append_records(image(), key, before, after, mentioned, decision.records);
    }
    fill(decision.response.responses.emplace_back(), type, resource.resource_name, std::move(problem));
  }
  return decision;
}

Decision<wire::AlterConfigsResponse> Controller::alter_configs(const AlterConfigsRequest& request) const {
  Decision<wire::AlterConfigsResponse> decision;
  auto counts = count_resources(request.resources);
  for (const auto& resource : request.resources) {
    const int8_t type = resource.resource_type;
    const ConfigResource key{static_cast<ResourceType>(type), resource.resource_name};
    std::optional<ConfigProblem> problem;
    if (counts[{type, resource.resource_name}] > 1) problem = kDuplicateResource;
    if (!problem) problem = resource_problem(image(), type, resource.resource_name);
    // The old API says what shall be there, all of it.
    ConfigMap after;
    std::set<std::string> mentioned;
    std::vector<config::Change> changes;
    for (const auto& config : resource.configs) {
      changes.push_back({.name = config.name, .value = config.value});
      if (config.value) after.insert_or_assign(config.name, *config.value);
      mentioned.insert(config.name);
    }
    auto refusal = config::check_changes(changes);
    if (!problem && refusal) problem = problem_of(*std::move(refusal));
    const ConfigMap& before = image().config(key);
    if (!problem) problem = validator_->check(key, before, after);
    if (!problem && !request.validate_only) {
      append_records(image(), key, before, after, mentioned, decision.records);
    }
    fill(decision.response.responses.emplace_back(), type, resource.resource_name, std::move(problem));
  }
  return decision;
}

}  // namespace barnabas::controller
