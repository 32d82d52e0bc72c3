// DataDirs: the entries of log.dirs, and the metadata directory, while a node starts: opened, locked, formatted when
// the cluster is new, checked. As in Kafka a directory whose device or permissions fail is left out, unless the
// metadata is in it or no other is left; one that belongs to another process, node or cluster ends the start. Used by
// Node::start until the replicas take the directories over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "broker/replicas.h"
#include "config/node_config.h"
#include "log/log_dir.h"
#include "node/format.h"
#include "raft/voter_set.h"
#include "runtime/world.h"

namespace barnabas::node {

class DataDirs {
 public:
  // The referents outlive it.
  DataDirs(runtime::World& world, const config::NodeConfig& config) : world_(world), config_(config) {}

  // In this order. An error is for the person who started the node; release() then.
  Result<> open();
  // Formats what is empty; `endpoints`: of our controller listeners, for the first voter.
  Result<> identify(std::vector<raft::VoterEndpoint> endpoints);
  // How each was left: closed cleanly, by a process that died, or by a machine that did. From here on they change.
  Result<> take_last_stop();

  const std::string& cluster_id() const { return cluster_id_; }
  bool new_cluster() const { return new_cluster_; }
  const Uuid& metadata_directory_id() const { return metadata_directory_id_; }
  // Of the last clean stop; -1 when not all directories tell of the same.
  BrokerEpoch previous_epoch() const { return previous_epoch_; }
  std::vector<std::string> paths() const;  // of those that work
  std::vector<Uuid> ids() const;

  std::vector<broker::ReplicaDir> take() { return std::move(dirs_); }
  std::vector<broker::OfflineDir> offline() const { return offline_; }

  // Unlocks what nobody took, as it was found.
  void release();

 private:
  // `why` keeps a directory from being used: goes on without it, where that can be.
  Result<> leave_out(const std::string& path, const Error& why);
  Result<> any_left() const;
  Result<> check_together(const std::vector<FormatState>& found) const;

  runtime::World& world_;
  const config::NodeConfig& config_;
  std::vector<broker::ReplicaDir> dirs_;
  std::vector<broker::OfflineDir> offline_;
  std::unique_ptr<log::LogDir> separate_metadata_dir_;
  std::string cluster_id_;
  bool new_cluster_ = false;
  Uuid metadata_directory_id_;
  BrokerEpoch previous_epoch_{-1};
};

}  // namespace barnabas::node
