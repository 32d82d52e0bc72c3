#include "group/group_partition.h"

#include <cstdlib>

#include "base/check.h"

namespace barnabas::group {
namespace {

// Calls `unit(uint16_t)` for each UTF-16 code unit of `text`.
template <class Unit>
void for_each_utf16(std::string_view text, Unit&& unit) {
  constexpr uint32_t kReplacement = 0xFFFD;
  size_t at = 0;
  while (at < text.size()) {
    auto lead = static_cast<uint8_t>(text[at]);
    size_t length = 1;
    uint32_t code = lead;
    uint32_t least = 0;
    if (lead >= 0xF0 && lead <= 0xF4) {
      length = 4, code = lead & 0x07U, least = 0x10000;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      length = 3, code = lead & 0x0FU, least = 0x800;
    } else if (lead >= 0xC2 && lead <= 0xDF) {
      length = 2, code = lead & 0x1FU, least = 0x80;
    } else if (lead >= 0x80) {
      unit(static_cast<uint16_t>(kReplacement));
      ++at;
      continue;
    }
    size_t taken = 1;
    while (taken < length && at + taken < text.size()) {
      auto next = static_cast<uint8_t>(text[at + taken]);
      if ((next & 0xC0U) != 0x80U) break;
      code = (code << 6U) | (next & 0x3FU);
      ++taken;
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (taken < length || code < least || code > 0x10FFFF || surrogate) {
      unit(static_cast<uint16_t>(kReplacement));
    } else if (code >= 0x10000) {
      unit(static_cast<uint16_t>(0xD800 + ((code - 0x10000) >> 10U)));
      unit(static_cast<uint16_t>(0xDC00 + ((code - 0x10000) & 0x3FFU)));
    } else {
      unit(static_cast<uint16_t>(code));
    }
    at += taken;
  }
}

}  // namespace

int32_t java_string_hash(std::string_view text) {
  uint32_t hash = 0;
  for_each_utf16(text, [&](uint16_t unit) { hash = hash * 31 + unit; });
  return static_cast<int32_t>(hash);
}

int32_t utf16_length(std::string_view text) {
  int32_t length = 0;
  for_each_utf16(text, [&](uint16_t) { ++length; });
  return length;
}

int32_t partition_for(std::string_view key, int32_t partition_count) {
  CHECK(partition_count > 0);
  int32_t hash = java_string_hash(key);
  int32_t positive = hash == INT32_MIN ? 0 : std::abs(hash);
  return positive % partition_count;
}

}  // namespace barnabas::group
