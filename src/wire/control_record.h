// Control records: what a coordinator or a quorum leader writes into a log between the records of clients. The key
// names the kind; the values of quorum records are encoded messages that the caller brings ready-made.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/record_batch_builder.h"

namespace barnabas::wire {

enum class ControlRecordType : int16_t {
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKRaftVersion = 5,
  kKRaftVoters = 6,
  kUnknown = -1,  // of a later Kafka: consumers skip it, brokers keep it
};

// Out of a control record's key. A key version we do not know is read as the one we do.
Result<ControlRecordType> decode_control_key(BytesView key);
Buffer encode_control_key(ControlRecordType type);

// The value of kAbort and kCommit.
struct EndTxnMarker {
  ControlRecordType type = ControlRecordType::kAbort;
  int32_t coordinator_epoch = 0;

  static Result<EndTxnMarker> decode(BytesView key, BytesView value);
  Buffer encode_value() const;
  bool operator==(const EndTxnMarker&) const = default;
};

struct ControlRecord {
  ControlRecordType type = ControlRecordType::kUnknown;
  BytesView value;  // the encoded message: i16 version and body
};

// A control batch of quorum records (LeaderChange, KRaftVersion, KRaftVoters, SnapshotHeader, SnapshotFooter), all with
// one timestamp.
struct ControlBatchPlace {
  Offset base_offset{0};
  LeaderEpoch leader_epoch = kNoEpoch;
  TimestampMs timestamp = kNoTimestamp;
};
Buffer encode_control_batch(const ControlBatchPlace& place, std::span<const ControlRecord> records);

// The batch of one marker that ends a transaction of `producer_id`.
struct TxnProducer {
  ProducerId producer_id = kNoProducerId;
  int16_t producer_epoch = kNoProducerEpoch;
};
Buffer encode_end_txn_batch(const ControlBatchPlace& place, const TxnProducer& producer, const EndTxnMarker& marker);

}  // namespace barnabas::wire
