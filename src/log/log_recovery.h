// LogRecovery: brings a partition directory into order when its log is opened: what an interrupted deletion or
// compaction left, lost or broken small files, and, unless it was closed cleanly, every batch that may not have been
// durable. Used once by Log::open(); damage is told apart from a torn tail here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "log/log.h"

namespace barnabas::log {

class LogRecovery {
 public:
  LogRecovery(Log& log, const LogOptions& options);
  Result<> run();

 private:
  // What the directory holds.
  Result<> tidy_up();
  Result<> finish_swaps();
  Result<> list_segments();
  Result<> load_epochs();
  Result<> rebuild_epochs();

  Result<> open_clean();
  Result<> recover();
  // Scans one segment and writes its indexes anew. False: the log ends in it, later segments are not to be kept.
  Result<bool> recover_segment(size_t index);
  Result<> sync_what_is_there(size_t first);
  bool never_arrived(const BadStretch& bad) const;
  bool tail_never_arrived(const Segment& segment, Offset next_base, bool nothing_follows) const;
  Result<> cut(Segment& segment, const BadStretch& bad);
  void note_epoch(const wire::BatchHeader& header);
  Result<> settle_log_start();

  Result<> tolerate_full_disk(Result<> result) const;
  std::string describe(const Segment& segment) const;
  void report_progress(uint64_t bytes);

  Log& log_;
  const LogOptions& options_;
  std::vector<runtime::DirectoryEntry> entries_;  // of the directory
  bool has_epoch_file_ = false;
  Offset floor_;  // offsets below it were durable
  bool epochs_lost_ = false;
  LeaderEpoch doubtful_epoch_ = kNoEpoch;  // of the batch before, when it began a new one: believed if the next agrees
  Offset doubtful_start_{0};
  RecoveryProgress progress_;
};

}  // namespace barnabas::log
