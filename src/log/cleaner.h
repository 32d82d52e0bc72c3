// Cleaner: one compaction of one log. Reads the dirty part to learn the last offset of each key, then writes the closed
// segments anew, group by group, without what is obsolete, and has the log put each group into place. Runs on a worker
// thread without the partition's lock but for that last step. A log that was truncated or lost segments meanwhile is
// left as it is; damaged bytes are never cleaned over: a segment that has them stays whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/cleaned_segment.h"
#include "log/cleaner_filter.h"
#include "log/cleaner_plan.h"
#include "log/cleaner_transactions.h"
#include "log/offset_map.h"
#include "runtime/file.h"
#include "runtime/logger.h"

namespace barnabas::log {

class Log;

struct CleanerStats {
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t records_kept = 0;
  size_t segments_before = 0;
  size_t segments_after = 0;
};

class Cleaner {
 public:
  struct Options {
    size_t io_buffer_bytes = 512 << 10;
    std::function<bool()> stopped = [] { return false; };  // asked between batches
    runtime::Logger* logger = nullptr;
  };
  // Runs what it is given on the log under the partition's lock, or does nothing when the log is gone.
  using WithLog = std::function<void(const std::function<void(Log&)>&)>;

  // `directory` is the log's; it and `map`, which is empty, outlive the cleaner.
  Cleaner(runtime::Directory& directory, CleanPlan plan, OffsetMap& map, Options options);

  // First. kCancelled here and below: stopped, or the log is not any more what the plan was made for.
  Result<> build_map();
  // Cleans the next group of segments. False: there was none left.
  Result<bool> clean_next(const WithLog& with_log);

  // After the last group: the log is clean below it.
  Offset clean_until() const { return map_end_; }
  const CleanerStats& stats() const { return stats_; }

 private:
  struct Group {
    size_t first = 0;
    size_t end = 0;
  };
  struct Output {
    std::vector<std::unique_ptr<CleanedSegment>> segments;
    bool changed = false;
  };
  // kCorrupt from it makes the segment untouchable.
  using Visit = std::function<Result<bool>(const wire::BatchHeader&, BytesView batch)>;

  Result<std::shared_ptr<runtime::File>> open(const PlannedSegment& segment);
  // Every sound batch of the segment until `visit` says false. Marks it untouchable when not all of it is sound.
  Result<> walk(PlannedSegment& segment, const Visit& visit);
  Result<bool> index_batch(const wire::BatchHeader& header, BytesView batch, CleanerTransactions& transactions);
  Result<> pass_by(PlannedSegment& segment);
  Group next_group() const;
  // False: a segment turned out to be untouchable.
  Result<bool> write_group(Group group, Output& output);
  Result<> place(Group group, const Output& output, const WithLog& with_log);
  Result<CleanedSegment*> segment_for(const wire::BatchHeader& header, Output& output);
  void forsake(const Output& output);

  runtime::Directory& directory_;
  CleanPlan plan_;
  OffsetMap& map_;
  Options options_;
  Offset map_end_;
  CleanerTransactions transactions_;
  size_t next_ = 0;  // of plan_.segments
  CleanerStats stats_;
};

}  // namespace barnabas::log
