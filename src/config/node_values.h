// First step of load_node_config: the text of a node's configuration, checked key by key. Used by node_config.cpp only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/layers.h"
#include "config/node_config.h"

namespace barnabas::config {

struct NodeValues {
  Overrides values;                                         // canonical; unknown keys as they were written
  std::map<std::string, std::string, std::less<>> origins;  // key -> "server.properties:12" or "--override"
  std::vector<std::string> warnings;
  std::vector<std::string> keys_without_effect;

  bool has(std::string_view key) const { return values.find(key) != values.end(); }
  // "server.properties:12: " in front of `sentence`, if `key` was set anywhere.
  std::unexpected<Error> wrong(std::string_view key, std::string_view sentence) const;
};

// File and overrides merged, variables resolved, known keys checked, unknown ones warned of.
Result<NodeValues> read_node_values(const NodeConfigSource& source);

}  // namespace barnabas::config
