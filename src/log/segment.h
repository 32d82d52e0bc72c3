// Segment: one <base>.log file with its indexes, as much of it as is known. The log owns it under its lock. Nothing is
// opened before it is needed: a segment at rest is this struct. Positions in it are of what was written or staged.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/file.h"

namespace barnabas::log {

// A batch in a segment.
struct BatchPlace {
  Offset first_offset{0};
  Offset last_offset{0};
  uint64_t position = 0;
  uint64_t size = 0;
  TimestampMs max_timestamp = kNoTimestamp;
};

// The largest timestamp among the records of a segment, and the last offset of the first batch that has it.
struct MaxTimestamp {
  TimestampMs timestamp = kNoTimestamp;
  Offset offset = kNoOffset;
};

class Segment {
 public:
  Segment(Offset base, uint64_t size) : base_(base), size_(size) {}

  Offset base() const { return base_; }
  uint64_t size() const { return size_; }
  void set_size(uint64_t size) { size_ = size; }
  bool contains_relative(Offset offset) const { return offset >= base_ && offset - base_ <= INT32_MAX; }

  // The .log file; opened at the first call, held until release().
  Result<std::shared_ptr<runtime::File>> file(runtime::Directory& directory);
  // Makes the .log file.
  Result<std::shared_ptr<runtime::File>> create(runtime::Directory& directory);
  void release() { file_.reset(); }
  bool is_open() const { return file_ != nullptr; }

  // Of a closed segment, read from its time index at the first call; of one without timestamps, kNoTimestamp.
  Result<MaxTimestamp> max_timestamp(runtime::Directory& directory);
  void set_max_timestamp(MaxTimestamp max) { max_timestamp_ = max; }
  // What retention by time goes by: the largest timestamp, or the file's time when there is none.
  Result<TimestampMs> age_timestamp(runtime::Directory& directory);
  // The maximum timestamp of the first batch: what segment.ms counts from.
  Result<TimestampMs> first_timestamp(runtime::Directory& directory);
  void set_first_timestamp(TimestampMs timestamp);
  void forget_timestamps();  // they are read again when asked for

  // Its indexes have been looked at, and rebuilt if they were not right.
  bool indexes_checked() const { return indexes_checked_; }
  void set_indexes_checked(bool checked) { indexes_checked_ = checked; }
  // There is a transaction index beside it.
  bool has_transaction_index() const { return has_transaction_index_; }
  void set_has_transaction_index(bool has) { has_transaction_index_ = has; }
  // Everything in it is known to be durable.
  bool durable() const { return durable_; }
  void set_durable(bool durable) { durable_ = durable; }

 private:
  Offset base_;
  uint64_t size_;
  std::shared_ptr<runtime::File> file_;
  std::optional<MaxTimestamp> max_timestamp_;
  TimestampMs first_timestamp_ = kNoTimestamp;
  bool first_timestamp_known_ = false;
  bool indexes_checked_ = false;
  bool has_transaction_index_ = false;
  bool durable_ = true;
};

}  // namespace barnabas::log
