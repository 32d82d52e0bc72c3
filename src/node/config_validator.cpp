#include "node/config_validator.h"

#include "config/key.h"
#include "config/resolved.h"
#include "config/tables.h"
#include "config/validate_alter.h"

namespace barnabas::node {

namespace {

const config::KeyInfo* find_key(metadata::ResourceType type, std::string_view key) {
  switch (type) {
    case metadata::ResourceType::kTopic:
      return config::topic_keys().find(key);
    case metadata::ResourceType::kBroker:
      return config::find_node_key(key);
    case metadata::ResourceType::kClientMetrics:
      return config::client_metrics_keys().find(key);
    case metadata::ResourceType::kGroup:
      return config::group_keys().find(key);
    default:
      return nullptr;
  }
}

}  // namespace

std::optional<controller::ConfigProblem> ConfigValidator::check(const metadata::ConfigResource& resource,
                                                                const metadata::ConfigMap& before,
                                                                const metadata::ConfigMap& after) const {
  std::vector<config::Change> changes;
  for (const auto& [name, value] : after) {
    auto old = before.find(name);
    if (old != before.end() && old->second == value) continue;
    changes.push_back({.name = name, .op = static_cast<int8_t>(config::AlterOp::kSet), .value = value});
  }
  for (const auto& [name, value] : before) {
    if (!after.contains(name)) {
      changes.push_back({.name = name, .op = static_cast<int8_t>(config::AlterOp::kDelete), .value = std::nullopt});
    }
  }
  config::AlterContext context{.type = static_cast<config::ResourceType>(resource.type),
                               .resource_name = resource.name,
                               .broker_id = -1,
                               .broker = &layers_};
  config::Overrides current(before.begin(), before.end());
  auto altered = config::alter_incrementally(context, current, changes);
  if (altered) return std::nullopt;
  return controller::ConfigProblem{static_cast<wire::KafkaError>(altered.error().error_code), altered.error().message};
}

bool ConfigValidator::is_list(metadata::ResourceType type, std::string_view key) const {
  const config::KeyInfo* info = find_key(type, key);
  return info && info->type == config::KeyType::kList;
}

std::optional<std::string> ConfigValidator::default_value(metadata::ResourceType type, std::string_view key) const {
  const config::KeyInfo* info = find_key(type, key);
  if (!info || !info->default_value) return std::nullopt;
  return std::string(*info->default_value);
}

std::vector<controller::DescribedConfig> ConfigValidator::describe_topic(const metadata::ConfigMap& overrides) const {
  std::vector<controller::DescribedConfig> rows;
  for (auto& row : config::describe_topic(config::Overrides(overrides.begin(), overrides.end()), layers_)) {
    rows.push_back({.name = std::move(row.name),
                    .value = std::move(row.value),
                    .read_only = row.read_only,
                    .source = static_cast<int8_t>(row.source),
                    .sensitive = row.sensitive});
  }
  return rows;
}

}  // namespace barnabas::node
