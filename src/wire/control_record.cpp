#include "wire/control_record.h"

#include "base/check.h"

namespace barnabas::wire {

namespace {

constexpr int16_t kKeyVersion = 0;
constexpr int16_t kMarkerVersion = 0;
constexpr size_t kKeySize = 4;
constexpr size_t kMarkerSize = 6;

}  // namespace

Result<ControlRecordType> decode_control_key(BytesView key) {
  if (key.size() < kKeySize) return fail(ErrorCode::kInvalid, "the key of a control record is cut short");
  if (load_be<int16_t>(key.data()) < 0) return fail(ErrorCode::kInvalid, "the key of a control record has no version");
  int16_t type = load_be<int16_t>(key.data() + 2);
  bool known = type >= static_cast<int16_t>(ControlRecordType::kAbort) &&
               type <= static_cast<int16_t>(ControlRecordType::kKRaftVoters);
  return known ? static_cast<ControlRecordType>(type) : ControlRecordType::kUnknown;
}

Buffer encode_control_key(ControlRecordType type) {
  CHECK(type != ControlRecordType::kUnknown);
  Buffer key(kKeySize);
  store_be(key.data(), kKeyVersion);
  store_be(key.data() + 2, static_cast<int16_t>(type));
  return key;
}

Result<EndTxnMarker> EndTxnMarker::decode(BytesView key, BytesView value) {
  TRY_ASSIGN(ControlRecordType type, decode_control_key(key));
  if (type != ControlRecordType::kAbort && type != ControlRecordType::kCommit) {
    return fail(ErrorCode::kInvalid, "not the end of a transaction but another control record");
  }
  if (value.size() < kMarkerSize) return fail(ErrorCode::kInvalid, "the end of a transaction is cut short");
  if (load_be<int16_t>(value.data()) < 0) return fail(ErrorCode::kInvalid, "the end of a transaction has no version");
  return EndTxnMarker{type, load_be<int32_t>(value.data() + 2)};
}

Buffer EndTxnMarker::encode_value() const {
  Buffer value(kMarkerSize);
  store_be(value.data(), kMarkerVersion);
  store_be(value.data() + 2, coordinator_epoch);
  return value;
}

Buffer encode_control_batch(const ControlBatchPlace& place, std::span<const ControlRecord> records) {
  BatchBuilder builder({.base_offset = place.base_offset, .leader_epoch = place.leader_epoch, .control = true});
  for (const ControlRecord& record : records) {
    Buffer key = encode_control_key(record.type);
    builder.add({.timestamp = place.timestamp, .key = key, .value = record.value});
  }
  return builder.build();
}

Buffer encode_end_txn_batch(const ControlBatchPlace& place, const TxnProducer& producer, const EndTxnMarker& marker) {
  BatchBuilder builder({.base_offset = place.base_offset,
                        .leader_epoch = place.leader_epoch,
                        .producer_id = producer.producer_id,
                        .producer_epoch = producer.producer_epoch,
                        .transactional = true,
                        .control = true});
  Buffer key = encode_control_key(marker.type);
  Buffer value = marker.encode_value();
  builder.add({.timestamp = place.timestamp, .key = key, .value = value});
  return builder.build();
}

}  // namespace barnabas::wire
