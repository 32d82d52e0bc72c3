#include "wire/batch_validator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wire/kafka_error.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {

namespace {

constexpr int16_t kFirstVersionWithZstd = 7;
constexpr size_t kErrorsMax = 1000;
// A batch may decompress to the larger of both.
constexpr uint64_t kPlainMin = uint64_t{128} << 20;
constexpr uint64_t kPlainTimes = 16;     // times max.message.bytes
constexpr int32_t kSmallestLength = 14;  // of a message of the oldest format; Kafka takes less for damage
constexpr size_t kLengthAt = 8;
constexpr size_t kMagicAt = 16;

// A refusal on its way up; `raised` is false where all is well so far.
struct Refusal {
  KafkaError error = KafkaError::kNone;
  std::string message;
  bool before_log = false;

  bool raised() const { return error != KafkaError::kNone; }
};

Refusal refuse(KafkaError error, std::string message = {}) {
  return {error, std::move(message), false};
}
Refusal refuse_before_log(KafkaError error, std::string message = {}) {
  return {error, std::move(message), true};
}

enum class Found { kBatch, kNothing, kDamage };

// How Kafka walks the bytes of a request: what is too short for a batch is as if it were not there, a length or magic
// that nothing has is damage. The size of a batch found goes to `size`.
Found find_batch(BytesView bytes, size_t& size, std::string& damage) {
  if (bytes.size() < kLogOverhead) return Found::kNothing;
  int32_t length = load_be<int32_t>(bytes.data() + kLengthAt);
  if (length < kSmallestLength) {
    damage = "The length of a record batch is " + std::to_string(length) + ", less than any can have.";
    return Found::kDamage;
  }
  if (bytes.size() <= kMagicAt) return Found::kNothing;
  int8_t magic = load_be<int8_t>(bytes.data() + kMagicAt);
  if (magic < 0 || magic > kBatchMagic) {
    damage = "No record batch has the magic " + std::to_string(magic) + ".";
    return Found::kDamage;
  }
  size = kLogOverhead + static_cast<size_t>(length);
  return size <= bytes.size() ? Found::kBatch : Found::kNothing;
}

// Whether the request brings what Kafka wants there: one batch of the current format. It goes to `batch`.
Refusal take_single_batch(BytesView records, const ProduceContext& context, BytesView& batch) {
  size_t size = 0;
  std::string damage;
  Found found = find_batch(records, size, damage);
  if (found == Found::kDamage) return refuse_before_log(KafkaError::kCorruptMessage, damage);
  if (found == Found::kNothing) return refuse_before_log(KafkaError::kInvalidRecord);
  batch = records.first(size);
  if (load_be<int8_t>(batch.data() + kMagicAt) != kBatchMagic) return refuse_before_log(KafkaError::kInvalidRecord);
  if (batch.size() < kBatchOverhead) return refuse_before_log(KafkaError::kCorruptMessage);
  if (context.api_version < kFirstVersionWithZstd) {
    int16_t attributes = load_be<int16_t>(batch.data() + kBatchCrcStart);
    if (static_cast<Codec>(attributes & kCodecBits) == Codec::kZstd) {
      return refuse_before_log(KafkaError::kUnsupportedCompressionType);
    }
  }
  found = find_batch(records.subspan(size), size, damage);
  if (found == Found::kDamage) return refuse_before_log(KafkaError::kCorruptMessage, damage);
  if (found == Found::kBatch) return refuse_before_log(KafkaError::kInvalidRecord);
  return {};
}

// What the header alone tells, in Kafka's order.
Refusal check_header(const BatchHeader& header, BytesView batch, const BatchPolicy& policy) {
  if (header.base_offset != 0) return refuse(KafkaError::kInvalidRecord);
  if (batch.size() > static_cast<size_t>(std::max(policy.max_message_bytes, 0))) {
    return refuse_before_log(KafkaError::kMessageTooLarge);
  }
  if (!crc_matches(batch)) return refuse_before_log(KafkaError::kCorruptMessage);
  if (header.compression() > Codec::kZstd) return refuse(KafkaError::kUnknownServerError);
  bool counts_agree = int64_t{header.last_offset_delta} + 1 == header.record_count && header.record_count > 0;
  if (!counts_agree || header.is_control()) return refuse(KafkaError::kInvalidRecord);
  if (header.has_producer_id() && header.base_sequence < 0) return refuse(KafkaError::kInvalidRecord);
  return {};
}

int64_t wrapping_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t wrapping_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

bool out_of_range(TimestampMs timestamp, const BatchPolicy& policy, TimestampMs now) {
  int64_t age = wrapping_difference(now, timestamp);
  return age > policy.timestamp_before_max_ms || wrapping_difference(0, age) > policy.timestamp_after_max_ms;
}

std::string range_message(TimestampMs timestamp, const BatchPolicy& policy, TimestampMs now) {
  return "The timestamp " + std::to_string(timestamp) + " is not between " +
         std::to_string(wrapping_difference(now, policy.timestamp_before_max_ms)) + " and " +
         std::to_string(wrapping_sum(now, policy.timestamp_after_max_ms)) + ", which the topic allows.";
}

// Judges the records one by one; collects every fault, since the client is told all of them.
class RecordJudge {
 public:
  RecordJudge(const BatchHeader& header, const BatchPolicy& policy, TimestampMs now)
      : header_(header), policy_(policy), now_(now) {}

  void judge(int32_t index, const RecordView& record) {
    TimestampMs timestamp = header_.record_timestamp(record.timestamp_delta);
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    contiguous_ &= record.offset_delta == index;
    negative_time_ |= timestamp < kNoTimestamp;
    if (policy_.compacted && !record.key) {
      errors_.push_back({index, "A compacted topic takes no record without a key."});
    } else if (policy_.timestamp_type == TimestampType::kCreateTime && timestamp != kNoTimestamp) {
      if (out_of_range(timestamp, policy_, now_)) bad_time(index, range_message(timestamp, policy_, now_));
    } else if (header_.timestamp_type() == TimestampType::kLogAppendTime) {
      bad_time(index, "A producer must not set the timestamp type LogAppendTime.");
    }
  }

  TimestampMs max_timestamp() const { return max_timestamp_; }
  bool contiguous() const { return contiguous_; }
  bool has_errors() const { return !errors_.empty(); }
  // More faults are not told: a small batch can hold millions.
  bool full() const { return errors_.size() >= kErrorsMax; }

  bool has_negative_time() const { return negative_time_; }

  void report(BatchVerdict& verdict) {
    verdict.error = any_bad_time_ ? KafkaError::kInvalidTimestamp : KafkaError::kInvalidRecord;
    verdict.error_message =
        any_bad_time_ ? "Records were refused for their timestamps."
                      : std::to_string(errors_.size()) + " of the batch's records were refused: " + errors_[0].message;
    verdict.record_errors = std::move(errors_);
  }

 private:
  void bad_time(int32_t index, std::string message) {
    any_bad_time_ = true;
    errors_.push_back({index, std::move(message)});
  }

  const BatchHeader& header_;
  const BatchPolicy& policy_;
  TimestampMs now_;
  TimestampMs max_timestamp_ = kNoTimestamp;
  bool contiguous_ = true;
  bool any_bad_time_ = false;
  bool negative_time_ = false;
  std::vector<BatchRecordError> errors_;
};

// Records whose number or lengths are wrong are the client's fault; compressed data that cannot be opened Kafka did not
// foresee, and answers as it answers its own failures.
Refusal refusal_of(const Error& error) {
  return refuse(error.code == ErrorCode::kInvalid ? KafkaError::kInvalidRecord : KafkaError::kUnknownServerError);
}

// Whether a compressed batch may be taken on its header's word.
bool believable(const BatchHeader& header, const BatchPolicy& policy, TimestampMs now) {
  if (policy.strictness == Strictness::kStrict || !header.is_compressed() || policy.compacted) return false;
  if (header.timestamp_type() == TimestampType::kLogAppendTime) return false;
  if (policy.timestamp_type == TimestampType::kLogAppendTime) return true;
  return policy.timestamp_before_max_ms == INT64_MAX && header.max_timestamp >= header.base_timestamp &&
         !out_of_range(header.max_timestamp, policy, now);
}

BatchOptions rebuilt_options(const BatchHeader& header, const BatchPolicy& policy, TimestampMs now) {
  return {.compression = *policy.compression,
          .producer_id = ProducerId(header.producer_id),
          .producer_epoch = header.producer_epoch,
          .base_sequence = header.base_sequence,
          .log_append_time = policy.timestamp_type == TimestampType::kLogAppendTime ? std::optional(now) : std::nullopt,
          .transactional = header.is_transactional()};
}

// What Kafka passes in a batch that it keeps, but stumbles over when it makes it anew.
bool rebuildable(const BatchHeader& header, const RecordJudge& judge) {
  if (judge.has_negative_time()) return false;
  if (header.producer_id == kNoProducerId.value) return !header.is_transactional();
  return header.producer_epoch != kNoProducerEpoch && header.base_sequence >= 0;
}

// Looks at every record and, with a builder, copies it on the way. Goes on behind a fault, to tell all of them, and
// behind the size limit (which Kafka checks last), but copies no more then.
Refusal walk_records(const BatchHeader& header, BytesView batch, RecordJudge& judge, BatchBuilder* builder,
                     size_t size_max) {
  auto want = builder ? RecordIterator::Want::kAll : RecordIterator::Want::kShape;
  RecordIterator records(header, batch, want, {.batch_bytes = std::max(kPlainMin, kPlainTimes * size_max)});
  RecordView record;
  for (int32_t index = 0; records.next(record); ++index) {
    judge.judge(index, record);
    if (judge.full()) return {};
    if (builder && !judge.has_errors() && builder->written_size() <= size_max) {
      builder->add({.timestamp = header.record_timestamp(record.timestamp_delta),
                    .key = record.key,
                    .value = record.value,
                    .read_headers = record.headers});
    }
  }
  if (records.beyond_limits()) return refuse_before_log(KafkaError::kMessageTooLarge);
  auto status = records.status();
  return status ? Refusal{} : refusal_of(status.error());
}

// What of the header must change for an unchanged batch.
HeaderRewrite rewrite_for(const BatchHeader& header, TimestampType type, TimestampMs max_timestamp) {
  if (header.timestamp_type() == type && header.max_timestamp == max_timestamp) return HeaderRewrite::kNone;
  if (type == TimestampType::kLogAppendTime) return HeaderRewrite::kLogAppendTime;
  return header.timestamp_type() == type ? HeaderRewrite::kMaxTimestamp : HeaderRewrite::kClearLogAppendTime;
}

BatchVerdict refused(Refusal refusal) {
  BatchVerdict verdict;
  verdict.error = refusal.error;
  if (!refusal.message.empty()) verdict.error_message = std::move(refusal.message);
  verdict.refused_before_log = refusal.before_log;
  return verdict;
}

void accept_unchanged(BatchVerdict& verdict, BytesView batch, const BatchPolicy& policy, TimestampMs max_timestamp) {
  verdict.original = batch;
  verdict.rewrite = rewrite_for(verdict.header, policy.timestamp_type, max_timestamp);
  verdict.header.max_timestamp = max_timestamp;
  if (verdict.rewrite == HeaderRewrite::kNone) return;
  verdict.header.attributes &= kMeaningfulBatchBits & ~kLogAppendTimeBit;
  if (policy.timestamp_type == TimestampType::kLogAppendTime) verdict.header.attributes |= kLogAppendTimeBit;
}

// The last checks are of the bytes that would be written.
BatchVerdict check_stored_size(BatchVerdict verdict, const BatchPolicy& policy) {
  size_t size = verdict.bytes().size();
  if (size > static_cast<size_t>(policy.max_message_bytes)) {
    return refused(refuse_before_log(KafkaError::kMessageTooLarge));
  }
  if (size > static_cast<size_t>(policy.segment_bytes))
    return refused(refuse_before_log(KafkaError::kRecordListTooLarge));
  return verdict;
}

}  // namespace

BatchVerdict validate_batch(BytesView records, const BatchPolicy& policy, const ProduceContext& context) {
  BytesView batch;
  if (Refusal refusal = take_single_batch(records, context, batch); refusal.raised())
    return refused(std::move(refusal));
  auto decoded = BatchHeader::decode(batch);
  CHECK(decoded.has_value(), "a length and a magic that were checked");
  const BatchHeader& header = *decoded;
  if (Refusal refusal = check_header(header, batch, policy); refusal.raised()) return refused(std::move(refusal));

  BatchVerdict verdict;
  verdict.header = header;
  bool recode = policy.compression && policy.compression->codec != header.compression();
  if (!recode && believable(header, policy, context.now)) {
    bool append_time = policy.timestamp_type == TimestampType::kLogAppendTime;
    accept_unchanged(verdict, batch, policy, append_time ? context.now : header.max_timestamp);
    return check_stored_size(std::move(verdict), policy);
  }

  std::optional<BatchBuilder> builder;
  if (recode) builder.emplace(rebuilt_options(header, policy, context.now));
  RecordJudge judge(header, policy, context.now);
  size_t size_max = static_cast<size_t>(policy.max_message_bytes);
  Refusal refusal = walk_records(header, batch, judge, builder ? &*builder : nullptr, size_max);
  if (refusal.raised()) return refused(std::move(refusal));
  if (judge.has_errors()) {
    judge.report(verdict);
    return verdict;
  }
  // Kafka means to rewrite such a batch, fails at it for lack of the keys it skipped, and so refuses it.
  if (!recode && header.is_compressed() && !judge.contiguous()) return refused(refuse(KafkaError::kUnknownServerError));

  if (recode && !rebuildable(header, judge)) return refused(refuse(KafkaError::kUnknownServerError));

  verdict.opened = true;
  if (recode) {
    verdict.rebuilt = builder->build();
    auto rebuilt = BatchHeader::decode(verdict.rebuilt);
    CHECK(rebuilt.has_value());
    verdict.header = *rebuilt;
  } else {
    bool append_time = policy.timestamp_type == TimestampType::kLogAppendTime;
    accept_unchanged(verdict, batch, policy, append_time ? context.now : judge.max_timestamp());
  }
  return check_stored_size(std::move(verdict), policy);
}

void BatchVerdict::stamp(MutableBytes copy, Offset base, LeaderEpoch epoch) const {
  CHECK(accepted() && copy.size() == bytes().size());
  if (rewrite != HeaderRewrite::kNone) set_timestamps(copy, header.timestamp_type(), header.max_timestamp);
  assign_offset_and_epoch(copy, base, epoch);
}

}  // namespace barnabas::wire
