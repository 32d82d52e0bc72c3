// What formatting writes: the feature levels a fresh cluster starts with, and the two checkpoint files that carry them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "metadata/snapshot.h"
#include "wire/metadata_record.h"

namespace barnabas::metadata {

// The file in every metadata directory that names the cluster's first records.
inline constexpr std::string_view kBootstrapFile = "bootstrap.checkpoint";
// Kafka gives a controller with an empty log and no such file metadata.version 30 and nothing else.

// FeatureLevel records of `levels` (metadata.version first, the others by name; level 0 is left out), then `further`
// (SCRAM credentials of --add-scram).
std::vector<wire::MetadataRecord> bootstrap_records(const std::map<std::string, int16_t>& levels,
                                                    std::vector<wire::MetadataRecord> further = {});

// The levels of a directory nobody chose any for: `initial` of features.h.
std::map<std::string, int16_t> default_levels();

// bootstrap.checkpoint.
Buffer encode_bootstrap(const std::vector<wire::MetadataRecord>& records, SnapshotTimes times);

// 00000000000000000000-0000000000.checkpoint of a dynamic quorum: kraft.version 1 and its first voters.
Buffer encode_initial_voters(const wire::VotersRecord& voters, TimestampMs last_contained_log_timestamp,
                             SnapshotTimes times);

}  // namespace barnabas::metadata
