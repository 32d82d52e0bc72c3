// EpochCache: at which offset each leader epoch of a partition began, the content of leader-epoch-checkpoint. Epochs
// and start offsets both rise strictly. Pure; the log owns one and keeps the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace barnabas::replication {

struct EpochEntry {
  LeaderEpoch epoch;
  Offset start_offset;
  bool operator==(const EpochEntry&) const = default;
};

// Answer of OffsetForLeaderEpoch: (-1, -1) when nothing is known.
struct EpochEndOffset {
  LeaderEpoch epoch = kNoEpoch;
  Offset end_offset = kNoOffset;
  bool operator==(const EpochEndOffset&) const = default;
};

class EpochCache {
 public:
  // `epoch` begins at `start`. Entries that would not rise any more go. True when something changed.
  bool assign(LeaderEpoch epoch, Offset start);

  LeaderEpoch latest_epoch() const { return entries_.empty() ? kNoEpoch : entries_.back().epoch; }
  std::optional<EpochEntry> latest() const;
  // The epoch of the record at `offset`, as far as known.
  LeaderEpoch epoch_of(Offset offset) const;
  // Where `requested`, or the largest known epoch below it, ends.
  EpochEndOffset end_offset_of(LeaderEpoch requested, Offset log_end) const;

  // Nothing at or after `end` exists any more. True when something changed.
  bool truncate_from_end(Offset end);
  // Nothing before `start` exists any more; the epoch in force at `start` now begins there.
  bool truncate_from_start(Offset start);
  void clear() { entries_.clear(); }

  const std::vector<EpochEntry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }

  // The checkpoint file: "0", the count, and a line "epoch start" each. parse() is strict.
  std::string print() const;
  static Result<EpochCache> parse(std::string_view text);

  bool operator==(const EpochCache&) const = default;

 private:
  std::vector<EpochEntry> entries_;
};

}  // namespace barnabas::replication
