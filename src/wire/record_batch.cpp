#include "wire/record_batch.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"

namespace barnabas::wire {

namespace {

// Where each field begins.
constexpr size_t kBaseOffsetAt = 0;
constexpr size_t kLengthAt = 8;
constexpr size_t kLeaderEpochAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = kBatchCrcStart;
constexpr size_t kLastOffsetDeltaAt = 23;
constexpr size_t kBaseTimestampAt = 27;
constexpr size_t kMaxTimestampAt = 35;
constexpr size_t kProducerIdAt = 43;
constexpr size_t kProducerEpochAt = 51;
constexpr size_t kBaseSequenceAt = 53;
constexpr size_t kRecordCountAt = 57;

// From here on the linear correction of a checksum is cheaper than reading the batch again.
constexpr size_t kReadAgainMax = 16 << 10;

}  // namespace

Result<BatchHeader> BatchHeader::decode(BytesView bytes) {
  if (bytes.size() < kBatchOverhead) return fail(ErrorCode::kInvalid, "a record batch header is cut short");
  const std::byte* at = bytes.data();
  BatchHeader header{
      .base_offset = load_be<int64_t>(at + kBaseOffsetAt),
      .batch_length = load_be<int32_t>(at + kLengthAt),
      .partition_leader_epoch = load_be<int32_t>(at + kLeaderEpochAt),
      .magic = load_be<int8_t>(at + kMagicAt),
      .crc = load_be<uint32_t>(at + kCrcAt),
      .attributes = load_be<int16_t>(at + kAttributesAt),
      .last_offset_delta = load_be<int32_t>(at + kLastOffsetDeltaAt),
      .base_timestamp = load_be<int64_t>(at + kBaseTimestampAt),
      .max_timestamp = load_be<int64_t>(at + kMaxTimestampAt),
      .producer_id = load_be<int64_t>(at + kProducerIdAt),
      .producer_epoch = load_be<int16_t>(at + kProducerEpochAt),
      .base_sequence = load_be<int32_t>(at + kBaseSequenceAt),
      .record_count = load_be<int32_t>(at + kRecordCountAt),
  };
  if (header.magic == 0 || header.magic == 1) {
    return fail(ErrorCode::kUnsupported, "a message set of the old format " + std::to_string(header.magic));
  }
  if (header.magic != kBatchMagic) {
    return fail(ErrorCode::kCorrupt, "no record batch has the magic " + std::to_string(header.magic));
  }
  if (header.batch_length < static_cast<int32_t>(kBatchOverhead - kLogOverhead)) {
    return fail(ErrorCode::kCorrupt, "no record batch has the length " + std::to_string(header.batch_length));
  }
  return header;
}

void BatchHeader::encode(MutableBytes to) const {
  CHECK(to.size() >= kBatchOverhead);
  std::byte* at = to.data();
  store_be(at + kBaseOffsetAt, base_offset);
  store_be(at + kLengthAt, batch_length);
  store_be(at + kLeaderEpochAt, partition_leader_epoch);
  store_be(at + kMagicAt, magic);
  store_be(at + kCrcAt, crc);
  store_be(at + kAttributesAt, attributes);
  store_be(at + kLastOffsetDeltaAt, last_offset_delta);
  store_be(at + kBaseTimestampAt, base_timestamp);
  store_be(at + kMaxTimestampAt, max_timestamp);
  store_be(at + kProducerIdAt, producer_id);
  store_be(at + kProducerEpochAt, producer_epoch);
  store_be(at + kBaseSequenceAt, base_sequence);
  store_be(at + kRecordCountAt, record_count);
}

int32_t BatchHeader::last_sequence() const {
  if (base_sequence == kNoSequence) return kNoSequence;
  int64_t last = int64_t{base_sequence} + last_offset_delta;
  return static_cast<int32_t>(last > INT32_MAX ? last - INT32_MAX - 1 : last);
}

Result<std::optional<BatchView>> BatchCursor::next() {
  // The length and the magic say whether bytes too few for a header are a beginning or nonsense.
  if (rest_.size() <= kMagicAt) return std::nullopt;
  int8_t magic = load_be<int8_t>(rest_.data() + kMagicAt);
  int32_t length = load_be<int32_t>(rest_.data() + kLengthAt);
  if (magic == kBatchMagic && length >= static_cast<int32_t>(kBatchOverhead - kLogOverhead) &&
      rest_.size() < kLogOverhead + static_cast<size_t>(length)) {
    return std::nullopt;
  }
  std::array<std::byte, kBatchOverhead> padded{};
  std::copy_n(rest_.begin(), std::min(rest_.size(), padded.size()), padded.begin());
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(padded));
  BytesView bytes = rest_.first(header.size_in_bytes());
  rest_ = rest_.subspan(bytes.size());
  return BatchView{header, bytes};
}

uint32_t compute_crc(BytesView batch) {
  CHECK(batch.size() >= kBatchOverhead);
  return crc32c(batch.subspan(kBatchCrcStart));
}

bool crc_matches(BytesView batch) {
  return compute_crc(batch) == load_be<uint32_t>(batch.data() + kCrcAt);
}

void assign_offset_and_epoch(MutableBytes batch, Offset base, LeaderEpoch epoch) {
  CHECK(batch.size() >= kBatchOverhead);
  store_be(batch.data() + kBaseOffsetAt, base.value);
  store_be(batch.data() + kLeaderEpochAt, epoch.value);
}

void set_timestamps(MutableBytes batch, TimestampType type, TimestampMs max_timestamp) {
  CHECK(batch.size() >= kBatchOverhead);
  int16_t attributes = load_be<int16_t>(batch.data() + kAttributesAt);
  bool was_append_time = (attributes & kLogAppendTimeBit) != 0;
  bool append_time = type == TimestampType::kLogAppendTime;
  if (was_append_time == append_time && load_be<int64_t>(batch.data() + kMaxTimestampAt) == max_timestamp) return;

  constexpr size_t kPrefix = kBatchOverhead - kBatchCrcStart;
  std::array<std::byte, kPrefix> before;
  MutableBytes prefix = batch.subspan(kBatchCrcStart, kPrefix);
  std::ranges::copy(prefix, before.begin());

  attributes &= static_cast<int16_t>(kMeaningfulBatchBits & ~kLogAppendTimeBit);
  if (append_time) attributes |= kLogAppendTimeBit;
  store_be(batch.data() + kAttributesAt, attributes);
  store_be(batch.data() + kMaxTimestampAt, max_timestamp);

  uint32_t crc = load_be<uint32_t>(batch.data() + kCrcAt);
  crc = batch.size() <= kReadAgainMax ? compute_crc(batch)
                                      : crc32c_replace_prefix(crc, before, prefix, batch.size() - kBatchOverhead);
  store_be(batch.data() + kCrcAt, crc);
}

}  // namespace barnabas::wire
