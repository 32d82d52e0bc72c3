#include "net/receive_buffer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"

namespace barnabas::net {

namespace {
constexpr size_t kSmallChunkBytes = 16 << 10;
constexpr size_t kLargeChunkBytes = 256 << 10;
constexpr size_t kPrefixBytes = 4;
}  // namespace

std::optional<uint32_t> ReceiveBuffer::pending_frame_bytes() const {
  if (end_ - begin_ < kPrefixBytes) return std::nullopt;
  return load_be<uint32_t>(chunk_.get() + begin_);
}

void ReceiveBuffer::replace_chunk(size_t capacity) {
  size_t kept = end_ - begin_;
  CHECK(kept <= capacity);
  auto chunk = std::make_shared_for_overwrite<std::byte[]>(capacity);
  if (kept > 0) std::memcpy(chunk.get(), chunk_.get() + begin_, kept);
  chunk_ = std::move(chunk);
  capacity_ = capacity;
  begin_ = 0;
  end_ = kept;
}

MutableBytes ReceiveBuffer::space() {
  size_t kept = end_ - begin_;
  if (chunk_ && chunk_.use_count() == 1 && kept == 0) begin_ = end_ = 0;
  if (!chunk_) replace_chunk(kSmallChunkBytes);
  if (end_ == capacity_) {
    // Full. What is kept belongs to one incomplete frame: make room for it, at most doubling what has really arrived.
    size_t wanted = kSmallChunkBytes;
    if (auto frame = pending_frame_bytes()) {
      size_t whole = kPrefixBytes + *frame;
      wanted = std::min(std::max(whole, kSmallChunkBytes), std::max({2 * kept, kLargeChunkBytes, proven_bytes_}));
    }
    replace_chunk(std::max(wanted, kept + kPrefixBytes));
  }
  return {chunk_.get() + end_, capacity_ - end_};
}

void ReceiveBuffer::received(size_t bytes) {
  end_ += bytes;
  CHECK(end_ <= capacity_);
}

Result<std::optional<Frame>> ReceiveBuffer::next_frame() {
  auto size = pending_frame_bytes();
  if (!size) {
    // An idle connection keeps no memory.
    if (begin_ == end_ && chunk_) {
      chunk_.reset();
      capacity_ = begin_ = end_ = 0;
    }
    return std::nullopt;
  }
  auto claimed = static_cast<int32_t>(*size);
  if (claimed <= 0 || *size > frame_bytes_max_) {
    return fail(ErrorCode::kInvalid, "a frame of " + std::to_string(claimed) + " bytes (1 to " +
                                         std::to_string(frame_bytes_max_) + " are allowed)");
  }
  if (end_ - begin_ - kPrefixBytes < *size) return std::nullopt;
  Frame frame{.payload = {chunk_.get() + begin_ + kPrefixBytes, *size}, .owner = chunk_};
  begin_ += kPrefixBytes + *size;
  proven_bytes_ = std::max(proven_bytes_, kPrefixBytes + *size);
  return frame;
}

}  // namespace barnabas::net
