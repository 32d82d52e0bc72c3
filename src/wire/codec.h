// Helpers of the generated codecs, for nobody else.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "wire/field_printer.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::wire {

Error unknown_version(std::string_view message, int16_t version);

// Room for `count` elements, but not more than a small message would need: their bytes may prove bad.
template <class T>
void reserve_some(std::vector<T>& list, uint32_t count) {
  list.reserve(std::min<size_t>(count, 1024));
}

// Arrays of primitives: int8, int16, int32, int64, Uuid, std::string.
template <class T>
void read_array(Reader& in, std::vector<T>& list, bool flexible);
template <class T>
void read_array(Reader& in, std::optional<std::vector<T>>& list, bool flexible, bool may_be_null = true);
template <class T>
void write_array(Writer& out, const std::vector<T>& list, bool flexible);
template <class T>
void write_array(Writer& out, const std::optional<std::vector<T>>& list, bool flexible, bool may_be_null = true);

// Keeps what is left of the open tag `number`. Unknown tags must come in ascending order.
void keep_tag(Reader& in, uint32_t number, UnknownTags& tags);
// A whole section of tagged fields of which none is known.
void read_unknown_tags(Reader& in, UnknownTags& tags);
// Fails if there are tags: `version` has no place for them.
void refuse_tags(Writer& out, const UnknownTags& tags, std::string_view message, int16_t version);

}  // namespace barnabas::wire
