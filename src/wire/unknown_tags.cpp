#include "wire/unknown_tags.h"

#include <algorithm>

namespace barnabas::wire {

void UnknownTags::set(uint32_t number, BytesView bytes) {
  if (!tags_) tags_ = std::make_unique<std::vector<UnknownTag>>();
  auto at = std::ranges::lower_bound(*tags_, number, {}, &UnknownTag::number);
  if (at == tags_->end() || at->number != number) at = tags_->insert(at, UnknownTag{number, {}});
  at->bytes.assign(bytes.begin(), bytes.end());
}

bool UnknownTags::operator==(const UnknownTags& other) const {
  return std::ranges::equal(all(), other.all());
}

}  // namespace barnabas::wire
