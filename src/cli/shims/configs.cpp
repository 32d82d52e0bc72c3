// kafka-configs
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::ConfigEntry;
using client::ConfigResource;
using Source = ConfigEntry::Source;

constexpr Option kTable[] = {
    text("bootstrap-server", "server to connect to", "Brokers to begin with"),
    text("bootstrap-controller", "controller to connect to", "Controllers to begin with"),
    text("command-config", "command config property file", "Properties of the admin client"),
    flag("alter", "Change a configuration"),
    flag("describe", "Show configurations"),
    flag("all", "With --describe: what is in force, too, wherever it comes from"),
    text("entity-type", "", "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups"),
    text("entity-name", "", "Which one of that type"),
    flag("entity-default", "The default of that type, of clients, users, brokers and ips"),
    text("delete-config", "", "Keys to put back to their default: 'k1,k2'"),
    text("add-config", "",
         "Keys and values to set: 'k1=v1,k2=[v1,v2],k3=v3'. `barnabas config explain` tells of the keys of topics and "
         "brokers; clients and users have producer_byte_rate, consumer_byte_rate, request_percentage and "
         "controller_mutation_rate, users SCRAM-SHA-256 and SCRAM-SHA-512, ips connection_creation_rate. Users and "
         "clients may be given together"),
    text("add-config-file", "", "A properties file with keys and values to set"),
    text("topic", "", "Name of a topic"),
    text("client", "", "Id of a client"),
    flag("client-defaults", "The default of clients"),
    text("user", "", "Name of a user"),
    flag("user-defaults", "The default of users"),
    text("broker", "", "Id of a broker"),
    flag("broker-defaults", "The default of brokers"),
    text("broker-logger", "", "Id of a broker, for its loggers"),
    text("ip", "", "Address of clients"),
    flag("ip-defaults", "The default of addresses"),
    text("group", "", "Name of a group"),
    text("client-metrics", "", "Name of a subscription to clients' metrics"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};
constexpr std::string_view kAbout =
    "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or "
    "group";

// What is meant: one entity, or a user and a client. A name of "" is the default, nullopt all of them.
struct Entity {
  std::string type;
  std::optional<std::string> name;
  std::string singular() const { return type.substr(0, type.size() - 1); }
};

struct EntityFlag {
  std::string_view flag, type, defaults_flag = {};
};
constexpr EntityFlag kFlags[] = {
    {"topic", "topics"},
    {"client", "clients", "client-defaults"},
    {"user", "users", "user-defaults"},
    {"broker", "brokers", "broker-defaults"},
    {"broker-logger", "broker-loggers"},
    {"ip", "ips", "ip-defaults"},
    {"client-metrics", "client-metrics"},
    {"group", "groups"},
};
constexpr std::string_view kTypes[] = {"topics", "clients",        "users",  "brokers",
                                       "ips",    "client-metrics", "groups", "broker-loggers"};

// The command line's fault, told without the usage text.
using Checked = std::expected<void, std::string>;
template <class T>
using Or = std::expected<T, std::string>;

int tell(std::string_view message) {
  warn(fmt::format("{}\n", message));
  return 1;
}

Or<std::vector<Entity>> entities_of(const Options& options, Arguments arguments) {
  std::vector<Entity> entities;
  // In the order of the command line, each --entity-name or --entity-default belongs to one --entity-type.
  std::vector<std::optional<std::string>> names;
  auto given = options.values("entity-name");
  size_t next = 0;
  for (std::string_view word : arguments) {
    if (word == "--entity-default") names.emplace_back("");
    if ((word == "--entity-name" || word.starts_with("--entity-name=")) && next < given.size()) {
      names.emplace_back(given[next++]);
    }
  }
  auto types = options.values("entity-type");
  if (names.size() > types.size() && !types.empty()) {
    return std::unexpected("--entity-name or --entity-default is not associated with an entity type.");
  }
  for (size_t i = 0; i < types.size(); ++i) {
    entities.push_back({types[i], i < names.size() ? names[i] : std::nullopt});
  }
  bool specific = false;
  for (const EntityFlag& one : kFlags) {
    bool defaults = !one.defaults_flag.empty() && options.has(one.defaults_flag);
    if (!defaults && !options.has(one.flag)) continue;
    specific = true;
    entities.push_back({std::string(one.type), defaults ? "" : options.value(one.flag)});
  }
  if (specific && types.empty() && (options.has("entity-name") || options.has("entity-default"))) {
    return std::unexpected("--entity-{type,name,default} should not be used in conjunction with specific entity flags");
  }
  std::set<std::string> seen;
  for (const Entity& entity : entities) {
    if (!seen.insert(entity.type).second) {
      return std::unexpected("Duplicate entity type(s) specified: " + entity.type);
    }
  }
  if (specific && !types.empty()) {
    return std::unexpected("--entity-{type,name,default} should not be used in conjunction with specific entity flags");
  }
  return entities;
}

Checked check(const Options& options, const std::vector<Entity>& entities) {
  bool alter = options.has("alter");
  if (entities.empty()) return std::unexpected("At least one entity type must be specified");
  for (const Entity& entity : entities) {
    if (std::ranges::find(kTypes, entity.type) == std::end(kTypes)) {
      return std::unexpected(
          fmt::format("Invalid entity type {}, the entity type must be one of {} with a --bootstrap-server or "
                      "--bootstrap-controller argument",
                      entity.type, fmt::join(kTypes, ", ")));
    }
  }
  std::set<std::string> types;
  for (const Entity& entity : entities) types.insert(entity.type);
  if (types.size() > 1 && types != std::set<std::string>{"users", "clients"}) {
    return std::unexpected("Only 'users' and 'clients' entity types may be specified together");
  }
  if (!options.has("bootstrap-server") && !options.has("bootstrap-controller")) {
    return std::unexpected("Either --bootstrap-server or --bootstrap-controller must be specified.");
  }
  if (options.has("bootstrap-server") && options.has("bootstrap-controller")) {
    return std::unexpected("Only one of --bootstrap-server or --bootstrap-controller can be specified.");
  }
  const Entity& first = entities[0];
  bool can_default =
      types.contains("users") || first.type == "clients" || first.type == "brokers" || first.type == "ips";
  if (options.has("entity-default") && !can_default) {
    return std::unexpected(fmt::format("--entity-default must not be specified with --{} of {}",
                                       alter ? "alter" : "describe", first.type));
  }
  if (alter) {
    for (const Entity& entity : entities) {
      bool missing = !entity.name || (entity.name->empty() && !can_default);
      if (!missing) continue;
      return std::unexpected(can_default
                                 ? fmt::format("An entity-name or default entity must be specified with --alter of {}",
                                               fmt::join(types, ","))
                                 : fmt::format("An entity name must be specified with --alter of {}", entity.type));
    }
    if (!options.has("add-config") && !options.has("add-config-file") && !options.has("delete-config")) {
      return std::unexpected(
          "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter");
    }
    if (options.has("add-config") && options.has("add-config-file")) {
      return std::unexpected("Only one of --add-config or --add-config-file must be specified");
    }
  }
  for (const Entity& entity : entities) {
    if (!entity.name || entity.name->empty() || !entity.type.starts_with("broker")) continue;
    int32_t id = 0;
    auto [stopped, wrong] = std::from_chars(entity.name->data(), entity.name->data() + entity.name->size(), id);
    if (wrong != std::errc{} || stopped != entity.name->data() + entity.name->size()) {
      return std::unexpected(fmt::format("The entity name for {} must be a valid integer broker id, but it is: {}",
                                         entity.type, *entity.name));
    }
  }
  return {};
}

using Settings = std::map<std::string, std::string>;

Or<Settings> settings_of(const Options& options) {
  Settings settings;
  if (options.has("add-config-file")) {
    auto file = client::Config::load(options.value("add-config-file"));
    if (!file) return std::unexpected(file.error().message);
    for (const auto& [key, value] : file->entries()) settings[key] = value;
  }
  if (!options.has("add-config")) return settings;
  constexpr std::string_view kNoPair =
      "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  "
      "\"key=[val1,val2]\" to group values which contain commas.";
  std::string text = options.value("add-config");
  std::vector<std::string> pairs{""};
  bool inside = false;
  for (char c : text) {
    if (c == '[') inside = true;
    if (c == ']') inside = false;
    if (c == ',' && !inside) {
      pairs.emplace_back();
    } else {
      pairs.back() += c;
    }
  }
  for (const std::string& pair : pairs) {
    size_t equals = pair.find('=');
    size_t bracket = std::min(pair.find('['), pair.size());
    if (equals == std::string::npos ||
        pair.substr(equals + 1, bracket > equals ? bracket - equals - 1 : 0).contains('=')) {
      return std::unexpected(std::string(kNoPair));
    }
    std::string value = pair.substr(equals + 1);
    std::erase_if(value, [](char c) { return c == '[' || c == ']'; });
    settings[std::string(trim(std::string_view(pair).substr(0, equals)))] = trim(value);
  }
  for (const auto& [key, value] : settings) {
    bool fine = std::ranges::all_of(key, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
             c == '-';
    });
    if (!fine) return std::unexpected("Invalid character found for config key: " + key);
  }
  return settings;
}

std::vector<std::string> deletions_of(const Options& options) {
  std::vector<std::string> keys;
  for (const std::string& list : options.values("delete-config")) {
    for (const std::string& key : split(list, ',')) keys.emplace_back(trim(key));
  }
  return keys;
}

ConfigResource resource_of(const Entity& entity) {
  using Type = ConfigResource::Type;
  Type type = entity.type == "topics"           ? Type::kTopic
              : entity.type == "brokers"        ? Type::kBroker
              : entity.type == "broker-loggers" ? Type::kBrokerLogger
              : entity.type == "client-metrics" ? Type::kClientMetrics
                                                : Type::kGroup;
  return {type, entity.name.value_or("")};
}

bool is_quota(const Entity& entity) {
  return entity.type == "users" || entity.type == "clients" || entity.type == "ips";
}

std::string quota_type(const Entity& entity) {
  return entity.type == "users" ? "user" : entity.type == "clients" ? "client-id" : "ip";
}

// As Double.toString of Java.
std::string java_double(double number) {
  double size = std::abs(number);
  if (number == 0 || (size >= 1e-3 && size < 1e7)) {
    std::string text = fmt::format("{}", number);
    return text.contains('.') ? text : text + ".0";
  }
  std::string digits = fmt::format("{:e}", number);
  int exponent = 0;
  std::from_chars(digits.data() + digits.find('e') + (digits.contains("e+") ? 2 : 1), digits.data() + digits.size(),
                  exponent);
  // The shortest digits, then the exponent.
  double mantissa = number / std::pow(10, exponent);
  std::string text = fmt::format("{}", mantissa);
  return fmt::format("{}{}E{}", text, text.contains('.') ? "" : ".0", exponent);
}

// ---- alter

int failed(Arguments arguments, const client::Error& error) {
  warn(fmt::format("Error while executing config command with args '{}'\n{}: {}\n", fmt::join(arguments, " "),
                   "java.util.concurrent.ExecutionException: " + java_class(error), java_message(error)));
  return 1;
}

constexpr std::string_view kQuotaKeys[] = {"producer_byte_rate", "consumer_byte_rate", "request_percentage",
                                           "controller_mutation_rate"};
bool is_scram(std::string_view key) {
  return key == "SCRAM-SHA-256" || key == "SCRAM-SHA-512";
}

client::Result<std::map<client::QuotaEntity, std::map<std::string, double>>> quotas_of(
    client::Admin& admin, const std::vector<Entity>& entities) {
  using Match = client::QuotaFilter::Component::Match;
  client::QuotaFilter filter{.components = {}, .strict = true};
  for (const Entity& entity : entities) {
    Match match = !entity.name ? Match::kAny : entity.name->empty() ? Match::kDefault : Match::kExact;
    filter.components.push_back({quota_type(entity), match, entity.name.value_or("")});
  }
  return admin.describe_client_quotas(std::move(filter)).get();
}

// "iterations=8192,password=secret"
Or<client::ScramChange> scram_change(const std::string& user, const std::string& mechanism, const std::string& text) {
  client::ScramChange change{.user = user, .mechanism = mechanism, .password = std::nullopt, .iterations = 4096};
  std::string_view left = text;
  if (left.starts_with("iterations=")) {
    left.remove_prefix(11);
    auto [stopped, wrong] = std::from_chars(left.data(), left.data() + left.size(), change.iterations);
    left.remove_prefix(static_cast<size_t>(stopped - left.data()));
    if (change.iterations == -1) change.iterations = 4096;
    if (left.starts_with(',')) left.remove_prefix(1);
  }
  if (!left.starts_with("password=")) {
    return std::unexpected(fmt::format("Invalid credential property {}={}", mechanism, text));
  }
  if (change.iterations < 4096) {
    return std::unexpected(
        fmt::format("Iterations {} is less than the minimum 4096 required for {}", change.iterations, mechanism));
  }
  change.password = left.substr(9);
  return change;
}

int alter_scram(client::Admin& admin, Arguments arguments, const std::string& user, const Settings& settings,
                const std::vector<std::string>& deletions) {
  std::vector<client::ScramChange> changes;
  for (const auto& [mechanism, text] : settings) {
    auto change = scram_change(user, mechanism, text);
    if (!change) return tell(change.error());
    changes.push_back(*std::move(change));
  }
  for (const auto& mechanism : deletions) changes.push_back({.user = user, .mechanism = mechanism});
  auto altered = admin.alter_user_scram_credentials(std::move(changes)).get();
  if (!altered) return failed(arguments, altered.error());
  for (const auto& [name, outcome] : *altered) {
    if (!outcome) return failed(arguments, outcome.error());
  }
  return 0;
}

int alter_quotas(client::Admin& admin, Arguments arguments, const std::vector<Entity>& entities,
                 const Settings& settings, const std::vector<std::string>& deletions) {
  auto old = quotas_of(admin, entities);
  if (!old) return failed(arguments, old.error());
  std::vector<std::string> unknown;
  for (const auto& key : deletions) {
    if (old->empty() || !old->begin()->second.contains(key)) unknown.push_back(key);
  }
  if (!unknown.empty()) return tell(fmt::format("Invalid config(s): {}", fmt::join(unknown, ",")));
  client::QuotaChange change;
  for (const Entity& entity : entities) {
    change.entity[quota_type(entity)] = entity.name->empty() ? std::nullopt : std::optional(*entity.name);
  }
  for (const auto& [key, text] : settings) {
    double value = 0;
    auto [stopped, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc{} || stopped != text.data() + text.size()) {
      return tell(fmt::format("Cannot parse quota configuration value for {}: {}", key, text));
    }
    change.values[key] = value;
  }
  for (const auto& key : deletions) change.values[key] = std::nullopt;
  auto altered = admin.alter_client_quotas({std::move(change)}).get();
  if (!altered) return failed(arguments, altered.error());
  for (const auto& [entity, outcome] : *altered) {
    if (!outcome) return failed(arguments, outcome.error());
  }
  return 0;
}

int alter_quotas_or_scram(client::Admin& admin, Arguments arguments, const std::vector<Entity>& entities,
                          const Settings& settings, const std::vector<std::string>& deletions) {
  std::vector<std::string> keys, unknown;
  for (const auto& [key, value] : settings) keys.push_back(key);
  keys.insert(keys.end(), deletions.begin(), deletions.end());
  bool only_user = entities.size() == 1 && entities[0].type == "users";
  bool scram = std::ranges::any_of(keys, is_scram);
  for (const auto& key : keys) {
    bool known = entities[0].type == "ips"
                     ? key == "connection_creation_rate"
                     : std::ranges::find(kQuotaKeys, key) != std::end(kQuotaKeys) || (only_user && is_scram(key));
    if (!known) unknown.push_back(key);
  }
  if (!unknown.empty()) {
    std::string_view what = entities[0].type == "ips" ? "connection quota"
                            : only_user               ? "quota and SCRAM credential"
                                                      : "quota";
    return tell(
        fmt::format("Only {} configs can be added for '{}' using --bootstrap-server. Unexpected config names: {}", what,
                    only_user                   ? "users"
                    : entities[0].type == "ips" ? "ips"
                                                : "clients",
                    fmt::join(unknown, ",")));
  }
  if (!scram) return alter_quotas(admin, arguments, entities, settings, deletions);
  if (entities[0].name->empty()) {
    return tell(
        "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using "
        "--bootstrap-server.");
  }
  if (!std::ranges::all_of(keys, is_scram)) {
    return tell(
        "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.");
  }
  return alter_scram(admin, arguments, *entities[0].name, settings, deletions);
}

int alter(client::Admin& admin, const Options& options, Arguments arguments, const std::vector<Entity>& entities) {
  auto settings = settings_of(options);
  if (!settings) return tell(settings.error());
  auto deletions = deletions_of(options);
  const Entity& entity = entities[0];
  if (is_quota(entity)) {
    if (int code = alter_quotas_or_scram(admin, arguments, entities, *settings, deletions)) return code;
  } else {
    std::vector<client::ConfigChange> changes;
    for (const auto& [key, value] : *settings) changes.push_back({.name = key, .value = value});
    for (const auto& key : deletions) changes.push_back({.name = key, .op = client::ConfigChange::Op::kDelete});
    auto altered = admin.incremental_alter_configs({{resource_of(entity), std::move(changes)}}).get();
    if (!altered) return failed(arguments, altered.error());
    for (const auto& [resource, outcome] : *altered) {
      if (!outcome) return failed(arguments, outcome.error());
    }
  }
  if (entity.name->empty()) {
    say(fmt::format("Completed updating default config for {} in the cluster.\n", entity.type));
  } else {
    say(fmt::format("Completed updating config for {} {}.\n", entity.singular(), *entity.name));
  }
  return 0;
}

// ---- describe

std::string_view source_name(Source source) {
  switch (source) {
    case Source::kTopic:
      return "DYNAMIC_TOPIC_CONFIG";
    case Source::kDynamicBroker:
      return "DYNAMIC_BROKER_CONFIG";
    case Source::kDynamicDefaultBroker:
      return "DYNAMIC_DEFAULT_BROKER_CONFIG";
    case Source::kStaticBroker:
      return "STATIC_BROKER_CONFIG";
    case Source::kDefault:
      return "DEFAULT_CONFIG";
    case Source::kDynamicBrokerLogger:
      return "DYNAMIC_BROKER_LOGGER_CONFIG";
    case Source::kClientMetrics:
      return "DYNAMIC_CLIENT_METRICS_CONFIG";
    case Source::kGroup:
      return "DYNAMIC_GROUP_CONFIG";
    case Source::kUnknown:
      break;
  }
  return "UNKNOWN";
}

bool shown(const Entity& entity, Source source, bool all) {
  if (all || entity.type == "broker-loggers") return true;
  if (entity.type == "topics") return source == Source::kTopic;
  if (entity.type == "client-metrics") return source == Source::kClientMetrics;
  if (entity.type == "groups") return source == Source::kGroup;
  return source == (entity.name->empty() ? Source::kDynamicDefaultBroker : Source::kDynamicBroker);
}

// The names of all entities of a type.
client::Result<std::vector<std::string>> names_of(client::Admin& admin, const std::string& type) {
  std::vector<std::string> names;
  if (type == "topics") {
    auto topics = admin.list_topics(true).get();
    if (!topics) return std::unexpected(topics.error());
    for (const auto& topic : *topics) names.push_back(topic.name);
  } else if (type.starts_with("broker")) {
    auto cluster = admin.describe_cluster().get();
    if (!cluster) return std::unexpected(cluster.error());
    for (const auto& node : cluster->nodes) names.push_back(std::to_string(node.id));
  } else {
    using Type = ConfigResource::Type;
    auto listed = admin.list_config_resources({type == "groups" ? Type::kGroup : Type::kClientMetrics}).get();
    if (!listed) return std::unexpected(listed.error());
    for (const auto& resource : *listed) names.push_back(resource.name);
    if (type == "groups") {
      auto groups = admin.list_groups().get();
      if (!groups) return std::unexpected(groups.error());
      for (const auto& group : *groups) {
        if (std::ranges::find(names, group.id) == names.end()) names.push_back(group.id);
      }
    }
  }
  return names;
}

int describe_resources(client::Admin& admin, Arguments arguments, const Entity& wanted, bool all) {
  std::vector<std::string> names;
  if (wanted.name) names.push_back(*wanted.name);
  if (!wanted.name || !wanted.name->empty()) {
    auto there = names_of(admin, wanted.type);
    if (!there) return failed(arguments, there.error());
    if (!wanted.name) {
      names = *std::move(there);
      if (wanted.type.starts_with("broker")) names.emplace_back();
    } else if (std::ranges::find(*there, *wanted.name) == there->end()) {
      say(fmt::format("The {} '{}' doesn't exist and doesn't have dynamic config.\n", wanted.singular(), *wanted.name));
      return 0;
    }
  }
  for (const auto& name : names) {
    Entity entity{wanted.type, name};
    if (name.empty()) {
      say(fmt::format("Default configs for {} in the cluster are:\n", entity.type));
    } else {
      say(fmt::format("{} configs for {} {} are:\n", all ? "All" : "Dynamic", entity.singular(), name));
    }
    auto described = admin.describe_configs({resource_of(entity)}, {.keys = {}, .with_synonyms = true}).get();
    if (!described) return failed(arguments, described.error());
    auto& outcome = described->begin()->second;
    if (!outcome) return failed(arguments, outcome.error());
    auto entries = *outcome;
    std::ranges::sort(entries, {}, &ConfigEntry::name);
    for (const auto& entry : entries) {
      if (!shown(entity, entry.source, all)) continue;
      std::vector<std::string> synonyms;
      for (const auto& synonym : entry.synonyms) {
        synonyms.push_back(
            fmt::format("{}:{}={}", source_name(synonym.source), synonym.name, synonym.value.value_or("null")));
      }
      say(fmt::format("  {}={} sensitive={} synonyms={{{}}}\n", entry.name, entry.value.value_or("null"),
                      entry.sensitive, fmt::join(synonyms, ", ")));
    }
  }
  return 0;
}

int describe_quotas(client::Admin& admin, Arguments arguments, const std::vector<Entity>& entities) {
  auto quotas = quotas_of(admin, entities);
  if (!quotas) return failed(arguments, quotas.error());
  for (const auto& [entity, values] : *quotas) {
    std::vector<std::string> parts, texts;
    constexpr std::pair<std::string_view, std::string_view> kParts[] = {
        {"user", "user-principal"}, {"client-id", "client-id"}, {"ip", "ip"}};
    for (const auto& [type, words] : kParts) {
      auto found = entity.find(std::string(type));
      if (found == entity.end()) continue;
      parts.push_back(found->second ? fmt::format("{} '{}'", words, *found->second)
                                    : fmt::format("the default {}", words));
    }
    for (const auto& [key, value] : values) texts.push_back(fmt::format("{}={}", key, java_double(value)));
    say(fmt::format("Quota configs for {} are {}\n", fmt::join(parts, ", "), fmt::join(texts, ", ")));
  }
  bool users_only = entities.size() == 1 && entities[0].type == "users" && entities[0].name != "";
  if (!users_only) return 0;
  std::vector<std::string> users;
  if (entities[0].name) users.push_back(*entities[0].name);
  auto described = admin.describe_user_scram_credentials(users).get();
  if (!described) return failed(arguments, described.error());
  for (const auto& [user, credentials] : *described) {
    if (!credentials) {
      bool none = credentials.error().code == client::ErrorCode::kResourceNotFound;
      if (!none) {
        std::string name = java_class(credentials.error());
        say(fmt::format("Error retrieving SCRAM credential configs for user-principal '{}': {}: {}\n", user,
                        name.substr(name.rfind('.') + 1), java_message(credentials.error())));
      }
      continue;
    }
    std::vector<std::string> texts;
    for (const auto& one : *credentials)
      texts.push_back(fmt::format("{}=iterations={}", one.mechanism, one.iterations));
    say(fmt::format("SCRAM credential configs for user-principal '{}' are {}\n", user, fmt::join(texts, ", ")));
  }
  return 0;
}

}  // namespace

int configs(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) return tell(options.error());
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (options->has("alter") == options->has("describe")) {
    return usage_error(kTable, "Command must include exactly one action: --describe, --alter");
  }
  auto entities = entities_of(*options, arguments);
  if (!entities) return tell(entities.error());
  if (auto checked = check(*options, *entities); !checked) return tell(checked.error());
  if (options->has("bootstrap-controller")) {
    return tell("--bootstrap-controller: this build speaks to brokers; use --bootstrap-server");
  }
  auto admin = admin_of(*options);
  if (!admin) return tell(java_message(admin.error()));
  if (options->has("alter")) return alter(*admin, *options, arguments, *entities);
  if (is_quota(entities->front())) return describe_quotas(*admin, arguments, *entities);
  return describe_resources(*admin, arguments, entities->front(), options->has("all"));
}

}  // namespace barnabas::cli::shims
