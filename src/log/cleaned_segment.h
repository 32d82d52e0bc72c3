// CleanedSegment: a segment that compaction writes beside the log, as <base>.log.cleaned and its indexes. Used by one
// cleaning; nobody reads it before Log::replace_segments() puts it into place.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/segment.h"
#include "log/sparse_index.h"
#include "replication/transaction_index.h"
#include "runtime/file.h"
#include "wire/record_batch.h"

namespace barnabas::log {

class CleanedSegment {
 public:
  // Replaces what an earlier try left.
  static Result<std::unique_ptr<CleanedSegment>> create(runtime::Directory& directory, Offset base,
                                                        int32_t index_interval_bytes);
  // Removes the files of one that is not wanted, as far as there are any.
  static void remove(runtime::Directory& directory, Offset base);

  Offset base() const { return base_; }
  uint64_t size() const { return size_; }
  // Its indexes can point at this batch.
  bool has_room(const wire::BatchHeader& header) const;
  Result<> append(const wire::BatchHeader& header, BytesView batch);
  // Entries of its transaction index, by marker.
  std::vector<replication::AbortedTransaction>& aborted() { return aborted_; }
  // Writes out and syncs everything.
  Result<> finish(TimestampMs modified_at);

 private:
  CleanedSegment(runtime::Directory& directory, Offset base, int32_t index_interval_bytes)
      : directory_(directory), base_(base), index_interval_bytes_(index_interval_bytes) {}

  Result<> write_pending();
  Result<std::shared_ptr<runtime::File>> make(std::string_view suffix);

  runtime::Directory& directory_;
  Offset base_;
  int32_t index_interval_bytes_;
  std::shared_ptr<runtime::File> file_;
  OffsetIndex offsets_;
  TimeIndex times_;
  MaxTimestamp max_;
  std::vector<replication::AbortedTransaction> aborted_;
  Buffer pending_;  // the end of the segment that is not in the file yet
  uint64_t size_ = 0;
  uint64_t bytes_since_index_ = 0;
};

}  // namespace barnabas::log
