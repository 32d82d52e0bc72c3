// A record as one line of JSON, both ways: what `consume -o json` prints is what `produce --input json` reads, so that
// one piped into the other copies a topic. Bytes that are not UTF-8 are base64, with a field beside them that says so:
// {"value":"/wA=","value_encoding":"base64"}. Headers keep their order and may repeat: [{"key":"a","value":"1"}].
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "barnabas/types.h"

namespace barnabas::cli {

// {"_v":1,"topic":…,"partition":…,"offset":…,"timestamp":…,"key":…,"value":…,"headers":[…]}, without a newline.
void append_json_record(std::string& out, const client::ConsumerRecord& record);

struct JsonRecord {
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::optional<int32_t> partition;
  std::optional<int64_t> timestamp;
};

// Reads such a line, and those of `kcat -J` and rpk. Values that are no text (numbers, objects) are sent as their JSON.
// Headers may also be an object. A field it does not know is an error, so that a misspelt one is not lost.
std::expected<JsonRecord, std::string> parse_json_record(std::string_view line);

// `text` in quotes; must be UTF-8.
void append_json_text(std::string& out, std::string_view text);

}  // namespace barnabas::cli
