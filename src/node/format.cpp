#include "node/format.h"

#include <fmt/format.h>

#include <algorithm>

#include "metadata/bootstrap.h"
#include "metadata/meta_properties.h"
#include "metadata/snapshot.h"
#include "quorum/metadata_store.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/random.h"
#include "wire/reader.h"

namespace barnabas::node {

std::vector<std::string> all_dirs(const config::NodeConfig& config) {
  std::vector<std::string> dirs = config.log_dirs;
  if (std::ranges::find(dirs, config.metadata_log_dir) == dirs.end()) dirs.push_back(config.metadata_log_dir);
  return dirs;
}

Result<FormatState> read_format(runtime::World& world, const std::vector<std::string>& paths) {
  FormatState state;
  for (const std::string& path : paths) {
    FormatState::Dir dir{.path = path};
    auto directory = world.disk.open_directory(path, false);
    if (!directory && directory.error().code != ErrorCode::kNotFound) return std::unexpected(directory.error());
    if (directory && (*directory)->exists(metadata::kMetaPropertiesFile)) {
      TRY_ASSIGN(Buffer text, runtime::read_file(**directory, metadata::kMetaPropertiesFile, 1 << 20));
      auto properties = metadata::parse_meta_properties(as_text(text));
      if (!properties) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("{}/{}: {}", path, metadata::kMetaPropertiesFile, properties.error().message));
      }
      dir.formatted = true;
      dir.cluster_id = properties->cluster_id;
      dir.node_id = properties->node_id;
      dir.directory_id = properties->directory_id;
    }
    state.dirs.push_back(std::move(dir));
  }
  return state;
}

namespace {

Result<> write_file(runtime::Directory& directory, std::string_view name, BytesView content) {
  return runtime::replace_file(directory, name, content);
}

Result<> format_metadata_dir(runtime::World& world, const config::NodeConfig& config, const FormatOptions& options,
                             const Uuid& directory_id) {
  TRY_ASSIGN(auto directory, world.disk.open_directory(config.metadata_log_dir, true));
  TimestampMs now = world.clock.wall_time();
  auto records = metadata::bootstrap_records(options.levels, options.further_records);
  TRY(write_file(*directory, metadata::kBootstrapFile, metadata::encode_bootstrap(records, {now, now, now})));
  bool dynamic = config.quorum_voters.empty() && options.voters != FormatOptions::Voters::kNone;
  if (!config.is_controller || !dynamic) return {};
  std::vector<raft::Voter> voters = options.initial_voters;
  if (options.voters == FormatOptions::Voters::kStandalone) {
    voters = {{.key = {config.node_id, directory_id}, .endpoints = options.own_endpoints}};
  }
  Buffer encoded = raft::VoterSet(voters).encode();
  wire::Reader reader{BytesView(encoded)};
  TRY_ASSIGN(auto record, wire::VotersRecord::decode(reader, 0));
  TRY_ASSIGN(auto partition, directory->subdirectory(quorum::kMetadataDirectory, true));
  std::string name = metadata::snapshot_file_name(Offset(0), LeaderEpoch(0));
  TRY(write_file(*partition, name, metadata::encode_initial_voters(record, 0, {now, now, now})));
  TRY(partition->set_mode(name, 0400));
  return directory->sync();
}

}  // namespace

Result<std::vector<std::string>> format(runtime::World& world, const config::NodeConfig& config,
                                        const FormatOptions& options) {
  std::vector<std::string> paths = all_dirs(config);
  TRY_ASSIGN(FormatState state, read_format(world, paths));
  for (const auto& dir : state.dirs) {
    if (!dir.formatted) continue;
    if (!options.ignore_formatted) {
      return fail(ErrorCode::kExists, fmt::format("Log directory {} is already formatted. Use --ignore-formatted to "
                                                  "ignore this directory and format the others.",
                                                  dir.path));
    }
    if (dir.cluster_id != options.cluster_id) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} belongs to cluster {}, not {}", dir.path, dir.cluster_id, options.cluster_id));
    }
  }
  std::vector<std::string> formatted;
  for (const auto& dir : state.dirs) {
    if (dir.formatted) continue;
    Uuid directory_id = world.random.uuid();
    for (const raft::Voter& voter : options.initial_voters) {
      bool own_metadata = voter.key.id == config.node_id && dir.path == config.metadata_log_dir;
      if (own_metadata) directory_id = voter.key.directory;
    }
    // The metadata first: a directory with meta.properties counts as formatted.
    if (dir.path == config.metadata_log_dir) TRY(format_metadata_dir(world, config, options, directory_id));
    TRY_ASSIGN(auto directory, world.disk.open_directory(dir.path, true));
    std::string text = metadata::render_meta_properties(
        {.cluster_id = options.cluster_id, .node_id = config.node_id, .directory_id = directory_id},
        world.clock.wall_time());
    TRY(write_file(*directory, metadata::kMetaPropertiesFile, as_bytes(text)));
    formatted.push_back(dir.path);
  }
  return formatted;
}

}  // namespace barnabas::node
