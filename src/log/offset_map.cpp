#include "log/offset_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace barnabas::log {

namespace {
constexpr size_t kSlotsMin = 16;
constexpr size_t kSlotsAtFirst = 1024;
}  // namespace

OffsetMap::OffsetMap(uint64_t memory_bytes, double load_factor)
    : slots_max_(std::max<size_t>(memory_bytes / kSlotBytes, kSlotsMin)),
      load_factor_(std::clamp(load_factor, 0.1, 0.95)) {
  static_assert(sizeof(Slot) == kSlotBytes);
  limit_ = static_cast<size_t>(static_cast<double>(slots_max_) * load_factor_);
}

OffsetMap::Slot OffsetMap::hashed(BytesView key) {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {.low = hash.low64, .high = hash.high64};
}

size_t OffsetMap::slot_of(const Slot& key) const {
  auto wide = static_cast<unsigned __int128>(key.low) * slots_.size();
  auto at = static_cast<size_t>(wide >> 64);
  while (slots_[at].offset >= 0 && (slots_[at].low != key.low || slots_[at].high != key.high)) {
    at = at + 1 == slots_.size() ? 0 : at + 1;
  }
  return at;
}

void OffsetMap::grow() {
  std::vector<Slot> old = std::exchange(slots_, {});
  slots_.resize(std::min(slots_max_, std::max(kSlotsAtFirst, old.size() * 2)));
  for (const Slot& slot : old) {
    if (slot.offset >= 0) slots_[slot_of(slot)] = slot;
  }
}

bool OffsetMap::put(BytesView key, Offset offset) {
  bool crowded = static_cast<double>(size_ + 1) > static_cast<double>(slots_.size()) * load_factor_;
  if (crowded && slots_.size() < slots_max_) grow();
  Slot wanted = hashed(key);
  wanted.offset = offset.value;
  Slot& slot = slots_[slot_of(wanted)];
  if (slot.offset < 0) {
    if (size_ >= limit_) return false;
    ++size_;
  }
  slot = wanted;
  return true;
}

std::optional<Offset> OffsetMap::find(BytesView key) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(hashed(key))];
  return slot.offset < 0 ? std::nullopt : std::optional(Offset(slot.offset));
}

void OffsetMap::clear() {
  slots_ = {};
  size_ = 0;
}

}  // namespace barnabas::log
