#include "sim/sim_inode.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace barnabas::sim {

size_t SimInode::read(uint64_t position, MutableBytes into) const {
  if (position >= content_.size()) return 0;
  size_t size = std::min<uint64_t>(into.size(), content_.size() - position);
  std::copy_n(content_.begin() + static_cast<ptrdiff_t>(position), size, into.begin());
  return size;
}

void SimInode::write(uint64_t position, BytesView bytes) {
  if (bytes.empty()) return;
  before_change(position, position + bytes.size());
  if (position + bytes.size() > content_.size()) content_.resize(position + bytes.size());
  std::ranges::copy(bytes, content_.begin() + static_cast<ptrdiff_t>(position));
}

void SimInode::truncate(uint64_t size) {
  if (size < content_.size()) before_change(size, content_.size());
  content_.resize(size);
}

void SimInode::sync() {
  dirty_.clear();
  syncing_.clear();
  in_sync_ = false;
  durable_size_ = content_.size();
}

void SimInode::sync_failed() {
  if (!in_sync_) begin_sync();
  end_sync(false);
}

void SimInode::begin_sync() {
  CHECK(!in_sync_, "one sync of a file at a time");
  in_sync_ = true;
  syncing_ = std::exchange(dirty_, {});
  syncing_size_ = content_.size();
}

void SimInode::end_sync(bool success) {
  if (!in_sync_) return;  // a blocking sync has overtaken it
  in_sync_ = false;
  if (success) {
    durable_size_ = syncing_size_;
    syncing_.clear();
    return;
  }
  for (auto& [index, on_disk] : std::exchange(syncing_, {})) {
    auto changed_again = dirty_.find(index);
    if (changed_again != dirty_.end()) {
      changed_again->second = on_disk;
    } else {
      lost_[index] = on_disk;
    }
  }
}

bool SimInode::fully_synced() const {
  return dirty_.empty() && syncing_.empty() && lost_.empty() && durable_size_ == content_.size();
}

void SimInode::lose_power(SimRandom& random) {
  enum Outcome { kNothing, kEverything, kAnySector, kFront };
  auto outcome = static_cast<Outcome>(random.below(4));
  uint64_t cached_size = content_.size();
  uint64_t size = durable_size_;
  if (outcome == kEverything) {
    size = cached_size;
  } else if (outcome != kNothing) {
    // The size is journaled apart from the bytes: either end, or between when the file has grown.
    uint64_t candidates[] = {
        durable_size_, cached_size, in_sync_ ? syncing_size_ : cached_size,
        durable_size_ < cached_size ? durable_size_ + random.below(cached_size - durable_size_ + 1) : durable_size_};
    size = candidates[random.below(4)];
  }
  uint64_t changed_end = 0;
  for (const Sectors* layer : {&dirty_, &syncing_, &lost_}) {
    if (!layer->empty()) changed_end = std::max(changed_end, layer->rbegin()->first + 1);
  }
  uint64_t front = random.below(changed_end + 1);
  auto survives = [&](uint64_t index) {
    switch (outcome) {
      case kNothing:
        return false;
      case kEverything:
        return true;
      case kAnySector:
        return random.one_in(2);
      case kFront:
        return index < front;
    }
    return false;
  };
  // The file may have been cut short, unsynced: its old sectors can come back.
  content_.resize(std::max({cached_size, size, changed_end * kSector}));
  for (auto& [index, base] : dirty_) {
    if (!survives(index)) put_sector(index, base);
  }
  for (auto& [index, on_disk] : syncing_) {
    // Not changed since: as above. Changed since and fallen back: to what the sync was writing, or further.
    bool fell_back = dirty_.contains(index) && sector(index) == dirty_[index];
    bool reached_disk = outcome == kEverything || (outcome != kNothing && random.one_in(2));
    if (dirty_.contains(index) ? fell_back && !reached_disk : !survives(index)) put_sector(index, on_disk);
  }
  for (auto& [index, on_disk] : lost_) put_sector(index, on_disk);
  content_.resize(size);
  dirty_.clear();
  syncing_.clear();
  lost_.clear();
  in_sync_ = false;
  durable_size_ = size;
  reserved = 0;
}

void SimInode::damage(uint64_t position, BytesView bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint64_t at = position + i;
    if (at < content_.size()) content_[at] = bytes[i];
    for (Sectors* layer : {&dirty_, &syncing_, &lost_}) {
      auto found = layer->find(at / kSector);
      if (found != layer->end()) found->second[at % kSector] = bytes[i];
    }
  }
}

void SimInode::cut(uint64_t size) {
  content_.resize(size);
  durable_size_ = std::min(durable_size_, size);
}

SimInode::Sector SimInode::sector(uint64_t index) const {
  Sector bytes{};
  read(index * kSector, bytes);
  return bytes;
}

void SimInode::put_sector(uint64_t index, const Sector& bytes) {
  std::ranges::copy(bytes, content_.begin() + static_cast<ptrdiff_t>(index * kSector));
}

void SimInode::before_change(uint64_t position, uint64_t end) {
  for (uint64_t index = position / kSector; index * kSector < end; ++index) {
    if (dirty_.contains(index)) continue;
    auto lost = lost_.find(index);
    if (lost != lost_.end() && !syncing_.contains(index)) {
      // Written again, the whole of it goes with the next sync.
      dirty_.emplace(index, lost->second);
      lost_.erase(lost);
    } else {
      dirty_.emplace(index, sector(index));
    }
  }
}

}  // namespace barnabas::sim
