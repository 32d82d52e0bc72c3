// Values as people write them, and as people like to read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace barnabas::cli {

// "key=value" apart; nothing without a key and a '='.
std::optional<std::pair<std::string, std::string>> key_value(std::string_view text);
// A configuration value: for keys that end in .ms a time ("7d") becomes milliseconds, for .bytes a size ("1GiB",
// "64MB") becomes bytes; everything else stays as it is.
std::string human_config_value(std::string_view key, std::string_view value);
// "1.2 GiB", "512 B".
std::string human_bytes(int64_t bytes);
// "3d 4h", "250ms".
std::string human_duration(int64_t ms);
// "2026-11-01T12:00:00.123Z".
std::string human_time(int64_t ms_since_1970);
// "7d", "500ms", "10" -> milliseconds; nothing for anything else.
std::optional<int64_t> parse_duration_ms(std::string_view text);
// "1GiB", "64MB", "10" -> bytes.
std::optional<int64_t> parse_bytes(std::string_view text);

}  // namespace barnabas::cli
