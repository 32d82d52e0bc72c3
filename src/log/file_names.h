// The names of a partition's files: <base offset, 20 digits><suffix>.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace barnabas::log {

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kOffsetIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kTransactionIndexSuffix = ".txnindex";
inline constexpr std::string_view kSnapshotSuffix = ".snapshot";
inline constexpr std::string_view kSegmentSuffixes[] = {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix,
                                                        kTransactionIndexSuffix};

inline constexpr std::string_view kDeletedSuffix = ".deleted";  // waits for its removal
inline constexpr std::string_view kCleanedSuffix = ".cleaned";  // compaction is still writing it
inline constexpr std::string_view kSwapSuffix = ".swap";        // compaction is putting it into place

inline constexpr std::string_view kEpochFile = "leader-epoch-checkpoint";
inline constexpr std::string_view kPartitionMetadataFile = "partition.metadata";

std::string file_name(Offset base, std::string_view suffix);

struct FileName {
  Offset base;
  std::string_view suffix;  // from the first dot on, e.g. ".log" or ".index.swap"
};
// Of the name of a segment's or snapshot's file; nullopt for any other.
std::optional<FileName> parse_file_name(std::string_view name);

}  // namespace barnabas::log
