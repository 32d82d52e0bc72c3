#include "log/sparse_index.h"

#include <algorithm>
#include <array>
#include <string>

namespace barnabas::log {

void OffsetEntry::encode(std::byte* to) const {
  store_be(to, relative_offset);
  store_be(to + 4, position);
}

OffsetEntry OffsetEntry::decode(const std::byte* from) {
  return {load_be<int32_t>(from), load_be<int32_t>(from + 4)};
}

void TimeEntry::encode(std::byte* to) const {
  store_be(to, timestamp);
  store_be(to + 8, relative_offset);
}

TimeEntry TimeEntry::decode(const std::byte* from) {
  return {load_be<int64_t>(from), load_be<int32_t>(from + 8)};
}

template <class Entry>
Result<SparseIndex<Entry>> SparseIndex<Entry>::load(std::shared_ptr<runtime::File> file) {
  TRY_ASSIGN(uint64_t size, file->size());
  if (size % Entry::kSize != 0) {
    return fail(ErrorCode::kCorrupt, "an index of " + std::to_string(size) + " bytes");
  }
  SparseIndex index;
  index.file_ = std::move(file);
  index.spilled_ = index.written_ = size / Entry::kSize;
  if (index.spilled_ == 0) return index;
  TRY_ASSIGN(Entry first, index.at(0));
  TRY_ASSIGN(Entry last, index.at(index.spilled_ - 1));
  // The zeros of Kafka's preallocated index files fail here, as they should: entries were not trimmed after a crash.
  bool sound = first.other_key() >= 0 && (index.spilled_ == 1 ? last.other_key() >= 0 : first.before(last));
  if constexpr (std::is_same_v<Entry, OffsetEntry>) sound = sound && last.position > 0;
  if (!sound) return fail(ErrorCode::kCorrupt, "an index whose last entry is not after its first");
  index.last_ = last;
  return index;
}

template <class Entry>
Result<Entry> SparseIndex<Entry>::at(size_t index) const {
  if (index >= spilled_) return tail_[index - spilled_];
  std::array<std::byte, Entry::kSize> bytes;
  TRY_ASSIGN(size_t got, file_->read_at(index * Entry::kSize, bytes));
  if (got != bytes.size()) return fail(ErrorCode::kCorrupt, "an index file became shorter");
  return Entry::decode(bytes.data());
}

template <class Entry>
void SparseIndex<Entry>::append(const Entry& entry) {
  if (last_ && !last_->before(entry)) return;
  tail_.push_back(entry);
  last_ = entry;
}

template <class Entry>
Result<std::optional<Entry>> SparseIndex<Entry>::floor(int64_t key) const {
  size_t low = 0;  // entries before it are at most `key`
  size_t high = count();
  if (!tail_.empty()) {
    (tail_.front().key() <= key ? low : high) = spilled_;
  }
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    TRY_ASSIGN(Entry entry, at(middle));
    (entry.key() <= key ? low : high) = entry.key() <= key ? middle + 1 : middle;
  }
  if (low == 0) return std::nullopt;
  TRY_ASSIGN(Entry found, at(low - 1));
  return found;
}

template <class Entry>
Result<std::optional<Entry>> SparseIndex<Entry>::ceiling_of_other(int64_t key) const {
  size_t low = 0;  // entries before it are less
  size_t high = count();
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    TRY_ASSIGN(Entry entry, at(middle));
    (entry.other_key() < key ? low : high) = entry.other_key() < key ? middle + 1 : middle;
  }
  if (low == count()) return std::nullopt;
  TRY_ASSIGN(Entry found, at(low));
  return found;
}

template <class Entry>
Result<> SparseIndex<Entry>::truncate(int64_t key, int64_t other_key) {
  size_t low = 0;  // entries before it stay
  size_t high = count();
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    TRY_ASSIGN(Entry entry, at(middle));
    bool stays = entry.key() < key && entry.other_key() < other_key;
    (stays ? low : high) = stays ? middle + 1 : middle;
  }
  tail_.resize(low > spilled_ ? low - spilled_ : 0);
  spilled_ = std::min(spilled_, low);
  written_ = std::min(written_, low);
  last_.reset();
  if (low > 0) {
    TRY_ASSIGN(last_, at(low - 1));
  }
  return {};
}

template <class Entry>
Result<> SparseIndex<Entry>::write_out(std::shared_ptr<runtime::File> file) {
  size_t first = std::max(written_, spilled_);
  Buffer bytes((count() - first) * Entry::kSize);
  for (size_t i = first; i < count(); ++i) tail_[i - spilled_].encode(bytes.data() + (i - first) * Entry::kSize);
  if (!bytes.empty()) TRY(file->write_at(first * Entry::kSize, BytesView(bytes)));
  TRY_ASSIGN(uint64_t size, file->size());
  if (size != count() * Entry::kSize) TRY(file->truncate(count() * Entry::kSize));
  written_ = count();
  file_ = std::move(file);
  if (tail_.size() > 2 * kKept) {
    size_t dropped = tail_.size() - kKept;
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<ptrdiff_t>(dropped));
    tail_.shrink_to_fit();
    spilled_ += dropped;
  }
  return {};
}

template class SparseIndex<OffsetEntry>;
template class SparseIndex<TimeEntry>;

}  // namespace barnabas::log
