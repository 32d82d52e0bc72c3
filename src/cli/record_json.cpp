#include "cli/record_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/parse.h"
#include "security/base64.h"
#include "security/prepared_text.h"

namespace barnabas::cli {

namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::optional<std::string_view>;

// "key":…, and what says that it is base64.
void append_bytes(std::string& out, std::string_view name, const Bytes& bytes) {
  out.append("\"").append(name).append("\":");
  if (!bytes) {
    out += "null";
  } else if (security::is_utf8(*bytes)) {
    append_json_text(out, *bytes);
  } else {
    out.append("\"").append(security::to_base64(as_bytes(*bytes)));
    out.append("\",\"").append(name).append("_encoding\":\"base64\"");
  }
}

std::string text_of(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The field `name` of `object`, decoded as `name`_encoding says.
std::expected<std::optional<std::string>, std::string> bytes_of(const Json& object, const std::string& name) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  std::string text = text_of(*found);
  auto encoding = object.find(name + "_encoding");
  if (encoding == object.end() || encoding->is_null()) return text;
  if (*encoding != "base64") return std::unexpected(fmt::format("{}_encoding: want \"base64\"", name));
  auto decoded = security::from_base64(text);
  if (!decoded) return std::unexpected(fmt::format("{} is not base64", name));
  return std::string(as_text(*decoded));
}

template <class T>
std::expected<std::optional<T>, std::string> number_of(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  bool fits = found->is_number_integer();
  if (fits && found->is_number_unsigned()) fits = found->template get<uint64_t>() <= uint64_t{INT64_MAX};
  int64_t number = fits ? found->template get<int64_t>() : -1;
  if (number < -1 || !std::in_range<T>(number) || !fits) {
    return std::unexpected(fmt::format("{}: want a number", name));
  }
  if (number == -1) return std::nullopt;  // none, as records without a timestamp have it
  return static_cast<T>(number);
}

std::expected<void, std::string> read_headers(const Json& json, JsonRecord& record) {
  if (json.is_null()) return {};
  auto text_or_null = [](const Json& value) {
    return value.is_null() ? std::optional<std::string>() : std::optional(text_of(value));
  };
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) record.headers.emplace_back(key, text_or_null(value));
    return {};
  }
  if (!json.is_array()) return std::unexpected("headers: want an object or a list");
  bool flat = !json.empty() && !json.front().is_object();  // kcat: key, value, key, value
  if (flat && json.size() % 2 != 0) return std::unexpected("headers: the last one has no value");
  for (size_t i = 0; flat && i < json.size(); i += 2) {
    record.headers.emplace_back(text_of(json[i]), text_or_null(json[i + 1]));
  }
  if (flat) return {};
  for (const Json& item : json) {
    if (!item.is_object() || !item.contains("key")) return std::unexpected("headers: one has no key");
    auto key = bytes_of(item, "key");
    if (!key) return std::unexpected("headers: " + key.error());
    auto value = bytes_of(item, "value");
    if (!value) return std::unexpected("headers: " + value.error());
    record.headers.emplace_back(key->value_or(""), *std::move(value));
  }
  return {};
}

constexpr std::array<std::string_view, 19> kFields = {"_v", "topic", "partition", "offset", "timestamp",
                                                      "timestamp_type", "leader_epoch", "delivery_count", "key",
                                                      "value", "headers", "key_encoding", "value_encoding",
                                                      // of kcat and rpk
                                                      "payload", "ts", "tstype", "broker", "value_size", "key_size"};

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, done, i - done);
    done = i + 1;
    switch (text[i]) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    }
  }
  out.append(text, done, text.size() - done);
  out += '"';
}

void append_json_record(std::string& out, const client::ConsumerRecord& record) {
  out += "{\"_v\":1,\"topic\":";
  append_json_text(out, record.topic);
  fmt::format_to(std::back_inserter(out), ",\"partition\":{},\"offset\":{},\"timestamp\":{},", record.partition,
                 record.offset, record.timestamp);
  append_bytes(out, "key", record.key);
  out += ',';
  append_bytes(out, "value", record.value);
  out += ",\"headers\":[";
  if (!record.headers.empty()) {
    bool first = true;
    for (const client::Header& header : record.headers.all()) {
      out += first ? "{" : ",{";
      first = false;
      append_bytes(out, "key", header.key);
      out += ',';
      append_bytes(out, "value", header.value);
      out += '}';
    }
  }
  out += "]}";
}

std::expected<JsonRecord, std::string> parse_json_record(std::string_view line) {
  Json json;
  try {
    json = Json::parse(line);
  } catch (const Json::parse_error& error) {
    return std::unexpected(fmt::format("no JSON at byte {}", error.byte));
  }
  if (!json.is_object()) return std::unexpected("want a JSON object, as {\"key\":\"a\",\"value\":\"b\"}");
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(kFields, name) != kFields.end()) continue;
    std::string_view near = nearest(name, kFields);
    return std::unexpected(near.empty() ? fmt::format("there is no field \"{}\"", name)
                                        : fmt::format("there is no field \"{}\"; did you mean \"{}\"?", name, near));
  }
  if (!json.contains("key") && !json.contains("value") && !json.contains("payload")) {
    return std::unexpected("there is neither \"key\" nor \"value\"");
  }
  JsonRecord record;
  auto key = bytes_of(json, "key");
  if (!key) return std::unexpected(key.error());
  auto value = bytes_of(json, json.contains("payload") ? "payload" : "value");
  if (!value) return std::unexpected(value.error());
  auto partition = number_of<int32_t>(json, "partition");
  if (!partition) return std::unexpected(partition.error());
  auto timestamp = number_of<int64_t>(json, json.contains("ts") ? "ts" : "timestamp");
  if (!timestamp) return std::unexpected(timestamp.error());
  record.key = *std::move(key);
  record.value = *std::move(value);
  record.partition = *partition;
  record.timestamp = *timestamp;
  if (auto headers = json.find("headers"); headers != json.end()) {
    auto read = read_headers(*headers, record);
    if (!read) return std::unexpected(read.error());
  }
  return record;
}

}  // namespace barnabas::cli
