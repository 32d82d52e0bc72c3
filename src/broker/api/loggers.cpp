#include "broker/api/loggers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "broker/broker.h"
#include "runtime/loggers.h"
#include "wire/kafka_error.h"

namespace barnabas::broker {

using runtime::Loggers;
using runtime::LogLevel;
using wire::KafkaError;

namespace {

constexpr std::array<std::pair<std::string_view, LogLevel>, 6> kLevels{{{"DEBUG", LogLevel::kDebug},
                                                                        {"ERROR", LogLevel::kError},
                                                                        {"FATAL", LogLevel::kFatal},
                                                                        {"INFO", LogLevel::kInfo},
                                                                        {"TRACE", LogLevel::kTrace},
                                                                        {"WARN", LogLevel::kWarning}}};

std::string_view name_of(LogLevel level) {
  return std::ranges::find(kLevels, level, &std::pair<std::string_view, LogLevel>::second)->first;
}

const std::pair<std::string_view, LogLevel>* find_level(std::string_view name) {
  auto found = std::ranges::find(kLevels, name, &std::pair<std::string_view, LogLevel>::first);
  return found == kLevels.end() ? nullptr : found;
}

config::Refusal refusal(KafkaError error, std::string message) {
  return {.error_code = static_cast<int16_t>(error), .message = std::move(message)};
}

std::optional<config::Refusal> check_node(Broker& broker, std::string_view name) {
  int32_t id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size()) {
    return refusal(KafkaError::kInvalidRequest, fmt::format("Node id must be an integer, but it is: {}", name));
  }
  if (id == broker.id().value) return std::nullopt;
  return refusal(KafkaError::kInvalidRequest,
                 fmt::format("Unexpected node id. Expected {}, but received {}", broker.id().value, id));
}

std::optional<config::Refusal> check(Broker& broker, const config::Change& change) {
  auto op = static_cast<config::AlterOp>(change.op);
  if (op != config::AlterOp::kSet && op != config::AlterOp::kDelete) {
    std::string what = op == config::AlterOp::kAppend     ? "APPEND operation"
                       : op == config::AlterOp::kSubtract ? "SUBTRACT operation"
                                                          : fmt::format("Unknown operation type {}", change.op);
    return refusal(KafkaError::kInvalidRequest, what + " is not allowed for the BROKER_LOGGER resource");
  }
  if (!broker.loggers().contains(change.name)) {
    return refusal(KafkaError::kInvalidConfig, fmt::format("Logger {} does not exist!", change.name));
  }
  if (op == config::AlterOp::kDelete) {
    if (change.name != Loggers::kRoot) return std::nullopt;
    return refusal(KafkaError::kInvalidRequest, "Removing the log level of the root logger is not allowed");
  }
  if (find_level(change.value.value_or("")) != nullptr) return std::nullopt;
  return refusal(KafkaError::kInvalidConfig,
                 fmt::format("Cannot set the log level of {} to {} as it is not a supported "
                             "log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, "
                             "TRACE, WARN",
                             change.name, change.value.value_or("")));
}

void make(Broker& broker, const config::Change& change) {
  if (static_cast<config::AlterOp>(change.op) == config::AlterOp::kDelete) {
    broker.loggers().unset(change.name);
    broker.world().logger.warning(fmt::format("Unset the log level of {}", change.name));
  } else {
    broker.loggers().set(change.name, find_level(*change.value)->second);
    broker.world().logger.warning(fmt::format("Updated the log level of {} to {}", change.name, *change.value));
  }
}

}  // namespace

std::vector<config::DescribedConfig> describe_loggers(Broker& broker, const config::KeyFilter& names) {
  std::vector<config::DescribedConfig> rows;
  for (const auto& [name, level] : broker.loggers().levels()) {
    if (!names.empty() && std::ranges::find(names, name) == names.end()) continue;
    config::DescribedConfig row;
    row.name = name;
    row.value = name_of(level);
    row.source = config::Source::kDynamicBrokerLogger;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<config::Refusal> change_loggers(Broker& broker, std::string_view resource_name,
                                              std::span<const config::Change> changes, bool validate_only) {
  if (auto refused = config::check_changes(changes)) return refused;
  if (auto refused = check_node(broker, resource_name)) return refused;
  for (const config::Change& change : changes) {
    if (auto refused = check(broker, change)) return refused;
  }
  if (validate_only) return std::nullopt;
  for (const config::Change& change : changes) make(broker, change);
  return std::nullopt;
}

}  // namespace barnabas::broker
