// Payload: immutable bytes on their way out, without a copy: memory kept alive by an owner, or a range of a file (which
// the real network sends with sendfile). Cheap to copy; safe to hold after whoever made it has moved on.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas {

// Something that can be read at a position: runtime::File is one.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `into` from `position`; returns how many bytes were there (less only at the end of the source).
  virtual Result<size_t> read_at(uint64_t position, MutableBytes into) const = 0;
  // A file descriptor for sendfile, or -1 when there is none (simulation).
  virtual int native_handle() const { return -1; }
};

struct Payload {
  // Memory form: `bytes`, valid while `owner` lives (or, with no owner, as long as the maker of the payload promises).
  BytesView bytes;
  std::shared_ptr<const void> owner;
  // File form: when `source` is set, the payload is its bytes [position, position + length).
  std::shared_ptr<const ByteSource> source;
  uint64_t position = 0;
  uint64_t length = 0;

  static Payload view(BytesView view) { return Payload{.bytes = view}; }
  static Payload own(Buffer buffer);
  static Payload range(std::shared_ptr<const ByteSource> source, uint64_t position, uint64_t length) {
    return Payload{.source = std::move(source), .position = position, .length = length};
  }

  bool is_file() const { return source != nullptr; }
  uint64_t size() const { return source ? length : bytes.size(); }
  // A copy in memory of all of it. A short read of the source is an error.
  Result<Buffer> to_buffer() const;

  // Memory payloads compare by content; a file payload equals only the same range of the same source.
  bool operator==(const Payload& other) const;
};

}  // namespace barnabas
