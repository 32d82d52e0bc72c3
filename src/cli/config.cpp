// Configuration: of topics, brokers, groups, loggers and client metrics in a cluster, and what keys mean.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "barnabas/admin.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"
#include "config/explain.h"
#include "config/tables.h"
#include "config/value.h"

namespace barnabas::cli {

namespace {

using client::ConfigChange;
using client::ConfigEntry;
using client::ConfigResource;

constexpr std::string_view kTypeNames[] = {"topic", "broker", "group", "logger", "client-metrics"};

std::optional<ConfigResource::Type> type_of(std::string_view name) {
  if (name == "topic") return ConfigResource::Type::kTopic;
  if (name == "broker") return ConfigResource::Type::kBroker;
  if (name == "group") return ConfigResource::Type::kGroup;
  if (name == "logger") return ConfigResource::Type::kBrokerLogger;
  if (name == "client-metrics") return ConfigResource::Type::kClientMetrics;
  return std::nullopt;
}

std::string_view source_name(ConfigEntry::Source source) {
  switch (source) {
    case ConfigEntry::Source::kTopic:
      return "topic";
    case ConfigEntry::Source::kDynamicBroker:
      return "broker";
    case ConfigEntry::Source::kDynamicDefaultBroker:
      return "cluster";
    case ConfigEntry::Source::kStaticBroker:
      return "file";
    case ConfigEntry::Source::kDefault:
      return "default";
    case ConfigEntry::Source::kDynamicBrokerLogger:
      return "logger";
    case ConfigEntry::Source::kClientMetrics:
      return "client-metrics";
    case ConfigEntry::Source::kGroup:
      return "group";
    case ConfigEntry::Source::kUnknown:
      break;
  }
  return "unknown";
}

// "topic/orders", "broker/1", "broker" (the cluster-wide default), "group/g", "logger/1".
client::Result<ConfigResource> resource_of(const std::string& text) {
  size_t slash = text.find('/');
  auto type = type_of(std::string_view(text).substr(0, slash));
  std::string name = slash == std::string::npos ? "" : text.substr(slash + 1);
  if (!type || (name.empty() && *type != ConfigResource::Type::kBroker)) {
    return std::unexpected(
        client::Error{.message = fmt::format(
                          "'{}' names no resource: want TYPE/NAME with TYPE one of {}; or broker for the default of "
                          "all brokers",
                          text, fmt::join(kTypeNames, ", "))});
  }
  return ConfigResource{*type, std::move(name)};
}

std::optional<std::vector<ConfigEntry>> entries_of(Invocation& call, const ConfigResource& resource,
                                                   client::DescribeConfigsOptions options) {
  client::Admin* admin = call.admin();
  if (!admin) return std::nullopt;
  auto described = admin->describe_configs({resource}, std::move(options)).get();
  if (!described) {
    call.fail(described.error());
    return std::nullopt;
  }
  auto found = described->find(resource);
  if (found == described->end()) return std::vector<ConfigEntry>{};
  if (!found->second) {
    call.fail(found->second.error());
    return std::nullopt;
  }
  std::ranges::sort(*found->second, {}, &ConfigEntry::name);
  return *std::move(found->second);
}

Value shown(const ConfigEntry& entry) {
  if (entry.sensitive) return Value("(hidden)");
  return entry.value;
}

int get(Invocation& call) {
  auto resource = resource_of(call.value("resource"));
  if (!resource) return call.usage(resource.error().message);
  client::DescribeConfigsOptions options{.with_documentation = call.out().format() == Format::kWide};
  auto keys = call.values("key");
  if (!keys.empty()) options.keys = keys;
  auto entries = entries_of(call, *resource, std::move(options));
  if (!entries) return call.exit_code();
  for (const std::string& key : keys) {
    if (std::ranges::find(*entries, key, &ConfigEntry::name) == entries->end()) {
      call.item_failed({.kind = client::Error::Kind::kBroker,
                        .message = fmt::format("{} has no key '{}'", call.value("resource"), key)},
                       "");
    }
  }
  Table table{.kind = "configs",
              .columns = {{.title = "KEY"},
                          {.title = "VALUE"},
                          {.title = "SOURCE"},
                          {.title = "READ-ONLY", .wide = true},
                          {.title = "SENSITIVE", .wide = true},
                          {.title = "DOC", .wide = true}},
              .rows = {}};
  bool all = call.has("all") || !keys.empty();
  for (const auto& entry : *entries) {
    bool set_here = entry.source != ConfigEntry::Source::kDefault && entry.source != ConfigEntry::Source::kStaticBroker;
    if (!all && !set_here) continue;
    table.rows.push_back(
        {entry.name, shown(entry), source_name(entry.source), entry.read_only, entry.sensitive, entry.documentation});
  }
  if (table.rows.empty() && !call.out().for_programs() && !all) {
    call.out().note("Nothing is set there; --all shows the defaults too.");
    if (call.out().format() != Format::kName) return call.exit_code();
  }
  return call.print(table);
}

int change(Invocation& call, std::vector<ConfigChange> changes) {
  auto resource = resource_of(call.value("resource"));
  if (!resource) return call.usage(resource.error().message);
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  std::string named = call.value("resource");
  auto altered = admin->incremental_alter_configs({{*resource, std::move(changes)}}, call.dry_run()).get();
  if (!altered) return call.fail(altered.error());
  for (const auto& [key, outcome] : *altered) {
    if (!outcome) return call.fail(outcome.error());
  }
  Value result;
  result.add("resource", named).add("dry_run", call.dry_run());
  call.out().done(fmt::format("{} {}.", call.dry_run() ? "Would change" : "Changed", named), result, named);
  return kDone;
}

int set(Invocation& call) {
  std::vector<ConfigChange> changes;
  auto op = call.has("append")     ? ConfigChange::Op::kAppend
            : call.has("subtract") ? ConfigChange::Op::kSubtract
                                   : ConfigChange::Op::kSet;
  for (const std::string& setting : call.values("setting")) {
    auto parts = key_value(setting);
    if (!parts) return call.usage(fmt::format("'{}': want KEY=VALUE", setting));
    changes.push_back({.name = parts->first, .value = human_config_value(parts->first, parts->second), .op = op});
  }
  return change(call, std::move(changes));
}

int unset(Invocation& call) {
  std::vector<ConfigChange> changes;
  for (const std::string& key : call.values("key")) changes.push_back({.name = key, .op = ConfigChange::Op::kDelete});
  return change(call, std::move(changes));
}

int diff(Invocation& call) {
  auto left = resource_of(call.value("left"));
  if (!left) return call.usage(left.error().message);
  auto right = resource_of(call.value("right"));
  if (!right) return call.usage(right.error().message);
  auto ours = entries_of(call, *left, {});
  if (!ours) return call.exit_code();
  auto theirs = entries_of(call, *right, {});
  if (!theirs) return call.exit_code();
  std::map<std::string, std::pair<Value, Value>> values;
  for (const auto& entry : *ours) values[entry.name].first = shown(entry);
  for (const auto& entry : *theirs) values[entry.name].second = shown(entry);
  Table table{.kind = "differences", .columns = {{.title = "KEY"}, {.title = "LEFT"}, {.title = "RIGHT"}}, .rows = {}};
  for (auto& [key, pair] : values) {
    if (pair.first.to_json() != pair.second.to_json()) table.rows.push_back({key, pair.first, pair.second});
  }
  call.out().print(table);
  return kDone;
}

struct NamedTable {
  std::string_view resource;
  const config::KeyTable& keys;
};

std::vector<NamedTable> key_tables() {
  return {{"node", config::own_keys()},    {"node", config::broker_keys()},
          {"node", config::extra_keys()},  {"topic", config::topic_keys()},
          {"group", config::group_keys()}, {"client-metrics", config::client_metrics_keys()}};
}

// A key in words; for programs the rows of the tables with this name, or all accepted without effect.
int explain(Invocation& call) {
  std::string key = call.value("key");
  Table table{.kind = "keys",
              .columns = {{.title = "KEY"},
                          {.title = "RESOURCE"},
                          {.title = "TYPE"},
                          {.title = "DEFAULT"},
                          {.title = "ACTS"},
                          {.title = "DOC"}},
              .rows = {}};
  for (const auto& [resource, keys] : key_tables()) {
    for (const auto& row : keys.rows()) {
      bool wanted = key.empty() ? row.effect == config::Effect::kAccepted
                                : row.name == key || row.name == config::without_listener_prefix(key);
      if (!wanted) continue;
      table.rows.push_back({row.name, resource, config::type_name(row.type),
                            row.default_value ? Value(*row.default_value) : Value(),
                            row.effect == config::Effect::kActs, row.documentation});
    }
  }
  if (table.rows.empty()) {
    std::string sentence = config::explain(key);
    while (sentence.ends_with('\n')) sentence.pop_back();
    call.out().note("barnabas: " + sentence);
    return kFailed;
  }
  if (call.out().format() == Format::kTable || call.out().format() == Format::kWide) {
    call.out().raw(key.empty() ? config::list_accepted_without_effect() : config::explain(key));
    return kDone;
  }
  return call.print(table);
}

const Positional kResource{.name = "resource",
                           .help = "topic/NAME, broker/ID, broker, group/NAME, logger/ID, client-metrics/NAME",
                           .completes = Completes::kResource};
const Flag kDryRun{.name = "dry-run", .help = "check, and change nothing"};

}  // namespace

std::vector<Command> config_commands() {
  return {
      {.path = "config get",
       .aliases = {"list", "ls"},
       .summary = "Show the configuration of a topic, broker or group",
       .positionals = {kResource,
                       {.name = "key",
                        .help = "only these keys",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kConfigKey}},
       .flags = {{.name = "all", .letter = 'a', .help = "defaults and what the broker's file says, too"}},
       .examples = {{"config get topic/orders --all", "everything that is in force for a topic"}},
       .run = get},
      {.path = "config set",
       .summary = "Set keys",
       .positionals = {kResource,
                       {.name = "setting",
                        .help = "KEY=VALUE; retention.ms=7d works too",
                        .repeated = true,
                        .completes = Completes::kConfigKey}},
       .flags = {{.name = "append", .help = "add to a list instead"},
                 {.name = "subtract", .help = "take from a list instead"},
                 kDryRun},
       .examples = {{"config set topic/orders retention.ms=7d", "keep a week"}},
       .run = set},
      {.path = "config unset",
       .summary = "Put keys back to their defaults",
       .positionals = {kResource,
                       {.name = "key", .help = "keys", .repeated = true, .completes = Completes::kConfigKey}},
       .flags = {kDryRun},
       .run = unset},
      {.path = "config diff",
       .summary = "Compare the configurations of two resources",
       .positionals = {{.name = "left", .help = "as topic/a", .completes = Completes::kResource},
                       {.name = "right", .help = "as topic/b", .completes = Completes::kResource}},
       .run = diff},
      {.path = "config explain",
       .summary = "Say what a key of a node's configuration does; without a key: those accepted without effect",
       .positionals = {{.name = "key", .help = "the key", .required = false, .completes = Completes::kConfigKey}},
       .connects = false,
       .run = explain},
  };
}

}  // namespace barnabas::cli
