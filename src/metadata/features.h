// Features: which levels of Kafka's features this build runs with, said once. Registrations, ApiVersions,
// UpdateFeatures, formatting and the start-up check all read this table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace barnabas::metadata {

class Image;

inline constexpr std::string_view kMetadataVersion = "metadata.version";
inline constexpr std::string_view kKraftVersion = "kraft.version";
inline constexpr std::string_view kTransactionVersion = "transaction.version";
inline constexpr std::string_view kGroupVersion = "group.version";
inline constexpr std::string_view kShareVersion = "share.version";
inline constexpr std::string_view kStreamsVersion = "streams.version";
inline constexpr std::string_view kElrVersion = "eligible.leader.replicas.version";

// Levels of metadata.version at which the log's content changed.
inline constexpr int16_t kMinMetadataVersion = 7;         // 3.3-IV3
inline constexpr int16_t kMvScram = 11;                   // 3.5-IV2
inline constexpr int16_t kMvNoEpochBumpOnShrink = 12;     // 3.6-IV0
inline constexpr int16_t kMvTransactions = 13;            // 3.6-IV1: Begin/End/AbortTransaction
inline constexpr int16_t kMvDelegationTokens = 14;        // 3.6-IV2
inline constexpr int16_t kMvControllerRegistration = 15;  // 3.7-IV0
inline constexpr int16_t kMvDirectories = 17;             // 3.7-IV2: replicas know their log directory
inline constexpr int16_t kMvElr = 23;                     // 4.0-IV1
inline constexpr int16_t kMvCordonedDirs = 30;            // 4.3-IV0
inline constexpr int16_t kLatestMetadataVersion = 30;

struct FeatureRange {
  std::string_view name;
  int16_t min;
  int16_t max;
  int16_t initial;  // what formatting a fresh directory writes
};

// Every feature this build knows, sorted by name.
std::span<const FeatureRange> supported_features();
const FeatureRange* find_feature(std::string_view name);

// Fine when every finalised level of `image` is one this build supports. The error is one sentence that names those
// that are not; the directory has not been touched by then.
Result<> check_supported(const Image& image);

// Kafka's name of a level, "4.3-IV0" for 30; "unknown" outside 7..30.
std::string_view metadata_version_name(int16_t level);

// True when going between the two levels changes what the log contains, so that a downgrade would lose information.
bool metadata_changed_between(int16_t lower, int16_t higher);

}  // namespace barnabas::metadata
