// kafka-storage: sub-commands in the grammar of argparse4j.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "cli/commands.h"
#include "cli/shims/shim.h"
#include "metadata/features.h"

namespace barnabas::cli::shims {

namespace {

struct Argument4j {
  std::string_view name;  // "--config"
  char letter;
  std::string_view value = {};  // "CONFIG"; empty: a switch
  std::string_view help = {};
  bool required = false;
  bool exclusive = false;  // one of those that exclude each other
};

struct SubCommand {
  std::string_view name, help, usage;
  std::vector<Argument4j> arguments;
};

const std::vector<SubCommand>& sub_commands() {
  static const Argument4j kConfig{"--config", 'c', "CONFIG", "server.properties", true};
  static const std::vector<SubCommand> kCommands = {
      {"info", "Say what the log directories hold", "[-h] --config CONFIG", {kConfig}},
      {"format",
       "Format the log directories",
       "[-h] --config CONFIG --cluster-id CLUSTER_ID\n"
       "                     [--add-scram ADD_SCRAM] [--ignore-formatted]\n"
       "                     [--release-version RELEASE_VERSION]\n"
       "                     [--feature FEATURE] [--standalone |\n"
       "                     --no-initial-controllers |\n"
       "                     --initial-controllers INITIAL_CONTROLLERS]",
       {kConfig,
        {"--cluster-id", 't', "CLUSTER_ID", "the cluster's id", true},
        {"--add-scram", 'S', "ADD_SCRAM", "a SCRAM credential"},
        {"--ignore-formatted", 'g', "", "skip directories that are formatted"},
        {"--release-version", 'r', "RELEASE_VERSION", "feature levels of a release"},
        {"--feature", 'f', "FEATURE", "level of a feature, as NAME=LEVEL"},
        {"--standalone", 's', "", "this controller alone", false, true},
        {"--no-initial-controllers", 'N', "", "join a quorum later", false, true},
        {"--initial-controllers", 'I', "INITIAL_CONTROLLERS", "id@host:port:directory-id,...", false, true}}},
      {"version-mapping",
       "Show the feature levels of a release",
       "[-h] [--release-version RELEASE_VERSION]",
       {{"--release-version", 'r', "RELEASE_VERSION", "the release; the latest when it is not given"}}},
      {"feature-dependencies",
       "Show what levels of features ask of others",
       "[-h] --feature FEATURE",
       {{"--feature", 'f', "FEATURE", "a feature, as NAME=LEVEL", true}}},
      {"random-uuid", "Print a random UUID", "[-h]", {}},
  };
  return kCommands;
}

constexpr std::string_view kUsage =
    "usage: kafka-storage [-h]\n"
    "                     {info,format,version-mapping,feature-dependencies,random-uuid}\n"
    "                     ...\n";

std::string usage_of(const SubCommand& command) {
  return fmt::format("usage: kafka-storage {} {}\n", command.name, command.usage);
}

int wrong(const std::string& usage_text, std::string_view message) {
  warn(fmt::format("{}kafka-storage: error: {}\n", usage_text, message));
  return 1;
}

int help() {
  say(fmt::format("{}\nThe Kafka storage tool.\n\npositional arguments:\n", kUsage));
  say(fmt::format("  {{info,format,version-mapping,feature-dependencies,random-uuid}}\n"));
  for (const SubCommand& command : sub_commands()) {
    bool fits = command.name.size() < 20;
    say(fmt::format("    {:<20}{}{}\n", command.name, fits ? " " : "\n                         ", command.help));
  }
  say(fmt::format("\noptional arguments:\n  -h, --help             show this help message and exit\n"));
  return 0;
}

int help_on(const SubCommand& command) {
  say(fmt::format("{}\noptional arguments:\n  -h, --help             show this help message and exit\n",
                  usage_of(command)));
  for (const Argument4j& one : command.arguments) {
    std::string value = one.value.empty() ? "" : fmt::format(" {}", one.value);
    std::string names = fmt::format("{}{}, -{}{}", one.name, value, one.letter, value);
    if (names.size() < 22) {
      say(fmt::format("  {:<22} {}\n", names, one.help));
    } else {
      say(fmt::format("  {}\n                         {}\n", names, one.help));
    }
  }
  return 0;
}

using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

// The exit code when there is nothing left to do: help, or a mistake.
std::expected<Given, int> parse(const SubCommand& command, Arguments words) {
  Given given;
  const Argument4j* chosen = nullptr;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-h" || word == "--help") return std::unexpected(help_on(command));
    size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    std::string_view name = word.substr(0, equals);
    auto found = std::ranges::find_if(command.arguments, [&](const Argument4j& one) {
      bool letter = word.size() >= 2 && word[0] == '-' && word[1] == one.letter;
      return one.name == name || (letter && (word.size() == 2 || !one.value.empty()));
    });
    if (found == command.arguments.end()) {
      return std::unexpected(wrong(usage_of(command), fmt::format("unrecognized arguments: '{}'", word)));
    }
    if (found->exclusive) {
      if (chosen && chosen != &*found) {
        return std::unexpected(
            wrong(usage_of(command), fmt::format("argument {}/-{}: not allowed with argument {}/-{}", found->name,
                                                 found->letter, chosen->name, chosen->letter)));
      }
      chosen = &*found;
    }
    auto& values = given[std::string(found->name)];
    if (found->value.empty()) continue;
    if (equals != std::string_view::npos) {
      values.emplace_back(word.substr(equals + 1));
    } else if (!word.starts_with("--") && word.size() > 2) {
      values.emplace_back(word.substr(2));
    } else if (i + 1 < words.size()) {
      values.emplace_back(words[++i]);
    } else {
      return std::unexpected(
          wrong(usage_of(command), fmt::format("argument {}/-{}: expected one argument", found->name, found->letter)));
    }
  }
  for (const Argument4j& one : command.arguments) {
    if (one.required && !given.contains(one.name)) {
      return std::unexpected(
          wrong(usage_of(command), fmt::format("argument {}/-{} is required", one.name, one.letter)));
    }
  }
  return given;
}

std::string value(const Given& given, std::string_view name) {
  auto found = given.find(name);
  return found == given.end() || found->second.empty() ? "" : found->second.back();
}

std::vector<std::string> values(const Given& given, std::string_view name) {
  auto found = given.find(name);
  return found == given.end() ? std::vector<std::string>{} : found->second;
}

std::vector<std::string> level_names() {
  std::vector<std::string> names;
  for (int16_t level = metadata::kMinMetadataVersion; level <= metadata::kLatestMetadataVersion; ++level) {
    names.emplace_back(metadata::metadata_version_name(level));
  }
  return names;
}

// "4.0" means the last level that 4.0 was released with; nothing for a release there is not.
std::optional<int16_t> level_of(std::string_view release) {
  std::optional<int16_t> found;
  auto names = level_names();
  for (size_t i = 0; i < names.size(); ++i) {
    std::string_view name = names[i];
    if (name == release || name.substr(0, name.find('-')) == release) {
      found = static_cast<int16_t>(metadata::kMinMetadataVersion + static_cast<int>(i));
    }
  }
  return found;
}

int unknown_release(std::string_view release) {
  warn(fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}\n", release,
                   fmt::join(level_names(), ", ")));
  return 1;
}

// From which metadata.version on a release has a level of a feature by default.
struct FeatureStep {
  std::string_view feature;
  int16_t level;
  int16_t metadata_version;
};
constexpr FeatureStep kSteps[] = {
    {"kraft.version", 1, 21},
    {"transaction.version", 1, 24},
    {"transaction.version", 2, 24},
    {"group.version", 1, 22},
    {"eligible.leader.replicas.version", 1, 26},
    {"share.version", 1, 28},
    {"streams.version", 1, 29},
};
constexpr std::string_view kFeatures[] = {"kraft.version", "transaction.version",
                                          "group.version", "eligible.leader.replicas.version",
                                          "share.version", "streams.version"};

int version_mapping(const Given& given) {
  std::string release = value(given, "--release-version");
  auto level = release.empty() ? std::optional(metadata::kLatestMetadataVersion) : level_of(release);
  if (!level) return unknown_release(release);
  say(fmt::format("metadata.version={} ({})\n", *level,
                  release.empty() ? metadata::metadata_version_name(*level) : release));
  for (std::string_view feature : kFeatures) {
    int16_t found = 0;
    for (const FeatureStep& step : kSteps) {
      if (step.feature == feature && *level >= step.metadata_version) found = std::max(found, step.level);
    }
    say(fmt::format("{}={}\n", feature, found));
  }
  return 0;
}

int feature_dependencies(const Given& given) {
  for (const std::string& setting : values(given, "--feature")) {
    size_t equals = std::min(setting.find('='), setting.size());
    std::string_view name = std::string_view(setting).substr(0, equals);
    std::string_view digits = std::string_view(setting).substr(std::min(equals + 1, setting.size()));
    int level = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), level);
    bool metadata_version = name == metadata::kMetadataVersion;
    if (!metadata_version && std::ranges::find(kFeatures, name) == std::end(kFeatures)) {
      warn(fmt::format("Unknown feature: {}\n", name));
      return 1;
    }
    int highest = metadata_version ? metadata::kLatestMetadataVersion : 0;
    for (const FeatureStep& step : kSteps) {
      if (step.feature == name) highest = std::max<int>(highest, step.level);
    }
    if (level < 0 || level > highest) {
      warn(fmt::format("Feature level {} is not supported for feature {}\n", digits, name));
      return 1;
    }
    if (metadata_version) {
      say(fmt::format("metadata.version={} ({}) has no dependencies.\n", level,
                      metadata::metadata_version_name(static_cast<int16_t>(level))));
    } else {
      say(fmt::format("{}={} has no dependencies.\n", name, level));
    }
  }
  return 0;
}

int format(const Given& given) {
  std::string release = value(given, "--release-version");
  if (!release.empty() && !level_of(release)) return unknown_release(release);
  auto features = values(given, "--feature");
  for (const std::string& setting : features) {
    std::string name = setting.substr(0, setting.find('='));
    bool known = name == metadata::kMetadataVersion || std::ranges::find(kFeatures, name) != std::end(kFeatures);
    if (known) continue;
    std::vector<std::string_view> names(std::begin(kFeatures), std::end(kFeatures));
    std::ranges::sort(names);
    warn(fmt::format("Unsupported feature: {}. Supported features are: {}\n", name, fmt::join(names, ", ")));
    return 1;
  }
  return storage_format({.properties_file = value(given, "--config"),
                         .cluster_id = value(given, "--cluster-id"),
                         .release_version = release,
                         .features = std::move(features),
                         .scram = values(given, "--add-scram"),
                         .initial_controllers = value(given, "--initial-controllers"),
                         .standalone = given.contains("--standalone"),
                         .no_initial_controllers = given.contains("--no-initial-controllers"),
                         .ignore_formatted = given.contains("--ignore-formatted"),
                         .speaker = ""});
}

}  // namespace

int storage(Arguments arguments) {
  if (arguments.empty()) return wrong(std::string(kUsage), "too few arguments");
  if (arguments[0] == "-h" || arguments[0] == "--help") return help();
  auto command = std::ranges::find(sub_commands(), arguments[0], &SubCommand::name);
  if (command == sub_commands().end()) {
    return wrong(std::string(kUsage),
                 fmt::format("invalid choice: '{}' (choose from 'info', 'format', 'version-mapping', "
                             "'feature-dependencies', 'random-uuid')",
                             arguments[0]));
  }
  auto given = parse(*command, arguments.subspan(1));
  if (!given) return given.error();
  std::string config = value(*given, "--config");
  if (!config.empty() && !std::filesystem::exists(config)) {
    warn(fmt::format("{}\n", config));  // all that Java's exception says
    return 1;
  }
  if (command->name == "info") return storage_info(config, "");
  if (command->name == "format") return format(*given);
  if (command->name == "version-mapping") return version_mapping(*given);
  if (command->name == "feature-dependencies") return feature_dependencies(*given);
  return storage_random_uuid();
}

}  // namespace barnabas::cli::shims
