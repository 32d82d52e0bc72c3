// SparseIndex: the offset index or the time index of one segment, in Kafka's file format. Entries gather in memory and
// are written out now and then; what is in the file is searched there, so an index costs no memory for its length. Both
// indexes are hints: a search gives a place to begin a scan from, and a lost index is rebuilt from the log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/file.h"

namespace barnabas::log {

// The batch whose last offset is base + relative_offset begins at `position`.
struct OffsetEntry {
  static constexpr size_t kSize = 8;
  int32_t relative_offset = 0;
  int32_t position = 0;

  int64_t key() const { return relative_offset; }
  int64_t other_key() const { return position; }
  bool before(const OffsetEntry& next) const {
    return relative_offset < next.relative_offset && position < next.position;
  }
  void encode(std::byte* to) const;
  static OffsetEntry decode(const std::byte* from);
  bool operator==(const OffsetEntry&) const = default;
};

// No record up to base + relative_offset is later than `timestamp`; the batch that ends there has it.
struct TimeEntry {
  static constexpr size_t kSize = 12;
  TimestampMs timestamp = 0;
  int32_t relative_offset = 0;

  int64_t key() const { return timestamp; }
  int64_t other_key() const { return relative_offset; }
  bool before(const TimeEntry& next) const {
    return timestamp < next.timestamp && relative_offset <= next.relative_offset;
  }
  void encode(std::byte* to) const;
  static TimeEntry decode(const std::byte* from);
  bool operator==(const TimeEntry&) const = default;
};

template <class Entry>
class SparseIndex {
 public:
  // An index without entries whose file, if there is one, is of no interest.
  SparseIndex() = default;
  // The index in `file`. kCorrupt: its size or its ends are not those of an index.
  static Result<SparseIndex> load(std::shared_ptr<runtime::File> file);

  size_t count() const { return spilled_ + tail_.size(); }
  bool empty() const { return count() == 0; }
  const std::optional<Entry>& last() const { return last_; }

  // Ignored when it does not come after the last entry.
  void append(const Entry& entry);
  // The last entry whose key() is at most `key`; nullopt when there is none.
  Result<std::optional<Entry>> floor(int64_t key) const;
  // The first entry whose other_key() is at least `key`.
  Result<std::optional<Entry>> ceiling_of_other(int64_t key) const;
  // Keeps the entries below both bounds.
  Result<> truncate(int64_t key, int64_t other_key);
  size_t unwritten() const { return count() - written_; }
  bool has_unwritten() const { return unwritten() > 0; }
  // Puts into `file` what is not in it yet, and keeps only the newest entries in memory. Its size is then exact.
  Result<> write_out(std::shared_ptr<runtime::File> file);

 private:
  static constexpr size_t kKept = 512;  // entries that stay in memory after write_out()

  Result<Entry> at(size_t index) const;

  std::shared_ptr<runtime::File> file_;  // of [0, spilled_)
  size_t spilled_ = 0;                   // entries that are only in the file
  size_t written_ = 0;                   // entries that are in the file
  std::vector<Entry> tail_;              // entries [spilled_, count())
  std::optional<Entry> last_;
};

using OffsetIndex = SparseIndex<OffsetEntry>;
using TimeIndex = SparseIndex<TimeEntry>;

extern template class SparseIndex<OffsetEntry>;
extern template class SparseIndex<TimeEntry>;

}  // namespace barnabas::log
