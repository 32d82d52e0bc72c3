// Records of the coordinators' logs (__consumer_offsets, __share_group_state, __transaction_state). A key is an int16
// type and its fields; a value is an int16 version and its fields, of the type its key says. A type this build does not
// know is a value of its own (UnknownRecord), not an error: a log may hold records of a later Kafka.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "wire/messages/group_coordinator_records.h"
#include "wire/messages/share_coordinator_records.h"
#include "wire/messages/transaction_coordinator_records.h"
#include "wire/writer.h"

namespace barnabas::wire {

// Trailing bytes of a key or value are ignored, as Kafka does.
Result<GroupCoordinatorKey> decode_group_key(BytesView key);
Result<ShareCoordinatorKey> decode_share_key(BytesView key);
Result<TransactionCoordinatorKey> decode_transaction_key(BytesView key);

// The value that belongs to a key of type `type` (record_type() of it).
Result<GroupCoordinatorValue> decode_group_value(int16_t type, BytesView value);
Result<ShareCoordinatorValue> decode_share_value(int16_t type, BytesView value);
Result<TransactionCoordinatorValue> decode_transaction_value(int16_t type, BytesView value);

template <class... Records>
int16_t record_type(const std::variant<UnknownRecord, Records...>& record) {
  return std::visit(
      []<class Record>(const Record& typed) -> int16_t {
        if constexpr (requires { typed.type; }) {
          return typed.type;
        } else {
          return Record::kRecordType;
        }
      },
      record);
}

template <class Key>
Result<Buffer> encode_coordinator_key(const Key& key) {
  Writer out;
  out.int16(Key::kRecordType);
  TRY(key.encode(out, Key::kMinVersion));
  return out.take_contiguous();
}

template <class Value>
Result<Buffer> encode_coordinator_value(const Value& value, int16_t version) {
  Writer out;
  out.int16(version);
  TRY(value.encode(out, version));
  return out.take_contiguous();
}

}  // namespace barnabas::wire
