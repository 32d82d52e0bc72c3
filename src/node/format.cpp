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

Result<FormatState> read_format(runtime::World& world, const std::string& path) {
  FormatState state{.path = path};
  auto directory = world.disk.open_directory(path, false);
  if (!directory && directory.error().code == ErrorCode::kNotFound) return state;
  if (!directory) return std::unexpected(directory.error());
  auto text = runtime::read_file(**directory, metadata::kMetaPropertiesFile, 1 << 20);
  if (!text && text.error().code == ErrorCode::kNotFound) return state;
  if (!text) return std::unexpected(text.error());
  auto properties = metadata::parse_meta_properties(as_text(*text));
  if (!properties) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}/{}: {}", path, metadata::kMetaPropertiesFile, properties.error().message));
  }
  state.formatted = true;
  state.cluster_id = properties->cluster_id;
  state.node_id = properties->node_id;
  state.directory_id = properties->directory_id;
  return state;
}

namespace {

Result<> write_meta_properties(runtime::World& world, const std::string& path,
                               const metadata::MetaProperties& properties) {
  TRY_ASSIGN(auto directory, world.disk.open_directory(path, true));
  std::string text = metadata::render_meta_properties(properties, world.clock.wall_time());
  return runtime::replace_file(*directory, metadata::kMetaPropertiesFile, as_bytes(text));
}

Result<> format_metadata_dir(runtime::World& world, const config::NodeConfig& config, const FormatOptions& options,
                             const Uuid& directory_id) {
  TRY_ASSIGN(auto directory, world.disk.open_directory(config.metadata_log_dir, true));
  TimestampMs now = world.clock.wall_time();
  auto records = metadata::bootstrap_records(options.levels, options.further_records);
  TRY(runtime::replace_file(*directory, metadata::kBootstrapFile,
                            metadata::encode_bootstrap(records, {now, now, now})));
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
  TRY(runtime::replace_file(*partition, name, metadata::encode_initial_voters(record, 0, {now, now, now})));
  TRY(partition->set_mode(name, 0400));
  return directory->sync();
}

}  // namespace

Result<Uuid> format_dir(runtime::World& world, const config::NodeConfig& config, const FormatOptions& options,
                        const std::string& path) {
  Uuid directory_id = world.random.uuid();
  bool metadata = path == config.metadata_log_dir;
  for (const raft::Voter& voter : options.initial_voters) {
    if (metadata && voter.key.id == config.node_id) directory_id = voter.key.directory;
  }
  // The metadata first: a directory with meta.properties counts as formatted.
  if (metadata) TRY(format_metadata_dir(world, config, options, directory_id));
  TRY(write_meta_properties(
      world, path, {.cluster_id = options.cluster_id, .node_id = config.node_id, .directory_id = directory_id}));
  return directory_id;
}

Result<Uuid> add_directory_id(runtime::World& world, const FormatState& dir) {
  Uuid directory_id = world.random.uuid();
  TRY(write_meta_properties(world, dir.path,
                            {.cluster_id = dir.cluster_id, .node_id = dir.node_id, .directory_id = directory_id}));
  return directory_id;
}

Result<std::vector<std::string>> format(runtime::World& world, const config::NodeConfig& config,
                                        const FormatOptions& options) {
  std::vector<std::string> missing;
  for (const std::string& path : all_dirs(config)) {
    TRY_ASSIGN(FormatState dir, read_format(world, path));
    if (!dir.formatted) {
      missing.push_back(path);
      continue;
    }
    if (!options.ignore_formatted) {
      return fail(ErrorCode::kExists, fmt::format("Log directory {} is already formatted. Use --ignore-formatted to "
                                                  "ignore this directory and format the others.",
                                                  path));
    }
    if (dir.cluster_id != options.cluster_id) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} belongs to cluster {}, not {}", path, dir.cluster_id, options.cluster_id));
    }
  }
  for (const std::string& path : missing) TRY(format_dir(world, config, options, path));
  return missing;
}

}  // namespace barnabas::node
