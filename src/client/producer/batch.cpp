#include "client/producer/batch.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/varint.h"
#include "wire/record_batch.h"

namespace barnabas::client::producer {

namespace {

constexpr size_t kTagsReserved = 16384;

size_t nullable_size(const std::optional<std::string_view>& text) {
  return text ? varint_size(static_cast<int32_t>(text->size())) + text->size() : 1;
}

std::byte* put(std::byte* to, std::string_view text) {
  to = write_varint(to, static_cast<int32_t>(text.size()));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

std::byte* put_nullable(std::byte* to, const std::optional<std::string_view>& text) {
  return text ? put(to, *text) : write_varint(to, -1);
}

}  // namespace

int32_t sequence_after(int32_t sequence, int32_t records) {
  int64_t after = int64_t{sequence} + records;
  return static_cast<int32_t>(after > INT32_MAX ? after - INT32_MAX - 1 : after);
}

RecordShape::RecordShape(const ProducerRecord& record) {
  headers = varint_size(static_cast<int32_t>(record.headers.size()));
  for (const Header& header : record.headers) headers += nullable_size(header.key) + nullable_size(header.value);
  fixed = 1 + nullable_size(record.key) + nullable_size(record.value) + headers;
}

Batch::Batch(Partition& partition, Memory& memory, Block block, size_t limit, MonotonicTime created)
    : partition_(&partition),
      memory_(memory),
      block_(std::move(block)),
      limit_(limit),
      created_(created),
      used_(wire::kBatchOverhead) {}

Batch::~Batch() {
  memory_.give_back(std::move(block_));
}

bool Batch::append(const ProducerRecord& record, const RecordShape& shape, TimestampMs timestamp, uint64_t tag,
                   Producer::Callback* callback) {
  if (count_ == 0) base_timestamp_ = timestamp;
  int64_t delta = timestamp - base_timestamp_;
  size_t body = shape.fixed + varlong_size(delta) + varint_size(count_);
  size_t size = varint_size(static_cast<int32_t>(body)) + body;
  if (used_ + size > (count_ == 0 ? block_.size : limit_)) return false;

  std::byte* to = block_.bytes.get() + used_;
  to = write_varint(to, static_cast<int32_t>(body));
  *to++ = std::byte{0};
  to = write_varlong(to, delta);
  to = write_varint(to, count_);
  to = put_nullable(to, record.key);
  to = put_nullable(to, record.value);
  to = write_varint(to, static_cast<int32_t>(record.headers.size()));
  for (const Header& header : record.headers) {
    to = put(to, header.key);
    to = put_nullable(to, header.value);
  }
  used_ += size;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  if (count_ == 0 && callback == nullptr) tags_.reserve(std::min<size_t>(limit_ / size + 1, kTagsReserved));
  if (callback != nullptr) {
    acknowledgements_.push_back({count_, timestamp, std::move(*callback)});
  } else {
    tags_.push_back(tag);
  }
  ++count_;
  return true;
}

void Batch::set_identity(ProducerIdentity identity, int32_t base_sequence) {
  if (identity == identity_ && base_sequence == base_sequence_) return;
  identity_ = identity;
  base_sequence_ = base_sequence;
  sealed_ = false;
}

BytesView Batch::seal(const wire::Compression& compression, bool is_transactional) {
  if (sealed_ && transactional == is_transactional) return wire_;
  transactional = is_transactional;
  MutableBytes bytes(block_.bytes.get(), used_);
  if (compression.codec != wire::Codec::kNone) {
    if (compressed_.empty()) {
      compressed_.reserve(used_ / 2);
      compressed_.resize(wire::kBatchOverhead);
      auto compressor = wire::Compressor::make(compression, compressed_);
      compressor->write(bytes.subspan(wire::kBatchOverhead));
      compressor->finish();
    }
    bytes = compressed_;
  }
  wire::BatchHeader header{
      .batch_length = static_cast<int32_t>(bytes.size() - wire::kLogOverhead),
      .attributes = static_cast<int16_t>(compression.codec),
      .last_offset_delta = count_ - 1,
      .base_timestamp = base_timestamp_,
      .max_timestamp = max_timestamp_,
      .producer_id = identity_.id,
      .producer_epoch = identity_.epoch,
      .base_sequence = base_sequence_,
      .record_count = count_,
  };
  if (transactional) header.attributes |= wire::kTransactionalBit;
  header.encode(bytes);
  header.crc = wire::compute_crc(bytes);
  header.encode(bytes);
  sealed_ = true;
  wire_ = bytes;
  return wire_;
}

std::vector<std::shared_ptr<Batch>> Batch::split(size_t limit) {
  std::vector<std::shared_ptr<Batch>> parts;
  VarintCursor cursor(BytesView(block_.bytes.get() + wire::kBatchOverhead, used_ - wire::kBatchOverhead));
  size_t next_tag = 0, next_acknowledgement = 0;
  int32_t part_start = 0;
  for (int32_t index = 0; index < count_; ++index) {
    const std::byte* start = cursor.at;
    int32_t body = 0;
    CHECK(read_varint(cursor, body), "our own record");
    const std::byte* end = cursor.at + body;
    cursor.at += 1;
    int64_t delta = 0;
    int32_t offset = 0;
    CHECK(read_varlong(cursor, delta) && read_varint(cursor, offset), "our own record");
    BytesView rest(cursor.at, static_cast<size_t>(end - cursor.at));
    cursor.at = end;

    // Deltas change, so a record may grow by some bytes; 16 more than it had is always enough.
    size_t most = static_cast<size_t>(end - start) + 16;
    if (parts.empty() || parts.back()->used_ + most > limit) {
      size_t room = std::max(limit, wire::kBatchOverhead + most);
      // Outside of buffer.memory's count while it lasts: the records are in memory already.
      Block block{std::unique_ptr<std::byte[]>(new std::byte[room]), 0};
      parts.push_back(std::make_shared<Batch>(*partition_, memory_, std::move(block), room, created_));
      parts.back()->flushes = flushes;
      parts.back()->base_timestamp_ = base_timestamp_ + delta;
      parts.back()->transactional = transactional;
      parts.back()->attempts = attempts;
      part_start = index;
    }
    Batch& part = *parts.back();
    TimestampMs timestamp = base_timestamp_ + delta;
    int64_t new_delta = timestamp - part.base_timestamp_;
    size_t new_body = 1 + varlong_size(new_delta) + varint_size(index - part_start) + rest.size();
    std::byte* to = part.block_.bytes.get() + part.used_;
    std::byte* first = to;
    to = write_varint(to, static_cast<int32_t>(new_body));
    *to++ = std::byte{0};
    to = write_varlong(to, new_delta);
    to = write_varint(to, index - part_start);
    std::memcpy(to, rest.data(), rest.size());
    part.used_ += static_cast<size_t>(to - first) + rest.size();
    part.max_timestamp_ = std::max(part.max_timestamp_, timestamp);
    ++part.count_;
    if (next_acknowledgement < acknowledgements_.size() && acknowledgements_[next_acknowledgement].index == index) {
      Acknowledgement& moved = acknowledgements_[next_acknowledgement++];
      part.acknowledgements_.push_back({index - part_start, moved.timestamp, std::move(moved.callback)});
    } else {
      part.tags_.push_back(tags_[next_tag++]);
    }
  }
  int32_t sequence = base_sequence_;
  for (auto& part : parts) {
    if (has_sequence()) {
      part->set_identity(identity_, sequence);
      sequence = sequence_after(sequence, part->count_);
    }
  }
  for (auto& flush : flushes) flush->left += parts.size() - 1;
  flushes.clear();
  acknowledgements_.clear();
  tags_.clear();
  done_ = true;
  return parts;
}

std::vector<TimestampMs> Batch::timestamps() const {
  std::vector<TimestampMs> all;
  VarintCursor cursor(BytesView(block_.bytes.get() + wire::kBatchOverhead, used_ - wire::kBatchOverhead));
  for (int32_t index = 0; index < count_; ++index) {
    int32_t body = 0;
    CHECK(read_varint(cursor, body), "our own record");
    const std::byte* end = cursor.at + body;
    cursor.at += 1;
    int64_t delta = 0;
    CHECK(read_varlong(cursor, delta), "our own record");
    all.push_back(base_timestamp_ + delta);
    cursor.at = end;
  }
  return all;
}

void Batch::report_tags(const Fate& fate, const DeliveryReport& report, const ProducerOptions& options) {
  if (!options.on_delivery) return;
  // Records with a callback lie between those with tags: a report for each run of tags.
  size_t given = 0;
  int32_t run_start = 0;
  auto report_until = [&](int32_t end) {
    auto length = static_cast<size_t>(end - run_start);
    if (length > 0) {
      DeliveryReport part = report;
      part.tags = std::span(tags_).subspan(given, length);
      if (fate.base_offset >= 0) part.base_offset = fate.base_offset + run_start;
      options.on_delivery(part);
    }
    given += length;
    run_start = end + 1;
  };
  for (const Acknowledgement& other : acknowledgements_) report_until(other.index);
  report_until(count_);
}

void Batch::report(const Fate& fate, std::string_view topic, int32_t partition, const ProducerOptions& options) {
  if (done_) return;
  done_ = true;
  auto result_of = [&](int32_t index, TimestampMs timestamp) -> Result<RecordMetadata> {
    if (fate.error != nullptr) return std::unexpected(*fate.error);
    return RecordMetadata{.topic = std::string(topic),
                          .partition = partition,
                          .offset = fate.base_offset < 0 ? -1 : fate.base_offset + index,
                          .timestamp = fate.log_append_time >= 0 ? fate.log_append_time : timestamp};
  };
  if (!options.interceptors.empty()) {
    std::vector<TimestampMs> times = timestamps();
    for (int32_t index = 0; index < count_; ++index) {
      auto result = result_of(index, times[static_cast<size_t>(index)]);
      for (const ProducerInterceptor& interceptor : options.interceptors) {
        if (interceptor.on_acknowledgement) interceptor.on_acknowledgement(result);
      }
    }
  }
  if (!tags_.empty()) {
    DeliveryReport report;
    report.topic = topic;
    report.partition = partition;
    report.error = fate.error;
    report_tags(fate, report, options);
  }
  for (Acknowledgement& one : acknowledgements_) one.callback(result_of(one.index, one.timestamp));
  acknowledgements_.clear();
}

}  // namespace barnabas::client::producer
