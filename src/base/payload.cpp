#include "base/payload.h"

#include <algorithm>

namespace barnabas {

Payload Payload::own(Buffer buffer) {
  auto owner = std::make_shared<const Buffer>(std::move(buffer));
  BytesView view(*owner);
  return Payload{.bytes = view, .owner = std::move(owner)};
}

Result<Buffer> Payload::to_buffer() const {
  if (!source) return Buffer(bytes.begin(), bytes.end());
  Buffer buffer(length);
  TRY_ASSIGN(size_t got, source->read_at(position, buffer));
  if (got != length) return fail(ErrorCode::kIo, "a file ended inside the range that was to be sent");
  return buffer;
}

bool Payload::operator==(const Payload& other) const {
  if (source || other.source) {
    return source == other.source && position == other.position && length == other.length;
  }
  return std::ranges::equal(bytes, other.bytes);
}

}  // namespace barnabas
