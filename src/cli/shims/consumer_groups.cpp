// kafka-consumer-groups: list, describe, delete, delete-offsets, validate-regex.
#include "cli/shims/consumer_groups.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <set>

#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::TopicPartition;

constexpr Option kTable[] = {
    text("bootstrap-server", "server to connect to", "Brokers to begin with; REQUIRED but for --validate-regex"),
    text("group", "consumer group", "The group; may be given several times"),
    text("topic", "topic",
         "The topic whose offsets are meant; with --reset-offsets also its partitions, as `topic:0,1,2`. May be given "
         "several times"),
    flag("all-topics", "With --reset-offsets: all topics the group has offsets of"),
    flag("list", "Show the groups"),
    flag("describe", "Show the offsets, members or state of groups"),
    flag("all-groups", "All groups"),
    flag("delete", "Delete groups with their offsets"),
    flag("delete-offsets", "Forget what a group committed for topics"),
    flag("reset-offsets",
         "Set the offsets of groups that have no members now. Say where (--to-datetime, --by-duration, --to-earliest, "
         "--to-latest, --shift-by, --from-file, --to-current, --to-offset) and for what (--all-topics, --topic); "
         "--execute does it, --dry-run shows it, --export shows it as CSV"),
    flag("dry-run", "With --reset-offsets: change nothing"),
    flag("execute", "With --reset-offsets: do it"),
    flag("export", "With --reset-offsets: as CSV"),
    long_integer("to-offset", "offset", "Reset to this offset"),
    text("from-file", "path to CSV file", "Reset to what the file says"),
    text("to-datetime", "datetime", "Reset to the first record from this time on: 'YYYY-MM-DDThh:mm:ss.sss'"),
    text("by-duration", "duration", "Reset to the first record of this last time: 'PnDTnHnMnS'"),
    flag("to-earliest", "Reset to the start"),
    flag("to-latest", "Reset to the end"),
    long_integer("shift-by", "number-of-offsets", "Reset to so many records later, or earlier"),
    flag("to-current", "Reset to what is committed"),
    flag("members", "With --describe: the members"),
    flag("offsets", "With --describe: the offsets, which is what is shown anyway"),
    maybe_text("state", "",
               "With --describe: the state of the group; with --list: the state of each, or only groups in these "
               "states, as `--state stable,empty`"),
    maybe_text("type", "",
               "With --list: the type of each group, or only groups of these types, as `--type classic,consumer`"),
    text("validate-regex", "regex", "Check a regular expression, in RE2's syntax"),
    flag("verbose", "With --describe: more columns"),
    long_integer("timeout", "timeout (ms)", "How long a group may take to become stable", "30000"),
    text("command-config", "command config property file", "Properties of the admin client"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};

constexpr std::string_view kAbout =
    "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset "
    "consumer group offsets.";
constexpr std::string_view kActions[] = {"list",          "describe",       "delete",
                                         "reset-offsets", "delete-offsets", "validate-regex"};

int usage_error(std::string_view message) {
  return shims::usage_error(kTable, message);
}

std::optional<int> check_reset(const Options& options) {
  if (options.has("dry-run") && options.has("execute")) {
    return usage_error("Option [reset-offsets] only accepts one of [execute] and [dry-run]");
  }
  if (!options.has("dry-run") && !options.has("execute")) {
    warn(fmt::format(
        "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command "
        "will require either --dry-run or --execute to be specified. You should add the --dry-run option "
        "explicitly if you are scripting this command and want to keep the current default behavior without "
        "prompting.\n"));
  }
  if (!options.has("group") && !options.has("all-groups")) {
    return usage_error("Option [reset-offsets] takes one of these options: [group], [all-groups]");
  }
  constexpr std::string_view kWays[] = {"to-offset", "to-datetime", "by-duration", "to-earliest",
                                        "to-latest", "to-current",  "shift-by",    "from-file"};
  for (std::string_view way : kWays) {
    std::vector<std::string_view> others;
    for (std::string_view other : kWays) {
      if (other != way) others.push_back(other);
    }
    if (auto refused = refuse(options, kTable, way, others)) return refused;
  }
  return std::nullopt;
}

std::optional<int> check_usage(const Options& options) {
  if (options.has("validate-regex")) return std::nullopt;
  if (auto missing = require(options, kTable, {"bootstrap-server"})) return missing;
  if (options.has("describe")) {
    if (!options.has("group") && !options.has("all-groups")) {
      return usage_error("Option [describe] takes one of these options: [group], [all-groups]");
    }
    if (options.has("members") + options.has("offsets") + options.has("state") > 1) {
      return usage_error("Option [describe] takes at most one of these options: [members], [offsets], [state]");
    }
    if (options.optional("state")) return usage_error("Option [describe] does not take a value for [state]");
  }
  if (options.has("delete")) {
    if (!options.has("group") && !options.has("all-groups")) {
      return usage_error("Option [delete] takes one of these options: [group], [all-groups]");
    }
    if (options.has("topic")) {
      return usage_error("The consumer does not support topic-specific offset deletion from a consumer group.");
    }
  }
  if (options.has("delete-offsets") && (!options.has("group") || !options.has("topic"))) {
    return usage_error("Option [delete-offsets] takes the following options: [topic], [group]");
  }
  if (options.has("reset-offsets")) {
    if (auto wrong = check_reset(options)) return wrong;
  }
  constexpr std::string_view kAllGroups[] = {"all-groups"};
  if (auto refused = refuse(options, kTable, "group", kAllGroups)) return refused;
  constexpr std::string_view kNotWithGroup[] = {"list"};
  if (auto refused = refuse(options, kTable, "group", kNotWithGroup)) return refused;
  constexpr std::string_view kNotWithTopic[] = {"list", "describe"};
  return refuse(options, kTable, "topic", kNotWithTopic);
}

int failed(const client::Error& error) {
  return group_failed(java_message(error));
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Names out of a list as "Stable,empty", spelt right; the wrong ones make it nothing.
std::optional<std::set<std::string>> chosen(std::string_view list, std::span<const std::string_view> names) {
  std::set<std::string> found;
  for (const std::string& word : split(list, ',')) {
    auto name = std::ranges::find_if(
        names, [&](std::string_view one) { return lower(std::string(one)) == lower(std::string(trim(word))); });
    if (name == names.end()) return std::nullopt;
    found.emplace(*name);
  }
  return found;
}

bool is_consumer_group(const client::GroupListing& group) {
  std::string type = lower(group.type);
  return type.empty() || type == "consumer" ||
         (type == "classic" && (group.protocol_type == "consumer" || group.protocol_type.empty()));
}

client::Result<std::vector<client::GroupListing>> consumer_groups_there(client::Admin& admin) {
  auto listed = admin.list_groups().get();
  if (listed) std::erase_if(*listed, [](const client::GroupListing& group) { return !is_consumer_group(group); });
  return listed;
}

int list(client::Admin& admin, const Options& options) {
  struct {
    std::set<std::string> types, states;
  } wanted;
  constexpr std::string_view kStates[] = {
      "Dead", "CompletingRebalance", "Stable", "Reconciling", "PreparingRebalance", "Assigning", "Empty"};
  constexpr std::string_view kTypes[] = {"Consumer", "Classic"};
  auto choose = [](const std::optional<std::string>& text, std::span<const std::string_view> names,
                   std::string_view what, std::set<std::string>& into) -> std::optional<int> {
    if (!text) return std::nullopt;
    auto found = chosen(*text, names);
    if (!found) {
      return usage_error(
          fmt::format("Invalid {0}s list '{1}'. Valid {0}s are: {2}", what, *text, fmt::join(names, ", ")));
    }
    into = *std::move(found);
    return std::nullopt;
  };
  if (auto text = options.optional("state"); text && !chosen(*text, kStates)) {
    return usage_error(fmt::format("Invalid state list '{}'. Valid states are: {}", *text, fmt::join(kStates, ", ")));
  }
  if (auto wrong = choose(options.optional("type"), kTypes, "type", wanted.types)) return *wrong;
  if (auto wrong = choose(options.optional("state"), kStates, "state", wanted.states)) return *wrong;
  // Chosen here: brokers before Kafka 3.8 cannot choose by type, and spell it in their own ways.
  auto groups = consumer_groups_there(admin);
  if (!groups) return failed(groups.error());
  std::erase_if(*groups, [&](const client::GroupListing& group) {
    auto is = [](const std::set<std::string>& names, const std::string& name) {
      return names.empty() || std::ranges::any_of(names, [&](const auto& one) { return lower(one) == lower(name); });
    };
    return !is(wanted.types, group.type) || !is(wanted.states, group.state);
  });
  bool with_type = options.has("type"), with_state = options.has("state");
  if (!with_type && !with_state) {
    for (const auto& group : *groups) say(fmt::format("{}\n", group.id));
    return 0;
  }
  size_t width = 15;
  for (const auto& group : *groups) width = std::max(width, group.id.size());
  auto row = [&](std::string_view id, std::string_view type, std::string_view state) {
    say(fmt::format("{:<{}}", id, width + 10));
    if (with_type) say(fmt::format(" {:<20}", type));
    if (with_state) say(fmt::format(" {:<20}", state));
    say(fmt::format("\n"));
  };
  row("GROUP", "TYPE", "STATE");
  for (const auto& group : *groups) {
    std::string type = lower(group.type);
    if (!type.empty()) type[0] = static_cast<char>(type[0] - 'a' + 'A');
    row(group.id, type, group.state);
  }
  return 0;
}

// Tells what there is to say about a group without active members; false when nothing more is to be shown of it.
bool tell_state(const client::GroupDescription& group, bool has_rows) {
  if (group.state == "Dead") {
    group_error(fmt::format("Consumer group '{}' does not exist.", group.id));
  } else if (group.state == "Empty") {
    std::fflush(stdout);
    warn(fmt::format("\nConsumer group '{}' has no active members.\n", group.id));
  } else if (group.state != "Stable") {
    std::fflush(stdout);
    warn(fmt::format("\nWarning: Consumer group '{}' is rebalancing.\n", group.id));
  }
  return group.state != "Dead" && has_rows;
}

struct OffsetRow {
  TopicPartition partition;
  std::string epoch = "-", committed = "-", end = "-", lag = "-", member = "-", host = "-", client = "-";
};

client::Result<std::vector<OffsetRow>> offset_rows(client::Admin& admin, const client::GroupDescription& group) {
  auto listed = admin.list_group_offsets({{group.id, std::nullopt}}).get();
  if (!listed) return std::unexpected(listed.error());
  auto& committed = listed->begin()->second;
  if (!committed) return std::unexpected(committed.error());
  auto members = group.members;
  std::ranges::sort(members, [](const client::GroupMember& a, const client::GroupMember& b) {
    return std::pair(b.assignment.size(), a.member_id) < std::pair(a.assignment.size(), b.member_id);
  });
  std::vector<OffsetRow> rows;
  std::set<TopicPartition> assigned;
  for (const auto& member : members) {
    auto partitions = member.assignment;
    std::ranges::sort(partitions);
    for (const auto& partition : partitions) {
      assigned.insert(partition);
      rows.push_back(
          {.partition = partition, .member = member.member_id, .host = member.host, .client = member.client_id});
    }
  }
  for (const auto& [partition, offset] : *committed) {
    if (!assigned.contains(partition)) rows.push_back({.partition = partition});
  }
  std::vector<TopicPartition> partitions;
  for (const auto& row : rows) partitions.push_back(row.partition);
  auto ends = offsets_of(admin, partitions, {.kind = client::OffsetSpec::Kind::kLatest});
  if (!ends) return std::unexpected(ends.error());
  for (auto& row : rows) {
    auto end = ends->find(row.partition);
    if (end != ends->end()) row.end = std::to_string(end->second);
    auto found = committed->find(row.partition);
    if (found == committed->end() || !found->second) continue;
    row.committed = std::to_string(found->second->offset);
    if (found->second->leader_epoch) row.epoch = std::to_string(*found->second->leader_epoch);
    if (end != ends->end()) row.lag = std::to_string(end->second - found->second->offset);
  }
  return rows;
}

int print_offsets(client::Admin& admin, const client::GroupDescription& group, bool verbose) {
  auto rows = offset_rows(admin, group);
  if (!rows) return failed(rows.error());
  if (!tell_state(group, !rows->empty())) return 0;
  size_t group_width = std::max<size_t>(15, group.id.size()), topic = 15, member = 15, host = 15;
  for (const auto& row : *rows) {
    topic = std::max(topic, row.partition.topic.size());
    member = std::max(member, row.member.size());
    host = std::max(host, row.host.size());
  }
  auto print = [&](std::string_view id, std::string_view name, std::string_view partition, const OffsetRow& row) {
    say(fmt::format("\n{:<{}} {:<{}} {:<10} ", id, group_width, name, topic, partition));
    if (verbose) say(fmt::format("{:<15} ", row.epoch));
    say(fmt::format("{:<15} {:<15} {:<15} {:<{}} {:<{}} {}", row.committed, row.end, row.lag, row.member, member,
                    row.host, host, row.client));
  };
  print("GROUP", "TOPIC", "PARTITION",
        {{}, "LEADER-EPOCH", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"});
  for (const auto& row : *rows) print(group.id, row.partition.topic, std::to_string(row.partition.partition), row);
  say(fmt::format("\n"));
  return 0;
}

// "a:0,1;b:2"
std::string assignment_text(const std::vector<TopicPartition>& partitions) {
  std::map<std::string, std::vector<int32_t>> topics;
  for (const auto& partition : partitions) topics[partition.topic].push_back(partition.partition);
  std::vector<std::string> texts;
  for (auto& [topic, numbers] : topics) {
    std::ranges::sort(numbers);
    texts.push_back(fmt::format("{}:{}", topic, fmt::join(numbers, ",")));
  }
  return texts.empty() ? "-" : fmt::format("{}", fmt::join(texts, ";"));
}

void print_members(const client::GroupDescription& group, bool verbose) {
  tell_state(group, true);
  size_t id = 15, member = 15, instance = 17, host = 15, client = 15, current = 20;
  bool instances = false;
  id = std::max(id, group.id.size());
  for (const auto& one : group.members) {
    member = std::max(member, one.member_id.size());
    instance = std::max(instance, one.group_instance_id.value_or("").size());
    host = std::max(host, one.host.size());
    client = std::max(client, one.client_id.size());
    current = std::max(current, assignment_text(one.assignment).size());
    instances = instances || !one.group_instance_id.value_or("").empty();
  }
  auto print = [&](const std::array<std::string, 10>& cells) {
    say(fmt::format("{:<{}} {:<{}} ", cells[0], id, cells[1], member));
    if (instances) say(fmt::format("{:<{}} ", cells[2], instance));
    say(fmt::format("{:<{}} {:<{}} {:<15} ", cells[3], host, cells[4], client, cells[5]));
    if (verbose) say(fmt::format("{:<15} {:<{}} {:<15} {}", cells[6], cells[7], current, cells[8], cells[9]));
    say(fmt::format("\n"));
  };
  say(fmt::format("\n"));
  print({"GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS", "CURRENT-EPOCH",
         "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"});
  bool epochs = lower(group.type) == "consumer";
  for (const auto& one : group.members) {
    std::string epoch = epochs ? std::to_string(one.member_epoch) : "-";
    std::string target = epochs ? std::to_string(group.target_assignment_epoch) : "-";
    print({group.id, one.member_id, one.group_instance_id.value_or(""), one.host, one.client_id,
           std::to_string(one.assignment.size()), epoch, assignment_text(one.assignment), target,
           epochs ? assignment_text(one.target_assignment) : "-"});
  }
}

void print_state(const client::GroupDescription& group, bool verbose) {
  if (!tell_state(group, true)) return;
  std::string coordinator = "-";
  if (group.coordinator) {
    coordinator = fmt::format("{}:{}  ({})", group.coordinator->host, group.coordinator->port, group.coordinator->id);
  }
  size_t id = std::max<size_t>(15, group.id.size()), width = std::max<size_t>(25, coordinator.size());
  auto print = [&](const std::array<std::string, 7>& cells) {
    say(fmt::format("\n{:<{}} {:<{}} {:<20} {:<20} ", cells[0], id, cells[1], width, cells[2], cells[3]));
    if (verbose) say(fmt::format("{:<15} {:<25} ", cells[4], cells[5]));
    say(fmt::format("{}", cells[6]));
  };
  auto epoch = [&](int32_t number) { return lower(group.type) == "consumer" ? std::to_string(number) : "-"; };
  print({"GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH",
         "#MEMBERS"});
  print({group.id, coordinator, group.assignor.empty() ? "-" : group.assignor, group.state, epoch(group.group_epoch),
         epoch(group.target_assignment_epoch), std::to_string(group.members.size())});
  say(fmt::format("\n"));
}

int describe(client::Admin& admin, const Options& options, const std::vector<std::string>& groups) {
  auto described = admin.describe_groups(groups).get();
  if (!described) return failed(described.error());
  for (const auto& [name, group] : *described) {
    if (!group) return group_failed(fmt::format("{}: {}", java_class(group.error()), java_message(group.error())));
    if (group->state == "Dead") {
      return group_failed(
          fmt::format("org.apache.kafka.common.errors.GroupIdNotFoundException: Group {} not found.", name));
    }
  }
  bool verbose = options.has("verbose");
  for (const auto& [name, group] : *described) {
    if (options.has("members")) {
      print_members(*group, verbose);
    } else if (options.has("state")) {
      print_state(*group, verbose);
    } else {
      print_offsets(admin, *group, verbose);
    }
  }
  return 0;
}

int remove(client::Admin& admin, const std::vector<std::string>& groups) {
  auto deleted = admin.delete_groups(groups).get();
  if (!deleted) return failed(deleted.error());
  std::vector<std::string> done;
  std::vector<std::string> failures;
  for (const auto& [name, outcome] : *deleted) {
    if (outcome) {
      done.push_back(name);
      continue;
    }
    failures.push_back(fmt::format("* Group '{}' could not be deleted due to: {}: {}", name,
                                   java_class(outcome.error()), java_message(outcome.error())));
  }
  if (failures.empty()) {
    say(fmt::format("Deletion of requested consumer groups ('{}') was successful.\n", fmt::join(done, "', '")));
    return 0;
  }
  group_error("Deletion of some consumer groups failed:");
  for (const auto& failure : failures) say(fmt::format("{}\n", failure));
  if (!done.empty()) {
    say(fmt::format("\nThese consumer groups were deleted successfully: '{}'\n", fmt::join(done, "', '")));
  }
  return 0;
}

struct DeletedOffset {
  std::string topic, partition, status;
};

int delete_offsets(client::Admin& admin, const Options& options) {
  std::string group = options.value("group");
  std::vector<TopicPartition> partitions;
  std::vector<DeletedOffset> rows;
  auto problem = [](const client::Error& error) {
    return fmt::format("Error: {}: {}", java_class(error), java_message(error));
  };
  for (const std::string& topic : options.values("topic")) {
    auto found = partitions_of(admin, {topic});
    if (found) {
      partitions.insert(partitions.end(), found->begin(), found->end());
    } else {
      rows.push_back({topic, "-", problem(found.error())});
    }
  }
  std::optional<client::Error> whole;
  if (!partitions.empty()) {
    auto deleted = admin.delete_group_offsets(group, partitions).get();
    if (!deleted && deleted.error().kind != client::Error::Kind::kBroker) return failed(deleted.error());
    if (!deleted) {  // what is wrong with the group is wrong with each
      whole = deleted.error();
      deleted.emplace();
      for (const auto& partition : partitions) deleted->emplace(partition, std::unexpected(*whole));
    }
    for (const auto& [partition, outcome] : *deleted) {
      rows.push_back(
          {partition.topic, std::to_string(partition.partition), outcome ? "Successful" : problem(outcome.error())});
      if (!outcome && !whole) whole = outcome.error();
    }
  }
  if (!whole) {
    say(fmt::format("Request succeeded for deleting offsets from group {}.\n", group));
  } else {
    bool partial = whole->code == client::ErrorCode::kGroupSubscribedToTopic ||
                   whole->code == client::ErrorCode::kTopicAuthorizationFailed ||
                   whole->code == client::ErrorCode::kUnknownTopicOrPartition;
    group_error(partial ? "Encountered some partition-level error, see the follow-up details." : java_message(*whole));
  }
  auto row = [](std::string_view a, std::string_view b, std::string_view c) {
    say(fmt::format("\n{:<15} {:<10} {:<15}", a, b, c));
  };
  row("TOPIC", "PARTITION", "STATUS");
  for (const auto& [topic, partition, status] : rows) row(topic, partition, status);
  say(fmt::format("\n"));
  return 0;
}

int validate_regex(const std::string& pattern) {
  RE2 regex(pattern, RE2::Quiet);
  if (regex.ok()) {
    say(fmt::format("The regular expression `{}` is valid.\n", pattern));
    return 0;
  }
  say(fmt::format("The regular expression `{}` is invalid: {}.\n", pattern, regex.error()));
  return 1;
}

}  // namespace

std::span<const Option> consumer_groups_table() {
  return kTable;
}

int group_error(std::string_view sentence) {
  say(fmt::format("\nError: {}\n", sentence));
  return 0;
}

int group_failed(std::string_view why) {
  return group_error(fmt::format("Executing consumer group command failed due to {}", why));
}

int consumer_groups(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) return usage_error(options.error());
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (auto wrong = check_usage(*options)) return *wrong;
  auto actions = std::ranges::count_if(kActions, [&](std::string_view name) { return options->has(name); });
  if (actions != 1) {
    return usage_error(
        "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, "
        "--validate-regex");
  }
  if (options->has("validate-regex")) return validate_regex(options->value("validate-regex"));
  if (auto wrong = options->fault()) return group_failed(*wrong);
  auto admin = admin_of(*options);
  if (!admin) return failed(admin.error());
  if (options->has("list")) return list(*admin, *options);
  if (options->has("delete-offsets")) return delete_offsets(*admin, *options);
  std::vector<std::string> groups = options->values("group");
  if (options->has("all-groups")) {
    auto there = consumer_groups_there(*admin);
    if (!there) return failed(there.error());
    for (const auto& group : *there) groups.push_back(group.id);
  }
  if (options->has("describe")) return describe(*admin, *options, groups);
  if (options->has("delete")) return remove(*admin, groups);
  return reset_offsets(*admin, *options, groups);
}

}  // namespace barnabas::cli::shims
