#include "broker/api/loggers.h"

#include <algorithm>
#include <array>

#include "broker/broker.h"
#include "runtime/logger.h"
#include "wire/kafka_error.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {

constexpr std::string_view kRoot = "root";
constexpr std::array<std::string_view, 6> kLevels{"DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"};

std::string_view root_level(Broker& broker) {
  using runtime::LogLevel;
  const runtime::Logger& logger = broker.world().logger;
  if (logger.enabled(LogLevel::kDebug)) return "DEBUG";
  if (logger.enabled(LogLevel::kInfo)) return "INFO";
  return logger.enabled(LogLevel::kWarning) ? "WARN" : "ERROR";
}

config::Refusal refusal(KafkaError error, std::string message) {
  return {.error_code = static_cast<int16_t>(error), .message = std::move(message)};
}

}  // namespace

std::vector<config::DescribedConfig> describe_loggers(Broker& broker, const config::KeyFilter& names) {
  bool wanted = names.empty() || std::ranges::count(names, kRoot) > 0;
  if (!wanted) return {};
  config::DescribedConfig root;
  root.name = kRoot;
  root.value = root_level(broker);
  root.source = config::Source::kDynamicBrokerLogger;
  return {std::move(root)};
}

std::optional<config::Refusal> refuse_logger_change(Broker& broker, std::string_view resource_name,
                                                    const config::Change& change) {
  std::string self = std::to_string(broker.id().value);
  if (resource_name != self) {
    return refusal(KafkaError::kInvalidRequest,
                   "Unexpected broker id, expected " + self + ", but received " + std::string(resource_name));
  }
  auto op = static_cast<config::AlterOp>(change.op);
  if (op != config::AlterOp::kSet && op != config::AlterOp::kDelete) {
    return refusal(KafkaError::kInvalidRequest, "Only SET and DELETE are allowed for the BROKER_LOGGER resource");
  }
  if (change.name != kRoot) return refusal(KafkaError::kInvalidConfig, "Logger " + change.name + " does not exist!");
  if (op == config::AlterOp::kDelete) {
    return refusal(KafkaError::kInvalidRequest, "Removing the log level of the root logger is not allowed");
  }
  std::string level = change.value.value_or("");
  if (std::ranges::find(kLevels, level) == kLevels.end()) {
    return refusal(KafkaError::kInvalidConfig, "Cannot set the log level of root to " + level +
                                                   " as it is not a supported log level. Valid log levels are DEBUG, "
                                                   "ERROR, FATAL, INFO, TRACE, WARN");
  }
  if (level == root_level(broker)) return std::nullopt;
  return refusal(KafkaError::kInvalidConfig, "The log level of this broker is set when it is started");
}

}  // namespace barnabas::broker
