// What a leader says to the records of one partition in a Produce request, before it looks at the producer's state: a
// pure function with Kafka's outcome (error code, per-record errors) or the batch to append. Kafka's order of checks is
// kept, so a batch with several faults gets the same answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "wire/compression.h"
#include "wire/record_batch.h"

namespace barnabas::wire {

enum class KafkaError : int16_t;

enum class Strictness {
  // Every compressed batch is opened and each record checked, as Kafka does.
  kStrict,
  // A compressed batch is opened only where the outcome needs it: a compacted topic, another codec, a lower bound for
  // timestamps, a header whose times are not plausible. Otherwise its header is believed.
  kTrustCompressed,
};

// The settings of a topic that a batch is judged by.
struct BatchPolicy {
  std::optional<Compression> compression{};  // absent: compression.type=producer
  TimestampType timestamp_type = TimestampType::kCreateTime;
  int64_t timestamp_before_max_ms = INT64_MAX;
  int64_t timestamp_after_max_ms = 3'600'000;
  bool compacted = false;
  int32_t max_message_bytes = 1'048'588;
  int32_t segment_bytes = 1'073'741'824;
  Strictness strictness = Strictness::kStrict;
};

struct ProduceContext {
  TimestampMs now = 0;
  int16_t api_version = 9;
};

struct BatchRecordError {
  int32_t batch_index = 0;
  std::string message;

  bool operator==(const BatchRecordError&) const = default;
};

enum class HeaderRewrite {
  kNone,
  kMaxTimestamp,        // the header's maximum was not that of the records
  kLogAppendTime,       // the topic wants the broker's time
  kClearLogAppendTime,  // the client claimed LogAppendTime on a CreateTime topic
};

struct BatchVerdict {
  KafkaError error{};  // kNone: accepted
  std::optional<std::string> error_message{};
  std::vector<BatchRecordError> record_errors{};
  // A refusal so early that Kafka's answer has no log start offset (-1 instead).
  bool refused_before_log = false;

  // The rest is of an accepted batch.
  BatchHeader header{};  // as it will be stored, but for base offset, leader epoch and checksum
  BytesView original{};  // the client's batch, without anything that came after it; empty when rebuilt
  Buffer rebuilt{};      // with another codec; its timestamps are final
  HeaderRewrite rewrite = HeaderRewrite::kNone;
  bool opened = false;  // its records were looked at, so header.max_timestamp is true

  bool accepted() const { return error == KafkaError{}; }
  BytesView bytes() const { return rebuilt.empty() ? original : BytesView(rebuilt); }
  // Makes a copy of bytes() that the caller owns ready for the log: timestamps, offset, leader epoch. The checksum is
  // right after it.
  void stamp(MutableBytes copy, Offset base, LeaderEpoch epoch) const;
};

// `records` as they are in the request. The transactional bit, sequences and duplicates are the caller's business.
BatchVerdict validate_batch(BytesView records, const BatchPolicy& policy, const ProduceContext& context);

}  // namespace barnabas::wire
