// Snapshots: an image as records, and a *.checkpoint file as bytes. A snapshot file is a small log of its own: a
// control batch {SnapshotHeader, KRaftVersion, KRaftVoters}, data batches, a control batch {SnapshotFooter}; offsets
// count from 0. bootstrap.checkpoint and the 0-0 checkpoint of a formatted directory are such files too.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "metadata/image.h"
#include "wire/messages/voters_record.h"
#include "wire/metadata_record.h"

namespace barnabas::metadata {

// The records that build `image` out of nothing, in Kafka's order: features (metadata.version first), brokers,
// controllers, topics with their partitions, configs, quotas, producer ids, ACLs, SCRAM credentials, tokens; sorted
// within each kind.
std::vector<wire::MetadataRecord> snapshot_records(const Image& image);

struct Snapshot {
  LeaderEpoch epoch{0};  // stamped into every batch
  TimestampMs last_contained_log_timestamp = 0;
  std::optional<int16_t> kraft_version;  // absent: no such control record (bootstrap.checkpoint)
  std::optional<wire::VotersRecord> voters;
  std::vector<wire::MetadataRecord> records;
};

// When each part was written; Kafka stamps them separately.
struct SnapshotTimes {
  TimestampMs header = 0;
  TimestampMs records = 0;
  TimestampMs footer = 0;
};

// The file's bytes. `metadata_version` chooses the records' versions.
Buffer encode_snapshot(const Snapshot& snapshot, SnapshotTimes times, int16_t metadata_version);

// The error of a truncated or damaged file says where; a file without its footer is truncated.
Result<Snapshot> decode_snapshot(BytesView file);

// The image a snapshot stands for; `last_offset` is the END of its name minus one.
Result<ImagePtr> image_of(const Snapshot& snapshot, Offset last_offset);

// "00000000000000000042-0000000003.checkpoint"
std::string snapshot_file_name(Offset end_offset, LeaderEpoch epoch);

struct SnapshotId {
  Offset end_offset{0};
  LeaderEpoch epoch{0};
  auto operator<=>(const SnapshotId&) const = default;
};
// Nothing when `file_name` is not a finished snapshot's name.
std::optional<SnapshotId> parse_snapshot_file_name(std::string_view file_name);

}  // namespace barnabas::metadata
