// ActiveSegment: what the last segment of a log needs while it is written: the growing indexes, bytes that wait for the
// pass to end, space reserved ahead, and where the newest batches lie. Made when the log is first used, gone when the
// segment is closed. The log owns it; it refers to that log's Segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "log/log_config.h"
#include "log/segment.h"
#include "log/sparse_index.h"
#include "replication/transaction_index.h"
#include "runtime/file.h"
#include "wire/record_batch.h"

namespace barnabas::log {

class ActiveSegment {
 public:
  // Of a segment whose .log file is there and whole up to segment.size(). The indexes are those of the directory, or
  // empty where they are no good, or the segment is so small that they are not needed.
  static Result<std::unique_ptr<ActiveSegment>> open(runtime::Directory& directory, Segment& segment);
  // Of a segment without content; index files that lie about are ignored and later overwritten.
  static Result<std::unique_ptr<ActiveSegment>> create(runtime::Directory& directory, Segment& segment);

  // Whether open() goes by index files: if not, it does not matter what they say.
  static bool believes_indexes(const Segment& segment) { return segment.size() > kWalkedWhole; }

  const Segment& segment() const { return segment_; }
  const std::shared_ptr<runtime::File>& file() const { return file_; }
  const OffsetIndex& offsets() const { return offsets_; }
  const TimeIndex& times() const { return times_; }
  MaxTimestamp max_timestamp() const { return max_; }
  uint64_t written_size() const { return written_size_; }  // of the file; segment().size() counts what is staged too

  // Has a batch that lies in the file already, at the position after the last, counted and indexed.
  void adopt(const wire::BatchHeader& header, uint64_t position, int32_t index_interval_bytes);
  // The position up to which the indexes are known to speak, for adopt() to go on from.
  uint64_t indexed_position() const;
  Offset indexed_offset() const;  // of the batch there: offsets after it are not indexed

  // Makes sure that `bytes` more will fit on the disk: kNoSpace, and nothing happened.
  Result<> reserve(uint64_t bytes, int64_t segment_bytes);
  // Whole batches that go to the end of the segment; indexes them. reserve() has been called.
  void stage(const wire::BatchHeader& header, BytesView batch, std::shared_ptr<const void> owner,
             int32_t index_interval_bytes);
  bool has_staged() const { return !staged_.empty(); }
  Result<> write_staged();

  // The newest batches, staged ones included.
  std::optional<BatchPlace> recent_batch(Offset offset) const;  // the first that ends at or after `offset`

  bool index_is_full(int32_t segment_index_bytes) const;
  void add_aborted(const replication::AbortedTransaction& aborted) { aborted_.push_back(aborted); }
  const std::vector<replication::AbortedTransaction>& aborted() const { return aborted_; }

  // So many that writing them is due, lest they all go at once at the end.
  bool has_many_unwritten() const;
  // Index entries that are only in memory go to the files.
  Result<> write_indexes(runtime::Directory& directory);
  // The segment is not going to grow: last time index entry, index files, reserved space given back. Returns the index
  // files: they are to be synced before the recovery point passes the segment, since nobody can tell a short index from
  // a whole one afterwards.
  using Files = std::vector<std::shared_ptr<runtime::File>>;
  Result<> give_back_reserved();
  Result<Files> finish(runtime::Directory& directory);

 private:
  ActiveSegment(Segment& segment, std::shared_ptr<runtime::File> file);

  static constexpr uint64_t kWalkedWhole = 64 << 10;

  struct Staged {
    BytesView bytes;
    std::shared_ptr<const void> owner;
  };

  Result<std::shared_ptr<runtime::File>> write_aborted(runtime::Directory& directory);
  void note(const wire::BatchHeader& header, uint64_t position, int32_t index_interval_bytes);

  Segment& segment_;
  std::shared_ptr<runtime::File> file_;
  OffsetIndex offsets_;
  TimeIndex times_;
  MaxTimestamp max_;
  uint64_t bytes_since_index_ = 0;
  uint64_t written_size_ = 0;
  uint64_t reserved_end_ = 0;
  uint64_t reserve_step_;
  std::vector<Staged> staged_;
  std::vector<BatchPlace> recent_;  // a ring once it is full
  size_t recent_next_ = 0;
  std::vector<replication::AbortedTransaction> aborted_;  // of this segment, in the file or not
  size_t aborted_written_ = 0;
};

}  // namespace barnabas::log
