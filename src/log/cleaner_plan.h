// What a cleaning is going to do, decided under the partition's lock in one go: which offsets may be compacted now, and
// all a Cleaner needs to know of the log to work on its closed files without that lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/cleaner_filter.h"
#include "log/cleaner_transactions.h"

namespace barnabas::log {

class Log;

// Of the topic.
struct CleanerLags {
  int64_t min_ms = 0;
  int64_t max_ms = INT64_MAX;
};

// Records in [first_dirty, end) have not been through a cleaning and may be. `end` begins a segment.
struct CleanableRange {
  Offset first_dirty{0};
  Offset end{0};
  uint64_t clean_bytes = 0;
  uint64_t dirty_bytes = 0;
  bool overdue = false;  // some of it waits longer than the maximum lag

  bool empty() const { return end <= first_dirty || dirty_bytes == 0; }
  double dirty_ratio() const;
};

// `checkpoint`: where the last cleaning ended; one that the log does not reach is not believed. Nothing at or above the
// last stable offset is cleanable, nothing of the active segment, nothing younger than the minimum lag.
Result<CleanableRange> find_cleanable(Log& log, std::optional<Offset> checkpoint, Offset high_watermark,
                                      CleanerLags lags, TimestampMs now);

struct PlannedSegment {
  Offset base{0};
  Offset end{0};  // where the next begins
  uint64_t size = 0;
  bool untouchable = false;  // it has damage: what is in it stays as it is
};

struct CleanPlan {
  std::string name;
  uint64_t generation = 0;
  std::vector<PlannedSegment> segments;  // all below range.end
  CleanableRange range;
  CleanerRules rules;
  CleanerTransactions::Aborted aborted;
  uint64_t segment_bytes = 0;
  uint64_t segment_index_bytes = 0;
  int32_t index_interval_bytes = 0;
};

Result<CleanPlan> plan_cleaning(Log& log, const CleanableRange& range, Offset high_watermark,
                                int64_t delete_retention_ms, TimestampMs now);

}  // namespace barnabas::log
