// Shape: a message of a log described as data, where everything else about messages is code: for tools that print
// records of any type and version as JSON, in Kafka's names. The shapes are generated from schema/; reading by them
// believes nothing, and allocates no more than a few times the size of the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::wire {

struct VersionRange {
  int16_t low = 0;
  int16_t high = -1;  // below low: none
  bool contains(int16_t version) const { return version >= low && version <= high; }
};

struct FieldShape {
  enum class Type : uint8_t {
    kBool,
    kInt8,
    kInt16,
    kUint16,
    kInt32,
    kUint32,
    kInt64,
    kFloat64,
    kUuid,
    kString,
    kBytes,
    kRecords,
    kStruct
  };
  std::string_view name;  // "commitTimestamp"
  Type type;
  bool array;
  VersionRange versions;
  VersionRange null;
  int16_t tag;                         // -1: none
  std::span<const FieldShape> fields;  // of kStruct
};

struct MessageShape {
  enum class Kind : uint8_t {
    kMetadata,
    kGroupKey,
    kGroupValue,
    kShareKey,
    kShareValue,
    kTransactionKey,
    kTransactionValue,
    kData
  };
  std::string_view name;  // "FeatureLevelRecord"
  Kind kind;
  int16_t type;  // of a record: its number
  VersionRange versions;
  int16_t flexible_from;
  std::span<const FieldShape> fields;
};

std::span<const MessageShape> log_record_shapes();
// Null when there is none.
const MessageShape* find_shape(MessageShape::Kind kind, int16_t type);
const MessageShape* find_shape(std::string_view name);

// The message of `version` in `bytes` as one line of JSON, as Kafka's tools print it: bytes in base64, ids as text,
// tagged fields only where they are there. Trailing bytes are ignored.
Result<std::string> shape_to_json(const MessageShape& shape, int16_t version, BytesView bytes);

}  // namespace barnabas::wire
