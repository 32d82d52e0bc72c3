// MetadataStore: the files of a metadata directory: __cluster_metadata-0/ with its log, snapshots and quorum-state, and
// bootstrap.checkpoint beside it. inspect() only reads, so that a directory this build cannot run is not touched.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/quorum_config.h"
#include "log/log.h"
#include "metadata/image.h"
#include "metadata/image_builder.h"
#include "metadata/snapshot.h"
#include "raft/log_index.h"
#include "raft/quorum_state_file.h"
#include "runtime/file.h"
#include "runtime/world.h"
#include "wire/metadata_record.h"

namespace barnabas::quorum {

inline constexpr std::string_view kMetadataDirectory = "__cluster_metadata-0";

// What a directory holds, found without changing it.
struct Inspection {
  metadata::ImagePtr image;                             // of the latest snapshot and the log after it
  std::vector<wire::MetadataRecord> bootstrap_records;  // of bootstrap.checkpoint; empty when there is none
  bool has_metadata_log = false;
};

class MetadataStore {
 public:
  static Result<Inspection> inspect(runtime::Directory& directory);

  // Opens for writing, repairing an unclean end. `directory`: the metadata log directory; `bootstrap_records`: as
  // inspect() found them.
  static Result<std::unique_ptr<MetadataStore>> open(runtime::World& world, runtime::Directory& directory,
                                                     const config::QuorumConfig& config,
                                                     std::vector<wire::MetadataRecord> bootstrap_records);

  log::Log& log() { return *log_; }
  raft::LogIndex log_index() const { return index_; }
  // Who votes in a quorum of kraft.version 0, whose log does not say.
  void set_static_voters(raft::VoterSet voters) { index_.add_voters({Offset(-1), std::move(voters)}); }
  const raft::PersistedState& persisted() const { return persisted_; }
  const std::vector<wire::MetadataRecord>& bootstrap_records() const { return bootstrap_; }

  // Every metadata record from the latest snapshot on, in order, with its offset (-1 for those of the snapshot).
  Result<> replay(const std::function<Result<>(const wire::MetadataRecord&, Offset)>& visit);
  // Where the log ends that replay() went over, and the provenance of its last record.
  metadata::Provenance provenance() const { return provenance_; }

  Result<> persist(const raft::PersistedState& state, int16_t kraft_version, const raft::VoterSet& voters);
  // Writes a snapshot file durably; called off the loop.
  Result<> write_snapshot(metadata::SnapshotId id, BytesView content);
  // Drops snapshots and segments that the newest snapshot and the limits make superfluous. The new log start, if it
  // moved.
  Result<std::optional<Offset>> clean(const config::QuorumConfig& config, TimestampMs now);
  Result<> close();

 private:
  MetadataStore() = default;
  Result<> load_index();

  std::unique_ptr<runtime::Directory> partition_;
  std::unique_ptr<log::Log> log_;
  raft::LogIndex index_;
  raft::PersistedState persisted_;
  std::vector<wire::MetadataRecord> bootstrap_;
  std::optional<metadata::Snapshot> snapshot_;
  std::optional<metadata::SnapshotId> snapshot_id_;
  metadata::Provenance provenance_;
};

}  // namespace barnabas::quorum
