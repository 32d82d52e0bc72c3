// Configuration overrides of topics, brokers, groups and client-metrics subscriptions.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

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

enum Operation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ",") + part;
  return list;
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

// One key's new value: what it was, or an override, or nothing.
std::optional<ConfigProblem> apply(const IncrementalAlterConfigsRequest::AlterableConfig& change, ResourceType type,
                                   const ConfigValidator& validator, ConfigMap& values) {
  auto operation = static_cast<Operation>(change.config_operation);
  if (operation == kDelete) {
    values.erase(change.name);
    return std::nullopt;
  }
  if (operation < kSet || operation > kSubtract) {
    return ConfigProblem{KafkaError::kInvalidRequest,
                         fmt::format("Unknown operation {} for {}.", static_cast<int>(operation), change.name)};
  }
  if (!change.value) {
    return ConfigProblem{KafkaError::kInvalidRequest, "Null value not supported for : " + change.name};
  }
  if (operation == kSet) {
    values.insert_or_assign(change.name, *change.value);
    return std::nullopt;
  }
  bool append = operation == kAppend;
  if (!validator.is_list(type, change.name)) {
    return ConfigProblem{KafkaError::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                                 append ? "APPEND" : "SUBTRACT", change.name)};
  }
  auto found = values.find(change.name);
  std::string before =
      found != values.end() ? found->second : validator.default_value(type, change.name).value_or(std::string());
  std::vector<std::string> parts = split(before);
  for (const std::string& part : split(*change.value)) {
    auto at = std::ranges::find(parts, part);
    if (append && at == parts.end()) parts.push_back(part);
    if (!append && at != parts.end()) parts.erase(at);
  }
  values.insert_or_assign(change.name, join(parts));
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

template <class Configs>
bool names_repeat(const Configs& configs) {
  std::set<std::string_view> seen;
  return std::ranges::any_of(configs, [&](const auto& config) { return !seen.insert(config.name).second; });
}

const ConfigProblem kDuplicateResource{KafkaError::kInvalidRequest, "Each resource must appear at most once."};
const ConfigProblem kDuplicateKeys{KafkaError::kInvalidRequest, "Error due to duplicate config keys"};

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
    if (!problem && names_repeat(resource.configs)) problem = kDuplicateKeys;
    const ConfigMap& before = image().config(key);
    ConfigMap after = before;
    std::set<std::string> mentioned;
    for (const auto& change : resource.configs) {
      if (!problem) problem = apply(change, key.type, *validator_, after);
      mentioned.insert(change.name);
    }
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
    if (!problem && names_repeat(resource.configs)) problem = kDuplicateKeys;
    // The old API says what shall be there, all of it.
    ConfigMap after;
    std::set<std::string> mentioned;
    for (const auto& config : resource.configs) {
      if (!config.value && !problem) {
        problem = ConfigProblem{KafkaError::kInvalidRequest, "Null value not supported for : " + config.name};
      }
      if (config.value) after.insert_or_assign(config.name, *config.value);
      mentioned.insert(config.name);
    }
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
