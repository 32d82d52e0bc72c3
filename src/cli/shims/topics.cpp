// kafka-topics
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::TopicPartition;

constexpr Option kTable[] = {
    text("bootstrap-server", "server to connect to", "REQUIRED: brokers to begin with"),
    text("command-config", "command config property file", "Properties of the admin client"),
    flag("list", "Show the names of all topics"),
    flag("create", "Make a topic"),
    flag("delete", "Delete a topic"),
    flag("alter", "Add partitions to a topic. Its configuration is altered with kafka-configs"),
    flag("describe", "Show topics with their partitions"),
    text("topic", "topic",
         "The topic to create, alter, describe or delete; but for --create, a regular expression is one too"),
    text("topic-id", "topic-id", "The id of a topic to describe"),
    text("config", "name=value", "With --create: a configuration of the topic; `barnabas config explain` knows them"),
    text("delete-config", "name", "Without effect since Kafka 4.0"),
    integer("partitions", "# of partitions",
            "How many partitions the topic has or shall have. Mind that keys go elsewhere when they become more"),
    integer("replication-factor", "replication factor", "How many replicas each partition of the new topic has"),
    text("replica-assignment",
         "broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : "
         "broker_id_for_part2_replica2 , ...",
         "Which brokers have the replicas of each partition"),
    flag("under-replicated-partitions", "With --describe: only partitions with a replica that is not in sync"),
    flag("unavailable-partitions", "With --describe: only partitions without a leader that is alive"),
    flag("under-min-isr-partitions", "With --describe: only partitions with less in-sync replicas than configured"),
    flag("at-min-isr-partitions", "With --describe: only partitions with as many in-sync replicas as configured"),
    flag("topics-with-overrides", "With --describe: only topics with a configuration of their own"),
    flag("if-exists", "With --alter, --delete and --describe: a topic that is not there is no error"),
    flag("if-not-exists", "With --create: a topic that is there is no error"),
    flag("exclude-internal", "With --list and --describe: without internal topics"),
    integer("partition-size-limit-per-response", "maximum number of partitions per response",
            "How many partitions one answer holds"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};

constexpr std::string_view kActions[] = {"create", "list", "alter", "describe", "delete"};

int failed(const std::string& message) {
  say(fmt::format("Error while executing topic command : {}\n", message));
  return 1;
}

int failed(const client::Error& error) {
  return failed(java_message(error));
}

std::optional<int> check_usage(const Options& options) {
  auto actions = std::ranges::count_if(kActions, [&](std::string_view name) { return options.has(name); });
  if (actions != 1) {
    return usage_error(kTable,
                       "Command must include exactly one action: --list, --describe, --create, --alter or --delete");
  }
  if (options.has("delete-config")) {
    warn(fmt::format(
        "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully "
        "removed in future releases.\n"));
  }
  if (!options.has("bootstrap-server")) {
    warn(fmt::format("--bootstrap-server must be specified\n"));
    return 1;
  }
  if (options.has("describe") && options.has("if-exists") && !options.has("topic") && !options.has("topic-id")) {
    return usage_error(kTable, "--topic or --topic-id is required to describe a topic");
  }
  if (options.has("describe") && options.has("if-exists") && options.has("topic") && options.has("topic-id")) {
    say(
        fmt::format("Only topic id will be used when both --topic and --topic-id are specified and topicId is not "
                    "Uuid.ZERO_UUID\n"));
  }
  if (!options.has("list") && !options.has("describe")) {
    if (auto missing = require(options, kTable, {"topic"})) return missing;
  }
  if (options.has("alter")) {
    if (options.has("config")) {
      return usage_error(kTable,
                         "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" "
                         "(To alter topic configurations, the kafka-configs tool can be used.)");
    }
    if (auto missing = require(options, kTable, {"partitions"})) return missing;
  }
  // What goes with which action only, and with which report.
  struct Rule {
    std::string_view used;
    std::vector<std::string_view> actions;
    std::vector<std::string_view> not_with{};
  };
  const std::vector<std::string_view> overrides = {"topics-with-overrides"};
  const Rule rules[] = {
      {"config", {"alter", "create"}},
      {"partitions", {"alter", "create"}},
      {"replication-factor", {"create"}},
      {"replica-assignment", {"alter", "create"}},
      {"under-replicated-partitions", {"describe"}, overrides},
      {"under-min-isr-partitions", {"describe"}, overrides},
      {"at-min-isr-partitions", {"describe"}, overrides},
      {"unavailable-partitions", {"describe"}, overrides},
      {"topics-with-overrides",
       {"describe"},
       {"under-replicated-partitions", "under-min-isr-partitions", "at-min-isr-partitions", "unavailable-partitions"}},
      {"if-exists", {"alter", "delete", "describe"}},
      {"if-not-exists", {"create"}},
      {"exclude-internal", {"list", "describe"}},
  };
  for (const Rule& rule : rules) {
    std::vector<std::string_view> invalid;
    for (std::string_view action : kActions) {
      if (std::ranges::find(rule.actions, action) == rule.actions.end()) invalid.push_back(action);
    }
    invalid.insert(invalid.end(), rule.not_with.begin(), rule.not_with.end());
    if (rule.used == "replica-assignment" && options.has("create")) {
      invalid.push_back("partitions");
      invalid.push_back("replication-factor");
    }
    if (auto refused = refuse(options, kTable, rule.used, invalid)) return refused;
  }
  return std::nullopt;
}

// "1:2,2:3": the replicas of partition 0, 1, …
std::expected<std::map<int32_t, std::vector<int32_t>>, std::string> parse_assignment(const std::string& text) {
  std::map<int32_t, std::vector<int32_t>> assignment;
  for (const std::string& partition : split(text, ',')) {
    std::vector<int32_t> replicas;
    std::vector<std::string> twice;
    for (const std::string& word : split(partition, ':')) {
      std::string_view digits = trim(word);
      int32_t id = -1;
      auto [stopped, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
      if (wrong != std::errc{} || stopped != digits.data() + digits.size()) {
        return std::unexpected(fmt::format("For input string: \"{}\"", digits));
      }
      bool seen = std::ranges::find(replicas, id) != replicas.end();
      if (seen) twice.push_back(std::to_string(id));
      replicas.push_back(id);
    }
    if (!twice.empty()) {
      return std::unexpected(
          fmt::format("Partition replica lists may not contain duplicate entries: {}", fmt::join(twice, ",")));
    }
    auto number = static_cast<int32_t>(assignment.size());
    if (number > 0 && assignment[0].size() != replicas.size()) {
      return std::unexpected(
          fmt::format("Partition {} has different replication factor: [{}]", number, fmt::join(replicas, ", ")));
    }
    assignment[number] = std::move(replicas);
  }
  return assignment;
}

int create(client::Admin& admin, const Options& options) {
  client::NewTopic topic{.name = options.value("topic")};
  if (options.has("replica-assignment")) {
    auto assignment = parse_assignment(options.value("replica-assignment"));
    if (!assignment) return failed(assignment.error());
    topic.assignments = *std::move(assignment);
  }
  for (const std::string& setting : options.values("config")) {
    size_t equals = setting.find('=');
    bool two = equals != std::string::npos && equals + 1 < setting.size() &&
               setting.find('=', equals + 1) == std::string::npos;
    if (!two) {
      return failed(
          "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".");
    }
    std::string_view name = setting, value = setting;
    topic.configs[std::string(trim(name.substr(0, equals)))] = trim(value.substr(equals + 1));
  }
  if (topic.name.find_first_of("._") != std::string::npos) {
    say(fmt::format(
        "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To "
        "avoid issues it is best to use either, but not both.\n"));
  }
  if (auto factor = options.number("replication-factor")) {
    if (*factor < 1 || *factor > INT16_MAX) {
      return failed("The replication factor must be between 1 and 32767 inclusive");
    }
    topic.replication_factor = static_cast<int16_t>(*factor);
  }
  if (auto partitions = options.number("partitions")) {
    if (*partitions < 1) return failed("The partitions must be greater than 0");
    topic.partitions = static_cast<int32_t>(*partitions);
  }
  std::string name = topic.name;
  auto created = admin.create_topics({std::move(topic)}).get();
  if (!created) return failed(created.error());
  auto& outcome = created->begin()->second;
  if (!outcome) {
    bool exists = outcome.error().code == client::ErrorCode::kTopicAlreadyExists;
    return exists && options.has("if-not-exists") ? 0 : failed(outcome.error());
  }
  say(fmt::format("Created topic {}.\n", name));
  return 0;
}

// The topics that --topic means, by name; nullopt when it is no regular expression.
client::Result<std::vector<std::string>> topics_meant(client::Admin& admin, const Options& options) {
  auto listed = admin.list_topics(!options.has("exclude-internal")).get();
  if (!listed) return std::unexpected(listed.error());
  auto filter = TopicFilter::make(options.optional("topic").value_or(".*"));
  if (!filter) return std::unexpected(client::Error{.message = options.value("topic") + " is an invalid regex."});
  std::vector<std::string> names;
  for (const auto& topic : *listed) {
    if (filter->allows(topic.name, options.has("exclude-internal"))) names.push_back(topic.name);
  }
  std::ranges::sort(names);
  return names;
}

bool missing(const std::vector<std::string>& found, const Options& options) {
  return found.empty() && !options.value("topic").empty() && !options.has("if-exists");
}

int no_topic(const Options& options) {
  return failed(fmt::format("Topic '{}' does not exist as expected", options.value("topic")));
}

int list(client::Admin& admin, const Options& options) {
  auto names = topics_meant(admin, options);
  if (!names) return failed(names.error());
  say(fmt::format("{}\n", fmt::join(*names, "\n")));
  return 0;
}

int alter(client::Admin& admin, const Options& options) {
  std::map<int32_t, std::vector<int32_t>> assignment;
  if (options.has("replica-assignment")) {
    auto parsed = parse_assignment(options.value("replica-assignment"));
    if (!parsed) return failed(parsed.error());
    assignment = *std::move(parsed);
  }
  auto names = topics_meant(admin, options);
  if (!names) return failed(names.error());
  if (missing(*names, options)) return no_topic(options);
  if (names->empty()) return 0;
  auto described = admin.describe_topics(*names).get();
  if (!described) return failed(described.error());
  std::map<std::string, client::NewPartitions> wanted;
  for (const auto& [name, topic] : *described) {
    if (!topic) return failed(topic.error());
    auto& more = wanted[name];
    more.total_count = static_cast<int32_t>(*options.number("partitions"));
    for (const auto& [partition, replicas] : assignment) {
      if (partition >= static_cast<int32_t>(topic->partitions.size())) more.assignments.push_back(replicas);
    }
  }
  auto altered = admin.create_partitions(std::move(wanted)).get();
  if (!altered) return failed(altered.error());
  for (const auto& [name, outcome] : *altered) {
    if (!outcome) return failed(outcome.error());
  }
  return 0;
}

int remove(client::Admin& admin, const Options& options) {
  auto names = topics_meant(admin, options);
  if (!names) return failed(names.error());
  if (missing(*names, options)) return no_topic(options);
  if (names->empty()) return 0;
  auto deleted = admin.delete_topics(*names).get();
  if (!deleted) return failed(deleted.error());
  for (const auto& [name, outcome] : *deleted) {
    if (!outcome) return failed(outcome.error());
  }
  return 0;
}

std::string ids(const std::vector<client::Node>& nodes, std::string_view separator = ",") {
  std::vector<int32_t> list;
  for (const auto& node : nodes) list.push_back(node.id);
  return fmt::format("{}", fmt::join(list, separator));
}

struct Description {
  const Options& options;
  std::map<client::ConfigResource, client::Result<std::vector<client::ConfigEntry>>> configs;
  std::map<TopicPartition, client::PartitionReassignment> moving;
  std::set<int32_t> alive;

  size_t replication_factor(const std::string& topic, const client::TopicPartitionInfo& partition) const {
    auto found = moving.find({topic, partition.partition});
    if (found == moving.end()) return partition.replicas.size();
    return found->second.replicas.size() - found->second.adding.size();
  }

  bool wanted(const std::string& topic, const client::TopicPartitionInfo& partition, size_t min_in_sync) const {
    size_t in_sync = partition.in_sync_replicas.size();
    bool any = false, report = false;
    auto when = [&](std::string_view flag, bool holds) {
      report = report || options.has(flag);
      any = any || (options.has(flag) && holds);
    };
    when("under-replicated-partitions", replication_factor(topic, partition) > in_sync);
    when("unavailable-partitions", !partition.leader || !alive.contains(partition.leader->id));
    when("under-min-isr-partitions", !partition.leader || in_sync < min_in_sync);
    when("at-min-isr-partitions", in_sync == min_in_sync);
    return any || !report;
  }

  void print_partition(const std::string& topic, const client::TopicPartitionInfo& partition) const {
    std::string leader = partition.leader ? std::to_string(partition.leader->id) : "none";
    say(fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}", topic, partition.partition, leader,
                    ids(partition.replicas), ids(partition.in_sync_replicas)));
    auto found = moving.find({topic, partition.partition});
    if (found != moving.end()) {
      say(fmt::format("\tAdding Replicas: {}\tRemoving Replicas: {}", fmt::join(found->second.adding, ","),
                      fmt::join(found->second.removing, ",")));
    }
    auto eligible = [](const std::optional<std::vector<client::Node>>& nodes) { return nodes ? ids(*nodes) : "N/A"; };
    say(fmt::format("\tElr: {}\tLastKnownElr: {}\n", eligible(partition.eligible_leader_replicas),
                    eligible(partition.last_known_eligible_leader_replicas)));
  }

  int print(const client::TopicDescription& topic) const {
    auto found = configs.find({client::ConfigResource::Type::kTopic, topic.name});
    if (found == configs.end()) return 0;
    if (!found->second) return failed(found->second.error());
    std::vector<std::string> own;
    size_t min_in_sync = 1;
    for (const auto& entry : *found->second) {
      if (!entry.is_default()) own.push_back(fmt::format("{}={}", entry.name, entry.value.value_or("null")));
      if (entry.name == "min.insync.replicas" && entry.value) {
        std::from_chars(entry.value->data(), entry.value->data() + entry.value->size(), min_in_sync);
      }
    }
    std::ranges::sort(own);
    bool report = options.has("under-replicated-partitions") || options.has("unavailable-partitions") ||
                  options.has("under-min-isr-partitions") || options.has("at-min-isr-partitions");
    if (!report && (!options.has("topics-with-overrides") || !own.empty()) && !topic.partitions.empty()) {
      say(fmt::format("Topic: {}", topic.name));
      if (!topic.id.is_zero()) say(fmt::format("\tTopicId: {}", topic.id.to_string()));
      say(fmt::format("\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", topic.partitions.size(),
                      replication_factor(topic.name, topic.partitions[0]), fmt::join(own, ",")));
    }
    if (options.has("topics-with-overrides")) return 0;
    for (const auto& partition : topic.partitions) {
      if (wanted(topic.name, partition, min_in_sync)) print_partition(topic.name, partition);
    }
    return 0;
  }
};

client::Result<std::vector<std::string>> topic_with_id(client::Admin& admin, const Options& options) {
  auto listed = admin.list_topics(!options.has("exclude-internal")).get();
  if (!listed) return std::unexpected(listed.error());
  std::vector<std::string> names;
  for (const auto& topic : *listed) {
    if (topic.id.to_string() == options.value("topic-id")) names.push_back(topic.name);
  }
  return names;
}

int describe(client::Admin& admin, const Options& options) {
  bool by_id = options.has("topic-id") && options.value("topic-id") != client::Uuid128{}.to_string();
  auto names = by_id ? topic_with_id(admin, options) : topics_meant(admin, options);
  if (!names) return failed(names.error());
  if (by_id && names->empty() && !options.has("if-exists")) {
    return failed(fmt::format("TopicId '{}' does not exist as expected", options.value("topic-id")));
  }
  if (!by_id && missing(*names, options)) return no_topic(options);
  if (names->empty()) return 0;
  auto described = admin.describe_topics(*names).get();
  if (!described) return failed(described.error());
  std::vector<client::ConfigResource> resources;
  for (const auto& name : *names) resources.push_back({client::ConfigResource::Type::kTopic, name});
  auto configs = admin.describe_configs(std::move(resources)).get();
  if (!configs) return failed(configs.error());
  auto cluster = admin.describe_cluster().get();
  if (!cluster) return failed(cluster.error());
  Description description{.options = options, .configs = *std::move(configs), .moving = {}, .alive = {}};
  for (const auto& node : cluster->nodes) description.alive.insert(node.id);
  // An old broker, or one that does not allow it: the table is right without it, too.
  if (auto moving = admin.list_partition_reassignments().get()) description.moving = *std::move(moving);
  for (auto& [name, topic] : *described) {
    if (!topic) return failed(topic.error());
    std::ranges::sort(topic->partitions, {}, &client::TopicPartitionInfo::partition);
    if (int code = description.print(*topic)) return code;
  }
  return 0;
}

}  // namespace

int topics(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) {
    warn(fmt::format("{}\n", options.error()));
    return 1;
  }
  if (options->empty()) return usage_error(kTable, "Create, delete, describe, or change a topic.");
  constexpr std::string_view kAbout = "This tool helps to create, delete, describe, or change a topic.";
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (auto wrong = check_usage(*options)) return *wrong;
  if (auto wrong = options->fault({"topic", "topic-id", "partitions", "replication-factor", "replica-assignment"})) {
    return failed(*wrong);
  }
  auto admin = admin_of(*options);
  if (!admin) {
    warn(fmt::format("{}\n", java_message(admin.error())));
    return 1;
  }
  if (options->has("create")) return create(*admin, *options);
  if (options->has("alter")) return alter(*admin, *options);
  if (options->has("list")) return list(*admin, *options);
  if (options->has("describe")) return describe(*admin, *options);
  return remove(*admin, *options);
}

}  // namespace barnabas::cli::shims
