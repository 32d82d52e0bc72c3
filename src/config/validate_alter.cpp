#include "config/validate_alter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "base/check.h"
#include "config/alter_rules.h"
#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

using Outcome = std::expected<Overrides, Refusal>;

constexpr std::string_view kMinInsync = "min.insync.replicas";

// Java's String.split(","): pieces between commas, no trimming, empty ones at the end dropped.
std::vector<std::string> split_plain(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

const KeyInfo* find_key(ResourceType type, std::string_view name) {
  switch (type) {
    case ResourceType::kTopic:
      return topic_keys().find(name);
    case ResourceType::kBroker:
      return find_node_key(name);
    case ResourceType::kGroup:
      return group_keys().find(name);
    case ResourceType::kClientMetrics:
      return client_metrics_keys().find(name);
    case ResourceType::kBrokerLogger:
    case ResourceType::kUnknown:
      break;
  }
  return nullptr;
}

template <class Item>
bool has_duplicates(std::span<const Item> items) {
  std::set<std::string_view> seen;
  return std::ranges::any_of(items, [&](const Item& item) { return !seen.insert(item.name).second; });
}

std::optional<Refusal> check_resource(const AlterContext& context) {
  const std::string_view name = context.resource_name;
  switch (context.type) {
    case ResourceType::kTopic:
      if (name.empty()) return refuse(kInvalidRequest, "Default topic resources are not allowed.");
      return std::nullopt;
    case ResourceType::kGroup:
      if (name.empty()) return refuse(kInvalidRequest, "Default group resources are not allowed.");
      return std::nullopt;
    case ResourceType::kClientMetrics:
      if (name.empty()) return refuse(kInvalidRequest, "Subscription name can't be empty");
      return std::nullopt;
    case ResourceType::kBroker: {
      if (name.empty()) return std::nullopt;
      const auto id = parse_long(name);
      if (!id || *id > std::numeric_limits<int32_t>::max())
        return refuse(kInvalidRequest, fmt::format("Node id must be an integer, but it is: {}", name));
      if (*id < 0) return refuse(kInvalidRequest, "Invalid negative broker ID.");
      if (context.broker_id >= 0 && *id != context.broker_id)
        return refuse(kInvalidRequest,
                      fmt::format("Unexpected broker id, expected {}, but received {}", context.broker_id, name));
      return std::nullopt;
    }
    case ResourceType::kBrokerLogger:
    case ResourceType::kUnknown:
      break;
  }
  return refuse(kInvalidRequest, fmt::format("Unknown resource type {}", static_cast<int>(context.type)));
}

std::expected<std::string, Refusal> edit_list(ResourceType type, const Overrides& current, const Change& change) {
  const bool append = change.op == static_cast<int8_t>(AlterOp::kAppend);
  const KeyInfo* key = find_key(type, change.name);
  if (type == ResourceType::kBroker && key == nullptr)
    return std::unexpected(*refuse(kInvalidConfig, fmt::format("Unknown config name: {}", change.name)));
  if (type == ResourceType::kBroker && key->type != KeyType::kList)
    return std::unexpected(*refuse(kInvalidConfig, fmt::format("Config value {} is not allowed for config key: {}",
                                                               append ? "append" : "subtract", change.name)));
  if (key == nullptr || key->type != KeyType::kList)
    return std::unexpected(*refuse(kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                               append ? "APPEND" : "SUBTRACT", change.name)));
  const auto present = current.find(change.name);
  // A list that is not set grows from Kafka's own default, whatever the broker's value is.
  std::vector<std::string> items =
      split_plain(present != current.end() ? std::string_view(present->second) : key->default_value.value_or(""));
  std::erase(items, "");
  for (std::string& item : split_plain(change.value.value_or(""))) {
    const auto place = std::ranges::find(items, item);
    if (append && place == items.end()) items.push_back(std::move(item));
    if (!append && place != items.end()) items.erase(place);
  }
  return join_list(items);
}

// Elections by in-sync history need one value of min.insync.replicas for the whole cluster.
std::optional<Refusal> check_elr(const AlterContext& context, const Overrides& next, bool touched) {
  if (!context.elr_enabled || !touched || context.type != ResourceType::kBroker) return std::nullopt;
  if (!context.resource_name.empty())
    return refuse(kInvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
  if (!next.contains(kMinInsync))
    return refuse(kInvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
  return std::nullopt;
}

std::optional<Refusal> check_next(const AlterContext& context, const Overrides& next) {
  switch (context.type) {
    case ResourceType::kTopic:
      return check_topic_overrides(*context.broker, next);
    case ResourceType::kBroker:
      return check_broker_overrides(context, next);
    case ResourceType::kGroup:
      return check_group_overrides(*context.broker, next);
    case ResourceType::kClientMetrics:
      return check_client_metrics_overrides(next);
    case ResourceType::kBrokerLogger:
    case ResourceType::kUnknown:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> refuse(int16_t error_code, std::string message) {
  return Refusal{.error_code = error_code, .message = std::move(message)};
}

std::optional<Refusal> check_changes(std::span<const Change> changes) {
  if (has_duplicates(changes)) return refuse(kInvalidRequest, "Error due to duplicate config keys");
  std::vector<std::string> nulls;
  for (const Change& change : changes)
    if (!change.value && change.op != static_cast<int8_t>(AlterOp::kDelete)) nulls.push_back(change.name);
  if (!nulls.empty())
    return refuse(kInvalidRequest, fmt::format("Null value not supported for : {}", fmt::join(nulls, ", ")));
  return std::nullopt;
}

Outcome apply_changes(ResourceType type, const Overrides& current, std::span<const Change> changes) {
  Overrides next = current;
  for (const Change& change : changes) {
    switch (static_cast<AlterOp>(change.op)) {
      case AlterOp::kSet:
        next[change.name] = *change.value;
        break;
      case AlterOp::kDelete:
        next.erase(change.name);
        break;
      case AlterOp::kAppend:
      case AlterOp::kSubtract: {
        auto edited = edit_list(type, current, change);
        if (!edited) return std::unexpected(edited.error());
        next[change.name] = *std::move(edited);
        break;
      }
      default:
        if (type == ResourceType::kBroker)
          return std::unexpected(*refuse(kInvalidRequest, fmt::format("Unknown operations type {}", change.op)));
        return std::unexpected(
            *refuse(kUnknownServerError, "The server experienced an unexpected error when processing the request."));
    }
  }
  return next;
}

Outcome alter_incrementally(const AlterContext& context, const Overrides& current, std::span<const Change> changes) {
  CHECK(context.broker != nullptr);
  if (auto refusal = check_changes(changes)) return std::unexpected(*std::move(refusal));
  if (auto refusal = check_resource(context)) return std::unexpected(*std::move(refusal));
  Outcome next = apply_changes(context.type, current, changes);
  if (!next) return next;
  if (auto refusal = check_next(context, *next)) return std::unexpected(*std::move(refusal));
  const bool touched = std::ranges::find(changes, kMinInsync, &Change::name) != changes.end();
  if (auto refusal = check_elr(context, *next, touched)) return std::unexpected(*std::move(refusal));
  return next;
}

Outcome replace_all(const AlterContext& context, const Overrides& current, std::span<const WantedConfig> wanted) {
  CHECK(context.broker != nullptr);
  std::vector<Change> changes;
  for (const WantedConfig& config : wanted) changes.push_back({.name = config.name, .value = config.value});
  if (auto refusal = check_changes(changes)) return std::unexpected(*std::move(refusal));
  if (auto refusal = check_resource(context)) return std::unexpected(*std::move(refusal));
  Overrides next;
  for (const WantedConfig& config : wanted) next[config.name] = *config.value;
  if (auto refusal = check_next(context, next)) return std::unexpected(*std::move(refusal));
  const bool touched = current.contains(kMinInsync) || next.contains(kMinInsync);
  if (auto refusal = check_elr(context, next, touched)) return std::unexpected(*std::move(refusal));
  return next;
}

Outcome check_new_topic(const BrokerLayers& broker, std::span<const WantedConfig> wanted) {
  Overrides next;
  std::vector<std::string> nulls;
  for (const WantedConfig& config : wanted) {
    if (!config.value)
      nulls.push_back(config.name);
    else
      next[config.name] = *config.value;
  }
  if (!nulls.empty())
    return std::unexpected(
        *refuse(kInvalidConfig, fmt::format("Null value not supported for topic configs: {}", fmt::join(nulls, ","))));
  if (auto refusal = check_topic_overrides(broker, next)) return std::unexpected(*std::move(refusal));
  return next;
}

}  // namespace barnabas::config
