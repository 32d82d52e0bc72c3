// ReceiveBuffer: one connection's incoming bytes, cut into Kafka frames (int32 big-endian size, then payload). Frames
// are views kept alive by their owner, so a batch can go from here to the disk without a copy. Memory grows with the
// bytes that arrived, never with the size a frame claims, and an idle connection holds none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::net {

struct Frame {
  MutableBytes payload;  // without the size prefix; writable, since a leader rewrites batch headers in place
  std::shared_ptr<const void> owner;  // keeps `payload` alive
};

class ReceiveBuffer {
 public:
  explicit ReceiveBuffer(uint32_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  // Where the next bytes go; never empty. Then call received().
  MutableBytes space();
  void received(size_t bytes);

  // The next whole frame, nullopt when more bytes are needed. An error (negative, zero or too large size) is for good:
  // close the connection.
  Result<std::optional<Frame>> next_frame();

  // Bytes of memory held for frames not yet complete: what a memory budget counts.
  size_t held_bytes() const { return chunk_ ? capacity_ : 0; }
  // True when nothing of an incomplete frame is waiting.
  bool empty() const { return begin_ == end_; }
  // The size of the frame under way, once its prefix is there.
  std::optional<uint32_t> pending_frame_bytes() const;

 private:
  void replace_chunk(size_t capacity);

  uint32_t frame_bytes_max_;
  size_t proven_bytes_ = 0;  // the largest whole frame so far: this peer has shown that it sends what it claims
  std::shared_ptr<std::byte[]> chunk_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // first byte not yet handed out
  size_t end_ = 0;    // one past the last byte received
};

}  // namespace barnabas::net
