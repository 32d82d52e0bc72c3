#include "broker/config_validator.h"

#include "config/resolved.h"
#include "config/validate_alter.h"

namespace barnabas::broker {

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

}  // namespace barnabas::broker
