#include "base/varint.h"

namespace barnabas {

namespace varint_detail {

bool read_long(VarintCursor& cursor, size_t bytes_max, uint64_t& value) {
  const std::byte* at = cursor.at;
  const std::byte* limit = cursor.remaining() > bytes_max ? at + bytes_max : cursor.end;
  uint64_t result = 0;
  for (unsigned shift = 0; at != limit; shift += 7) {
    uint64_t group = std::to_integer<uint64_t>(*at++);
    result |= (group & 0x7f) << shift;
    if (group < 0x80) {
      cursor.at = at;
      value = result;
      return true;
    }
  }
  return false;
}

}  // namespace varint_detail

void append_uvarint(Buffer& to, uint64_t value) {
  std::byte scratch[kVarlongBytesMax];
  to.insert(to.end(), scratch, write_uvarint(scratch, value));
}

void append_varint(Buffer& to, int32_t value) {
  append_uvarint(to, zigzag(value));
}
void append_varlong(Buffer& to, int64_t value) {
  append_uvarint(to, zigzag(value));
}

}  // namespace barnabas
