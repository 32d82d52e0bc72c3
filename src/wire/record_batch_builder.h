// Makes one record batch, the way Kafka's MemoryRecordsBuilder does: uncompressed batches are the same to the byte.
// Records are compressed while they are added, so the plain form is never held.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "wire/compression.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {

struct BatchOptions {
  Compression compression{};
  Offset base_offset{0};
  LeaderEpoch leader_epoch = kNoEpoch;
  ProducerId producer_id = kNoProducerId;
  int16_t producer_epoch = kNoProducerEpoch;
  int32_t base_sequence = kNoSequence;
  // When set, the batch has LogAppendTime and this is the time of all its records.
  std::optional<TimestampMs> log_append_time{};
  bool transactional = false;
  bool control = false;
  std::optional<TimestampMs> delete_horizon{};
};

struct NewRecord {
  TimestampMs timestamp = kNoTimestamp;
  std::optional<BytesView> key{};
  std::optional<BytesView> value{};
  std::span<const HeaderView> headers{};
  // Instead of `headers`: those of a record that was read.
  std::optional<RecordHeaders> read_headers{};
  // Absent: one more than the record before.
  std::optional<int32_t> offset_delta{};
};

class BatchBuilder {
 public:
  explicit BatchBuilder(const BatchOptions& options);
  ~BatchBuilder();
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) = delete;

  // Offset deltas must rise. The bytes are copied or compressed before add() returns.
  void add(const NewRecord& record);

  int32_t record_count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Of the batch as it stands. Exact without compression; else what a codec still holds back counts as it is, so it is
  // rather too much.
  size_t estimated_size() const;
  // Of what is compressed for good: the batch will not be smaller.
  size_t written_size() const { return bytes_->size(); }
  // What add(record) would put on top of it, before compression.
  size_t plain_size_of(const NewRecord& record) const;
  TimestampMs max_timestamp() const { return max_timestamp_; }

  // Compaction keeps the last offset of a batch whose last record goes; never less than the last record's.
  void set_last_offset_delta(int32_t delta) { last_offset_delta_override_ = delta; }

  // The batch. Once; the builder is spent after it.
  Buffer build();

 private:
  BatchOptions options_;
  std::unique_ptr<Buffer>
      bytes_;  // the header's place, then the records; on the heap since the compressor points at it
  std::unique_ptr<Compressor> compressor_;  // absent without compression
  Buffer scratch_;
  TimestampMs base_timestamp_ = kNoTimestamp;
  TimestampMs max_timestamp_ = kNoTimestamp;
  int32_t last_offset_delta_ = -1;
  std::optional<int32_t> last_offset_delta_override_;
  int32_t count_ = 0;
};

// What compaction leaves of a batch whose records are all gone but whose producer's sequence must be remembered: the
// header alone, without records.
Buffer encode_emptied_batch(const BatchHeader& header);

}  // namespace barnabas::wire
