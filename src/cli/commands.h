// The commands that need a node's code (server, storage), each a function from parsed arguments to an exit code: 0
// done, 1 failed. Data goes to standard output, everything else to standard error. Their rows are in node_commands.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace barnabas::cli {

struct ServerArguments {
  std::string properties_file;  // "": one combined node with defaults
  std::vector<std::string> overrides;
};
int run_server(const ServerArguments& arguments);

struct StorageFormatArguments {
  std::string properties_file;
  std::string cluster_id;
  std::string release_version;
  std::vector<std::string> features;  // name=level
  std::vector<std::string> scram;     // SCRAM-SHA-256=[name=...,password=...]
  std::string initial_controllers;    // id@host:port:directory-id,...
  bool standalone = false;
  bool no_initial_controllers = false;
  bool ignore_formatted = false;
  std::string speaker = "barnabas: ";  // before each complaint
};
int storage_format(const StorageFormatArguments& arguments);
int storage_info(const std::string& properties_file, std::string_view speaker = "barnabas: ");
int storage_random_uuid();

}  // namespace barnabas::cli
