#include "wire/codec.h"

#include <fmt/format.h>

namespace barnabas::wire {
namespace {

void read_element(Reader& in, int8_t& to, bool) {
  to = in.int8();
}
void read_element(Reader& in, int16_t& to, bool) {
  to = in.int16();
}
void read_element(Reader& in, int32_t& to, bool) {
  to = in.int32();
}
void read_element(Reader& in, int64_t& to, bool) {
  to = in.int64();
}
void read_element(Reader& in, Uuid& to, bool) {
  to = in.uuid();
}
void read_element(Reader& in, std::string& to, bool flexible) {
  to = in.string(flexible);
}

void write_element(Writer& out, int8_t value, bool) {
  out.int8(value);
}
void write_element(Writer& out, int16_t value, bool) {
  out.int16(value);
}
void write_element(Writer& out, int32_t value, bool) {
  out.int32(value);
}
void write_element(Writer& out, int64_t value, bool) {
  out.int64(value);
}
void write_element(Writer& out, Uuid value, bool) {
  out.uuid(value);
}
void write_element(Writer& out, const std::string& value, bool flexible) {
  out.string(value, flexible);
}

template <class T>
size_t least_bytes(bool flexible) {
  if constexpr (std::is_same_v<T, std::string>) return flexible ? 1 : 2;
  return sizeof(T);
}

template <class T>
void read_elements(Reader& in, std::vector<T>& list, uint32_t count, bool flexible) {
  list.clear();
  reserve_some(list, count);
  for (; count > 0 && !in.failed(); --count) read_element(in, list.emplace_back(), flexible);
}

}  // namespace

Error unknown_version(std::string_view message, int16_t version) {
  return {ErrorCode::kUnsupported, fmt::format("{} has no version {}", message, version)};
}

template <class T>
void read_array(Reader& in, std::vector<T>& list, bool flexible) {
  read_elements(in, list, in.array(flexible, least_bytes<T>(flexible)), flexible);
}

template <class T>
void read_array(Reader& in, std::optional<std::vector<T>>& list, bool flexible, bool may_be_null) {
  auto count = in.nullable_array(flexible, least_bytes<T>(flexible), may_be_null);
  if (!count) return list.reset();
  read_elements(in, list.emplace(), *count, flexible);
}

template <class T>
void write_array(Writer& out, const std::vector<T>& list, bool flexible) {
  out.array(list.size(), flexible);
  for (const T& value : list) write_element(out, value, flexible);
}

template <class T>
void write_array(Writer& out, const std::optional<std::vector<T>>& list, bool flexible, bool may_be_null) {
  if (!list) return out.null_array(flexible, may_be_null);
  write_array(out, *list, flexible);
}

#define BARNABAS_ARRAY_OF(T)                                                     \
  template void read_array(Reader&, std::vector<T>&, bool);                      \
  template void read_array(Reader&, std::optional<std::vector<T>>&, bool, bool); \
  template void write_array(Writer&, const std::vector<T>&, bool);               \
  template void write_array(Writer&, const std::optional<std::vector<T>>&, bool, bool)
BARNABAS_ARRAY_OF(int8_t);
BARNABAS_ARRAY_OF(int16_t);
BARNABAS_ARRAY_OF(int32_t);
BARNABAS_ARRAY_OF(int64_t);
BARNABAS_ARRAY_OF(Uuid);
BARNABAS_ARRAY_OF(std::string);
#undef BARNABAS_ARRAY_OF

void keep_tag(Reader& in, uint32_t number, UnknownTags& tags) {
  if (!tags.empty() && tags.all().back().number >= number) in.fail("tagged fields are not in ascending order");
  BytesView bytes = in.rest();
  if (!in.failed()) tags.set(number, bytes);
}

void read_unknown_tags(Reader& in, UnknownTags& tags) {
  for (uint32_t left = in.uvarint(); left > 0 && !in.failed(); --left) {
    const Reader::Tag tag = in.open_tag();
    keep_tag(in, tag.number, tags);
    in.close_tag(tag);
  }
}

void refuse_tags(Writer& out, const UnknownTags& tags, std::string_view message, int16_t version) {
  if (!tags.empty()) out.fail_unsupported(message, "tagged fields", version);
}

}  // namespace barnabas::wire
