// Topics: list, describe, create, alter, delete, trim, add-partitions, size.
#include <fmt/format.h>

#include <algorithm>

#include "barnabas/admin.h"
#include "cli/cluster_view.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::Admin;
using client::TopicDescription;
using client::TopicPartition;

// The topics named, or all of them.
std::optional<std::vector<std::string>> topics_wanted(Invocation& call, Admin& admin) {
  std::vector<std::string> names = call.values("topic");
  if (!names.empty()) return names;
  auto listed = admin.list_topics(call.has("internal")).get();
  if (!listed) {
    call.fail(listed.error());
    return std::nullopt;
  }
  for (auto& topic : *listed) names.push_back(std::move(topic.name));
  return names;
}

int list(Invocation& call) {
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto listed = admin->list_topics(call.has("internal")).get();
  if (!listed) return call.fail(listed.error());
  std::vector<std::string> names;
  for (const auto& topic : *listed) names.push_back(topic.name);
  Table table{.kind = "topics",
              .columns = {{.title = "NAME"},
                          {.title = "PARTITIONS", .right = true},
                          {.title = "REPLICAS", .right = true},
                          {.title = "ID", .wide = true},
                          {.title = "INTERNAL", .wide = true}},
              .rows = {},
              .name_column = 0};
  if (call.out().format() == Format::kName) {
    for (const auto& name : names) table.rows.push_back({name});
    call.out().print(table);
    return kDone;
  }
  auto described = admin->describe_topics(names).get();
  if (!described) return call.fail(described.error());
  for (const auto& topic : *listed) {
    auto found = described->find(topic.name);
    if (found == described->end() || !found->second) continue;  // deleted meanwhile
    const TopicDescription& description = *found->second;
    size_t replicas = description.partitions.empty() ? 0 : description.partitions[0].replicas.size();
    table.rows.push_back({topic.name, uint64_t{description.partitions.size()}, uint64_t{replicas},
                          topic.id.is_zero() ? Value() : Value(topic.id.to_string()), topic.internal});
  }
  call.out().print(table);
  return kDone;
}

int describe(Invocation& call) {
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto names = topics_wanted(call, *admin);
  if (!names) return call.exit_code();
  auto described = admin->describe_topics(*names).get();
  if (!described) return call.fail(described.error());
  Table table{.kind = "partitions",
              .columns = {{.title = "TOPIC"},
                          {.title = "PARTITION", .right = true},
                          {.title = "LEADER", .right = true},
                          {.title = "EPOCH", .right = true, .wide = true},
                          {.title = "REPLICAS"},
                          {.title = "IN-SYNC"},
                          {.title = "OFFLINE", .wide = true},
                          {.title = "ELR", .wide = true}},
              .rows = {}};
  for (const auto& name : *names) {
    auto found = described->find(name);
    if (found == described->end()) continue;
    if (!found->second) {
      call.item_failed(found->second.error(), "topic " + name);
      continue;
    }
    for (const auto& partition : found->second->partitions) {
      Value leader;
      if (partition.leader) leader = Value(int64_t{partition.leader->id});
      Value eligible;
      if (partition.eligible_leader_replicas) eligible = ids_of(*partition.eligible_leader_replicas);
      table.rows.push_back({name, partition.partition, leader, partition.leader_epoch, ids_of(partition.replicas),
                            ids_of(partition.in_sync_replicas), ids_of(partition.offline_replicas), eligible});
    }
  }
  return call.print(table);
}

// Each text the replicas of the next partition, as "1,2".
client::Result<std::map<int32_t, std::vector<int32_t>>> assignment_of(const std::vector<std::string>& texts) {
  std::map<int32_t, std::vector<int32_t>> assignments;
  for (const std::string& text : texts) {
    auto replicas = broker_ids(text);
    if (!replicas) {
      return std::unexpected(client::Error{.message = fmt::format("--replicas {}: want broker ids as 1,2,3", text)});
    }
    assignments.emplace(static_cast<int32_t>(assignments.size()), *std::move(replicas));
  }
  return assignments;
}

int create(Invocation& call) {
  client::NewTopic wanted;
  if (call.has("partitions")) {
    auto partitions = call.number("partitions", 1, 1000000);
    if (!partitions) return call.usage(partitions.error().message);
    wanted.partitions = static_cast<int32_t>(*partitions);
  }
  if (call.has("replication-factor")) {
    auto factor = call.number("replication-factor", 1, 32767);
    if (!factor) return call.usage(factor.error().message);
    wanted.replication_factor = static_cast<int16_t>(*factor);
  }
  auto assignments = assignment_of(call.values("replicas"));
  if (!assignments) return call.usage(assignments.error().message);
  if (!assignments->empty() && (call.has("partitions") || call.has("replication-factor"))) {
    return call.usage("--replicas says both already: leave --partitions and --replication-factor out");
  }
  wanted.assignments = *std::move(assignments);
  for (const std::string& setting : call.values("config")) {
    auto config = key_value(setting);
    if (!config) return call.usage(fmt::format("--config {}: want KEY=VALUE", setting));
    wanted.configs[config->first] = human_config_value(config->first, config->second);
  }
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::vector<client::NewTopic> topics;
  for (const std::string& name : call.values("topic")) {
    topics.push_back(wanted);
    topics.back().name = name;
  }
  bool only_if_missing = call.has("if-not-exists");
  auto created = admin->create_topics(std::move(topics), call.dry_run()).get();
  if (!created) return call.fail(created.error());
  for (const std::string& name : call.values("topic")) {
    auto found = created->find(name);
    if (found == created->end()) continue;
    if (!found->second) {
      bool exists = found->second.error().code == client::ErrorCode::kTopicAlreadyExists;
      if (!(exists && only_if_missing)) call.item_failed(found->second.error(), "topic " + name);
      continue;
    }
    Value result;
    result.add("name", name).add("id", found->second->id.to_string()).add("partitions", found->second->partitions);
    result.add("replication_factor", int{found->second->replication_factor}).add("dry_run", call.dry_run());
    call.out().done(fmt::format("{} topic {}.", call.dry_run() ? "Would create" : "Created", name), result, name);
  }
  return call.exit_code();
}

int remove(Invocation& call) {
  std::vector<std::string> names = call.values("topic");
  if (call.dry_run()) {
    auto topics = describe_topics(call, names);
    if (!topics) return call.exit_code();
    for (const auto& topic : *topics) {
      Value result;
      result.add("name", topic.name).add("partitions", uint64_t{topic.partitions.size()}).add("dry_run", true);
      call.out().done(fmt::format("Would delete topic {}.", topic.name), result, topic.name);
    }
    return call.exit_code();
  }
  if (!call.confirm(fmt::format("Delete {} with all records?", fmt::join(names, ", ")))) return call.exit_code();
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto deleted = admin->delete_topics(names).get();
  if (!deleted) return call.fail(deleted.error());
  for (const auto& name : names) {
    auto found = deleted->find(name);
    if (found == deleted->end()) continue;
    if (!found->second) {
      bool missing = found->second.error().code == client::ErrorCode::kUnknownTopicOrPartition;
      if (!(missing && call.has("if-exists"))) call.item_failed(found->second.error(), "topic " + name);
      continue;
    }
    Value result;
    result.add("name", name).add("dry_run", false);
    call.out().done(fmt::format("Deleted topic {}.", name), result, name);
  }
  return call.exit_code();
}

int add_partitions(Invocation& call) {
  if (!call.has("total")) return call.usage("--total is missing");
  auto total = call.number("total", 1, 1000000);
  if (!total) return call.usage(total.error().message);
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::map<std::string, client::NewPartitions> wanted;
  for (const auto& name : call.values("topic")) wanted[name].total_count = static_cast<int32_t>(*total);
  auto created = admin->create_partitions(std::move(wanted), call.dry_run()).get();
  if (!created) return call.fail(created.error());
  for (const auto& [name, outcome] : *created) {
    if (!outcome) {
      call.item_failed(outcome.error(), "topic " + name);
      continue;
    }
    Value result;
    result.add("name", name).add("partitions", *total).add("dry_run", call.dry_run());
    call.out().done(fmt::format("Topic {} {} {} partitions.", name, call.dry_run() ? "would have" : "has", *total),
                    result, name);
  }
  return call.exit_code();
}

int alter(Invocation& call) {
  std::vector<client::ConfigChange> changes;
  for (const std::string& setting : call.values("set")) {
    auto config = key_value(setting);
    if (!config) return call.usage(fmt::format("--set {}: want KEY=VALUE", setting));
    changes.push_back({.name = config->first, .value = human_config_value(config->first, config->second)});
  }
  for (const std::string& key : call.values("unset")) {
    changes.push_back({.name = key, .op = client::ConfigChange::Op::kDelete});
  }
  if (changes.empty()) return call.usage("nothing to change: give --set or --unset");
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::map<client::ConfigResource, std::vector<client::ConfigChange>> wanted;
  for (const auto& name : call.values("topic")) wanted[{client::ConfigResource::Type::kTopic, name}] = changes;
  auto altered = admin->incremental_alter_configs(std::move(wanted), call.dry_run()).get();
  if (!altered) return call.fail(altered.error());
  for (const auto& [resource, outcome] : *altered) {
    if (!outcome) {
      call.item_failed(outcome.error(), "topic " + resource.name);
      continue;
    }
    Value result;
    result.add("name", resource.name).add("dry_run", call.dry_run());
    call.out().done(fmt::format("{} topic {}.", call.dry_run() ? "Would alter" : "Altered", resource.name), result,
                    resource.name);
  }
  return call.exit_code();
}

std::vector<TopicPartition> partitions_of(const std::map<std::string, client::Result<TopicDescription>>& described) {
  std::vector<TopicPartition> partitions;
  for (const auto& [name, topic] : described) {
    if (!topic) continue;
    for (const auto& partition : topic->partitions) partitions.push_back({name, partition.partition});
  }
  return partitions;
}

int trim(Invocation& call) {
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::string before = call.value("before");
  int64_t offset = -1;
  bool all = before == "end";
  if (!all) {
    auto number = call.number("before", 0, INT64_MAX);
    if (!number) return call.usage("--before: want an offset, or end");
    offset = *number;
  }
  auto names = call.values("topic");
  auto described = admin->describe_topics(names).get();
  if (!described) return call.fail(described.error());
  for (const auto& [name, topic] : *described) {
    if (!topic) call.item_failed(topic.error(), "topic " + name);
  }
  auto partitions = partitions_of(*described);
  if (call.has("partition")) {
    auto only = call.number("partition", 0, INT32_MAX);
    if (!only) return call.usage(only.error().message);
    std::erase_if(partitions, [&](const TopicPartition& partition) { return partition.partition != *only; });
  }
  if (partitions.empty()) return call.exit_code();
  if (call.dry_run()) {
    Table table{
        .kind = "partitions",
        .columns = {{.title = "TOPIC"}, {.title = "PARTITION", .right = true}, {.title = "BEFORE", .right = true}},
        .rows = {}};
    for (const auto& each : partitions) table.rows.push_back({each.topic, each.partition, before});
    return call.print(table);
  }
  if (!call.confirm(fmt::format("Delete records of {} before {}?", fmt::join(names, ", "), before)))
    return call.exit_code();
  std::map<TopicPartition, int64_t> wanted;
  for (const auto& partition : partitions) wanted[partition] = offset;
  auto trimmed = admin->delete_records(std::move(wanted)).get();
  if (!trimmed) return call.fail(trimmed.error());
  Table table{
      .kind = "partitions",
      .columns = {{.title = "TOPIC"}, {.title = "PARTITION", .right = true}, {.title = "LOG-START", .right = true}},
      .rows = {}};
  for (const auto& [partition, start] : *trimmed) {
    if (!start) {
      call.item_failed(start.error(), fmt::format("partition {}-{}", partition.topic, partition.partition));
      continue;
    }
    table.rows.push_back({partition.topic, partition.partition, *start});
  }
  return call.print(table);
}

int size(Invocation& call) {
  Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto names = topics_wanted(call, *admin);
  if (!names) return call.exit_code();
  auto cluster = admin->describe_cluster().get();
  if (!cluster) return call.fail(cluster.error());
  std::vector<int32_t> brokers;
  for (const auto& node : cluster->nodes) brokers.push_back(node.id);
  auto directories = admin->describe_log_dirs(brokers).get();
  if (!directories) return call.fail(directories.error());
  std::map<std::string, std::pair<int64_t, int64_t>> totals;  // bytes on all replicas, of the largest
  std::map<TopicPartition, int64_t> largest;
  for (const auto& [broker, dirs] : *directories) {
    if (!dirs) {
      call.item_failed(dirs.error(), fmt::format("broker {}", broker));
      continue;
    }
    for (const auto& directory : *dirs) {
      for (const auto& replica : directory.replicas) {
        totals[replica.partition.topic].first += replica.size_bytes;
        auto& most = largest[replica.partition];
        most = std::max(most, replica.size_bytes);
      }
    }
  }
  for (const auto& [partition, bytes] : largest) totals[partition.topic].second += bytes;
  Table table{
      .kind = "topics",
      .columns = {{.title = "NAME"}, {.title = "BYTES", .right = true}, {.title = "ON-ALL-REPLICAS", .right = true}},
      .rows = {}};
  for (const auto& name : *names) {
    auto [all, one] = totals[name];
    bool people = !call.out().for_programs();
    table.rows.push_back(
        {name, people ? Value(human_bytes(one)) : Value(one), people ? Value(human_bytes(all)) : Value(all)});
  }
  return call.print(table);
}

const Positional kTopics{.name = "topic", .help = "names of topics", .repeated = true, .completes = Completes::kTopic};
const Positional kTopicsOrAll{.name = "topic",
                              .help = "names of topics; all when none is given",
                              .required = false,
                              .repeated = true,
                              .completes = Completes::kTopic};
const Flag kInternal{.name = "internal", .help = "internal topics too"};
const Flag kDryRun{.name = "dry-run", .help = "check, and change nothing"};

}  // namespace

std::vector<Command> topic_commands() {
  return {
      {.path = "topic list",
       .aliases = {"ls"},
       .summary = "List topics",
       .flags = {kInternal},
       .examples = {{"topic list -o name", "names only, for scripts"}},
       .run = list},
      {.path = "topic describe",
       .aliases = {"desc"},
       .summary = "Show the partitions of topics: leaders, replicas, in-sync replicas",
       .positionals = {kTopicsOrAll},
       .flags = {kInternal},
       .run = describe},
      {.path = "topic create",
       .summary = "Create topics",
       .positionals = {{.name = "topic", .help = "names of the new topics", .repeated = true}},
       .flags =
           {{.name = "partitions", .letter = 'p', .value = "N", .help = "partitions; the broker's default when absent"},
            {.name = "replication-factor", .letter = 'r', .value = "N", .help = "replicas of each partition"},
            {.name = "replicas",
             .value = "IDS",
             .help = "instead of both: brokers of the next partition, as 1,2,3",
             .repeated = true},
            {.name = "config",
             .letter = 'c',
             .value = "KEY=VALUE",
             .help = "a key of its configuration; retention.ms=7d and segment.bytes=1GiB work too",
             .repeated = true,
             .completes = Completes::kConfigKey},
            {.name = "if-not-exists", .help = "an existing topic is no error"},
            kDryRun},
       .examples = {{"topic create orders -p 6 -c retention.ms=7d", "six partitions, kept for a week"}},
       .run = create},
      {.path = "topic alter",
       .summary = "Change the configuration of topics",
       .positionals = {kTopics},
       .flags = {{.name = "set",
                  .value = "KEY=VALUE",
                  .help = "set a key",
                  .repeated = true,
                  .completes = Completes::kConfigKey},
                 {.name = "unset",
                  .value = "KEY",
                  .help = "back to the default",
                  .repeated = true,
                  .completes = Completes::kConfigKey},
                 kDryRun},
       .run = alter},
      {.path = "topic delete",
       .aliases = {"rm"},
       .summary = "Delete topics with all their records",
       .positionals = {kTopics},
       .flags = {{.name = "if-exists", .help = "a missing topic is no error"}, kDryRun},
       .run = remove},
      {.path = "topic add-partitions",
       .summary = "Give topics more partitions",
       .positionals = {kTopics},
       .flags = {{.name = "total", .letter = 'p', .value = "N", .help = "partitions it has afterwards (required)"},
                 kDryRun},
       .run = add_partitions},
      {.path = "topic trim",
       .summary = "Delete the oldest records of topics",
       .positionals = {kTopics},
       .flags = {{.name = "before",
                  .value = "OFFSET",
                  .help = "delete what is before this offset; end: everything",
                  .default_value = "end"},
                 {.name = "partition", .value = "N", .help = "only this partition"},
                 kDryRun},
       .run = trim},
      {.path = "topic size",
       .summary = "Show how much disk topics take",
       .positionals = {kTopicsOrAll},
       .flags = {kInternal},
       .run = size},
  };
}

}  // namespace barnabas::cli
