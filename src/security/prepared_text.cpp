#include "security/prepared_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace barnabas::security {
namespace {

// The code point at the start of `text`, which it takes off; nothing when the bytes are not UTF-8.
std::optional<uint32_t> take_code_point(std::string_view& text) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : (first >> 3) == 30 ? 4 : 0;
  if (length == 0 || text.size() < length) return std::nullopt;
  uint32_t point = length == 1 ? first : first & (0x7fU >> length);
  for (size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (byte(at) & 0x3fU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

struct Range {
  uint32_t first, last;
};

// RFC 4013, 2.3: tables C.2 to C.9 of RFC 3454.
constexpr Range kForbidden[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},       {0x340, 0x341},     {0x6dd, 0x6dd},      {0x70f, 0x70f},
    {0x180e, 0x180e},   {0x200c, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x2063},    {0x206a, 0x206f},
    {0x2ff0, 0x2ffb},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},    {0xfff9, 0xffff},
    {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}, {0xf0000, 0x10ffff},
};

bool is_forbidden(uint32_t point) {
  if ((point & 0xfffe) == 0xfffe) return true;  // no character, in every plane
  for (const Range& range : kForbidden)
    if (point >= range.first && point <= range.last) return true;
  return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!take_code_point(text)) return false;
  return true;
}

Result<> check_prepared(std::string_view what, std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kInvalid, fmt::format("{} is empty", what));
  while (!text.empty()) {
    const auto point = take_code_point(text);
    if (!point) return fail(ErrorCode::kInvalid, fmt::format("{} is not UTF-8", what));
    if (is_forbidden(*point))
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} contains the character U+{:04X}, which SASL forbids", what, *point));
  }
  return {};
}

}  // namespace barnabas::security
