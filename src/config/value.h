// Values of configuration keys: text in, checked and canonical text out, in Kafka's words when it is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/key.h"

namespace barnabas::config {

// Parses `text` as Kafka does for this key and returns it as DescribeConfigs shows it ("  TRUE" is "true"; a list is
// joined by ","). The error is Kafka's sentence: "Invalid value -2 for configuration retention.ms: Value must be at
// least -1".
Result<std::string> check_value(const KeyInfo& key, std::string_view text);

// The range in words: "at least 1", "one of: delete, compact"; "" if anything goes.
std::string valid_values(const KeyInfo& key);

// Plain conversions of canonical text.
std::optional<int64_t> parse_long(std::string_view text);
std::optional<double> parse_double(std::string_view text);
// Milliseconds of "PT1H30M", "P1DT0.5S": ISO-8601 as java.time.Duration reads it, without a sign.
std::optional<int64_t> parse_duration_ms(std::string_view text);
bool is_true(std::string_view text);
std::vector<std::string> split_list(std::string_view text);  // "" is the empty list
std::string join_list(const std::vector<std::string>& items);
std::string_view trim(std::string_view text);

}  // namespace barnabas::config
