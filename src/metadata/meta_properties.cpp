#include "metadata/meta_properties.h"

#include <charconv>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "metadata/java_properties.h"

namespace barnabas::metadata {

namespace {

Result<int32_t> parse_int(std::string_view key, std::string_view text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kCorrupt, fmt::format("meta.properties: {}='{}' is not a number", key, text));
  }
  return value;
}

}  // namespace

std::string render_meta_properties(const MetaProperties& properties, TimestampMs now) {
  std::string text = fmt::format("#\n#{}\n", java_date(now));
  if (properties.node_id) text += fmt::format("node.id={}\n", *properties.node_id);
  if (properties.directory_id) text += fmt::format("directory.id={}\n", properties.directory_id->to_string());
  text += fmt::format("version={}\n", properties.version);
  text += fmt::format("cluster.id={}\n", escape_property(properties.cluster_id));
  return text;
}

Result<MetaProperties> parse_meta_properties(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values = parse_java_properties(text);
  MetaProperties properties;
  auto version = values.find("version");
  if (version == values.end()) return fail(ErrorCode::kCorrupt, "meta.properties has no version");
  TRY_ASSIGN(properties.version, parse_int("version", version->second));
  if (properties.version != 0 && properties.version != 1) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("meta.properties has version {}, known are 0 and 1", properties.version));
  }
  auto cluster = values.find("cluster.id");
  if (cluster != values.end()) properties.cluster_id = cluster->second;
  if (cluster == values.end() && properties.version == 1) {
    return fail(ErrorCode::kCorrupt, "meta.properties has no cluster.id");
  }
  std::string_view id_key = properties.version == 0 ? "broker.id" : "node.id";
  auto id = values.find(id_key);
  if (id != values.end()) {
    TRY_ASSIGN(int32_t number, parse_int(id_key, id->second));
    properties.node_id = number;
  } else if (properties.version == 1) {
    return fail(ErrorCode::kCorrupt, "meta.properties has no node.id");
  }
  auto directory = values.find("directory.id");
  if (directory != values.end()) {
    TRY_ASSIGN(Uuid uuid, Uuid::parse(directory->second));
    properties.directory_id = uuid;
  }
  return properties;
}

}  // namespace barnabas::metadata
