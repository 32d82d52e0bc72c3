// Tagged fields that this build does not know, kept so that what was read is written again unchanged. Every struct of a
// message owns one; the usual, empty one costs a pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace barnabas::wire {

struct UnknownTag {
  uint32_t number = 0;
  Buffer bytes;

  bool operator==(const UnknownTag&) const = default;
};

class UnknownTags {
 public:
  UnknownTags() = default;
  UnknownTags(const UnknownTags& other) : tags_(other.empty() ? nullptr : new std::vector(*other.tags_)) {}
  UnknownTags(UnknownTags&&) noexcept = default;
  UnknownTags& operator=(const UnknownTags& other) { return *this = UnknownTags(other); }
  UnknownTags& operator=(UnknownTags&&) noexcept = default;
  ~UnknownTags() = default;

  // Keeps the tags in ascending order; one that is there already is replaced.
  void set(uint32_t number, BytesView bytes);

  bool empty() const { return !tags_ || tags_->empty(); }
  size_t size() const { return tags_ ? tags_->size() : 0; }
  std::span<const UnknownTag> all() const {
    return tags_ ? std::span<const UnknownTag>(*tags_) : std::span<const UnknownTag>();
  }

  bool operator==(const UnknownTags& other) const;

 private:
  std::unique_ptr<std::vector<UnknownTag>> tags_;
};

}  // namespace barnabas::wire
