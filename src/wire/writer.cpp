#include "wire/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/varint.h"

namespace barnabas::wire {
namespace {

constexpr size_t kFirstBuffer = 256;

}  // namespace

Result<> Writer::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

void Writer::fail(std::string why) {
  if (!error_) error_ = Error{ErrorCode::kUnsupported, std::move(why)};
}

void Writer::fail_unsupported(std::string_view message, std::string_view field, int16_t version) {
  fail(fmt::format("{} version {} cannot carry {}", message, version, field));
}

std::vector<Payload> Writer::take() {
  std::vector<Payload> payloads;
  payloads.reserve(segments_.size() * 2 + 1);
  for (Segment& segment : segments_) {
    if (!segment.own.empty()) payloads.push_back(Payload::own(std::move(segment.own)));
    payloads.push_back(std::move(segment.external));
  }
  current_.resize(used_);
  if (used_ > 0) payloads.push_back(Payload::own(std::move(current_)));
  *this = Writer();
  return payloads;
}

Buffer Writer::take_contiguous() {
  current_.resize(used_);
  Buffer all;
  if (segments_.empty()) {
    all = std::move(current_);
  } else {
    all.reserve(size());
    for (const Segment& segment : segments_) {
      CHECK(!segment.external.is_file(), "a range of a file cannot be copied here");
      all.insert(all.end(), segment.own.begin(), segment.own.end());
      all.insert(all.end(), segment.external.bytes.begin(), segment.external.bytes.end());
    }
    all.insert(all.end(), current_.begin(), current_.end());
  }
  *this = Writer();
  return all;
}

void Writer::grow(size_t size) {
  current_.resize(std::max({kFirstBuffer, current_.size() * 2, used_ + size}));
}

void Writer::uvarint(uint32_t value) {
  write_uvarint(room(kVarintBytesMax), value);
  used_ += uvarint_size(value);
}

void Writer::varint(int32_t value) {
  uvarint(zigzag(value));
}

void Writer::varlong(int64_t value) {
  write_varlong(room(kVarlongBytesMax), value);
  used_ += varlong_size(value);
}

void Writer::raw(BytesView bytes) {
  if (bytes.empty()) return;
  std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  used_ += bytes.size();
}

// `size` is -1 for null.
void Writer::length(int64_t size, bool flexible, bool short_length) {
  if (size > std::numeric_limits<int32_t>::max()) {
    fail("a value is longer than 2147483647 bytes");
    size = 0;
  }
  if (flexible) {
    uvarint(static_cast<uint32_t>(size + 1));
  } else if (short_length) {
    int16(static_cast<int16_t>(size));
  } else {
    int32(static_cast<int32_t>(size));
  }
}

void Writer::string(std::string_view text, bool flexible) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int16_t>::max())) {
    fail("a string is longer than 32767 bytes");
    return;
  }
  length(static_cast<int64_t>(text.size()), flexible, true);
  raw(as_bytes(text));
}

void Writer::nullable_string(std::optional<std::string_view> text, bool flexible, bool may_be_null) {
  if (text) return string(*text, flexible);
  if (!may_be_null) fail("a string may not be null in this version");
  length(-1, flexible, true);
}

void Writer::bytes(BytesView bytes, bool flexible) {
  length(static_cast<int64_t>(bytes.size()), flexible, false);
  raw(bytes);
}

void Writer::nullable_bytes(std::optional<BytesView> value, bool flexible, bool may_be_null) {
  if (value) return bytes(*value, flexible);
  if (!may_be_null) fail("bytes may not be null in this version");
  length(-1, flexible, false);
}

void Writer::records(const Payload& records, bool flexible) {
  length(static_cast<int64_t>(records.size()), flexible, false);
  payload(records);
}

void Writer::nullable_records(const std::optional<Payload>& value, bool flexible, bool may_be_null) {
  if (value) return records(*value, flexible);
  if (!may_be_null) fail("records may not be null in this version");
  length(-1, flexible, false);
}

void Writer::payload(const Payload& payload) {
  if (payload.size() == 0) return;
  if (!payload.is_file() && payload.size() < kExternalFrom) return raw(payload.bytes);
  before_ += used_ + payload.size();
  current_.resize(used_);
  segments_.push_back({std::move(current_), payload});
  current_ = Buffer();
  used_ = 0;
}

void Writer::array(size_t count, bool flexible) {
  length(static_cast<int64_t>(count), flexible, false);
}

void Writer::null_array(bool flexible, bool may_be_null) {
  if (!may_be_null) fail("an array may not be null in this version");
  length(-1, flexible, false);
}

Writer::Tag Writer::open_tag(uint32_t number) {
  uvarint(number);
  uint8(0);  // most tagged fields are shorter than 128 bytes: one byte of length is enough
  return {used_};
}

void Writer::close_tag(Tag tag) {
  CHECK(used_ >= tag.start, "a tagged field holds no external payload");
  size_t size = used_ - tag.start;
  auto value = static_cast<uint32_t>(size);
  size_t more = uvarint_size(value) - 1;
  if (more > 0) {
    room(more);
    std::memmove(current_.data() + tag.start + more, current_.data() + tag.start, size);
    used_ += more;
  }
  write_uvarint(current_.data() + tag.start - 1, value);
}

void Writer::tag(const UnknownTag& tag) {
  uvarint(tag.number);
  uvarint(static_cast<uint32_t>(tag.bytes.size()));
  raw(tag.bytes);
}

void Writer::tags_below(const UnknownTags& tags, size_t& next, uint32_t number) {
  auto all = tags.all();
  for (; next < all.size() && all[next].number < number; ++next) tag(all[next]);
  if (next < all.size() && all[next].number == number)
    fail(fmt::format("tag {} is a known field and may not be kept as an unknown one", number));
}

void Writer::rest_of_tags(const UnknownTags& tags, size_t next) {
  for (const UnknownTag& kept : tags.all().subspan(next)) tag(kept);
}

void Writer::tags(const UnknownTags& tags) {
  uvarint(static_cast<uint32_t>(tags.size()));
  rest_of_tags(tags, 0);
}

Writer::Hole Writer::hole_int32() {
  int32(0);
  return {segments_.size(), used_ - sizeof(int32_t)};
}

void Writer::patch_int32(Hole hole, int32_t value) {
  Buffer& buffer = hole.segment < segments_.size() ? segments_[hole.segment].own : current_;
  store_be(buffer.data() + hole.offset, value);
}

}  // namespace barnabas::wire
