#include "replication/epoch_cache.h"

#include <algorithm>

#include "replication/checkpoint_text.h"

namespace barnabas::replication {

namespace {

// The first entry with a larger epoch.
auto above(const std::vector<EpochEntry>& entries, LeaderEpoch epoch) {
  return std::ranges::upper_bound(entries, epoch, {}, &EpochEntry::epoch);
}

}  // namespace

bool EpochCache::assign(LeaderEpoch epoch, Offset start) {
  if (epoch.value < 0 || start.value < 0) return false;
  if (!entries_.empty() && entries_.back().epoch == epoch && start >= entries_.back().start_offset) return false;
  std::erase_if(entries_, [&](const EpochEntry& entry) { return entry.epoch >= epoch || entry.start_offset >= start; });
  entries_.push_back({epoch, start});
  return true;
}

std::optional<EpochEntry> EpochCache::latest() const {
  return entries_.empty() ? std::nullopt : std::optional(entries_.back());
}

LeaderEpoch EpochCache::epoch_of(Offset offset) const {
  auto after = std::ranges::upper_bound(entries_, offset, {}, &EpochEntry::start_offset);
  return after == entries_.begin() ? kNoEpoch : std::prev(after)->epoch;
}

EpochEndOffset EpochCache::end_offset_of(LeaderEpoch requested, Offset log_end) const {
  if (requested.value < 0 || entries_.empty() || requested > entries_.back().epoch) return {};
  if (requested == entries_.back().epoch) return {requested, log_end};
  auto next = above(entries_, requested);
  if (next == entries_.begin()) return {requested, next->start_offset};  // older than all that is known
  return {std::prev(next)->epoch, next->start_offset};
}

bool EpochCache::truncate_from_end(Offset end) {
  return std::erase_if(entries_, [&](const EpochEntry& entry) { return entry.start_offset >= end; }) > 0;
}

bool EpochCache::truncate_from_start(Offset start) {
  auto after = std::ranges::upper_bound(entries_, start, {}, &EpochEntry::start_offset);
  if (after == entries_.begin()) return false;
  auto in_force = std::prev(after);
  if (in_force == entries_.begin() && in_force->start_offset == start) return false;
  in_force->start_offset = start;
  entries_.erase(entries_.begin(), in_force);
  return true;
}

std::string EpochCache::print() const {
  std::string text = "0\n" + std::to_string(entries_.size()) + "\n";
  for (const EpochEntry& entry : entries_) {
    text += std::to_string(entry.epoch.value) + " " + std::to_string(entry.start_offset.value) + "\n";
  }
  return text;
}

Result<EpochCache> EpochCache::parse(std::string_view text) {
  CheckpointLines lines(text);
  TRY_ASSIGN(size_t count, lines.read_header());
  EpochCache cache;
  std::string_view line;
  while (lines.next(line)) {
    size_t space = line.find(' ');
    EpochEntry entry;
    if (space == std::string_view::npos || !CheckpointLines::parse_number(line.substr(0, space), entry.epoch.value) ||
        !CheckpointLines::parse_number(line.substr(space + 1), entry.start_offset.value) || entry.epoch.value < 0 ||
        entry.start_offset.value < 0) {
      return CheckpointLines::bad("a line is not \"epoch offset\"", line);
    }
    if (!cache.entries_.empty() &&
        (cache.entries_.back().epoch >= entry.epoch || cache.entries_.back().start_offset >= entry.start_offset)) {
      return CheckpointLines::bad("epochs and offsets do not rise", line);
    }
    cache.entries_.push_back(entry);
  }
  if (cache.entries_.size() != count) {
    return fail(ErrorCode::kCorrupt,
                "it says " + std::to_string(count) + " entries and has " + std::to_string(cache.entries_.size()));
  }
  return cache;
}

}  // namespace barnabas::replication
