// The record batch (magic 2), Kafka's unit of writing, replicating and reading: a 61-byte header and records, which may
// be compressed as one blob. Here is the header, the walk from batch to batch, and the few bytes a leader may rewrite
// in place. Everything works on bytes that the caller owns; nothing here allocates or decompresses. What is inside a
// batch is record_batch_iterator.h, making one is record_batch_builder.h.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/compression.h"

namespace barnabas::wire {

inline constexpr size_t kBatchOverhead = 61;  // the whole header
inline constexpr size_t kLogOverhead = 12;    // base offset and length, which the length does not count
inline constexpr size_t kBatchCrcStart = 21;  // the checksum covers everything from here
inline constexpr int8_t kBatchMagic = 2;

inline constexpr int16_t kCodecBits = 0x07;
inline constexpr int16_t kLogAppendTimeBit = 0x08;
inline constexpr int16_t kTransactionalBit = 0x10;
inline constexpr int16_t kControlBit = 0x20;
inline constexpr int16_t kDeleteHorizonBit = 0x40;

inline constexpr int16_t kMeaningfulBatchBits =
    kCodecBits | kLogAppendTimeBit | kTransactionalBit | kControlBit | kDeleteHorizonBit;

inline constexpr int16_t kNoProducerEpoch = -1;
inline constexpr int32_t kNoSequence = -1;

enum class TimestampType : int8_t { kCreateTime = 0, kLogAppendTime = 1 };

// The fields as they are on the wire; the functions speak in offsets and times.
struct BatchHeader {
  int64_t base_offset = 0;
  int32_t batch_length = 0;  // of what follows this field
  int32_t partition_leader_epoch = -1;
  int8_t magic = kBatchMagic;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;  // also the last sequence's; survives compaction
  int64_t base_timestamp = kNoTimestamp;
  int64_t max_timestamp = kNoTimestamp;
  int64_t producer_id = -1;
  int16_t producer_epoch = kNoProducerEpoch;
  int32_t base_sequence = kNoSequence;
  int32_t record_count = 0;

  // Reads the first 61 bytes. kInvalid: fewer are there; kUnsupported: an older magic; kCorrupt: a length or magic that
  // no batch has. The rest of the batch need not be there; the checksum is not looked at.
  static Result<BatchHeader> decode(BytesView bytes);
  // Writes all fields, `crc` as it is, into the first 61 bytes of `to`.
  void encode(MutableBytes to) const;

  size_t size_in_bytes() const { return kLogOverhead + static_cast<size_t>(batch_length); }
  Offset first_offset() const { return Offset(base_offset); }
  Offset last_offset() const { return Offset(base_offset + last_offset_delta); }
  Offset next_offset() const { return Offset(base_offset + last_offset_delta + 1); }
  LeaderEpoch leader_epoch() const { return LeaderEpoch(partition_leader_epoch); }

  // May be a value without a name: bits 5 to 7 are nobody's.
  Codec compression() const { return static_cast<Codec>(attributes & kCodecBits); }
  bool is_compressed() const { return (attributes & kCodecBits) != 0; }
  bool is_transactional() const { return (attributes & kTransactionalBit) != 0; }
  bool is_control() const { return (attributes & kControlBit) != 0; }
  TimestampType timestamp_type() const {
    return (attributes & kLogAppendTimeBit) != 0 ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  }
  // When compaction may drop the batch's tombstones and markers.
  std::optional<TimestampMs> delete_horizon() const {
    return (attributes & kDeleteHorizonBit) != 0 ? std::optional(base_timestamp) : std::nullopt;
  }

  bool has_producer_id() const { return producer_id > -1; }
  // Sequences wrap from 2^31-1 to 0; without a sequence it is kNoSequence.
  int32_t last_sequence() const;

  // The timestamp of a record with this delta. Wraps, as Java's, on hostile numbers.
  TimestampMs record_timestamp(int64_t delta) const {
    return timestamp_type() == TimestampType::kLogAppendTime
               ? max_timestamp
               : static_cast<TimestampMs>(static_cast<uint64_t>(base_timestamp) + static_cast<uint64_t>(delta));
  }

  bool operator==(const BatchHeader&) const = default;
};

// One whole batch: its header and all its bytes (header included).
struct BatchView {
  BatchHeader header;
  BytesView bytes;
};

// Walks the batches of `bytes`, which is how they lie in a segment, a Fetch answer or a snapshot.
class BatchCursor {
 public:
  explicit BatchCursor(BytesView bytes) : rest_(bytes), size_(bytes.size()) {}

  // The next whole batch; nullopt at the end, or where the last batch is cut short (which is normal: a Fetch answer may
  // end in the middle of one). Bytes that cannot be a batch of magic 2 are an error; the cursor then stays before them.
  Result<std::optional<BatchView>> next();

  size_t position() const { return size_ - rest_.size(); }
  // What next() has not gone over: after nullopt, the partial batch or nothing.
  BytesView tail() const { return rest_; }

 private:
  BytesView rest_;
  size_t size_;
};

// Whether the stored checksum is that of the bytes. `batch` is one whole batch.
bool crc_matches(BytesView batch);
uint32_t compute_crc(BytesView batch);

// What a leader stamps on every batch: bytes 0-7 and 12-15, which no checksum covers. `base` is the first record's
// offset.
void assign_offset_and_epoch(MutableBytes batch, Offset base, LeaderEpoch epoch);

// Sets the batch's timestamp type and maximum, clears attribute bits that have no meaning, and corrects the checksum.
// Does nothing when both are as wanted already. The stored checksum must be right before. Large batches are not read
// again.
void set_timestamps(MutableBytes batch, TimestampType type, TimestampMs max_timestamp);

}  // namespace barnabas::wire
