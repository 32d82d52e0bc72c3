// AnswerBuffer: what a broker sends, cut into answers, each in one Buffer of its own: small ones are copied out of a
// shared inbox, large ones are read where they stay. Memory grows with the bytes that arrived, not with the size that
// a peer claims, until it has shown that it sends what it claims.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::client {

class AnswerBuffer {
 public:
  explicit AnswerBuffer(size_t answer_bytes_max) : answer_bytes_max_(answer_bytes_max) {}

  // Where the next bytes go; never empty. Then call received().
  MutableBytes space();
  void received(size_t bytes);
  // The next whole answer, without its length; null while more bytes are needed. An error is for good; `unread()` then
  // shows the bytes that are none of Kafka's.
  barnabas::Result<std::shared_ptr<const Buffer>> next();

  BytesView unread() const { return {inbox_.get() + begin_, end_ - begin_}; }
  // For answers that begin from now on.
  void set_answer_bytes_max(size_t bytes) { answer_bytes_max_ = bytes; }
  size_t held_bytes() const;

 private:
  size_t answer_bytes_max_;
  size_t proven_bytes_ = 0;  // the largest whole answer so far
  std::unique_ptr<std::byte[]> inbox_;
  size_t begin_ = 0;  // first byte not yet handed out
  size_t end_ = 0;    // one past the last byte received
  // An answer too large for the inbox: its buffer is as long as what arrived and what space() gave.
  std::shared_ptr<Buffer> large_;
  size_t large_bytes_ = 0;
  size_t large_received_ = 0;
};

}  // namespace barnabas::client
