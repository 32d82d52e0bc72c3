// What the tests of this folder share.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "config/node_config.h"
#include "config/properties.h"

namespace barnabas::config {

inline std::string read_test_file(const std::string& name) {
  std::ifstream in(std::string(BARNABAS_TESTDATA) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline NodeConfigSource source_of(const std::string& text, std::vector<std::string> overrides = {}) {
  NodeConfigSource source{.file_name = "server.properties", .overrides = std::move(overrides)};
  auto parsed = Properties::parse(text);
  EXPECT_TRUE(parsed.has_value());
  source.file = *std::move(parsed);
  return source;
}

inline std::string error_of(const NodeConfigSource& source) {
  const auto loaded = load_node_config(source);
  return loaded ? "no error" : loaded.error().message;
}

}  // namespace barnabas::config
