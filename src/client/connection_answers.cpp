#include "client/connection_answers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace barnabas::client {

namespace {
constexpr size_t kPrefixBytes = 4;
constexpr size_t kInboxBytes = 32 << 10;
// Read at once of a large answer: so much is cleared, filled by the kernel and still in the processor's cache.
constexpr size_t kStepBytes = 256 << 10;
constexpr size_t kAnswerBytesMin = 4;  // the correlation id
}  // namespace

MutableBytes AnswerBuffer::space() {
  if (large_) {
    size_t step = std::min(large_bytes_ - large_received_, kStepBytes);
    size_t wanted = large_received_ + step;
    if (large_->capacity() < wanted) {
      large_->reserve(std::min(large_bytes_, std::max({wanted, 2 * large_received_, proven_bytes_})));
    }
    large_->resize(wanted);
    return MutableBytes(*large_).subspan(large_received_);
  }
  if (!inbox_) inbox_ = std::make_unique_for_overwrite<std::byte[]>(kInboxBytes);
  if (begin_ > 0) {
    // What is left is the beginning of one answer.
    std::memmove(inbox_.get(), inbox_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  CHECK(end_ < kInboxBytes);
  return {inbox_.get() + end_, kInboxBytes - end_};
}

void AnswerBuffer::received(size_t bytes) {
  if (large_) {
    large_received_ += bytes;
    CHECK(large_received_ <= large_bytes_);
  } else {
    end_ += bytes;
    CHECK(end_ <= kInboxBytes);
  }
}

barnabas::Result<std::shared_ptr<const Buffer>> AnswerBuffer::next() {
  if (large_) {
    if (large_received_ < large_bytes_) return nullptr;
    proven_bytes_ = std::max(proven_bytes_, large_bytes_);
    return std::exchange(large_, nullptr);
  }
  size_t there = end_ - begin_;
  if (there < kPrefixBytes) return nullptr;
  const std::byte* prefix = inbox_.get() + begin_;
  auto claimed = load_be<int32_t>(prefix);
  if (claimed < static_cast<int32_t>(kAnswerBytesMin) || static_cast<size_t>(claimed) > answer_bytes_max_) {
    return fail(ErrorCode::kInvalid, "an answer of " + std::to_string(claimed) + " bytes");
  }
  auto size = static_cast<size_t>(claimed);
  size_t arrived = std::min(there - kPrefixBytes, size);
  if (arrived < size && kPrefixBytes + size <= kInboxBytes) return nullptr;
  const std::byte* payload = prefix + kPrefixBytes;
  begin_ += kPrefixBytes + arrived;
  if (arrived == size) return std::make_shared<const Buffer>(payload, payload + size);
  large_ = std::make_shared<Buffer>(payload, payload + arrived);
  large_bytes_ = size;
  large_received_ = arrived;
  return nullptr;
}

size_t AnswerBuffer::held_bytes() const {
  return (inbox_ ? kInboxBytes : 0) + (large_ ? large_->capacity() : 0);
}

}  // namespace barnabas::client
