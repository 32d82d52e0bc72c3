// The cluster as a whole: info, health, api-versions, features, id, metadata.
#include <fmt/format.h>

#include <algorithm>

#include "barnabas/admin.h"
#include "cli/cluster_view.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::TopicDescription;

int info(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto features = admin->describe_features();
  auto cluster = admin->describe_cluster().get();
  if (!cluster) return call.fail(cluster.error());
  auto topics = describe_topics(call, {});
  if (!topics) return call.exit_code();
  auto levels = features.get();
  size_t partitions = 0;
  for (const auto& topic : *topics) partitions += topic.partitions.size();
  Value about;
  about.add("id", cluster->cluster_id).add("controller", named_node(cluster->controller));
  Value::List brokers;
  for (const auto& node : cluster->nodes) brokers.emplace_back(fmt::format("{} ({})", node.id, address_of(node)));
  about.add("brokers", std::move(brokers));
  about.add("topics", uint64_t{topics->size()}).add("partitions", uint64_t{partitions});
  if (levels && levels->finalized.contains("metadata.version")) {
    about.add("metadata_version", int{levels->finalized["metadata.version"]});
  }
  call.out().print("cluster", about, cluster->cluster_id);
  return kDone;
}

int id(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto cluster = admin->describe_cluster().get();
  if (!cluster) return call.fail(cluster.error());
  bool plain = call.out().format() == Format::kTable || call.out().format() == Format::kWide;
  if (plain) {
    call.out().line(cluster->cluster_id);
  } else {
    call.out().print("cluster", Value(Value::Object{{"id", cluster->cluster_id}}), cluster->cluster_id);
  }
  return kDone;
}

// Fenced brokers too, where the cluster tells them.
client::Result<client::ClusterDescription> cluster_with_fenced(client::Admin& admin) {
  auto cluster = admin.describe_cluster(false, true).get();
  if (!cluster && cluster.error().kind == client::Error::Kind::kUnsupported) cluster = admin.describe_cluster().get();
  return cluster;
}

// A voter further behind than this many records has more than a hiccup.
constexpr int64_t kVoterLag = 1000;

class Health {
 public:
  void check(std::string_view what, std::string_view when_bad, const std::vector<std::string>& bad, std::string good) {
    std::string detail = std::move(good);
    if (!bad.empty()) {
      std::vector<std::string> first(bad.begin(),
                                     bad.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(5, bad.size())));
      detail = fmt::format("{}: {}{}", bad.size(), fmt::join(first, ", "), bad.size() > first.size() ? ", …" : "");
    }
    rows.push_back({what, bad.empty() ? "ok" : when_bad, std::move(detail)});
    failed |= !bad.empty() && when_bad == "failed";
  }
  std::vector<std::vector<Value>> rows;
  bool failed = false;
};

void check_partitions(Health& health, const std::vector<TopicDescription>& topics) {
  std::vector<std::string> without_leader, behind, other_leader;
  size_t count = 0;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      ++count;
      std::string name = name_of({topic.name, partition.partition});
      if (!partition.leader) without_leader.push_back(name);
      if (partition.in_sync_replicas.size() < partition.replicas.size()) behind.push_back(name);
      bool preferred =
          !partition.leader || partition.replicas.empty() || partition.leader->id == partition.replicas.front().id;
      if (!preferred) other_leader.push_back(name);
    }
  }
  health.check("partitions have a leader", "failed", without_leader, fmt::format("all {}", count));
  health.check("replicas are in sync", "failed", behind, "all");
  health.check("preferred replicas lead", "warning", other_leader, "all");
}

int health(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto cluster = cluster_with_fenced(*admin);
  if (!cluster) return call.fail(cluster.error());
  Health health;
  std::vector<std::string> fenced;
  for (const auto& node : cluster->nodes) {
    if (node.fenced) fenced.push_back(std::to_string(node.id));
  }
  health.check("brokers are up", "failed", fenced, fmt::format("all {}", cluster->nodes.size()));
  std::vector<std::string> no_controller;
  if (!cluster->controller) no_controller.emplace_back("none is known");
  health.check("there is a controller", "failed", no_controller,
               cluster->controller ? std::to_string(cluster->controller->id) : "");
  if (auto quorum = admin->describe_quorum().get()) {
    std::vector<std::string> behind;
    for (const auto& voter : quorum->voters) {
      if (voter.log_end_offset < 0 || quorum->high_watermark - voter.log_end_offset > kVoterLag) {
        behind.push_back(std::to_string(voter.id));
      }
    }
    health.check("voters keep up", "warning", behind, fmt::format("all {}", quorum->voters.size()));
  }
  auto topics = describe_topics(call, {});
  if (!topics) return call.exit_code();
  check_partitions(health, *topics);
  auto directories_of = [&] {
    std::vector<int32_t> up;
    for (const auto& node : cluster->nodes) {
      if (!node.fenced) up.push_back(node.id);
    }
    return admin->describe_log_dirs(std::move(up)).get();
  };
  if (auto directories = directories_of()) {
    std::vector<std::string> bad, full;
    size_t count = 0;
    for (const auto& [broker, dirs] : *directories) {
      if (!dirs) {
        bad.push_back(fmt::format("those of broker {}", broker));
        continue;
      }
      for (const auto& directory : *dirs) {
        ++count;
        std::string name = fmt::format("{}:{}", broker, directory.path);
        if (directory.error) bad.push_back(name);
        bool scarce =
            directory.total_bytes && directory.usable_bytes && *directory.usable_bytes * 10 < *directory.total_bytes;
        if (scarce) full.push_back(name);
      }
    }
    health.check("log directories are usable", "failed", bad, fmt::format("all {}", count));
    health.check("disks have a tenth free", "warning", full, "all");
  }
  Table table{.kind = "checks",
              .columns = {{.title = "CHECK"}, {.title = "STATE", .state = true}, {.title = "DETAIL"}},
              .rows = std::move(health.rows)};
  call.out().print(table);
  return health.failed ? kFailed : call.exit_code();
}

int api_versions(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::vector<int32_t> brokers;
  for (const auto& text : call.values("broker")) {
    auto ids = broker_ids(text);
    if (!ids) return call.usage(fmt::format("'{}' is no broker id", text));
    brokers.insert(brokers.end(), ids->begin(), ids->end());
  }
  if (!brokers.empty()) {  // one that is not there would be waited for
    auto cluster = admin->describe_cluster().get();
    if (!cluster) return call.fail(cluster.error());
    brokers = known_brokers(call, *cluster, brokers);
    if (brokers.empty()) return call.exit_code();
  }
  auto told = admin->api_versions(brokers).get();
  if (!told) return call.fail(told.error());
  Table table{.kind = "api_versions",
              .columns = {{.title = "BROKER", .right = true},
                          {.title = "KEY", .right = true},
                          {.title = "API"},
                          {.title = "MIN", .right = true},
                          {.title = "MAX", .right = true},
                          {.title = "USED", .right = true}},
              .rows = {},
              .name_column = 2};
  for (const auto& [broker, ranges] : *told) {
    if (!ranges) {
      call.item_failed(ranges.error(), fmt::format("broker {}", broker));
      continue;
    }
    for (const auto& range : *ranges) {
      Value used;
      if (range.usable) used = int{*range.usable};
      Value name;
      if (!range.name.empty()) name = range.name;
      table.rows.push_back({broker, int{range.key}, name, int{range.min}, int{range.max}, used});
    }
  }
  return call.print(table);
}

int features(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto told = admin->describe_features().get();
  if (!told) return call.fail(told.error());
  Table table{.kind = "features",
              .columns = {{.title = "NAME"},
                          {.title = "LEVEL", .right = true},
                          {.title = "MIN", .right = true},
                          {.title = "MAX", .right = true},
                          {.title = "EPOCH", .right = true, .wide = true}},
              .rows = {}};
  for (const auto& [name, range] : told->supported) {
    auto level = told->finalized.find(name);
    Value now = level == told->finalized.end() ? Value(0) : Value(int{level->second});
    table.rows.push_back({name, now, int{range.min}, int{range.max}, told->finalized_epoch});
  }
  return call.print(table);
}

Value partition_value(const client::TopicPartitionInfo& partition) {
  Value value;
  value.add("partition", partition.partition);
  value.add("leader", partition.leader ? Value(partition.leader->id) : Value());
  value.add("leader_epoch", partition.leader_epoch).add("replicas", ids_of(partition.replicas));
  value.add("in_sync", ids_of(partition.in_sync_replicas)).add("offline", ids_of(partition.offline_replicas));
  return value;
}

int metadata(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto cluster = admin->describe_cluster().get();
  if (!cluster) return call.fail(cluster.error());
  auto topics = describe_topics(call, call.values("topic"));
  if (!topics) return call.exit_code();
  Output& out = call.out();
  if (out.format() == Format::kName) {
    for (const auto& topic : *topics) out.line(topic.name);
    return call.exit_code();
  }
  if (out.format() == Format::kJson || out.format() == Format::kYaml) {
    Value all;
    Value::List brokers, listed;
    for (const auto& node : cluster->nodes) {
      Value broker;
      broker.add("id", node.id).add("host", node.host).add("port", node.port).add("rack", node.rack);
      brokers.push_back(std::move(broker));
    }
    for (const auto& topic : *topics) {
      Value::List partitions;
      for (const auto& partition : topic.partitions) partitions.push_back(partition_value(partition));
      Value value;
      value.add("name", topic.name).add("id", topic.id.is_zero() ? Value() : Value(topic.id.to_string()));
      listed.push_back(value.add("internal", topic.internal).add("partitions", std::move(partitions)));
    }
    all.add("cluster_id", cluster->cluster_id);
    all.add("controller", cluster->controller ? Value(cluster->controller->id) : Value());
    all.add("brokers", std::move(brokers)).add("topics", std::move(listed));
    out.print("metadata", all);
    return call.exit_code();
  }
  Table nodes{
      .kind = "brokers",
      .columns = {{.title = "BROKER", .right = true}, {.title = "ADDRESS"}, {.title = "RACK"}, {.title = "ROLE"}},
      .rows = {}};
  for (const auto& node : cluster->nodes) {
    bool controls = cluster->controller && cluster->controller->id == node.id;
    nodes.rows.push_back({node.id, address_of(node), node.rack, controls ? Value("controller") : Value()});
  }
  Table partitions{.kind = "partitions",
                   .columns = {{.title = "TOPIC"},
                               {.title = "PARTITION", .right = true},
                               {.title = "LEADER", .right = true},
                               {.title = "REPLICAS"},
                               {.title = "IN-SYNC"}},
                   .rows = {}};
  for (const auto& topic : *topics) {
    for (const auto& partition : topic.partitions) {
      Value leader;
      if (partition.leader) leader = partition.leader->id;
      partitions.rows.push_back(
          {topic.name, partition.partition, leader, ids_of(partition.replicas), ids_of(partition.in_sync_replicas)});
    }
  }
  if (!out.for_programs()) {
    out.line("cluster " + cluster->cluster_id + "\n");
    out.print(nodes);
    out.line("");
  }
  return call.print(partitions);
}

}  // namespace

std::vector<Command> cluster_commands() {
  return {
      {.path = "cluster info",
       .aliases = {"describe", "desc"},
       .summary = "Show the cluster: id, controller, brokers, topics",
       .run = info},
      {.path = "cluster health",
       .summary = "Check brokers, controller, partitions and disks",
       .examples = {{"cluster health -o json", "for a monitor: the exit code is 1 when a check failed"}},
       .text = "A warning leaves the exit code 0.",
       .run = health},
      {.path = "cluster api-versions",
       .summary = "Show which versions of the protocol brokers speak",
       .positionals = {{.name = "broker",
                        .help = "ids of brokers; all when none is given",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kBroker}},
       .text = "USED is the version that this program and the broker both know.",
       .run = api_versions},
      {.path = "cluster features", .summary = "Show the levels of the cluster's features", .run = features},
      {.path = "cluster id", .summary = "Print the cluster's id", .run = id},
      {.path = "cluster metadata",
       .summary = "Show brokers and partitions as clients are told them",
       .positionals = {{.name = "topic",
                        .help = "only these topics",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kTopic}},
       .run = metadata},
  };
}

}  // namespace barnabas::cli
