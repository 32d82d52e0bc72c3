// What a resource's overrides must satisfy as a whole, one function per kind of resource. Used by validate_alter.cpp
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/layers.h"
#include "config/validate_alter.h"

namespace barnabas::config {

constexpr int16_t kUnknownServerError = -1;
constexpr int16_t kInvalidConfig = 40;
constexpr int16_t kInvalidRequest = 42;

std::optional<Refusal> refuse(int16_t error_code, std::string message);

// nullopt: all is well.
std::optional<Refusal> check_topic_overrides(const BrokerLayers& broker, const Overrides& next);
std::optional<Refusal> check_broker_overrides(const AlterContext& context, const Overrides& next);
std::optional<Refusal> check_group_overrides(const BrokerLayers& broker, const Overrides& next);
std::optional<Refusal> check_client_metrics_overrides(const Overrides& next);

}  // namespace barnabas::config
