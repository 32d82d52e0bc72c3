// What a topic may be called.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace barnabas::controller {

// Why `name` cannot be a topic's name, in Kafka's words, or nothing.
std::optional<std::string> topic_name_problem(std::string_view name);

// Metric names turn '.' into '_', so two topics that differ only there would be one: the common form of both.
std::string collision_form(std::string_view name);
bool has_collision_chars(std::string_view name);

}  // namespace barnabas::controller
