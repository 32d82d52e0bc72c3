// meta.properties: which cluster, node and directory a log directory belongs to. Java properties text, version 1
// (version 0 of older clusters, with broker.id, is read too).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace barnabas::metadata {

inline constexpr std::string_view kMetaPropertiesFile = "meta.properties";

struct MetaProperties {
  std::string cluster_id;
  std::optional<int32_t> node_id;
  std::optional<Uuid> directory_id;
  int version = 1;

  bool operator==(const MetaProperties&) const = default;
};

// The file's text as Kafka's Java writes it, with `now` (UTC) in the comment line.
std::string render_meta_properties(const MetaProperties& properties, TimestampMs now);

Result<MetaProperties> parse_meta_properties(std::string_view text);

}  // namespace barnabas::metadata
