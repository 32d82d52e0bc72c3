// Profiles: list, show, use, add, set, unset, delete. No cluster is asked.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/parse.h"
#include "cli/profiles.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::Config;

// Every key some client of the library knows, by name.
std::map<std::string_view, client::ConfigKey> known_keys() {
  std::map<std::string_view, client::ConfigKey> keys;
  for (auto kind : {client::ClientKind::kAdmin, client::ClientKind::kProducer, client::ClientKind::kConsumer,
                    client::ClientKind::kShareConsumer}) {
    for (const auto& key : client::config_keys(kind)) keys.emplace(key.name, key);
  }
  return keys;
}

// What is wrong with a key, or "".
std::string wrong_key(const std::string& key) {
  auto keys = known_keys();
  if (keys.contains(key)) return "";
  std::vector<std::string_view> names;
  for (const auto& [name, each] : keys) names.push_back(name);
  std::string_view near = nearest(key, names);
  return near.empty() ? fmt::format("clients know no key '{}'", key)
                      : fmt::format("clients know no key '{}'; did you mean '{}'?", key, near);
}

bool is_secret(const std::string& key) {
  auto keys = known_keys();
  auto found = keys.find(key);
  return found == keys.end() || found->second.type == "password";
}

// The profiles, or nothing after the error was told.
std::optional<Profiles> load(Invocation& call) {
  auto profiles = load_profiles();
  if (profiles) return *std::move(profiles);
  call.fail(profiles.error());
  return std::nullopt;
}

Config* find(Invocation& call, Profiles& profiles, const std::string& name) {
  auto found = profiles.by_name.find(name);
  if (found != profiles.by_name.end()) return &found->second;
  std::vector<std::string_view> names;
  for (const auto& [other, config] : profiles.by_name) names.push_back(other);
  std::string_view near = nearest(name, names);
  call.out().note(fmt::format("barnabas: there is no profile '{}'{} `barnabas profile list` shows them.", name,
                              near.empty() ? "." : fmt::format("; did you mean '{}'?", near)));
  return nullptr;
}

// Saves, and says so: "Added profile staging." or "Would add profile staging."
int save(Invocation& call, const Profiles& profiles, std::string_view did, std::string_view would,
         const std::string& name) {
  if (!call.dry_run()) {
    auto saved = save_profiles(profiles);
    if (!saved) return call.fail(saved.error());
  }
  Value result;
  result.add("name", name).add("current", profiles.current == name).add("dry_run", call.dry_run());
  call.out().done(fmt::format("{} profile {}.", call.dry_run() ? would : did, name), result, name);
  return kDone;
}

// Sets KEY=VALUE pairs; false after telling what is wrong with one.
bool apply(Invocation& call, Config& config, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    auto parts = key_value(setting);
    std::string wrong = parts ? wrong_key(parts->first) : fmt::format("'{}': want KEY=VALUE", setting);
    if (!wrong.empty()) {
      call.usage(wrong);
      return false;
    }
    config.set(parts->first, human_config_value(parts->first, parts->second));
  }
  return true;
}

int list(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  Table table{
      .kind = "profiles",
      .columns = {{.title = "NAME"}, {.title = "CURRENT"}, {.title = "BOOTSTRAP-SERVERS"}, {.title = "SECURITY"}},
      .rows = {}};
  for (const auto& [name, config] : profiles->by_name) {
    const std::string* servers = config.find("bootstrap.servers");
    const std::string* protocol = config.find("security.protocol");
    bool current = name == profiles->current;
    bool people = !call.out().for_programs();
    table.rows.push_back({name, people ? Value(current ? "*" : "") : Value(current),
                          servers ? Value(*servers) : Value(), protocol ? Value(*protocol) : Value("PLAINTEXT")});
  }
  return call.print(table);
}

int show(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  if (name.empty()) name = profiles->current;
  if (name.empty()) return call.usage("no profile is in use; name one");
  const Config* config = find(call, *profiles, name);
  if (!config) return kFailed;
  Table table{.kind = "settings", .columns = {{.title = "KEY"}, {.title = "VALUE"}}, .rows = {}};
  for (const auto& [key, value] : config->entries()) {
    bool hide = is_secret(key) && !call.has("secrets");
    table.rows.push_back({key, hide ? Value("(hidden)") : Value(value)});
  }
  return call.print(table);
}

int use(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  if (!find(call, *profiles, name)) return kFailed;
  profiles->current = name;
  return save(call, *profiles, "Now using", "Would use", name);
}

bool good_name(std::string_view name) {
  return !name.empty() && name != "current" && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

int add(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  if (!good_name(name)) return call.usage(fmt::format("'{}' is no name: want letters, digits, - and _", name));
  if (profiles->by_name.contains(name)) {
    call.out().note(fmt::format("barnabas: there is a profile {}. `barnabas profile set` changes it.", name));
    return kFailed;
  }
  Config config;
  if (auto file = call.optional("from")) {
    auto loaded = Config::load(*file);
    if (!loaded) return call.fail(loaded.error());
    config = *std::move(loaded);
  }
  if (auto servers = call.optional("bootstrap-server")) config.set("bootstrap.servers", *servers);
  if (!apply(call, config, call.values("setting"))) return call.exit_code();
  if (config.entries().empty()) return call.usage("nothing is said about the cluster: give --bootstrap-server");
  profiles->by_name[name] = std::move(config);
  bool first = profiles->by_name.size() == 1;
  if (first || call.has("use")) profiles->current = name;
  return save(call, *profiles, "Added", "Would add", name);
}

int set(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  Config* config = find(call, *profiles, name);
  if (!config) return kFailed;
  if (!apply(call, *config, call.values("setting"))) return call.exit_code();
  return save(call, *profiles, "Changed", "Would change", name);
}

int unset(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  Config* config = find(call, *profiles, name);
  if (!config) return kFailed;
  Config left;
  auto keys = call.values("key");
  for (const std::string& key : keys) {
    if (!config->find(key)) return call.usage(fmt::format("profile {} does not set '{}'", name, key));
  }
  for (const auto& [key, value] : config->entries()) {
    if (std::ranges::find(keys, key) == keys.end()) left.set(key, value);
  }
  if (left.entries().empty()) {
    return call.usage(fmt::format("nothing would be left of profile {}; delete it instead", name));
  }
  *config = std::move(left);
  return save(call, *profiles, "Changed", "Would change", name);
}

int remove(Invocation& call) {
  auto profiles = load(call);
  if (!profiles) return call.exit_code();
  std::string name = call.value("name");
  if (!find(call, *profiles, name)) return kFailed;
  if (!call.dry_run() && !call.confirm(fmt::format("Delete profile {}?", name))) return call.exit_code();
  profiles->by_name.erase(name);
  if (profiles->current == name) profiles->current.clear();
  return save(call, *profiles, "Deleted", "Would delete", name);
}

const Positional kName{.name = "name", .help = "name of the profile", .completes = Completes::kProfile};
const Positional kSettings{.name = "setting", .help = "KEY=VALUE of the client's configuration", .repeated = true};
const Flag kDryRun{.name = "dry-run", .help = "say what would be done, and change nothing"};
constexpr std::string_view kWhere =
    "Profiles are kept in $XDG_CONFIG_HOME/barnabas/config.properties, else ~/.config/barnabas/config.properties, "
    "which "
    "only its owner may read.";

}  // namespace

std::vector<Command> profile_commands() {
  return {
      {.path = "profile list",
       .aliases = {"ls"},
       .summary = "List profiles",
       .connects = false,
       .text = kWhere,
       .run = list},
      {.path = "profile show",
       .aliases = {"describe", "desc"},
       .summary = "Show what a profile says",
       .positionals = {{.name = "name",
                        .help = "name of the profile; the one in use when absent",
                        .required = false,
                        .completes = Completes::kProfile}},
       .flags = {{.name = "secrets", .help = "passwords too"}},
       .connects = false,
       .run = show},
      {.path = "profile use",
       .summary = "Use a profile from now on",
       .positionals = {kName},
       .flags = {kDryRun},
       .connects = false,
       .text = "For one command --profile NAME or BARNABAS_PROFILE do the same.",
       .run = use},
      {.path = "profile add",
       .aliases = {"create"},
       .summary = "Add a profile; the first one is used at once",
       .positionals = {{.name = "name", .help = "its name"},
                       {.name = "setting",
                        .help = "KEY=VALUE of the client's configuration",
                        .required = false,
                        .repeated = true}},
       .flags = {{.name = "bootstrap-server", .letter = 'b', .value = "HOST:PORT,…", .help = "brokers to begin with"},
                 {.name = "from",
                  .value = "FILE",
                  .help = "begin with a client.properties of Kafka's Java clients",
                  .completes = Completes::kFile},
                 {.name = "use", .help = "use it from now on"},
                 kDryRun},
       .examples = {{"profile add staging -b kafka1:9092,kafka2:9092 --use", "a cluster without security"},
                    {"profile add prod --from client.properties", "one that has a file already"}},
       .connects = false,
       .text = kWhere,
       .run = add},
      {.path = "profile set",
       .aliases = {"edit", "alter"},
       .summary = "Set keys of a profile",
       .positionals = {kName, kSettings},
       .flags = {kDryRun},
       .connects = false,
       .run = set},
      {.path = "profile unset",
       .summary = "Take keys out of a profile",
       .positionals = {kName, {.name = "key", .help = "keys", .repeated = true}},
       .flags = {kDryRun},
       .connects = false,
       .run = unset},
      {.path = "profile delete",
       .aliases = {"rm"},
       .summary = "Delete a profile",
       .positionals = {kName},
       .flags = {kDryRun},
       .connects = false,
       .run = remove},
  };
}

}  // namespace barnabas::cli
