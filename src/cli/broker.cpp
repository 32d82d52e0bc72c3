// Brokers: list, describe, log-dirs.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "barnabas/admin.h"
#include "cli/cluster_view.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::Node;

// Brokers, the fenced ones too where the cluster tells them.
std::optional<client::ClusterDescription> brokers_of(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return std::nullopt;
  auto cluster = admin->describe_cluster(false, true).get();
  if (!cluster && cluster.error().kind == client::Error::Kind::kUnsupported) cluster = admin->describe_cluster().get();
  if (!cluster) {
    call.fail(cluster.error());
    return std::nullopt;
  }
  std::ranges::sort(cluster->nodes, {}, &Node::id);
  return *std::move(cluster);
}

bool controls(const client::ClusterDescription& cluster, const Node& node) {
  return cluster.controller && cluster.controller->id == node.id;
}

int list(Invocation& call) {
  auto cluster = brokers_of(call);
  if (!cluster) return call.exit_code();
  Table table{.kind = "brokers",
              .columns = {{.title = "ID", .right = true},
                          {.title = "ADDRESS"},
                          {.title = "RACK"},
                          {.title = "STATE"},
                          {.title = "CONTROLLER"}},
              .rows = {}};
  for (const auto& node : cluster->nodes) {
    bool controller = controls(*cluster, node);
    bool people = !call.out().for_programs();
    table.rows.push_back({node.id, address_of(node), node.rack, node.fenced ? "fenced" : "up",
                          people ? Value(controller ? "yes" : "-") : Value(controller)});
  }
  return call.print(table);
}

// The brokers that arguments name, else all that are up; a wrong one is told, with usage's exit code.
std::optional<std::vector<int32_t>> chosen(Invocation& call, const client::ClusterDescription& cluster) {
  std::vector<int32_t> ids;
  for (const auto& text : call.values("broker")) {
    auto named = broker_ids(text);
    if (!named) {
      call.usage(fmt::format("'{}' is no broker id", text));
      return std::nullopt;
    }
    ids.insert(ids.end(), named->begin(), named->end());
  }
  if (!ids.empty()) return known_brokers(call, cluster, ids);
  for (const auto& node : cluster.nodes) {
    if (!node.fenced) ids.push_back(node.id);
  }
  return ids;
}

struct Holdings {
  int64_t leaders = 0, replicas = 0, out_of_sync = 0;
};

std::map<int32_t, Holdings> holdings_of(const std::vector<client::TopicDescription>& topics) {
  std::map<int32_t, Holdings> holdings;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.leader) ++holdings[partition.leader->id].leaders;
      for (const auto& replica : partition.replicas) {
        ++holdings[replica.id].replicas;
        bool in_sync =
            std::ranges::any_of(partition.in_sync_replicas, [&](const Node& n) { return n.id == replica.id; });
        if (!in_sync) ++holdings[replica.id].out_of_sync;
      }
    }
  }
  return holdings;
}

int describe(Invocation& call) {
  auto cluster = brokers_of(call);
  if (!cluster) return call.exit_code();
  auto ids = chosen(call, *cluster);
  if (!ids) return call.exit_code();
  auto topics = describe_topics(call, {});
  if (!topics) return call.exit_code();
  auto holdings = holdings_of(*topics);
  Table table{.kind = "brokers",
              .columns = {{.title = "ID", .right = true},
                          {.title = "ADDRESS"},
                          {.title = "RACK", .wide = true},
                          {.title = "STATE"},
                          {.title = "LEADS", .right = true},
                          {.title = "REPLICAS", .right = true},
                          {.title = "OUT-OF-SYNC", .right = true},
                          {.title = "BYTES", .right = true},
                          {.title = "DIRECTORIES", .wide = true}},
              .rows = {}};
  auto directories = call.admin()->describe_log_dirs(*ids).get();
  for (int32_t id : *ids) {
    auto node = std::ranges::find(cluster->nodes, id, &Node::id);
    Value bytes;
    Value::List paths;
    if (directories) {
      if (auto told = directories->find(id); told != directories->end() && told->second) {
        int64_t total = 0;
        for (const auto& directory : *told->second) {
          paths.emplace_back(directory.path);
          for (const auto& replica : directory.replicas) total += replica.size_bytes;
        }
        bytes = call.out().for_programs() ? Value(total) : Value(human_bytes(total));
      }
    }
    const Holdings& has = holdings[id];
    table.rows.push_back({id, address_of(*node), node->rack, node->fenced ? "fenced" : "up", has.leaders, has.replicas,
                          has.out_of_sync, bytes, std::move(paths)});
  }
  return call.print(table);
}

int log_dirs(Invocation& call) {
  auto cluster = brokers_of(call);
  if (!cluster) return call.exit_code();
  auto ids = chosen(call, *cluster);
  if (!ids) return call.exit_code();
  auto told = call.admin()->describe_log_dirs(*ids).get();
  if (!told) return call.fail(told.error());
  Table table{.kind = "log_dirs",
              .columns = {{.title = "BROKER", .right = true},
                          {.title = "DIRECTORY"},
                          {.title = "STATE"},
                          {.title = "REPLICAS", .right = true},
                          {.title = "BYTES", .right = true},
                          {.title = "FREE", .right = true},
                          {.title = "DISK", .right = true},
                          {.title = "MOVING", .right = true, .wide = true}},
              .rows = {},
              .name_column = 1};
  auto size = [&](int64_t bytes) { return call.out().for_programs() ? Value(bytes) : Value(human_bytes(bytes)); };
  for (const auto& [broker, directories] : *told) {
    if (!directories) {
      call.item_failed(directories.error(), fmt::format("broker {}", broker));
      continue;
    }
    for (const auto& directory : *directories) {
      int64_t bytes = 0, moving = 0;
      for (const auto& replica : directory.replicas) {
        bytes += replica.size_bytes;
        moving += replica.future ? 1 : 0;
      }
      std::string_view state = directory.error ? directory.error->name() : directory.cordoned ? "cordoned" : "online";
      table.rows.push_back({broker, directory.path, state, uint64_t{directory.replicas.size()}, size(bytes),
                            directory.usable_bytes ? size(*directory.usable_bytes) : Value(),
                            directory.total_bytes ? size(*directory.total_bytes) : Value(), moving});
    }
  }
  return call.print(table);
}

const Positional kBrokers{.name = "broker",
                          .help = "ids of brokers; all when none is given",
                          .required = false,
                          .repeated = true,
                          .completes = Completes::kBroker};

}  // namespace

std::vector<Command> broker_commands() {
  return {
      {.path = "broker list", .aliases = {"ls"}, .summary = "List brokers", .run = list},
      {.path = "broker describe",
       .aliases = {"desc"},
       .summary = "Show what brokers lead and hold",
       .positionals = {kBrokers},
       .run = describe},
      {.path = "broker log-dirs",
       .summary = "Show brokers' log directories and their disks",
       .positionals = {kBrokers},
       .run = log_dirs},
  };
}

}  // namespace barnabas::cli
