// Writer: puts Kafka's primitive types one after the other. Small things are copied into buffers of its own; a payload
// of 4 KiB or more, or a range of a file, is kept as it is, so that records leave without a copy.
//
// Errors stick: a value that cannot be written (a null where none may be, a field the version does not have) makes the
// writer fail, and status() tells the first such. Bytes of a failed writer are of no use.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/uuid.h"
#include "wire/unknown_tags.h"

namespace barnabas::wire {

class Writer {
 public:
  // Payloads smaller than this are copied.
  static constexpr size_t kExternalFrom = 4096;

  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  Writer(Writer&&) = default;
  Writer& operator=(Writer&&) = default;

  // All bytes so far, external ones included.
  uint64_t size() const { return before_ + used_; }
  bool failed() const { return error_.has_value(); }
  Result<> status() const;
  void fail(std::string why);
  // Fails: field `field` of `message` is set and may not be dropped, but `version` has no place for it.
  void fail_unsupported(std::string_view message, std::string_view field, int16_t version);

  // The segments in order. The writer is empty afterwards.
  std::vector<Payload> take();
  // The same, copied into one buffer. Only for what holds no range of a file.
  Buffer take_contiguous();

  void int8(int8_t value) { fixed(value); }
  void int16(int16_t value) { fixed(value); }
  void int32(int32_t value) { fixed(value); }
  void int64(int64_t value) { fixed(value); }
  void uint8(uint8_t value) { fixed(value); }
  void uint16(uint16_t value) { fixed(value); }
  void uint32(uint32_t value) { fixed(value); }
  void uint64(uint64_t value) { fixed(value); }
  void float64(double value) { fixed(std::bit_cast<uint64_t>(value)); }
  void boolean(bool value) { fixed(static_cast<int8_t>(value)); }
  void uuid(Uuid value) {
    fixed(value.most);
    fixed(value.least);
  }

  void uvarint(uint32_t value);
  void varint(int32_t value);
  void varlong(int64_t value);
  void raw(BytesView bytes);

  // See Reader for the forms. Text over 32767 bytes is an error.
  void string(std::string_view text, bool flexible);
  void nullable_string(std::optional<std::string_view> text, bool flexible, bool may_be_null = true);
  void bytes(BytesView bytes, bool flexible);
  void nullable_bytes(std::optional<BytesView> bytes, bool flexible, bool may_be_null = true);
  void records(const Payload& records, bool flexible);
  void nullable_records(const std::optional<Payload>& records, bool flexible, bool may_be_null = true);

  void array(size_t count, bool flexible);
  void null_array(bool flexible, bool may_be_null = true);
  // What precedes a nullable struct.
  void presence(bool present) { int8(present ? 1 : -1); }

  // A tagged field is what is written between open_tag() and close_tag(). It may hold no external payload.
  struct Tag {
    size_t start;
  };
  Tag open_tag(uint32_t number);
  void close_tag(Tag tag);
  // The unknown tags numbered below `number`, from the `next`-th; moves `next` past them. Fails if one is `number`.
  void tags_below(const UnknownTags& tags, size_t& next, uint32_t number);
  // A section of unknown tags only, and the end of one that began with known tags.
  void tags(const UnknownTags& tags);
  void rest_of_tags(const UnknownTags& tags, size_t next);

  // Four bytes to be filled in later with patch_int32(): a length that is not known yet.
  struct Hole {
    size_t segment;
    size_t offset;
  };
  Hole hole_int32();
  void patch_int32(Hole hole, int32_t value);

 private:
  // A run of own bytes and the external payload after it.
  struct Segment {
    Buffer own;
    Payload external;
  };

  template <class T>
  void fixed(T value) {
    store_be(room(sizeof(T)), value);
    used_ += sizeof(T);
  }
  // Where the next `size` bytes go.
  std::byte* room(size_t size) {
    if (current_.size() - used_ < size) [[unlikely]]
      grow(size);
    return current_.data() + used_;
  }
  void grow(size_t size);
  void length(int64_t size, bool flexible, bool short_length);
  void payload(const Payload& payload);
  void tag(const UnknownTag& tag);

  std::vector<Segment> segments_;
  Buffer current_;  // its first used_ bytes are written
  size_t used_ = 0;
  uint64_t before_ = 0;  // bytes in segments_
  std::optional<Error> error_;
};

}  // namespace barnabas::wire
