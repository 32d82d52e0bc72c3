// Variable-length integers: 7 bits a byte, low group first, high bit = more follows. Kafka uses them plain (uvarint:
// tags, compact lengths) and zig-zag coded (varint, varlong: inside record batches). Decoding reads from a cursor that
// never leaves its bytes; a value that is cut short or longer than its type can be is refused, and the cursor stays
// put.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace barnabas {

inline constexpr size_t kVarintBytesMax = 5;
inline constexpr size_t kVarlongBytesMax = 10;

constexpr uint32_t zigzag(int32_t value) {
  return static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31);
}
constexpr uint64_t zigzag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
constexpr int32_t unzigzag(uint32_t raw) {
  return static_cast<int32_t>(raw >> 1 ^ (~(raw & 1) + 1));
}
constexpr int64_t unzigzag(uint64_t raw) {
  return static_cast<int64_t>(raw >> 1 ^ (~(raw & 1) + 1));
}

// Bytes that the plain form of `value` takes (1..5, 1..10).
constexpr size_t uvarint_size(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}
constexpr size_t varint_size(int32_t value) {
  return uvarint_size(zigzag(value));
}
constexpr size_t varlong_size(int64_t value) {
  return uvarint_size(zigzag(value));
}

// A read position in bytes somebody else owns.
struct VarintCursor {
  const std::byte* at;
  const std::byte* end;

  explicit VarintCursor(BytesView bytes) : at(bytes.data()), end(bytes.data() + bytes.size()) {}
  size_t remaining() const { return static_cast<size_t>(end - at); }
};

namespace varint_detail {
// One byte or two, which is what nearly all are.
template <class T>
inline bool read_short(VarintCursor& cursor, T& value) {
  if (cursor.at == cursor.end) return false;
  uint32_t first = std::to_integer<uint32_t>(cursor.at[0]);
  if (first < 0x80) {
    value = first;
    cursor.at += 1;
    return true;
  }
  if (cursor.remaining() < 2) return false;
  uint32_t second = std::to_integer<uint32_t>(cursor.at[1]);
  if (second >= 0x80) return false;
  value = (first & 0x7f) | second << 7;
  cursor.at += 2;
  return true;
}
bool read_long(VarintCursor& cursor, size_t bytes_max, uint64_t& value);
}  // namespace varint_detail

// Each returns false, and leaves cursor and value alone, when there is no whole and legal value at the cursor. As in
// Kafka's readers, the surplus bits of a fifth (tenth) byte are dropped, not refused.
inline bool read_uvarint(VarintCursor& cursor, uint32_t& value) {
  if (varint_detail::read_short(cursor, value)) [[likely]]
    return true;
  uint64_t wide;
  if (!varint_detail::read_long(cursor, kVarintBytesMax, wide)) return false;
  value = static_cast<uint32_t>(wide);
  return true;
}
inline bool read_uvarlong(VarintCursor& cursor, uint64_t& value) {
  if (varint_detail::read_short(cursor, value)) [[likely]]
    return true;
  return varint_detail::read_long(cursor, kVarlongBytesMax, value);
}
inline bool read_varint(VarintCursor& cursor, int32_t& value) {
  uint32_t raw;
  if (!read_uvarint(cursor, raw)) return false;
  value = unzigzag(raw);
  return true;
}
inline bool read_varlong(VarintCursor& cursor, int64_t& value) {
  uint64_t raw;
  if (!read_uvarlong(cursor, raw)) return false;
  value = unzigzag(raw);
  return true;
}

// Write at `to`, which must have room for the size named above; returns the byte after the last one written.
inline std::byte* write_uvarint(std::byte* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<std::byte>(value);
  return to;
}
inline std::byte* write_varint(std::byte* to, int32_t value) {
  return write_uvarint(to, zigzag(value));
}
inline std::byte* write_varlong(std::byte* to, int64_t value) {
  return write_uvarint(to, zigzag(value));
}

void append_uvarint(Buffer& to, uint64_t value);
void append_varint(Buffer& to, int32_t value);
void append_varlong(Buffer& to, int64_t value);

}  // namespace barnabas
