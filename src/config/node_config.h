// NodeConfig: what one process is: its roles, id, addresses, directories and all static values, out of a
// server.properties and --override. Checked key by key and across keys as Kafka does; what it accepts, a node can start
// with. A plain value made once at start.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/layers.h"
#include "config/listener.h"
#include "config/properties.h"

namespace barnabas::config {

struct Voter {
  int32_t id = 0;
  HostPort address;

  bool operator==(const Voter&) const = default;
};

enum class Durability { kFsync, kPageCache };

struct NodeConfig {
  bool is_broker = false;
  bool is_controller = false;
  int32_t node_id = -1;
  std::optional<std::string> rack;

  std::vector<Listener> listeners;             // in file order; broker's and controller's
  std::vector<Listener> advertised_listeners;  // what clients and peers are told; port 0 means "the bound one"
  ProtocolMap protocols;
  std::vector<std::string> controller_listener_names;  // upper case; the first is used for outbound connections
  std::string inter_broker_listener_name;              // "" on a controller-only node

  std::vector<std::string> log_dirs;  // never empty
  std::string metadata_log_dir;       // one of log_dirs, or a place of its own

  std::vector<Voter> quorum_voters;  // static quorum; empty: a dynamic one
  std::vector<HostPort> quorum_bootstrap_servers;

  Durability durability = Durability::kFsync;

  BrokerLayers layers;                // `file` is filled; the dynamic layers are empty
  std::vector<std::string> warnings;  // one sentence each: unknown keys, keys given twice
  std::vector<std::string>
      keys_without_effect;  // set in the file or by --override, but this build does not act on them

  bool is_controller_listener(std::string_view name) const;
  const Listener* find_listener(std::string_view name) const;
};

// Where `${provider:path:key}` in a value leads; see config.providers. `path` is "" for ${env:KEY}.
using VariableLookup =
    std::function<Result<std::string>(std::string_view provider_class, std::string_view path, std::string_view key)>;

struct NodeConfigSource {
  std::optional<Properties> file;      // nullopt: one combined node on loopback with its data in default_data_dir
  std::string file_name;               // for messages
  std::vector<std::string> overrides;  // arguments of --override, in order
  std::string default_data_dir;        // used only without a file
  VariableLookup variables;            // may be empty: then a variable is an error
};

// The error names the file line or the override, the key, what is wrong and what would be right.
Result<NodeConfig> load_node_config(const NodeConfigSource& source);

// Where a node without a file keeps its data: $XDG_DATA_HOME/barnabas, ~/.local/share/barnabas, or ./barnabas-data.
std::string default_data_directory(std::string_view xdg_data_home, std::string_view home);

}  // namespace barnabas::config
