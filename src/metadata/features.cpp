#include "metadata/features.h"

#include <algorithm>
#include <array>
#include <string>

#include "metadata/image.h"

namespace barnabas::metadata {

namespace {

constexpr std::array<FeatureRange, 7> kSupported{{
    {kElrVersion, 0, 0, 0},
    {kGroupVersion, 0, 0, 0},
    {kKraftVersion, 0, 1, 1},
    {kMetadataVersion, kMinMetadataVersion, kLatestMetadataVersion, kLatestMetadataVersion},
    {kShareVersion, 0, 0, 0},
    {kStreamsVersion, 0, 0, 0},
    {kTransactionVersion, 0, 0, 0},
}};

struct MetadataLevel {
  std::string_view name;
  bool changes_log;  // since the level before
};

// From kMinMetadataVersion on.
constexpr std::array<MetadataLevel, kLatestMetadataVersion - kMinMetadataVersion + 1> kLevels{{
    {"3.3-IV3", true},  {"3.4-IV0", true},  {"3.5-IV0", false}, {"3.5-IV1", false}, {"3.5-IV2", true},
    {"3.6-IV0", false}, {"3.6-IV1", true},  {"3.6-IV2", true},  {"3.7-IV0", true},  {"3.7-IV1", false},
    {"3.7-IV2", true},  {"3.7-IV3", false}, {"3.7-IV4", false}, {"3.8-IV0", false}, {"3.9-IV0", false},
    {"4.0-IV0", false}, {"4.0-IV1", true},  {"4.0-IV2", false}, {"4.0-IV3", false}, {"4.1-IV0", false},
    {"4.1-IV1", false}, {"4.2-IV0", false}, {"4.2-IV1", false}, {"4.3-IV0", true},
}};

bool known_level(int16_t level) {
  return level >= kMinMetadataVersion && level <= kLatestMetadataVersion;
}

}  // namespace

std::span<const FeatureRange> supported_features() {
  return kSupported;
}

const FeatureRange* find_feature(std::string_view name) {
  auto found = std::ranges::find(kSupported, name, &FeatureRange::name);
  return found == kSupported.end() ? nullptr : &*found;
}

Result<> check_supported(const Image& image) {
  std::string wrong;
  auto judge = [&](std::string_view name, int16_t level) {
    const FeatureRange* range = find_feature(name);
    if (range && level >= range->min && level <= range->max) return;
    if (!wrong.empty()) wrong += ", ";
    wrong += std::string(name) + "=" + std::to_string(level);
    if (!range) {
      wrong += " (unknown here)";
    } else if (range->max == 0) {
      wrong += " (not supported here yet)";
    } else {
      wrong += " (supported: " + std::to_string(range->min) + " to " + std::to_string(range->max) + ")";
    }
  };
  for (const auto& [name, level] : image.features()) judge(name, level);
  judge(kKraftVersion, image.kraft_version());
  if (wrong.empty()) return {};
  return fail(ErrorCode::kUnsupported,
              "this cluster's metadata uses feature levels that this build does not support: " + wrong);
}

std::string_view metadata_version_name(int16_t level) {
  return known_level(level) ? kLevels[static_cast<size_t>(level - kMinMetadataVersion)].name : "unknown";
}

bool metadata_changed_between(int16_t lower, int16_t higher) {
  for (int16_t level = static_cast<int16_t>(lower + 1); level <= higher; ++level) {
    if (!known_level(level) || kLevels[static_cast<size_t>(level - kMinMetadataVersion)].changes_log) return true;
  }
  return false;
}

}  // namespace barnabas::metadata
