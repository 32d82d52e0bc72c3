#include "node/data_dirs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "metadata/bootstrap.h"
#include "runtime/file.h"
#include "runtime/logger.h"
#include "runtime/random.h"

namespace barnabas::node {

Result<> DataDirs::leave_out(const std::string& path, const Error& why) {
  std::string message = fmt::format("log directory {} cannot be used: {}", path, why.message);
  if (path == config_.metadata_log_dir) return fail(why.code, message);
  world_.logger.error(fmt::format("{}; the node goes on without it and its partitions", message));
  offline_.push_back({.path = path, .why = why});
  std::erase_if(dirs_, [&](const broker::ReplicaDir& dir) { return dir.dir->path() == path; });
  return {};
}

Result<> DataDirs::any_left() const {
  if (!dirs_.empty()) return {};
  std::string all;
  for (const auto& dir : offline_) all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", dir.path, dir.why.message);
  return fail(ErrorCode::kIo, fmt::format("no log directory can be used: {}", all));
}

Result<> DataDirs::open() {
  std::vector<std::string> all = all_dirs(config_);
  for (const std::string& path : all) {
    auto dir = log::LogDir::open(world_.disk, path, world_.logger);
    if (!dir && dir.error().code == ErrorCode::kBusy) {
      return fail(ErrorCode::kBusy,
                  fmt::format("{} cannot be locked: {}; a log directory belongs to one node at a time", path,
                              dir.error().message));
    }
    bool data = std::ranges::find(config_.log_dirs, path) != config_.log_dirs.end();
    if (!dir) {
      TRY(leave_out(path, dir.error()));
    } else if (data) {
      dirs_.push_back({.dir = std::move(*dir)});
    } else {
      separate_metadata_dir_ = std::move(*dir);
    }
  }
  return any_left();
}

// Whether directories that say who they are can be one node's.
Result<> DataDirs::check_together(const std::vector<FormatState>& found) const {
  const FormatState* first = nullptr;
  std::map<Uuid, std::string> ids;
  for (const FormatState& dir : found) {
    if (!dir.formatted) continue;
    bool other_node = dir.node_id && *dir.node_id != config_.node_id;
    if (other_node) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} belongs to node {}, but node.id is {}: use the right directory or set node.id={}",
                              dir.path, *dir.node_id, config_.node_id, *dir.node_id));
    }
    if (first && dir.cluster_id != first->cluster_id) {
      return fail(ErrorCode::kInvalid, fmt::format("{} belongs to cluster {}, but {} to cluster {}", dir.path,
                                                   dir.cluster_id, first->path, first->cluster_id));
    }
    if (!first) first = &dir;
    if (!dir.directory_id) continue;
    auto [twin, is_new] = ids.try_emplace(*dir.directory_id, dir.path);
    if (!is_new) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} and {} have the same directory.id, {}: was one copied from the other?", twin->second,
                              dir.path, dir.directory_id->to_string()));
    }
  }
  for (const FormatState& dir : found) {
    bool metadata_lost = first && !dir.formatted && dir.path == config_.metadata_log_dir;
    if (metadata_lost) {
      return fail(ErrorCode::kInvalid, fmt::format("{} is the metadata log directory and has no meta.properties, while "
                                                   "other log directories are formatted: was it emptied or moved?",
                                                   dir.path));
    }
  }
  if (!first && !offline_.empty()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is empty and {} cannot be used ({}): whether this is a new cluster cannot be told",
                            config_.metadata_log_dir, offline_.front().path, offline_.front().why.message));
  }
  return {};
}

Result<> DataDirs::identify(std::vector<raft::VoterEndpoint> endpoints) {
  std::vector<FormatState> found;
  for (const std::string& path : all_dirs(config_)) {
    if (std::ranges::find(offline_, path, &broker::OfflineDir::path) != offline_.end()) continue;
    auto dir = read_format(world_, path);
    if (dir) found.push_back(std::move(*dir));
    if (!dir) TRY(leave_out(path, dir.error()));
  }
  TRY(any_left());
  TRY(check_together(found));
  auto formatted = std::ranges::find(found, true, &FormatState::formatted);
  new_cluster_ = formatted == found.end();
  cluster_id_ = new_cluster_ ? world_.random.uuid().to_string() : formatted->cluster_id;
  FormatOptions options{
      .cluster_id = cluster_id_,
      .levels = metadata::default_levels(),
      .voters = config_.quorum_voters.empty() ? FormatOptions::Voters::kStandalone : FormatOptions::Voters::kNone,
      .own_endpoints = std::move(endpoints)};
  // The metadata first: without it the others are taken for a node's that lost it.
  std::ranges::partition(found, [&](const FormatState& dir) { return dir.path == config_.metadata_log_dir; });
  for (const FormatState& dir : found) {
    Result<Uuid> id = dir.directory_id.value_or(kZeroUuid);
    // A directory added to log.dirs later becomes one of this cluster's.
    if (!dir.formatted) id = format_dir(world_, config_, options, dir.path);
    if (dir.formatted && !dir.directory_id) id = add_directory_id(world_, dir);
    if (!id) {
      TRY(leave_out(dir.path, id.error()));
      continue;
    }
    for (auto& opened : dirs_) {
      if (opened.dir->path() == dir.path) opened.directory_id = *id;
    }
    if (dir.path == config_.metadata_log_dir) metadata_directory_id_ = *id;
  }
  return any_left();
}

Result<> DataDirs::take_last_stop() {
  std::string boot_id = world_.disk.boot_id();
  auto take = [&](broker::ReplicaDir& dir) -> Result<std::optional<log::CleanShutdown>> {
    TRY_ASSIGN(bool same_boot, dir.dir->same_boot(boot_id));
    dir.power_lost = !same_boot;
    TRY_ASSIGN(auto clean, dir.dir->take_clean_shutdown());
    dir.clean = clean.has_value();
    return clean;
  };
  std::vector<std::pair<std::string, Error>> failed;
  std::optional<BrokerEpoch> epoch;
  for (auto& dir : dirs_) {
    auto clean = take(dir);
    if (!clean) {
      failed.emplace_back(dir.dir->path(), clean.error());
      continue;
    }
    BrokerEpoch said(*clean ? (*clean)->broker_epoch : -1);
    epoch = !epoch || *epoch == said ? said : BrokerEpoch(-1);
  }
  for (const auto& [path, why] : failed) TRY(leave_out(path, why));
  previous_epoch_ = epoch.value_or(BrokerEpoch(-1));
  return any_left();
}

std::vector<std::string> DataDirs::paths() const {
  std::vector<std::string> paths;
  for (const auto& dir : dirs_) paths.push_back(dir.dir->path());
  return paths;
}

std::vector<Uuid> DataDirs::ids() const {
  std::vector<Uuid> ids;
  for (const auto& dir : dirs_) ids.push_back(dir.directory_id);
  return ids;
}

void DataDirs::release() {
  for (auto& dir : dirs_) {
    if (!dir.dir) continue;
    if (dir.clean) {
      auto marked = dir.dir->write_clean_shutdown({previous_epoch_.value});
      if (!marked) world_.logger.warning(marked.error().message);
    }
    auto closed = dir.dir->close();
    if (!closed) world_.logger.warning(closed.error().message);
  }
  dirs_.clear();
  if (separate_metadata_dir_) {
    auto closed = separate_metadata_dir_->close();
    if (!closed) world_.logger.warning(closed.error().message);
    separate_metadata_dir_.reset();
  }
}

}  // namespace barnabas::node
