#include "client/consumer/fetched_records.h"

#include <algorithm>
#include <cstring>

#include "client/cluster.h"
#include "wire/control_record.h"

namespace barnabas::client {

namespace {

// A compressed batch as a plain one: room for the header, then the records.
struct PlainBatch {
  std::shared_ptr<std::byte[]> bytes;
  size_t size = 0;
};

constexpr size_t kLikelyRatio = 4;
constexpr size_t kCodecBlock = 64 << 10;

barnabas::Result<PlainBatch> inflate(const wire::BatchHeader& header, BytesView batch) {
  BytesView compressed = batch.subspan(wire::kBatchOverhead);
  TRY_ASSIGN(auto stream, wire::Decompressor::make(header.compression(), compressed, FetchedRecords::kPlainBytesMax));
  size_t room = wire::kBatchOverhead + compressed.size() * kLikelyRatio + kCodecBlock;
  PlainBatch plain{std::make_shared_for_overwrite<std::byte[]>(room), wire::kBatchOverhead};
  for (;;) {
    if (room - plain.size < kCodecBlock) {
      room *= 2;
      auto larger = std::make_shared_for_overwrite<std::byte[]>(room);
      std::memcpy(larger.get(), plain.bytes.get(), plain.size);
      plain.bytes = std::move(larger);
    }
    TRY_ASSIGN(size_t got, stream->read({plain.bytes.get() + plain.size, room - plain.size}));
    if (got == 0) return plain;
    plain.size += got;
    if (plain.size > FetchedRecords::kPlainBytesMax) {
      return fail(barnabas::ErrorCode::kCorrupt, "it decompresses to more than is allowed");
    }
  }
}

std::optional<std::string_view> text(const std::optional<BytesView>& bytes) {
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

}  // namespace

FetchedRecords::FetchedRecords(std::shared_ptr<const std::string> topic, int32_t partition,
                               std::shared_ptr<const void> frame, BytesView bytes, std::vector<AbortedRange> aborted,
                               int64_t position, Options options)
    : topic_(std::move(topic)),
      partition_(partition),
      frame_(std::move(frame)),
      size_(bytes.size()),
      batches_(bytes),
      aborted_(std::move(aborted)),
      position_(position),
      options_(options) {
  std::ranges::sort(aborted_, {}, &AbortedRange::first_offset);
}

Result<size_t> FetchedRecords::take(size_t most, ConsumerRecords::Parts& to) {
  size_t before = to.records.size();
  bool topic_given = false;
  while (to.records.size() - before < most && !ended_) {
    if (!records_) {
      auto opened = open_next();
      if (!opened) {
        ended_ = true;
        return std::unexpected(opened.error());
      }
      continue;
    }
    wire::RecordView record;
    if (!records_->next(record)) {
      auto status = records_->status();
      records_.reset();
      if (!status) {
        ended_ = true;
        return std::unexpected(bad(header_, status.error().message));
      }
      position_ = std::max(position_, header_.next_offset().value);
      epoch_ = header_.partition_leader_epoch;
      continue;
    }
    int64_t offset = header_.base_offset + record.offset_delta;
    if (offset < position_) continue;
    if (!owner_given_) {
      to.owners.push_back(owner_);
      owner_given_ = true;
    }
    if (!topic_given) {
      to.owners.push_back(topic_);
      topic_given = true;
    }
    ConsumerRecord& out = to.records.emplace_back();
    out.topic = *topic_;
    out.partition = partition_;
    out.offset = offset;
    out.timestamp = header_.record_timestamp(record.timestamp_delta);
    out.timestamp_type = header_.timestamp_type() == wire::TimestampType::kLogAppendTime ? TimestampType::kLogAppendTime
                                                                                         : TimestampType::kCreateTime;
    out.leader_epoch = header_.partition_leader_epoch;
    out.key = text(record.key);
    out.value = text(record.value);
    out.headers = Headers(record.headers.encoded());
    position_ = offset + 1;
    epoch_ = header_.partition_leader_epoch;
  }
  owner_given_ = false;  // the next taker needs it too
  return to.records.size() - before;
}

// Opens the next batch that has records for the user. True also when one was passed over.
Result<bool> FetchedRecords::open_next() {
  auto next = batches_.next();
  if (!next) return std::unexpected(bad({}, next.error().message));
  if (!*next) {
    ended_ = true;
    return false;
  }
  const wire::BatchView& batch = **next;
  header_ = batch.header;
  auto pass_over = [&] {
    position_ = std::max(position_, header_.next_offset().value);
    epoch_ = header_.partition_leader_epoch;
    return true;
  };
  if (header_.last_offset_delta < 0) return std::unexpected(bad(header_, "its offsets run backwards"));
  if (options_.check_crcs && !wire::crc_matches(batch.bytes)) {
    return std::unexpected(bad(header_, "its checksum is not that of its bytes"));
  }
  bool is_aborted = options_.read_committed && header_.has_producer_id() && aborted(batch);
  if (is_aborted || header_.is_control() || header_.next_offset().value <= position_) return pass_over();

  if (!header_.is_compressed()) {
    owner_ = frame_;
    records_.emplace(header_, batch.bytes);
  } else {
    auto plain = inflate(header_, batch.bytes);
    if (!plain) return std::unexpected(bad(header_, plain.error().message));
    header_.attributes &= static_cast<int16_t>(~wire::kCodecBits);
    owner_ = plain->bytes;
    records_.emplace(header_, BytesView(plain->bytes.get(), plain->size));
  }
  owner_given_ = false;
  return true;
}

// Follows the transactions up to `batch`, and says whether it belongs to an aborted one.
bool FetchedRecords::aborted(const wire::BatchView& batch) {
  while (next_aborted_ < aborted_.size() && aborted_[next_aborted_].first_offset <= batch.header.last_offset().value) {
    aborting_.insert(aborted_[next_aborted_++].producer_id);
  }
  if (!batch.header.is_control()) {
    return batch.header.is_transactional() && aborting_.contains(batch.header.producer_id);
  }
  wire::RecordIterator records(batch.header, batch.bytes);
  wire::RecordView marker;
  if (records.next(marker) && marker.key) {
    auto type = wire::decode_control_key(*marker.key);
    if (type && *type == wire::ControlRecordType::kAbort) aborting_.erase(batch.header.producer_id);
  }
  return false;
}

Error FetchedRecords::bad(const wire::BatchHeader& header, std::string_view why) const {
  Error error{.kind = Error::Kind::kBadAnswer, .code = client::ErrorCode::kCorruptMessage};
  error.message = "cannot read " + *topic_ + "-" + std::to_string(partition_) + " at offset " +
                  std::to_string(std::max(position_, header.base_offset)) + ": " + std::string(why) +
                  "; seek past it to go on";
  return error;
}

std::optional<std::pair<int64_t, int32_t>> end_of_batches(BytesView bytes) {
  std::optional<std::pair<int64_t, int32_t>> end;
  wire::BatchCursor cursor(bytes);
  for (;;) {
    auto next = cursor.next();
    if (!next || !*next) return end;
    end.emplace((*next)->header.next_offset().value, (*next)->header.partition_leader_epoch);
  }
}

}  // namespace barnabas::client
