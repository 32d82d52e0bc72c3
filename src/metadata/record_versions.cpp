#include "metadata/record_versions.h"

#include "metadata/features.h"

namespace barnabas::metadata {

namespace {

int16_t partition_version(int16_t level) {
  if (level >= kMvElr) return 2;
  return level >= kMvDirectories ? int16_t{1} : int16_t{0};
}

struct Version {
  int16_t level;

  int16_t operator()(const wire::RegisterBrokerRecord&) const {
    if (level >= kMvCordonedDirs) return 4;
    if (level >= kMvDirectories) return 3;
    return level >= 8 ? int16_t{2} : int16_t{1};  // 8 (3.4-IV0): the ZooKeeper migration flag
  }
  int16_t operator()(const wire::PartitionRecord&) const { return partition_version(level); }
  int16_t operator()(const wire::PartitionChangeRecord&) const { return partition_version(level); }
  // Kafka writes the lowest version that carries what changed.
  int16_t operator()(const wire::BrokerRegistrationChangeRecord& record) const {
    if (record.cordoned_log_dirs && level >= kMvCordonedDirs) return 3;
    if (!record.log_dirs.empty() && level >= kMvDirectories) return 2;
    return record.in_controlled_shutdown != 0 ? int16_t{1} : int16_t{0};
  }
  int16_t operator()(const auto&) const { return 0; }
};

struct Fit {
  int16_t level;

  void operator()(wire::RegisterBrokerRecord& record) const {
    if (level < kMvDirectories) record.log_dirs.clear();
    if (level < kMvCordonedDirs) record.cordoned_log_dirs.reset();
    if (level < 8) record.is_migrating_zk_broker = false;
  }
  void operator()(wire::BrokerRegistrationChangeRecord& record) const {
    if (level < kMvDirectories) record.log_dirs.clear();
    if (level < kMvCordonedDirs) record.cordoned_log_dirs.reset();
  }
  void operator()(wire::PartitionRecord& record) const {
    if (level < kMvDirectories) record.directories.clear();
    if (level < kMvElr) {
      record.eligible_leader_replicas.reset();
      record.last_known_elr.reset();
    }
  }
  void operator()(wire::PartitionChangeRecord& record) const {
    if (level < kMvDirectories) record.directories.reset();
    if (level < kMvElr) {
      record.eligible_leader_replicas.reset();
      record.last_known_elr.reset();
    }
  }
  void operator()(auto&) const {}
};

}  // namespace

int16_t record_version(const wire::MetadataRecord& record, int16_t metadata_version) {
  return std::visit(Version{metadata_version}, record);
}

void fit_to_version(wire::MetadataRecord& record, int16_t metadata_version) {
  std::visit(Fit{metadata_version}, record);
}

Buffer encode_at(const wire::MetadataRecord& record, int16_t metadata_version) {
  wire::MetadataRecord fitted = record;
  fit_to_version(fitted, metadata_version);
  return wire::encode_metadata_record(fitted, record_version(fitted, metadata_version));
}

}  // namespace barnabas::metadata
