// LogIndex: what the core knows of the log without holding its bytes: where each epoch starts, where the log starts and
// ends, how much of it is on disk, its latest snapshot, and the voter sets found in it. A value; the driver fills it
// when it opens the log.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "raft/messages.h"
#include "raft/voter_set.h"

namespace barnabas::raft {

// A voter set and where it was found: the offset of its control record, or -1 for one from the bootstrap checkpoint or
// the configuration, which no log holds yet.
struct VotersAt {
  Offset offset{-1};
  VoterSet voters;
};

class LogIndex {
 public:
  LogIndex() = default;

  Offset start() const { return start_; }
  Offset end() const { return end_; }
  Offset flushed() const { return flushed_; }
  EpochEnd end_of_log() const { return {last_epoch(), end_}; }
  // Of the last record, of what came before an empty log, or 0.
  LeaderEpoch last_epoch() const;
  std::optional<SnapshotId> latest_snapshot() const { return snapshot_; }
  LeaderEpoch epoch_at(Offset offset) const;  // of the record there

  // The largest epoch not above `epoch` and where it ends (Kafka's endOffsetForEpoch).
  EpochEnd end_of_epoch(LeaderEpoch epoch) const;
  // Of the record just below start(); 0 when the log starts at 0.
  LeaderEpoch epoch_before_start() const { return epoch_before_start_; }

  const VoterSet& voters() const;
  Offset voters_offset() const { return voters_.empty() ? Offset(-1) : voters_.back().offset; }
  int16_t kraft_version() const { return kraft_version_; }
  bool kraft_version_in_log() const { return kraft_version_at_ >= Offset(0); }

  void append(LeaderEpoch epoch, Offset base, Offset end);  // base must be end()
  void flush(Offset up_to);
  void truncate(Offset to);
  void add_voters(VotersAt voters);
  void set_kraft_version(int16_t level, Offset at);  // at -1: from the bootstrap checkpoint
  // The log now begins at the snapshot's end; what was below (or, when the log did not reach it, all of it) is gone.
  void start_from_snapshot(SnapshotId id);
  // The whole log is gone; it goes on at the end of a snapshot that came from the leader, with what the snapshot says.
  void restart_at(SnapshotId id, VoterSet voters, int16_t kraft_version);
  // A snapshot was written; the log is not cut.
  void add_snapshot(SnapshotId id);
  void set_start(Offset start);

 private:
  struct EpochStart {
    LeaderEpoch epoch;
    Offset start;
  };
  Offset start_{0};
  LeaderEpoch epoch_before_start_{0};
  Offset end_{0};
  Offset flushed_{0};
  std::vector<EpochStart> epochs_;
  std::optional<SnapshotId> snapshot_;
  std::vector<VotersAt> voters_;
  int16_t kraft_version_ = 0;
  Offset kraft_version_at_{-1};
};

}  // namespace barnabas::raft
