#include "log/cleaned_segment.h"

#include <string>

#include "log/file_names.h"

namespace barnabas::log {

using runtime::Directory;
using runtime::File;
using runtime::OpenMode;

namespace {

constexpr size_t kWriteAtOnce = 1 << 20;

std::string cleaned_name(Offset base, std::string_view suffix) {
  return file_name(base, suffix) + std::string(kCleanedSuffix);
}

}  // namespace

Result<std::unique_ptr<CleanedSegment>> CleanedSegment::create(Directory& directory, Offset base,
                                                               int32_t index_interval_bytes) {
  remove(directory, base);
  std::unique_ptr<CleanedSegment> made(new CleanedSegment(directory, base, index_interval_bytes));
  TRY_ASSIGN(made->file_, made->make(kLogSuffix));
  return made;
}

void CleanedSegment::remove(Directory& directory, Offset base) {
  for (std::string_view suffix : kSegmentSuffixes) {
    std::string name = cleaned_name(base, suffix);
    if (directory.exists(name)) (void)directory.remove(name);
  }
}

Result<std::shared_ptr<File>> CleanedSegment::make(std::string_view suffix) {
  TRY_ASSIGN(auto file, directory_.open(cleaned_name(base_, suffix), OpenMode::kCreate));
  TRY(file->truncate(0));
  return file;
}

bool CleanedSegment::has_room(const wire::BatchHeader& header) const {
  return size_ + header.size_in_bytes() <= INT32_MAX && header.last_offset() - base_ <= INT32_MAX;
}

Result<> CleanedSegment::append(const wire::BatchHeader& header, BytesView batch) {
  Offset last = header.last_offset();
  if (header.max_timestamp > max_.timestamp) max_ = {header.max_timestamp, last};
  if (bytes_since_index_ > static_cast<uint64_t>(index_interval_bytes_)) {
    offsets_.append({.relative_offset = static_cast<int32_t>(last - base_), .position = static_cast<int32_t>(size_)});
    if (max_.timestamp >= 0) {
      times_.append({.timestamp = max_.timestamp, .relative_offset = static_cast<int32_t>(max_.offset - base_)});
    }
    bytes_since_index_ = 0;
  }
  bytes_since_index_ += batch.size();
  pending_.insert(pending_.end(), batch.begin(), batch.end());
  size_ += batch.size();
  return pending_.size() >= kWriteAtOnce ? write_pending() : Result<>();
}

Result<> CleanedSegment::write_pending() {
  if (pending_.empty()) return {};
  TRY(file_->write_at(size_ - pending_.size(), BytesView(pending_)));
  pending_.clear();
  return {};
}

Result<> CleanedSegment::finish(TimestampMs modified_at) {
  TRY(write_pending());
  if (max_.timestamp >= 0) {
    times_.append({.timestamp = max_.timestamp, .relative_offset = static_cast<int32_t>(max_.offset - base_)});
  }
  TRY_ASSIGN(auto offset_file, make(kOffsetIndexSuffix));
  TRY(offsets_.write_out(offset_file));
  TRY_ASSIGN(auto time_file, make(kTimeIndexSuffix));
  TRY(times_.write_out(time_file));
  if (!aborted_.empty()) {
    TRY_ASSIGN(auto transaction_file, make(kTransactionIndexSuffix));
    Buffer bytes = replication::encode_transaction_index(aborted_);
    TRY(transaction_file->write_at(0, BytesView(bytes)));
    TRY(transaction_file->sync());
  }
  TRY(file_->sync());
  TRY(offset_file->sync());
  TRY(time_file->sync());
  return file_->set_modified_at(modified_at);
}

}  // namespace barnabas::log
