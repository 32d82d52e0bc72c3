// Groups: list, describe, members, lag (also live), reset, delete, delete-offsets.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <span>

#include "barnabas/admin.h"
#include "cli/command.h"
#include "cli/group_lag.h"
#include "cli/invocation.h"
#include "cli/live_view.h"
#include "cli/offset_choice.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::GroupDescription;
using client::GroupListing;
using client::TopicPartition;

Value partitions_value(const std::vector<TopicPartition>& partitions) {
  Value::List list;
  for (const auto& partition : partitions)
    list.emplace_back(fmt::format("{}-{}", partition.topic, partition.partition));
  return list;
}

std::set<std::string> set_of(const std::vector<std::string>& values) {
  return {values.begin(), values.end()};
}

constexpr std::string_view kStates[] = {
    "Stable", "Empty", "Dead", "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling", "NotReady"};
constexpr std::string_view kTypes[] = {"Classic", "Consumer", "Share", "Streams"};

// Kafka's own spelling of what a person typed, in any case; nothing after telling that there is no such word.
std::optional<std::set<std::string>> spelled(Invocation& call, std::string_view flag,
                                             std::span<const std::string_view> words) {
  std::set<std::string> spelled;
  for (const std::string& given : call.values(flag)) {
    auto found = std::ranges::find_if(words, [&](std::string_view word) {
      return std::ranges::equal(word, given, [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
      });
    });
    if (found == words.end()) {
      call.usage(fmt::format("--{}: '{}' is not one of {}", flag, given, fmt::join(words, ", ")));
      return std::nullopt;
    }
    spelled.emplace(*found);
  }
  return spelled;
}

int list(Invocation& call) {
  auto states = spelled(call, "state", kStates);
  auto types = spelled(call, "type", kTypes);
  if (!states || !types) return kUsage;
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto listed = admin->list_groups({.states = *states, .types = *types, .protocol_types = {}}).get();
  if (!listed) return call.fail(listed.error());
  Table table{.kind = "groups",
              .columns = {{.title = "NAME"}, {.title = "TYPE"}, {.title = "PROTOCOL"}, {.title = "STATE"}},
              .rows = {}};
  for (const auto& group : *listed) {
    table.rows.push_back(
        {group.id, Value::or_null(group.type), Value::or_null(group.protocol_type), Value::or_null(group.state)});
  }
  call.out().print(table);
  return kDone;
}

// The descriptions of the groups named; complains about each that is not there.
std::optional<std::vector<GroupDescription>> descriptions(Invocation& call, const std::vector<std::string>& names) {
  client::Admin* admin = call.admin();
  if (!admin) return std::nullopt;
  auto described = admin->describe_groups(names).get();
  if (!described) {
    call.fail(described.error());
    return std::nullopt;
  }
  std::vector<GroupDescription> found;
  for (const auto& name : names) {
    auto at = described->find(name);
    if (at == described->end()) continue;
    if (at->second) {
      found.push_back(std::move(*at->second));
    } else {
      call.item_failed(at->second.error(), "group " + name);
    }
  }
  return found;
}

int describe(Invocation& call) {
  auto groups = descriptions(call, call.values("group"));
  if (!groups) return call.exit_code();
  Table table{.kind = "groups",
              .columns = {{.title = "NAME"},
                          {.title = "TYPE"},
                          {.title = "STATE"},
                          {.title = "ASSIGNOR"},
                          {.title = "MEMBERS", .right = true},
                          {.title = "COORDINATOR"},
                          {.title = "EPOCH", .right = true, .wide = true}},
              .rows = {}};
  for (const auto& group : *groups) {
    Value coordinator;
    if (group.coordinator) {
      coordinator = fmt::format("{}:{} ({})", group.coordinator->host, group.coordinator->port, group.coordinator->id);
    }
    Value epoch;
    if (group.group_epoch >= 0) epoch = group.group_epoch;
    table.rows.push_back({group.id, group.type, group.state, Value::or_null(group.assignor),
                          uint64_t{group.members.size()}, coordinator, epoch});
  }
  return call.print(table);
}

int members(Invocation& call) {
  auto groups = descriptions(call, call.values("group"));
  if (!groups) return call.exit_code();
  Table table{.kind = "members",
              .columns = {{.title = "GROUP"},
                          {.title = "MEMBER"},
                          {.title = "CLIENT-ID"},
                          {.title = "HOST"},
                          {.title = "INSTANCE-ID", .wide = true},
                          {.title = "EPOCH", .right = true, .wide = true},
                          {.title = "PARTITIONS", .right = true},
                          {.title = "ASSIGNMENT", .wide = true}},
              .rows = {},
              .name_column = 1};
  for (const auto& group : *groups) {
    for (const auto& member : group.members) {
      Value epoch;
      if (member.member_epoch >= 0) epoch = member.member_epoch;
      table.rows.push_back({group.id, member.member_id, member.client_id, member.host, member.group_instance_id, epoch,
                            uint64_t{member.assignment.size()}, partitions_value(member.assignment)});
    }
  }
  return call.print(table);
}

Table lag_table(const std::vector<PartitionLag>& lags) {
  Table table{.kind = "lag",
              .columns = {{.title = "GROUP"},
                          {.title = "TOPIC"},
                          {.title = "PARTITION", .right = true},
                          {.title = "COMMITTED", .right = true},
                          {.title = "END", .right = true},
                          {.title = "LAG", .right = true},
                          {.title = "CLIENT-ID"},
                          {.title = "HOST", .wide = true},
                          {.title = "MEMBER", .wide = true}},
              .rows = {},
              .name_column = 1};
  for (const auto& lag : lags) {
    table.rows.push_back({lag.group, lag.partition.topic, lag.partition.partition, lag.committed, lag.end, lag.lag(),
                          lag.client_id, lag.host, lag.member_id});
  }
  return table;
}

int lag(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto names = call.values("group");
  if (!call.has("watch")) {
    auto lags = measure_lag(*admin, names);
    if (!lags) return call.fail(lags.error());
    for (const auto& [group, error] : lags->failed) call.item_failed(error, "group " + group);
    return call.print(lag_table(lags->partitions));
  }
  auto interval = call.duration_ms("interval");
  if (!interval || *interval < 100) return call.usage("--interval: want a time of 100ms or more");
  return watch_lag(call, *admin, names, std::chrono::milliseconds(*interval));
}

int reset(Invocation& call) {
  std::string group = call.value("group");
  auto choice = OffsetChoice::parse(call.value("to"));
  if (!choice) return call.usage("--to: " + choice.error());
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto targets = choose_offsets(*admin, group, call.values("topic"), *choice);
  if (!targets) return call.fail(targets.error());
  Table table{.kind = "offsets",
              .columns = {{.title = "GROUP"},
                          {.title = "TOPIC"},
                          {.title = "PARTITION", .right = true},
                          {.title = "OLD", .right = true},
                          {.title = "NEW", .right = true}},
              .rows = {},
              .name_column = 1};
  std::map<TopicPartition, client::OffsetAndMetadata> wanted;
  for (const auto& target : *targets) {
    table.rows.push_back(
        {group, target.partition.topic, target.partition.partition, target.old_offset, target.new_offset});
    wanted[target.partition] = {.offset = target.new_offset};
  }
  if (wanted.empty()) {
    call.out().note(
        fmt::format("barnabas: group {} has no offsets; --topic says for which topics to set them.", group));
    return kFailed;
  }
  if (call.dry_run()) {
    call.out().print(table);
    return kDone;
  }
  if (!call.confirm(fmt::format("Set {} offsets of group {}?", wanted.size(), group))) return call.exit_code();
  auto altered = admin->alter_group_offsets(group, std::move(wanted)).get();
  if (!altered) return call.fail(altered.error());
  for (const auto& [partition, outcome] : *altered) {
    if (!outcome) {
      bool active = outcome.error().code == client::ErrorCode::kUnknownMemberId ||
                    outcome.error().code == client::ErrorCode::kRebalanceInProgress;
      client::Error error = outcome.error();
      if (active) error.message = fmt::format("group {} has members; stop them first", group);
      return call.fail(error, fmt::format("partition {}-{}", partition.topic, partition.partition));
    }
  }
  return call.print(table);
}

int remove(Invocation& call) {
  auto names = call.values("group");
  if (call.dry_run()) {
    auto groups = descriptions(call, names);
    if (!groups) return call.exit_code();
    for (const auto& group : *groups) {
      Value result;
      result.add("name", group.id).add("members", uint64_t{group.members.size()}).add("dry_run", true);
      call.out().done(fmt::format("Would delete group {}.", group.id), result, group.id);
    }
    return call.exit_code();
  }
  if (!call.confirm(fmt::format("Delete group {} with its offsets?", fmt::join(names, ", ")))) return call.exit_code();
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto deleted = admin->delete_groups(names).get();
  if (!deleted) return call.fail(deleted.error());
  for (const auto& [name, outcome] : *deleted) {
    if (!outcome) {
      call.item_failed(outcome.error(), "group " + name);
      continue;
    }
    Value result;
    result.add("name", name).add("dry_run", false);
    call.out().done(fmt::format("Deleted group {}.", name), result, name);
  }
  return call.exit_code();
}

int delete_offsets(Invocation& call) {
  std::string group = call.value("group");
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto offsets = admin->list_group_offsets({{group, std::nullopt}}).get();
  if (!offsets) return call.fail(offsets.error());
  auto& committed = offsets->at(group);
  if (!committed) return call.fail(committed.error(), "group " + group);
  auto topics = set_of(call.values("topic"));
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : *committed) {
    if (topics.contains(partition.topic)) partitions.push_back(partition);
  }
  if (partitions.empty()) {
    call.out().note(fmt::format("barnabas: group {} has no offsets of {}.", group, fmt::join(topics, ", ")));
    return kFailed;
  }
  if (call.dry_run()) {
    Value result;
    result.add("group", group).add("partitions", uint64_t{partitions.size()}).add("dry_run", true);
    call.out().done(fmt::format("Would delete {} offsets of group {}.", partitions.size(), group), result, group);
    return kDone;
  }
  if (!call.confirm(fmt::format("Delete {} offsets of group {}?", partitions.size(), group))) return call.exit_code();
  auto deleted = admin->delete_group_offsets(group, partitions).get();
  if (!deleted) return call.fail(deleted.error());
  for (const auto& [partition, outcome] : *deleted) {
    if (!outcome)
      call.item_failed(outcome.error(), fmt::format("partition {}-{}", partition.topic, partition.partition));
  }
  if (call.exit_code() == kDone) {
    Value result;
    result.add("group", group).add("partitions", uint64_t{partitions.size()}).add("dry_run", false);
    call.out().done(fmt::format("Deleted {} offsets of group {}.", partitions.size(), group), result, group);
  }
  return call.exit_code();
}

const Flag kDryRun{.name = "dry-run", .help = "show what would be deleted, and change nothing"};
const Positional kGroups{.name = "group", .help = "names of groups", .repeated = true, .completes = Completes::kGroup};
const Positional kGroup{.name = "group", .help = "name of the group", .completes = Completes::kGroup};

}  // namespace

std::vector<Command> group_commands() {
  return {
      {.path = "group list",
       .aliases = {"ls"},
       .summary = "List groups of all types",
       .flags = {{.name = "state",
                  .value = "STATE",
                  .help = "only groups in this state, as Stable or Empty",
                  .repeated = true},
                 {.name = "type",
                  .value = "TYPE",
                  .help = "only classic, consumer, share or streams groups",
                  .repeated = true}},
       .run = list},
      {.path = "group describe",
       .aliases = {"desc"},
       .summary = "Show the state of groups",
       .positionals = {kGroups},
       .run = describe},
      {.path = "group members",
       .summary = "Show who is in groups, and what they have",
       .positionals = {kGroups},
       .run = members},
      {.path = "group lag",
       .summary = "Show how far groups are behind",
       .positionals = {{.name = "group",
                        .help = "names of groups; all when none is given",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kGroup}},
       .flags = {{.name = "watch", .letter = 'w', .help = "go on, as a live view on a terminal"},
                 {.name = "interval", .value = "TIME", .help = "between two looks", .default_value = "2s"}},
       .examples = {{"group lag orders-billing --watch", "see whether it catches up"}},
       .run = lag},
      {.path = "group reset",
       .summary = "Set the offsets of a group that has no members now",
       .positionals = {kGroup},
       .flags = {{.name = "to",
                  .value = "WHERE",
                  .help = "start, end, an offset, +N, -N, or a time: @2026-11-01, @-1h",
                  .default_value = "start"},
                 {.name = "topic",
                  .letter = 't',
                  .value = "TOPIC",
                  .help = "only this topic; else all it has offsets of",
                  .repeated = true,
                  .completes = Completes::kTopic},
                 {.name = "dry-run", .help = "show what would be set"}},
       .examples = {{"group reset billing --to @-1h", "read the last hour again"}},
       .run = reset},
      {.path = "group delete",
       .aliases = {"rm"},
       .summary = "Delete groups with their offsets",
       .positionals = {kGroups},
       .flags = {kDryRun},
       .run = remove},
      {.path = "group delete-offsets",
       .summary = "Forget what a group committed for topics",
       .positionals = {kGroup,
                       {.name = "topic", .help = "names of topics", .repeated = true, .completes = Completes::kTopic}},
       .flags = {kDryRun},
       .run = delete_offsets},
  };
}

}  // namespace barnabas::cli
