#include "wire/metadata_record.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::wire {
namespace {

constexpr uint32_t kFrameVersion = 1;

template <class Record>
Result<MetadataRecord> decode_as(Reader& in, int16_t version) {
  TRY_ASSIGN(Record record, Record::decode(in, version));
  return MetadataRecord(std::move(record));
}

struct Type {
  uint32_t key;
  Result<MetadataRecord> (*decode)(Reader& in, int16_t version);
};

template <class... Records>
constexpr std::array<Type, sizeof...(Records)> types_of(const std::variant<Records...>*) {
  return {Type{Records::kApiKey, decode_as<Records>}...};
}

constexpr auto kTypes = types_of(static_cast<const MetadataRecord*>(nullptr));

}  // namespace

Result<MetadataRecord> decode_metadata_record(BytesView value) {
  Reader in(value);
  uint32_t frame = in.uvarint();
  uint32_t key = in.uvarint();
  uint32_t version = in.uvarint();
  if (in.failed()) return std::unexpected(in.error("metadata record"));
  if (frame != kFrameVersion) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("metadata record has frame version {}, not {}", frame, kFrameVersion));
  }
  for (const Type& type : kTypes) {
    if (type.key != key) continue;
    if (version > static_cast<uint32_t>(std::numeric_limits<int16_t>::max())) {
      return fail(ErrorCode::kUnsupported, fmt::format("metadata record of type {} has version {}", key, version));
    }
    TRY_ASSIGN(MetadataRecord record, type.decode(in, static_cast<int16_t>(version)));
    if (!in.at_end()) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} bytes are left after {}", in.remaining(), metadata_record_name(record)));
    }
    return record;
  }
  return fail(ErrorCode::kUnsupported, fmt::format("metadata record has unknown type {}", key));
}

Buffer encode_metadata_record(const MetadataRecord& record, int16_t version) {
  Writer out;
  out.uvarint(kFrameVersion);
  std::visit(
      [&](const auto& typed) {
        out.uvarint(static_cast<uint32_t>(typed.kApiKey));
        out.uvarint(static_cast<uint32_t>(version));
        Result<> done = typed.encode(out, version);
        CHECK(done.has_value(), "a metadata record must fit into the version it is written in");
      },
      record);
  return out.take_contiguous();
}

std::string_view metadata_record_name(const MetadataRecord& record) {
  return std::visit([](const auto& typed) { return typed.kName; }, record);
}

std::string to_string(const MetadataRecord& record) {
  return std::visit([](const auto& typed) { return typed.to_string(); }, record);
}

}  // namespace barnabas::wire
