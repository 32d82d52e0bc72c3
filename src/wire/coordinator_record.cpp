#include "wire/coordinator_record.h"

#include <utility>

#include "wire/reader.h"

namespace barnabas::wire {
namespace {

// Decodes the alternative of `Variant` whose kRecordType is `type`; the first alternative is UnknownRecord.
template <class Variant, size_t I = 1>
Result<Variant> decode_type(int16_t type, Reader& in, int16_t version) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return Variant(UnknownRecord{type});
  } else {
    using Record = std::variant_alternative_t<I, Variant>;
    if (Record::kRecordType != type) return decode_type<Variant, I + 1>(type, in, version);
    TRY_ASSIGN(Record record, Record::decode(in, version));
    return Variant(std::in_place_index<I>, std::move(record));
  }
}

template <class Key>
Result<Key> decode_key(BytesView bytes) {
  Reader in(bytes);
  int16_t type = in.int16();
  if (in.failed()) return std::unexpected(in.error("key of a coordinator record"));
  return decode_type<Key>(type, in, 0);
}

template <class Value>
Result<Value> decode_value(int16_t type, BytesView bytes) {
  Reader in(bytes);
  int16_t version = in.int16();
  if (in.failed()) return std::unexpected(in.error("value of a coordinator record"));
  return decode_type<Value>(type, in, version);
}

}  // namespace

Result<GroupCoordinatorKey> decode_group_key(BytesView key) {
  return decode_key<GroupCoordinatorKey>(key);
}
Result<ShareCoordinatorKey> decode_share_key(BytesView key) {
  return decode_key<ShareCoordinatorKey>(key);
}
Result<TransactionCoordinatorKey> decode_transaction_key(BytesView key) {
  return decode_key<TransactionCoordinatorKey>(key);
}

Result<GroupCoordinatorValue> decode_group_value(int16_t type, BytesView value) {
  return decode_value<GroupCoordinatorValue>(type, value);
}
Result<ShareCoordinatorValue> decode_share_value(int16_t type, BytesView value) {
  return decode_value<ShareCoordinatorValue>(type, value);
}
Result<TransactionCoordinatorValue> decode_transaction_value(int16_t type, BytesView value) {
  return decode_value<TransactionCoordinatorValue>(type, value);
}

}  // namespace barnabas::wire
