#include "wire/record_batch_builder.h"

#include <algorithm>

#include "base/check.h"
#include "base/varint.h"

namespace barnabas::wire {

namespace {

size_t nullable_size(const std::optional<BytesView>& bytes) {
  return bytes ? varint_size(static_cast<int32_t>(bytes->size())) + bytes->size() : varint_size(-1);
}

size_t headers_size(const NewRecord& record) {
  if (record.read_headers) return record.read_headers->encoded().size();
  size_t size = varint_size(static_cast<int32_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  }
  return size;
}

void append(Buffer& to, BytesView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_nullable(Buffer& to, const std::optional<BytesView>& bytes) {
  append_varint(to, bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) append(to, *bytes);
}

void append_headers(Buffer& to, const NewRecord& record) {
  if (record.read_headers) return append(to, record.read_headers->encoded());
  append_varint(to, static_cast<int32_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    append_nullable(to, as_bytes(header.key));
    append_nullable(to, header.value);
  }
}

int64_t difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

}  // namespace

BatchBuilder::BatchBuilder(const BatchOptions& options)
    : options_(options), bytes_(std::make_unique<Buffer>(kBatchOverhead)) {
  if (options_.compression.codec != Codec::kNone) {
    compressor_ = Compressor::make(options_.compression, *bytes_);
  }
  if (options_.delete_horizon) base_timestamp_ = *options_.delete_horizon;
}

BatchBuilder::~BatchBuilder() = default;
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;

size_t BatchBuilder::plain_size_of(const NewRecord& record) const {
  TimestampMs base = count_ == 0 && !options_.delete_horizon ? record.timestamp : base_timestamp_;
  size_t body = 1 + varlong_size(difference(record.timestamp, base)) +
                varint_size(record.offset_delta.value_or(last_offset_delta_ + 1)) + nullable_size(record.key) +
                nullable_size(record.value) + headers_size(record);
  return varint_size(static_cast<int32_t>(body)) + body;
}

void BatchBuilder::add(const NewRecord& record) {
  CHECK(bytes_ != nullptr, "the batch is built already");
  int32_t offset_delta = record.offset_delta.value_or(last_offset_delta_ + 1);
  CHECK(offset_delta > last_offset_delta_, "offsets in a batch rise");
  if (count_ == 0 && !options_.delete_horizon) base_timestamp_ = record.timestamp;
  int64_t timestamp_delta = difference(record.timestamp, base_timestamp_);
  size_t body = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(record.key) +
                nullable_size(record.value) + headers_size(record);
  CHECK(body <= INT32_MAX, "a record larger than its length can say");

  Buffer& plain = compressor_ ? scratch_ : *bytes_;
  append_varint(plain, static_cast<int32_t>(body));
  plain.push_back(std::byte{0});
  append_varlong(plain, timestamp_delta);
  append_varint(plain, offset_delta);
  append_nullable(plain, record.key);
  append_nullable(plain, record.value);
  append_headers(plain, record);
  if (compressor_) {
    compressor_->write(scratch_);
    scratch_.clear();
  }

  last_offset_delta_ = offset_delta;
  max_timestamp_ = std::max(max_timestamp_, record.timestamp);
  ++count_;
}

size_t BatchBuilder::estimated_size() const {
  return bytes_->size() + (compressor_ ? compressor_->pending() : 0);
}

Buffer BatchBuilder::build() {
  CHECK(bytes_ != nullptr, "the batch is built already");
  if (compressor_) compressor_->finish();
  compressor_.reset();
  Buffer bytes = std::move(*bytes_);
  bytes_.reset();
  CHECK(bytes.size() - kLogOverhead <= INT32_MAX, "a batch larger than its length can say");

  BatchHeader header{
      .base_offset = options_.base_offset.value,
      .batch_length = static_cast<int32_t>(bytes.size() - kLogOverhead),
      .partition_leader_epoch = options_.leader_epoch.value,
      .attributes = static_cast<int16_t>(options_.compression.codec),
      .last_offset_delta = std::max(last_offset_delta_, last_offset_delta_override_.value_or(last_offset_delta_)),
      .base_timestamp = base_timestamp_,
      .max_timestamp = options_.log_append_time.value_or(max_timestamp_),
      .producer_id = options_.producer_id.value,
      .producer_epoch = options_.producer_epoch,
      .base_sequence = options_.base_sequence,
      .record_count = count_,
  };
  if (options_.log_append_time) header.attributes |= kLogAppendTimeBit;
  if (options_.transactional) header.attributes |= kTransactionalBit;
  if (options_.control) header.attributes |= kControlBit;
  if (options_.delete_horizon) header.attributes |= kDeleteHorizonBit;
  header.encode(bytes);
  header.crc = compute_crc(bytes);
  header.encode(bytes);
  return bytes;
}

Buffer encode_emptied_batch(const BatchHeader& header) {
  BatchHeader emptied = header;
  emptied.batch_length = static_cast<int32_t>(kBatchOverhead - kLogOverhead);
  // Kafka names no codec where nothing is compressed, and keeps no horizon for records that are gone.
  emptied.attributes &= kLogAppendTimeBit | kTransactionalBit | kControlBit;
  emptied.base_timestamp = kNoTimestamp;
  emptied.record_count = 0;
  Buffer bytes(kBatchOverhead);
  emptied.encode(bytes);
  emptied.crc = compute_crc(bytes);
  emptied.encode(bytes);
  return bytes;
}

}  // namespace barnabas::wire
