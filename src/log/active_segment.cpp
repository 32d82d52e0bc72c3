#include "log/active_segment.h"

#include <algorithm>

#include "base/check.h"
#include "log/file_names.h"

namespace barnabas::log {

using runtime::Directory;
using runtime::File;
using runtime::OpenMode;

namespace {

constexpr uint64_t kReserveFirst = 64 << 10;
constexpr uint64_t kReserveMax = 16 << 20;
constexpr size_t kRecentKept = 64;
constexpr size_t kUnwrittenMax = 1024;  // of index entries: some 10 KiB

template <class Index>
Index load_or_empty(Directory& directory, const std::string& name) {
  auto file = directory.open(name, OpenMode::kReadWrite);
  if (!file) return {};
  Result<Index> index = Index::load(*std::move(file));
  return index ? *std::move(index) : Index();
}

template <class Index>
Result<std::shared_ptr<File>> write_index(Directory& directory, const std::string& name, Index& index) {
  TRY_ASSIGN(auto file, directory.open(name, OpenMode::kCreate));
  TRY(index.write_out(file));
  return file;
}

}  // namespace

ActiveSegment::ActiveSegment(Segment& segment, std::shared_ptr<File> file)
    : segment_(segment),
      file_(std::move(file)),
      written_size_(segment.size()),
      reserved_end_(segment.size()),
      reserve_step_(kReserveFirst) {}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::create(Directory& directory, Segment& segment) {
  TRY_ASSIGN(auto file, segment.create(directory));
  return std::unique_ptr<ActiveSegment>(new ActiveSegment(segment, std::move(file)));
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::open(Directory& directory, Segment& segment) {
  TRY_ASSIGN(auto file, segment.file(directory));
  std::unique_ptr<ActiveSegment> active(new ActiveSegment(segment, std::move(file)));
  if (segment.size() == 0) return active;
  OffsetIndex offsets;
  TimeIndex times;
  if (believes_indexes(segment)) {
    offsets = load_or_empty<OffsetIndex>(directory, file_name(segment.base(), kOffsetIndexSuffix));
    times = load_or_empty<TimeIndex>(directory, file_name(segment.base(), kTimeIndexSuffix));
  }
  if (offsets.last() && times.last() && static_cast<uint64_t>(offsets.last()->position) < segment.size()) {
    active->max_ = {times.last()->timestamp, segment.base() + times.last()->relative_offset};
    active->offsets_ = std::move(offsets);
    active->times_ = std::move(times);
  }
  if (segment.has_transaction_index()) {
    TRY_ASSIGN(Buffer bytes, runtime::read_file(directory, file_name(segment.base(), kTransactionIndexSuffix)));
    TRY_ASSIGN(active->aborted_, replication::decode_transaction_index(bytes));
    active->aborted_written_ = active->aborted_.size();
  }
  return active;
}

uint64_t ActiveSegment::indexed_position() const {
  return offsets_.last() ? static_cast<uint64_t>(offsets_.last()->position) : 0;
}

Offset ActiveSegment::indexed_offset() const {
  return offsets_.last() ? segment_.base() + offsets_.last()->relative_offset : segment_.base() - 1;
}

void ActiveSegment::note(const wire::BatchHeader& header, uint64_t position, int32_t index_interval_bytes) {
  Offset last = header.last_offset();
  if (header.max_timestamp > max_.timestamp) max_ = {header.max_timestamp, last};
  if (bytes_since_index_ > static_cast<uint64_t>(index_interval_bytes)) {
    offsets_.append(
        {.relative_offset = static_cast<int32_t>(last - segment_.base()), .position = static_cast<int32_t>(position)});
    times_.append(
        {.timestamp = max_.timestamp, .relative_offset = static_cast<int32_t>(max_.offset - segment_.base())});
    bytes_since_index_ = 0;
  }
  bytes_since_index_ += header.size_in_bytes();
  if (position == 0) segment_.set_first_timestamp(header.max_timestamp);

  BatchPlace place{.first_offset = header.first_offset(),
                   .last_offset = last,
                   .position = position,
                   .size = header.size_in_bytes(),
                   .max_timestamp = header.max_timestamp};
  if (recent_.size() < kRecentKept) {
    recent_.push_back(place);
  } else {
    recent_[recent_next_] = place;
    recent_next_ = (recent_next_ + 1) % kRecentKept;
  }
}

void ActiveSegment::adopt(const wire::BatchHeader& header, uint64_t position, int32_t index_interval_bytes) {
  CHECK(position + header.size_in_bytes() <= segment_.size());
  note(header, position, index_interval_bytes);
}

Result<> ActiveSegment::reserve(uint64_t bytes, int64_t segment_bytes) {
  uint64_t needed = segment_.size() + bytes;
  if (needed <= reserved_end_) return {};
  // Not past the segment's end, where the space would be given back soon.
  uint64_t limit = std::max(needed, static_cast<uint64_t>(std::max<int64_t>(segment_bytes, 0)));
  uint64_t wanted = std::clamp(reserved_end_ + reserve_step_, needed, limit);
  Result<> got = file_->reserve(reserved_end_, wanted - reserved_end_);
  if (!got && got.error().code == ErrorCode::kNoSpace && wanted > needed) {
    wanted = needed;
    got = file_->reserve(reserved_end_, wanted - reserved_end_);
  }
  if (!got) return got;
  reserved_end_ = wanted;
  reserve_step_ = std::min(reserve_step_ * 2, kReserveMax);
  return {};
}

void ActiveSegment::stage(const wire::BatchHeader& header, BytesView batch, std::shared_ptr<const void> owner,
                          int32_t index_interval_bytes) {
  uint64_t position = segment_.size();
  segment_.set_size(position + batch.size());
  note(header, position, index_interval_bytes);
  staged_.push_back({batch, std::move(owner)});
}

Result<> ActiveSegment::write_staged() {
  if (!staged_.empty()) {
    std::vector<BytesView> parts;
    parts.reserve(staged_.size());
    for (const Staged& part : staged_) parts.push_back(part.bytes);
    TRY(file_->write_at(written_size_, parts));
    written_size_ = segment_.size();
    segment_.set_durable(false);
    staged_.clear();
  }
  return {};
}

std::optional<BatchPlace> ActiveSegment::recent_batch(Offset offset) const {
  size_t count = recent_.size();
  auto at = [&](size_t i) -> const BatchPlace& { return recent_[(recent_next_ + i) % count]; };
  if (count == 0 || at(0).first_offset > offset) return std::nullopt;
  size_t low = 0;
  size_t high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    (at(middle).last_offset < offset ? low : high) = at(middle).last_offset < offset ? middle + 1 : middle;
  }
  return low < count ? std::optional(at(low)) : std::nullopt;
}

bool ActiveSegment::index_is_full(int32_t segment_index_bytes) const {
  size_t offsets_max = static_cast<size_t>(segment_index_bytes) / OffsetEntry::kSize;
  size_t times_max = static_cast<size_t>(segment_index_bytes) / TimeEntry::kSize;
  return offsets_.count() >= offsets_max || times_.count() + 1 >= times_max;  // Kafka keeps one for the last entry
}

// Returns the file; none when the segment has no transaction index.
Result<std::shared_ptr<File>> ActiveSegment::write_aborted(Directory& directory) {
  if (aborted_.empty()) return nullptr;
  TRY_ASSIGN(auto file, directory.open(file_name(segment_.base(), kTransactionIndexSuffix), OpenMode::kCreate));
  if (aborted_written_ == aborted_.size()) return file;
  Buffer bytes = replication::encode_transaction_index(aborted_);
  TRY(file->write_at(0, BytesView(bytes)));
  TRY_ASSIGN(uint64_t size, file->size());
  if (size != bytes.size()) TRY(file->truncate(bytes.size()));
  aborted_written_ = aborted_.size();
  segment_.set_has_transaction_index(true);
  return file;
}

Result<> ActiveSegment::write_indexes(Directory& directory) {
  if (aborted_written_ < aborted_.size()) TRY(write_aborted(directory));
  if (offsets_.has_unwritten()) {
    TRY(write_index(directory, file_name(segment_.base(), kOffsetIndexSuffix), offsets_));
  }
  if (times_.has_unwritten()) TRY(write_index(directory, file_name(segment_.base(), kTimeIndexSuffix), times_));
  return {};
}

Result<> ActiveSegment::give_back_reserved() {
  if (reserved_end_ > written_size_) TRY(file_->truncate(written_size_));
  reserved_end_ = written_size_;
  return {};
}

bool ActiveSegment::has_many_unwritten() const {
  return offsets_.unwritten() >= kUnwrittenMax || times_.unwritten() >= kUnwrittenMax;
}

Result<ActiveSegment::Files> ActiveSegment::finish(Directory& directory) {
  CHECK(staged_.empty());
  if (max_.timestamp >= 0) {
    times_.append(
        {.timestamp = max_.timestamp, .relative_offset = static_cast<int32_t>(max_.offset - segment_.base())});
  }
  Files files;
  TRY_ASSIGN(std::shared_ptr<File> file, write_aborted(directory));
  if (file) files.push_back(std::move(file));
  // Also when there is nothing to write: an index file of zero bytes says so, a missing one would be rebuilt.
  TRY_ASSIGN(file, write_index(directory, file_name(segment_.base(), kOffsetIndexSuffix), offsets_));
  files.push_back(std::move(file));
  TRY_ASSIGN(file, write_index(directory, file_name(segment_.base(), kTimeIndexSuffix), times_));
  files.push_back(std::move(file));
  TRY(give_back_reserved());
  segment_.set_max_timestamp(max_);
  return files;
}

}  // namespace barnabas::log
