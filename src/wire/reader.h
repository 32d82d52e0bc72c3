// Reader: takes Kafka's primitive types from bytes that nobody has checked yet. It borrows the bytes; strings and byte
// arrays it returns are views into them.
//
// Errors stick: after the first one every read returns zero or nothing, and error() tells what was wrong and where. So
// straight code may read a whole struct and ask once at the end. A count is returned only if that many elements of the
// given least size can still follow, so a caller may reserve by it.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"

namespace barnabas::wire {

class Reader {
 public:
  explicit Reader(BytesView bytes) : begin_(bytes.data()), next_(begin_), end_(begin_ + bytes.size()) {}

  size_t position() const { return static_cast<size_t>(next_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(end_ - next_); }
  bool at_end() const { return next_ == end_; }

  bool failed() const { return error_ != nullptr; }
  // What went wrong first; to be asked only after failed(). `what` names the thing that was being read.
  Error error(std::string_view what, int16_t version) const;
  Error error(std::string_view what) const;
  // Makes the reader fail. `why` must outlive it: a literal.
  void fail(const char* why);

  int8_t int8() { return fixed<int8_t>(); }
  int16_t int16() { return fixed<int16_t>(); }
  int32_t int32() { return fixed<int32_t>(); }
  int64_t int64() { return fixed<int64_t>(); }
  uint8_t uint8() { return fixed<uint8_t>(); }
  uint16_t uint16() { return fixed<uint16_t>(); }
  uint32_t uint32() { return fixed<uint32_t>(); }
  uint64_t uint64() { return fixed<uint64_t>(); }
  double float64() { return std::bit_cast<double>(fixed<uint64_t>()); }
  bool boolean() { return fixed<int8_t>() != 0; }
  Uuid uuid();

  uint32_t uvarint();  // at most 5 bytes, as Kafka reads it
  int32_t varint();    // zigzag
  int64_t varlong();   // zigzag, at most 10 bytes

  // The next `length` bytes.
  BytesView raw(size_t length);
  // All that is left.
  BytesView rest() { return raw(remaining()); }

  // Text with its length in front: int16, or compact in flexible versions. Any negative length is null. A null where
  // none may be is an error, as is a text over 32767 bytes.
  std::string_view string(bool flexible);
  std::optional<std::string_view> nullable_string(bool flexible, bool may_be_null = true);

  // Bytes with their length in front: int32, or compact in flexible versions. Any negative length is null.
  BytesView bytes(bool flexible);
  std::optional<BytesView> nullable_bytes(bool flexible, bool may_be_null = true);

  // How many elements of at least `least_bytes` (1 or more) follow. Any negative count is null.
  uint32_t array(bool flexible, size_t least_bytes);
  std::optional<uint32_t> nullable_array(bool flexible, size_t least_bytes, bool may_be_null = true);

  // Whether a nullable struct follows.
  bool present() { return int8() >= 0; }

  // A tagged field: between open_tag() and close_tag() the reader sees only its bytes, and all of them must be read.
  struct Tag {
    uint32_t number;
    const std::byte* outer_end;
  };
  Tag open_tag();
  void close_tag(Tag tag);
  // Skips a whole section of tagged fields.
  void skip_tags();

 private:
  template <class T>
  T fixed() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail_truncated();
      return T{};
    }
    T value = load_be<T>(next_);
    next_ += sizeof(T);
    return value;
  }

  void fail_truncated();
  int32_t length(bool flexible, bool short_length);

  const std::byte* begin_;
  const std::byte* next_;
  const std::byte* end_;
  const char* error_ = nullptr;
  size_t error_position_ = 0;
};

}  // namespace barnabas::wire
