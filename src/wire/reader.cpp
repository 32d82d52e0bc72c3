#include "wire/reader.h"

#include <fmt/format.h>

#include <limits>

#include "base/varint.h"

namespace barnabas::wire {

namespace {
// Elements in memory are larger than their least form in a frame: so many are more than anybody means.
constexpr uint32_t kElementsMax = 1'000'000;
}  // namespace

Error Reader::error(std::string_view what, int16_t version) const {
  return {ErrorCode::kInvalid,
          fmt::format("{} version {}: {} at byte {}", what, version, error_ ? error_ : "no error", error_position_)};
}

Error Reader::error(std::string_view what) const {
  return {ErrorCode::kInvalid, fmt::format("{}: {} at byte {}", what, error_ ? error_ : "no error", error_position_)};
}

void Reader::fail(const char* why) {
  if (!error_) {
    error_ = why;
    error_position_ = position();
  }
  end_ = next_;  // nothing can be read any more
}

void Reader::fail_truncated() {
  fail("the bytes end too early");
}

Uuid Reader::uuid() {
  uint64_t most = uint64();
  uint64_t least = uint64();
  return {most, least};
}

uint32_t Reader::uvarint() {
  VarintCursor cursor({next_, end_});
  uint32_t value = 0;
  if (!read_uvarint(cursor, value)) fail("a varint is cut short or longer than 5 bytes");
  next_ = cursor.at;
  return value;
}

int32_t Reader::varint() {
  return unzigzag(uvarint());
}

int64_t Reader::varlong() {
  VarintCursor cursor({next_, end_});
  int64_t value = 0;
  if (!read_varlong(cursor, value)) fail("a varlong is cut short or longer than 10 bytes");
  next_ = cursor.at;
  return value;
}

BytesView Reader::raw(size_t length) {
  if (length > remaining()) [[unlikely]] {
    fail_truncated();
    return {};
  }
  BytesView view(next_, length);
  next_ += length;
  return view;
}

// A length or count: negative means null. Compact ones are stored plus one and may wrap, as in Kafka.
int32_t Reader::length(bool flexible, bool short_length) {
  if (flexible) return static_cast<int32_t>(uvarint() - 1U);
  return short_length ? int16() : int32();
}

std::string_view Reader::string(bool flexible) {
  auto text = nullable_string(flexible, false);
  return text ? *text : std::string_view();
}

std::optional<std::string_view> Reader::nullable_string(bool flexible, bool may_be_null) {
  int32_t size = length(flexible, true);
  if (failed()) return std::nullopt;
  if (size < 0) {
    if (!may_be_null) fail("a string may not be null");
    return std::nullopt;
  }
  if (size > std::numeric_limits<int16_t>::max()) {
    fail("a string is longer than 32767 bytes");
    return std::nullopt;
  }
  return as_text(raw(static_cast<size_t>(size)));
}

BytesView Reader::bytes(bool flexible) {
  auto view = nullable_bytes(flexible, false);
  return view ? *view : BytesView();
}

std::optional<BytesView> Reader::nullable_bytes(bool flexible, bool may_be_null) {
  int32_t size = length(flexible, false);
  if (failed()) return std::nullopt;
  if (size < 0) {
    if (!may_be_null) fail("bytes may not be null");
    return std::nullopt;
  }
  return raw(static_cast<size_t>(size));
}

uint32_t Reader::array(bool flexible, size_t least_bytes) {
  return nullable_array(flexible, least_bytes, false).value_or(0);
}

std::optional<uint32_t> Reader::nullable_array(bool flexible, size_t least_bytes, bool may_be_null) {
  int32_t count = length(flexible, false);
  if (failed()) return std::nullopt;
  if (count < 0) {
    if (!may_be_null) fail("an array may not be null");
    return std::nullopt;
  }
  auto size = static_cast<uint32_t>(count);
  if (size > kElementsMax) {
    fail("an array claims more than a million elements");
    return std::nullopt;
  }
  if (size > remaining() / least_bytes) {
    fail("an array claims more elements than there are bytes for");
    return std::nullopt;
  }
  return size;
}

Reader::Tag Reader::open_tag() {
  uint32_t number = uvarint();
  uint32_t size = uvarint();
  if (size > remaining()) fail_truncated();
  Tag tag{number, end_};
  if (!failed()) end_ = next_ + size;
  return tag;
}

void Reader::close_tag(Tag tag) {
  if (!at_end()) fail("a tagged field is longer than its value");
  if (!failed()) end_ = tag.outer_end;
}

void Reader::skip_tags() {
  for (uint32_t left = uvarint(); left > 0 && !failed(); --left) {
    Tag tag = open_tag();
    rest();
    close_tag(tag);
  }
}

}  // namespace barnabas::wire
