// Partitions: list, describe, unavailable, under-replicated, elect, move, moves.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "barnabas/admin.h"
#include "cli/bar.h"
#include "cli/cluster_view.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::OffsetSpec;
using client::TopicPartition;

Value leader_of(const client::TopicPartitionInfo& info) {
  return info.leader ? Value(info.leader->id) : Value();
}

Table partition_table() {
  return {.kind = "partitions",
          .columns = {{.title = "TOPIC"},
                      {.title = "PARTITION", .right = true},
                      {.title = "LEADER", .right = true},
                      {.title = "EPOCH", .right = true, .wide = true},
                      {.title = "REPLICAS"},
                      {.title = "IN-SYNC"},
                      {.title = "OFFLINE", .wide = true}},
          .rows = {}};
}

std::vector<Value> partition_row(const ChosenPartition& chosen) {
  const auto& info = chosen.info;
  return {chosen.partition.topic,
          chosen.partition.partition,
          leader_of(info),
          info.leader_epoch,
          ids_of(info.replicas),
          ids_of(info.in_sync_replicas),
          ids_of(info.offline_replicas)};
}

// -o name names partitions, not topics.
int print(Invocation& call, const Table& table, const std::vector<ChosenPartition>& rows) {
  if (call.out().format() != Format::kName) return call.print(table);
  for (const auto& row : rows) call.out().line(name_of(row.partition));
  return call.exit_code();
}

int show(Invocation& call, bool (*wanted)(const client::TopicPartitionInfo&)) {
  auto chosen = choose_partitions(call, call.values("partition"));
  if (!chosen) return call.exit_code();
  std::erase_if(*chosen, [&](const ChosenPartition& each) { return !wanted(each.info); });
  Table table = partition_table();
  for (const auto& each : *chosen) table.rows.push_back(partition_row(each));
  return print(call, table, *chosen);
}

int list(Invocation& call) {
  return show(call, [](const client::TopicPartitionInfo&) { return true; });
}

int unavailable(Invocation& call) {
  return show(call, [](const client::TopicPartitionInfo& info) { return !info.leader.has_value(); });
}

int under_replicated(Invocation& call) {
  return show(
      call, [](const client::TopicPartitionInfo& info) { return info.in_sync_replicas.size() < info.replicas.size(); });
}

int describe(Invocation& call) {
  auto chosen = choose_partitions(call, call.values("partition"));
  if (!chosen) return call.exit_code();
  client::Admin* admin = call.admin();
  std::map<TopicPartition, OffsetSpec> starts, ends;
  std::vector<int32_t> brokers;
  for (const auto& each : *chosen) {
    if (!each.info.leader) continue;
    starts[each.partition] = {.kind = OffsetSpec::Kind::kEarliest};
    ends[each.partition] = {.kind = OffsetSpec::Kind::kLatest};
    brokers.push_back(each.info.leader->id);
  }
  std::ranges::sort(brokers);
  brokers.erase(std::ranges::unique(brokers).begin(), brokers.end());
  std::map<TopicPartition, int64_t> first, last, bytes;
  if (!starts.empty()) {
    auto low = admin->list_offsets(std::move(starts));
    auto high = admin->list_offsets(std::move(ends));
    auto sizes = admin->describe_log_dirs(brokers).get();
    auto lows = low.get(), highs = high.get();
    if (!lows) return call.fail(lows.error());
    if (!highs) return call.fail(highs.error());
    for (const auto& [partition, offset] : *lows) {
      if (offset) first[partition] = offset->offset;
    }
    for (const auto& [partition, offset] : *highs) {
      if (offset) {
        last[partition] = offset->offset;
      } else {
        call.item_failed(offset.error(), "partition " + name_of(partition));
      }
    }
    if (sizes) {
      for (const auto& [broker, directories] : *sizes) {
        if (!directories) continue;
        for (const auto& directory : *directories) {
          for (const auto& replica : directory.replicas) {
            bytes[replica.partition] = std::max(bytes[replica.partition], replica.size_bytes);
          }
        }
      }
    }
  }
  Table table = partition_table();
  table.columns.push_back({.title = "START", .right = true});
  table.columns.push_back({.title = "END", .right = true});
  table.columns.push_back({.title = "BYTES", .right = true});
  auto value = [](const std::map<TopicPartition, int64_t>& from, const TopicPartition& key) {
    auto found = from.find(key);
    return found == from.end() ? Value() : Value(found->second);
  };
  for (const auto& each : *chosen) {
    auto& row = table.rows.emplace_back(partition_row(each));
    row.push_back(value(first, each.partition));
    row.push_back(value(last, each.partition));
    Value size = value(bytes, each.partition);
    const auto* number = std::get_if<int64_t>(&size.data());
    row.push_back(number && !call.out().for_programs() ? Value(human_bytes(*number)) : size);
  }
  return print(call, table, *chosen);
}

int elect(Invocation& call) {
  bool unclean = call.value("type") == "unclean";
  auto names = call.values("partition");
  if (names.empty() && !call.has("all")) return call.usage("name partitions, or give --all");
  auto chosen = choose_partitions(call, names);
  if (!chosen) return call.exit_code();
  // Preferred leaders that lead already, and partitions that have a leader, need no election.
  std::erase_if(*chosen, [&](const ChosenPartition& each) {
    const auto& info = each.info;
    if (unclean) return info.leader.has_value();
    return info.leader && !info.replicas.empty() && info.leader->id == info.replicas.front().id;
  });
  if (chosen->empty()) {
    if (call.exit_code() == kDone) call.out().note("Nothing to elect: they have the leaders they should have.");
    return call.exit_code();
  }
  if (call.dry_run()) {
    Table table = partition_table();
    for (const auto& each : *chosen) table.rows.push_back(partition_row(each));
    return print(call, table, *chosen);
  }
  if (unclean && !call.confirm(fmt::format("Elect leaders of {} partitions that may lack records?", chosen->size()))) {
    return call.exit_code();
  }
  std::vector<TopicPartition> partitions;
  for (const auto& each : *chosen) partitions.push_back(each.partition);
  auto type = unclean ? client::ElectionType::kUnclean : client::ElectionType::kPreferred;
  auto elected = call.admin()->elect_leaders(type, partitions).get();
  if (!elected) return call.fail(elected.error());
  for (const auto& [partition, outcome] : *elected) {
    std::string name = name_of(partition);
    bool needless = !outcome && outcome.error().code == client::ErrorCode::kElectionNotNeeded;
    if (!outcome && !needless) {
      call.item_failed(outcome.error(), "partition " + name);
      continue;
    }
    Value result;
    result.add("topic", partition.topic).add("partition", partition.partition).add("elected", !needless);
    call.out().done(needless ? fmt::format("Partition {} has its leader already.", name)
                             : fmt::format("Elected a leader of partition {}.", name),
                    result, name);
  }
  return call.exit_code();
}

int moves(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto under_way = admin->list_partition_reassignments().get();
  if (!under_way) return call.fail(under_way.error());
  Table table{.kind = "moves",
              .columns = {{.title = "TOPIC"},
                          {.title = "PARTITION", .right = true},
                          {.title = "REPLICAS"},
                          {.title = "ADDING"},
                          {.title = "REMOVING"}},
              .rows = {}};
  std::vector<ChosenPartition> rows;
  for (const auto& [partition, move] : *under_way) {
    table.rows.push_back(
        {partition.topic, partition.partition, ids_of(move.replicas), ids_of(move.adding), ids_of(move.removing)});
    rows.push_back({partition, {}});
  }
  return print(call, table, rows);
}

// Waits until the partitions are where they should be.
int wait_for(Invocation& call, const std::vector<TopicPartition>& partitions) {
  Bar bar("Moving partitions", static_cast<int64_t>(partitions.size()));
  while (!bar.interrupted()) {
    auto left = call.admin()->list_partition_reassignments(partitions).get();
    if (!left) return call.fail(left.error());
    bar.at(static_cast<int64_t>(partitions.size() - left->size()));
    if (left->empty()) return call.exit_code();
    bar.wait(std::chrono::milliseconds(500));
  }
  call.out().note("The move goes on; `barnabas partition moves` shows it.");
  return kFailed;
}

int move(Invocation& call) {
  bool cancel = call.has("cancel");
  if (cancel == call.has("to")) return call.usage("give --to BROKERS, or --cancel");
  std::optional<std::vector<int32_t>> target;
  if (!cancel) {
    target = broker_ids(call.value("to"));
    if (!target) return call.usage(fmt::format("--to {}: want broker ids as 1,2,3", call.value("to")));
  }
  auto chosen = choose_partitions(call, call.values("partition"));
  if (!chosen) return call.exit_code();
  std::map<TopicPartition, std::optional<std::vector<int32_t>>> wanted;
  Table table{
      .kind = "moves",
      .columns = {{.title = "TOPIC"}, {.title = "PARTITION", .right = true}, {.title = "FROM"}, {.title = "TO"}},
      .rows = {}};
  for (const auto& each : *chosen) {
    wanted[each.partition] = target;
    table.rows.push_back({each.partition.topic, each.partition.partition, ids_of(each.info.replicas),
                          target ? ids_of(*target) : Value("(cancel)")});
  }
  if (wanted.empty()) return call.exit_code();
  if (call.dry_run()) return print(call, table, *chosen);
  if (!cancel && !call.confirm(fmt::format("Move {} partitions to brokers {}?", wanted.size(), call.value("to")))) {
    return call.exit_code();
  }
  auto answered = call.admin()->alter_partition_reassignments(std::move(wanted)).get();
  if (!answered) return call.fail(answered.error());
  std::vector<TopicPartition> begun;
  for (const auto& [partition, outcome] : *answered) {
    std::string name = name_of(partition);
    if (!outcome) {
      call.item_failed(outcome.error(), "partition " + name);
      continue;
    }
    begun.push_back(partition);
    Value result;
    result.add("topic", partition.topic).add("partition", partition.partition).add("cancelled", cancel);
    call.out().done(fmt::format("{} of partition {}.", cancel ? "Cancelled the move" : "Began the move", name), result,
                    name);
  }
  if (!call.has("wait") || cancel || begun.empty()) return call.exit_code();
  return wait_for(call, begun);
}

constexpr std::string_view kPartitionForms =
    "A partition is named TOPIC:N, TOPIC/N or TOPIC-N; a topic alone means all its partitions.";

Positional partitions(bool required) {
  return {.name = "partition",
          .help = required ? "topics, or partitions as orders:0" : "topics, or partitions as orders:0; all when absent",
          .required = required,
          .repeated = true,
          .completes = Completes::kTopic};
}

const Flag kDryRun{.name = "dry-run", .help = "show what would be done, and change nothing"};

}  // namespace

std::vector<Command> partition_commands() {
  return {
      {.path = "partition list",
       .aliases = {"ls"},
       .summary = "List partitions: leaders and replicas",
       .positionals = {partitions(false)},
       .text = kPartitionForms,
       .run = list},
      {.path = "partition describe",
       .aliases = {"desc"},
       .summary = "Show partitions with their offsets and sizes",
       .positionals = {partitions(false)},
       .examples = {{"partition describe orders:0 -o wide", "all about one partition"}},
       .text = kPartitionForms,
       .run = describe},
      {.path = "partition unavailable",
       .summary = "List partitions without a leader",
       .positionals = {partitions(false)},
       .run = unavailable},
      {.path = "partition under-replicated",
       .summary = "List partitions with replicas that are not in sync",
       .positionals = {partitions(false)},
       .run = under_replicated},
      {.path = "partition elect",
       .summary = "Elect leaders: the preferred ones, or any where there is none",
       .positionals = {partitions(false)},
       .flags = {{.name = "type",
                  .value = "TYPE",
                  .help = "preferred, or unclean: records may be lost",
                  .choices = {"preferred", "unclean"},
                  .default_value = "preferred"},
                 {.name = "all", .letter = 'a', .help = "of all partitions of the cluster"},
                 kDryRun},
       .examples = {{"partition elect --all", "back to the preferred leaders after a restart"}},
       .text = kPartitionForms,
       .run = elect},
      {.path = "partition move",
       .aliases = {"reassign"},
       .summary = "Move partitions to other brokers, or cancel a move",
       .positionals = {partitions(true)},
       .flags = {{.name = "to",
                  .value = "BROKERS",
                  .help = "the replicas it shall have, as 1,2,3; the first is preferred as leader",
                  .completes = Completes::kBroker},
                 {.name = "cancel", .help = "give up a move under way"},
                 {.name = "wait", .letter = 'w', .help = "until it is done, with progress"},
                 kDryRun},
       .examples = {{"partition move orders:0 --to 2,3 --wait", "partition 0 of orders, led by broker 2"}},
       .text = kPartitionForms,
       .run = move},
      {.path = "partition moves", .summary = "List the moves under way", .run = moves},
  };
}

}  // namespace barnabas::cli
