#include "config/node_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/node_rules.h"
#include "config/node_values.h"
#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

void set_default(NodeValues& values, std::string_view key, std::string_view value) {
  values.values.try_emplace(std::string(key), value);
}

// A node without a file: broker and controller in one, reachable from this machine only.
void fill_in_node_without_file(NodeValues& values, const std::string& data_dir) {
  set_default(values, "process.roles", "broker,controller");
  if (!values.has("broker.id")) set_default(values, "node.id", "1");
  set_default(values, "controller.listener.names", "CONTROLLER");
  set_default(values, "listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093");
  if (!values.has("log.dir")) set_default(values, "log.dirs", data_dir);
}

Result<> require(const NodeValues& values, std::string_view key, std::string_view advice) {
  if (values.has(key)) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("Missing required configuration \"{}\" which has no default value. {}", key, advice));
}

Result<> check_required(const NodeValues& values) {
  if (values.values.contains("zookeeper.connect") && !values.has("process.roles"))
    return values.wrong("zookeeper.connect",
                        "this is a configuration for ZooKeeper mode, which ended with Kafka 4.0: set process.roles, "
                        "node.id and controller.listener.names instead");
  TRY(require(values, "process.roles", "Set it to broker,controller, broker or controller."));
  TRY(require(values, "node.id", "Give this node a number of its own, such as node.id=1."));
  return require(values, "controller.listener.names", "Name the controllers' listener, such as CONTROLLER.");
}

Result<> read_identity(NodeConfig& node, NodeValues& values) {
  // Kafka keeps broker.id and node.id as two names of one thing.
  if (values.has("broker.id") && !values.has("node.id")) values.values["node.id"] = values.values["broker.id"];
  TRY(check_required(values));
  values.values.try_emplace("broker.id", values.values["node.id"]);
  if (values.values["broker.id"] != values.values["node.id"])
    return values.wrong("broker.id", "You must set `node.id` to the same value as `broker.id`; or take broker.id out.");
  node.layers.file = values.values;
  node.node_id = static_cast<int32_t>(node.layers.number("node.id"));
  if (node.node_id < 0) return values.wrong("node.id", "node.id must not be negative");
  node.rack = node.layers.value("broker.rack");
  for (const std::string& role : node.layers.list("process.roles")) {
    node.is_broker |= role == "broker";
    node.is_controller |= role == "controller";
  }
  if (!node.is_broker && !node.is_controller)
    return values.wrong("process.roles", "process.roles must not be empty: broker,controller, broker or controller");
  return {};
}

// Without an explicit map, controller listeners are PLAINTEXT as long as nothing else is in use.
Result<> read_protocols(NodeConfig& node, const NodeValues& values) {
  auto map = parse_protocol_map(node.layers.text("listener.security.protocol.map"));
  if (!map)
    return values.wrong("listener.security.protocol.map", "listener.security.protocol.map: " + map.error().message);
  node.protocols = *std::move(map);
  for (const std::string& name : node.layers.list("controller.listener.names"))
    node.controller_listener_names.push_back(upper(name));
  if (values.has("listener.security.protocol.map")) return {};
  const auto is_secured = [](const std::string& name) {
    return name == "SSL" || name == "SASL_SSL" || name == "SASL_PLAINTEXT";
  };
  if (std::ranges::any_of(node.controller_listener_names, is_secured)) return {};
  for (const std::string& listener : node.layers.list("listeners"))
    if (is_secured(upper(listener.substr(0, listener.find("://"))))) return {};
  for (const std::string& name : node.controller_listener_names)
    node.protocols.try_emplace(name, SecurityProtocol::kPlaintext);
  return {};
}

Result<> read_listeners(NodeConfig& node, const NodeValues& values) {
  auto listeners = parse_listeners("listeners", node.layers.text("listeners"), node.protocols, true);
  if (!listeners) return values.wrong("listeners", listeners.error().message);
  node.listeners = *std::move(listeners);
  if (node.listeners.empty())
    return values.wrong("listeners", "listeners must name at least one address, such as PLAINTEXT://:9092");

  const auto advertised_text = node.layers.value("advertised.listeners");
  if (!advertised_text) {
    node.advertised_listeners = node.listeners;
    return {};
  }
  auto advertised = parse_listeners("advertised.listeners", *advertised_text, node.protocols, false);
  if (!advertised) return values.wrong("advertised.listeners", advertised.error().message);
  node.advertised_listeners = *std::move(advertised);
  // A controller listener that is not advertised is told as it is listened on.
  for (const Listener& listener : node.listeners) {
    const bool told =
        std::ranges::find(node.advertised_listeners, listener.name, &Listener::name) != node.advertised_listeners.end();
    if (node.is_controller_listener(listener.name) && !told) node.advertised_listeners.push_back(listener);
  }
  return {};
}

// "listener.name.x." of a listener that is not there does nothing, and neither does one in upper case.
void warn_of_unknown_listeners(NodeConfig& node, const NodeValues& values) {
  for (const auto& [key, origin] : values.origins) {
    constexpr std::string_view kPrefix = "listener.name.";
    if (!key.starts_with(kPrefix) || find_node_key(key) == nullptr) continue;
    const std::string name = key.substr(kPrefix.size(), key.find('.', kPrefix.size()) - kPrefix.size());
    const bool known = std::ranges::any_of(
        node.listeners, [&](const Listener& listener) { return key.starts_with(listener_key(listener.name, "")); });
    if (known) continue;
    const bool other_case = node.find_listener(upper(name)) != nullptr;
    node.warnings.push_back(
        other_case
            ? fmt::format("{}: {} is ignored, as in Kafka: the listener is written in lower case here", origin, key)
            : fmt::format("{}: {} is ignored: listeners has no listener {}", origin, key, upper(name)));
  }
}

Result<> read_inter_broker_listener(NodeConfig& node, const NodeValues& values) {
  if (values.has("inter.broker.listener.name") && values.has("security.inter.broker.protocol"))
    return values.wrong("inter.broker.listener.name",
                        "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
  if (!node.is_broker) return {};
  const auto name = node.layers.value("inter.broker.listener.name");
  node.inter_broker_listener_name = name ? upper(*name) : node.layers.text("security.inter.broker.protocol");
  if (!node.protocols.contains(node.inter_broker_listener_name))
    return values.wrong("inter.broker.listener.name",
                        fmt::format("Listener with name {} defined in inter.broker.listener.name not found in "
                                    "listener.security.protocol.map.",
                                    node.inter_broker_listener_name));
  return {};
}

Result<> read_directories(NodeConfig& node, const NodeValues& values) {
  const auto dirs = node.layers.value("log.dirs");
  node.log_dirs = dirs ? split_list(*dirs) : node.layers.list("log.dir");
  if (node.log_dirs.empty())
    return values.wrong(dirs ? "log.dirs" : "log.dir",
                        "At least one log directory must be defined via log.dirs or log.dir.");
  node.metadata_log_dir = node.layers.value("metadata.log.dir").value_or(node.log_dirs.front());
  return {};
}

Result<> read_quorum(NodeConfig& node, const NodeValues& values) {
  for (const std::string& item : node.layers.list("controller.quorum.voters")) {
    const size_t at = item.find('@');
    TRY_ASSIGN(HostPort address, parse_host_port(std::string_view(item).substr(at + 1)));
    const Voter voter{.id = static_cast<int32_t>(*parse_long(item.substr(0, at))), .address = std::move(address)};
    if (std::ranges::find(node.quorum_voters, voter.id, &Voter::id) != node.quorum_voters.end())
      return values.wrong("controller.quorum.voters",
                          fmt::format("controller.quorum.voters: the voter {} stands twice", voter.id));
    node.quorum_voters.push_back(voter);
  }
  for (const std::string& item : node.layers.list("controller.quorum.bootstrap.servers")) {
    TRY_ASSIGN(HostPort address, parse_host_port(item));
    node.quorum_bootstrap_servers.push_back(std::move(address));
  }
  return {};
}

// A combined node without a file is its own quorum, wherever its controller listener was put.
void bootstrap_from_itself(NodeConfig& node, NodeValues& values) {
  if (!node.quorum_voters.empty() || !node.quorum_bootstrap_servers.empty() || !node.is_controller) return;
  for (const Listener& listener : node.listeners) {
    if (!node.is_controller_listener(listener.name)) continue;
    HostPort address = listener.address;
    if (address.host.empty() || address.host == "0.0.0.0") address.host = "127.0.0.1";
    values.values["controller.quorum.bootstrap.servers"] = to_string(address);
    node.layers.file = values.values;
    node.quorum_bootstrap_servers.push_back(std::move(address));
    return;
  }
}

}  // namespace

bool NodeConfig::is_controller_listener(std::string_view name) const {
  return std::ranges::find(controller_listener_names, name) != controller_listener_names.end();
}

const Listener* NodeConfig::find_listener(std::string_view name) const {
  const auto place = std::ranges::find(listeners, name, &Listener::name);
  return place == listeners.end() ? nullptr : &*place;
}

Result<NodeConfig> load_node_config(const NodeConfigSource& source) {
  TRY_ASSIGN(NodeValues values, read_node_values(source));
  NodeConfig node;
  node.warnings = values.warnings;
  node.keys_without_effect = values.keys_without_effect;
  if (!source.file) fill_in_node_without_file(values, source.default_data_dir);
  TRY(read_identity(node, values));
  TRY(read_protocols(node, values));
  TRY(read_listeners(node, values));
  warn_of_unknown_listeners(node, values);
  TRY(read_inter_broker_listener(node, values));
  TRY(read_directories(node, values));
  TRY(read_quorum(node, values));
  if (!source.file) bootstrap_from_itself(node, values);
  node.durability = node.layers.text("barnabas.durability") == "fsync" ? Durability::kFsync : Durability::kPageCache;
  TRY(check_roles(node, values));
  TRY(check_bounds(node, values));
  TRY(check_plug_ins(node, values));
  return node;
}

std::string default_data_directory(std::string_view xdg_data_home, std::string_view home) {
  if (xdg_data_home.starts_with('/')) return std::string(xdg_data_home) + "/barnabas";
  if (home.starts_with('/') && home != "/") return std::string(home) + "/.local/share/barnabas";
  return "./barnabas-data";
}

}  // namespace barnabas::config
