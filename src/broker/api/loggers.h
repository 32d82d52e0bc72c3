// Loggers as configuration resources (BROKER_LOGGER): this build has one, "root", whose level is set where the process
// is started.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/resolved.h"
#include "config/validate_alter.h"

namespace barnabas::broker {

class Broker;

std::vector<config::DescribedConfig> describe_loggers(Broker& broker, const config::KeyFilter& names);

// Why `change` cannot be made; nothing when it says what is so already.
std::optional<config::Refusal> refuse_logger_change(Broker& broker, std::string_view resource_name,
                                                    const config::Change& change);

}  // namespace barnabas::broker
