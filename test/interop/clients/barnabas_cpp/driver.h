// What the files of the driver share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace driver {

using Outcome = std::optional<std::string>;  // what went wrong

// Prints one event as a line. Any thread.
void emit(const nlohmann::json& event);

Outcome consume(const nlohmann::json& command);
Outcome member(const nlohmann::json& command);
Outcome share(const nlohmann::json& command);

}  // namespace driver
