// Loggers as configuration resources (BROKER_LOGGER): their levels, shown and changed for as long as the process runs.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/resolved.h"
#include "config/validate_alter.h"

namespace barnabas::broker {

class Broker;

std::vector<config::DescribedConfig> describe_loggers(Broker& broker, const config::KeyFilter& names);

// Makes all of `changes`, or none and says why. `resource_name` is the node's id.
std::optional<config::Refusal> change_loggers(Broker& broker, std::string_view resource_name,
                                              std::span<const config::Change> changes, bool validate_only);

}  // namespace barnabas::broker
