#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/load_config.h"
#include "host/host.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "node/format.h"
#include "runtime/random.h"

namespace barnabas::cli {

namespace {

int complain(std::string_view speaker, const std::string& message) {
  fmt::print(stderr, "{}{}\n", speaker, message);
  return 1;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<int16_t> release_level(std::string_view release) {
  // "4.3-IV0" is a level; "4.3" the last one of that release.
  int16_t found = -1;
  for (int16_t level = metadata::kMinMetadataVersion; level <= metadata::kLatestMetadataVersion; ++level) {
    std::string_view name = metadata::metadata_version_name(level);
    if (name == release || name.substr(0, name.find('-')) == release) found = level;
  }
  if (found < 0)
    return fail(ErrorCode::kInvalid, fmt::format("there is no release '{}' this build can format", release));
  return found;
}

Result<> choose_level(std::map<std::string, int16_t>& levels, std::string_view setting) {
  size_t equals = setting.find('=');
  std::string name(setting.substr(0, equals));
  const metadata::FeatureRange* feature = metadata::find_feature(name);
  if (equals == std::string_view::npos || !feature) {
    return fail(ErrorCode::kInvalid, fmt::format("--feature {}: want one of the features as NAME=LEVEL", setting));
  }
  std::string_view text = setting.substr(equals + 1);
  int level = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), level);
  bool in_range = parsed.ec == std::errc() && level >= feature->min && level <= feature->max;
  if (!in_range) {
    return fail(ErrorCode::kUnsupported, fmt::format("--feature {}: this build supports {} {} to {}", setting, name,
                                                     feature->min, feature->max));
  }
  if (name != metadata::kKraftVersion) levels[name] = static_cast<int16_t>(level);
  return {};
}

// id@host:port:directory-id
Result<raft::Voter> parse_voter(std::string_view text, const std::string& listener) {
  auto wrong = [&] {
    return fail(ErrorCode::kInvalid, fmt::format("--initial-controllers: '{}' is not id@host:port:directory-id", text));
  };
  size_t at = text.find('@');
  size_t last = text.rfind(':');
  if (at == std::string_view::npos || last == std::string_view::npos || last < at) return wrong();
  raft::Voter voter;
  auto id = std::from_chars(text.data(), text.data() + at, voter.key.id);
  auto address = config::parse_host_port(text.substr(at + 1, last - at - 1));
  auto directory = Uuid::parse(text.substr(last + 1));
  if (id.ec != std::errc() || !address || !directory) return wrong();
  voter.key.directory = *directory;
  voter.endpoints.push_back({listener, address->host, address->port});
  return voter;
}

}  // namespace

int storage_format(const StorageFormatArguments& arguments) {
  auto config = load_config(arguments.properties_file, {});
  if (!config) return complain(arguments.speaker, config.error().message);
  if (!arguments.scram.empty())
    return complain(arguments.speaker, "--add-scram: this build has no SASL yet, so no credentials to store");
  node::FormatOptions options{.cluster_id = arguments.cluster_id, .levels = metadata::default_levels()};
  options.ignore_formatted = arguments.ignore_formatted;
  if (!arguments.release_version.empty()) {
    auto level = release_level(arguments.release_version);
    if (!level) return complain(arguments.speaker, level.error().message);
    options.levels[std::string(metadata::kMetadataVersion)] = *level;
  }
  for (const std::string& feature : arguments.features) {
    auto chosen = choose_level(options.levels, feature);
    if (!chosen) return complain(arguments.speaker, chosen.error().message);
  }
  int ways = (arguments.standalone ? 1 : 0) + (arguments.no_initial_controllers ? 1 : 0) +
             (arguments.initial_controllers.empty() ? 0 : 1);
  if (ways > 1)
    return complain(arguments.speaker, "use one of --standalone, --initial-controllers and --no-initial-controllers");
  std::string listener =
      config->controller_listener_names.empty() ? "CONTROLLER" : config->controller_listener_names[0];
  if (arguments.standalone) {
    options.voters = node::FormatOptions::Voters::kStandalone;
    const config::Listener* own = config->find_listener(listener);
    if (!own) return complain(arguments.speaker, "--standalone: this node has no controller listener");
    std::string host = own->address.host.empty() ? "localhost" : own->address.host;
    options.own_endpoints.push_back({listener, host, own->address.port});
  } else if (!arguments.initial_controllers.empty()) {
    options.voters = node::FormatOptions::Voters::kInitial;
    for (const std::string& text : split(arguments.initial_controllers, ',')) {
      auto voter = parse_voter(text, listener);
      if (!voter) return complain(arguments.speaker, voter.error().message);
      options.initial_voters.push_back(std::move(*voter));
    }
  } else {
    options.voters = node::FormatOptions::Voters::kNone;
    bool undecided = config->is_controller && config->quorum_voters.empty() && !arguments.no_initial_controllers;
    if (undecided) {
      return complain(arguments.speaker,
                      "Because controller.quorum.voters is not set on this controller, you must specify one of the "
                      "following: --standalone, --initial-controllers, or --no-initial-controllers.");
    }
  }
  host::Host host({.loops = 1});
  auto formatted = node::format(host.world(), *config, options);
  if (!formatted) return complain(arguments.speaker, formatted.error().message);
  if (formatted->empty()) fmt::print("All of the log directories are already formatted.\n");
  int16_t level = options.levels[std::string(metadata::kMetadataVersion)];
  for (const std::string& dir : *formatted) {
    bool holds_metadata = dir == config->metadata_log_dir;
    std::string_view what = !holds_metadata                                        ? "data"
                            : options.voters == node::FormatOptions::Voters::kNone ? "metadata"
                                                                                   : "dynamic metadata voter";
    fmt::print("Formatting {} directory {} with metadata.version {}.\n", what, dir,
               metadata::metadata_version_name(level));
  }
  return 0;
}

int storage_info(const std::string& properties_file, std::string_view speaker) {
  auto config = load_config(properties_file, {});
  if (!config) return complain(speaker, config.error().message);
  host::Host host({.loops = 1});
  std::vector<std::string> paths = node::all_dirs(*config);
  std::ranges::sort(paths);
  std::vector<node::FormatState> dirs;
  for (const std::string& path : paths) {
    auto dir = node::read_format(host.world(), path);
    if (!dir) return complain(speaker, dir.error().message);
    dirs.push_back(std::move(*dir));
  }
  std::vector<std::string> found, problems;
  for (const auto& dir : dirs) {
    bool exists = std::filesystem::exists(dir.path);
    if (exists) found.push_back(dir.path);
    if (!exists) problems.push_back(dir.path + " does not exist");
    if (exists && !dir.formatted) problems.push_back(dir.path + " is not formatted.");
  }
  if (!found.empty()) {
    fmt::print("Found log director{}:\n", found.size() == 1 ? "y" : "ies");
    for (const std::string& path : found) fmt::print("  {}\n", path);
    fmt::print("\n");
  }
  for (const auto& dir : dirs) {
    if (!dir.formatted) continue;
    fmt::print("Found metadata: {{cluster.id={}, directory.id={}, node.id={}, version=1}}\n\n", dir.cluster_id,
               dir.directory_id ? dir.directory_id->to_string() : "?", dir.node_id.value_or(-1));
    break;
  }
  if (problems.empty()) return 0;
  fmt::print("Found problem{}:\n", problems.size() == 1 ? "" : "s");
  for (const std::string& problem : problems) fmt::print("  {}\n", problem);
  fmt::print("\n");
  return 1;
}

int storage_random_uuid() {
  host::Host host({.loops = 1});
  fmt::print("{}\n", host.world().random.uuid().to_string());
  return 0;
}

}  // namespace barnabas::cli
