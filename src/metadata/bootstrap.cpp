#include "metadata/bootstrap.h"

#include "metadata/features.h"

namespace barnabas::metadata {

std::vector<wire::MetadataRecord> bootstrap_records(const std::map<std::string, int16_t>& levels,
                                                    std::vector<wire::MetadataRecord> further) {
  std::vector<wire::MetadataRecord> records;
  auto add = [&](const std::string& name, int16_t level) {
    if (level == 0 || name == kKraftVersion) return;  // kraft.version is a control record of the 0-0 checkpoint
    wire::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    records.emplace_back(std::move(record));
  };
  auto metadata_version = levels.find(std::string(kMetadataVersion));
  if (metadata_version != levels.end()) add(metadata_version->first, metadata_version->second);
  for (const auto& [name, level] : levels) {
    if (name != kMetadataVersion) add(name, level);
  }
  for (wire::MetadataRecord& record : further) records.push_back(std::move(record));
  return records;
}

std::map<std::string, int16_t> default_levels() {
  std::map<std::string, int16_t> levels;
  for (const FeatureRange& feature : supported_features()) levels.emplace(feature.name, feature.initial);
  return levels;
}

Buffer encode_bootstrap(const std::vector<wire::MetadataRecord>& records, SnapshotTimes times) {
  return encode_snapshot({.records = records}, times, kLatestMetadataVersion);
}

Buffer encode_initial_voters(const wire::VotersRecord& voters, TimestampMs last_contained_log_timestamp,
                             SnapshotTimes times) {
  return encode_snapshot(
      {.last_contained_log_timestamp = last_contained_log_timestamp, .kraft_version = int16_t{1}, .voters = voters},
      times, kLatestMetadataVersion);
}

}  // namespace barnabas::metadata
