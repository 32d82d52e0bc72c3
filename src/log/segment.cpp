#include "log/segment.h"

#include <array>

#include "log/file_names.h"
#include "log/sparse_index.h"
#include "wire/record_batch.h"

namespace barnabas::log {

using runtime::Directory;
using runtime::File;
using runtime::OpenMode;

Result<std::shared_ptr<File>> Segment::file(Directory& directory) {
  if (!file_) {
    TRY_ASSIGN(file_, directory.open(file_name(base_, kLogSuffix), OpenMode::kReadWrite));
  }
  return file_;
}

Result<std::shared_ptr<File>> Segment::create(Directory& directory) {
  TRY_ASSIGN(file_, directory.open(file_name(base_, kLogSuffix), OpenMode::kCreate));
  return file_;
}

Result<MaxTimestamp> Segment::max_timestamp(Directory& directory) {
  if (max_timestamp_) return *max_timestamp_;
  MaxTimestamp max;
  if (size_ > 0) {
    TRY_ASSIGN(auto file, directory.open(file_name(base_, kTimeIndexSuffix), OpenMode::kRead));
    TRY_ASSIGN(TimeIndex index, TimeIndex::load(std::move(file)));
    if (index.last()) max = {index.last()->timestamp, base_ + index.last()->relative_offset};
  }
  max_timestamp_ = max;
  return max;
}

Result<TimestampMs> Segment::age_timestamp(Directory& directory) {
  TRY_ASSIGN(MaxTimestamp max, max_timestamp(directory));
  if (max.timestamp >= 0) return max.timestamp;
  TRY_ASSIGN(auto log, file(directory));
  return log->modified_at();
}

Result<TimestampMs> Segment::first_timestamp(Directory& directory) {
  if (first_timestamp_known_ || size_ == 0) return first_timestamp_;
  TRY_ASSIGN(auto log, file(directory));
  std::array<std::byte, wire::kBatchOverhead> bytes;
  TRY_ASSIGN(size_t got, log->read_at(0, bytes));
  Result<wire::BatchHeader> header = wire::BatchHeader::decode(BytesView(bytes).first(got));
  if (header) first_timestamp_ = header->max_timestamp;
  first_timestamp_known_ = true;
  return first_timestamp_;
}

void Segment::forget_timestamps() {
  max_timestamp_.reset();
  first_timestamp_ = kNoTimestamp;
  first_timestamp_known_ = false;
}

void Segment::set_first_timestamp(TimestampMs timestamp) {
  first_timestamp_ = timestamp;
  first_timestamp_known_ = true;
}

}  // namespace barnabas::log
