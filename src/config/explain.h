// Sentences about configuration keys for people: `barnabas config explain`, and docs/configuration.md out of the same
// rows.
#pragma once

#include <string>
#include <string_view>

namespace barnabas::config {

// Everything known about the key, in a few lines; for an unknown one the nearest known name.
std::string explain(std::string_view name);

// The keys that are accepted without effect, one a line, by resource.
std::string list_accepted_without_effect();

// docs/configuration.md, whole.
std::string configuration_document();

}  // namespace barnabas::config
