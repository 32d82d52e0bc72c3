#include "wire/record_batch_iterator.h"

#include <algorithm>

#include "base/check.h"

namespace barnabas::wire {

namespace {

constexpr size_t kWindowMin = 2 << 10;
constexpr size_t kWindowMax = 64 << 10;
constexpr size_t kLikelyRatio = 8;
constexpr char kCutShort[] = "the batch ends before its last record does";
constexpr char kLeftOver[] = "the batch holds more than the records it announces";
constexpr char kBadRecord[] = "a record is not what its lengths say";
constexpr char kTooMuch[] = "the batch decompresses to more than is allowed";
constexpr char kRecordTooLarge[] = "a record decompresses to more than is allowed";

// A length and that many bytes; a negative length is null.
bool read_nullable(VarintCursor& cursor, std::optional<BytesView>& bytes) {
  int32_t size;
  if (!read_varint(cursor, size)) return false;
  if (size < 0) {
    bytes.reset();
    return true;
  }
  if (static_cast<size_t>(size) > cursor.remaining()) return false;
  bytes.emplace(cursor.at, static_cast<size_t>(size));
  cursor.at += size;
  return true;
}

bool read_header(VarintCursor& cursor, HeaderView& header) {
  std::optional<BytesView> key;
  if (!read_nullable(cursor, key) || !key) return false;
  header.key = as_text(*key);
  return read_nullable(cursor, header.value);
}

}  // namespace

int32_t RecordHeaders::size() const {
  VarintCursor cursor(encoded_);
  int32_t count = 0;
  read_varint(cursor, count);
  return count;
}

RecordHeaders::Iterator RecordHeaders::begin() const {
  VarintCursor cursor(encoded_);
  int32_t count = 0;
  read_varint(cursor, count);
  return Iterator(cursor, count);
}

void RecordHeaders::Iterator::load() {
  if (left_ > 0) CHECK(read_header(cursor_, current_), "headers are checked before they are handed out");
}

RecordIterator::RecordIterator(const BatchHeader& header, BytesView batch, Want want, DecompressionLimits limits)
    : header_(header), want_(want), limits_(limits), cursor_(batch.subspan(kBatchOverhead)) {
  CHECK(batch.size() >= kBatchOverhead);
  if (header_.record_count < 0) {
    fault(ErrorCode::kInvalid, "a batch with a negative number of records");
    return;
  }
  // Kafka does not open a batch without records, whatever is in it.
  if (!header_.is_compressed() || header_.record_count == 0) return;
  BytesView compressed = batch.subspan(kBatchOverhead);
  window_bytes_ = std::clamp(compressed.size() * kLikelyRatio, kWindowMin, kWindowMax);
  auto stream = Decompressor::make(header_.compression(), compressed, limits_.record_bytes);
  if (!stream) {
    failed_ = true;
    error_ = std::move(stream).error();
    return;
  }
  stream_ = *std::move(stream);
  stream_ended_ = false;
  cursor_ = VarintCursor({});
}

Result<> RecordIterator::status() const {
  if (failed_) return std::unexpected(error_);
  CHECK(finished_, "the status is known after the last next()");
  return {};
}

// Where the data ran out because it is damaged, that is the fault.
bool RecordIterator::cut_short() {
  if (!stream_error_) return fault(ErrorCode::kInvalid, kCutShort);
  failed_ = true;
  error_ = *stream_error_;
  return false;
}

bool RecordIterator::fault(ErrorCode code, const char* message) {
  failed_ = true;
  error_ = Error{code, message};
  return false;
}

// Brings so many bytes, or where the data ends or is damaged fewer, before the cursor. False only beyond a limit.
bool RecordIterator::ensure(size_t bytes) {
  return cursor_.remaining() >= bytes || stream_ended_ || refill(bytes);
}

bool RecordIterator::refill(size_t bytes) {
  size_t kept = cursor_.remaining();
  Buffer larger;
  Buffer& target = window_.size() < bytes ? larger : window_;
  if (&target == &larger) larger.resize(std::max(bytes, window_bytes_));
  if (kept > 0) std::memmove(target.data(), cursor_.at, kept);
  if (&target == &larger) window_ = std::move(larger);
  while (kept < bytes && !stream_ended_) {
    auto got = stream_->read(MutableBytes(window_).subspan(kept));
    if (!got) {
      stream_error_ = std::move(got).error();
      stream_ended_ = true;
      break;
    }
    stream_ended_ = *got == 0;
    kept += *got;
    decompressed_ += *got;
    if (decompressed_ > limits_.batch_bytes) return fault(ErrorCode::kCorrupt, kTooMuch);
  }
  cursor_ = VarintCursor(BytesView(window_).first(kept));
  return true;
}

bool RecordIterator::finish() {
  if (failed_ || finished_) return false;
  finished_ = true;
  if (header_.record_count == 0) return false;
  if (!ensure(1)) return false;
  if (cursor_.remaining() > 0) return fault(ErrorCode::kInvalid, kLeftOver);
  if (stream_error_) return cut_short();
  return false;
}

bool RecordIterator::step(RecordView& record) {
  if (!ensure(kVarintBytesMax)) return false;
  const std::byte* start = cursor_.at;
  int32_t size;
  if (!read_varint(cursor_, size)) return cut_short();
  if (size < 0) return fault(ErrorCode::kInvalid, kBadRecord);
  size_t body = static_cast<size_t>(size);
  record.size_in_bytes = static_cast<size_t>(cursor_.at - start) + body;

  if (body > cursor_.remaining()) {
    if (want_ == Want::kShape && body > kWindowMax && stream_ != nullptr) return walk_large_body(body, record);
    if (stream_ != nullptr && body > limits_.record_bytes) return fault(ErrorCode::kCorrupt, kRecordTooLarge);
    // The window grows with what really comes, not with what a length claims.
    for (size_t have = cursor_.remaining(); have < body && !stream_ended_; have = cursor_.remaining()) {
      if (!refill(std::min(body, std::max(have * 2, kWindowMax)))) return false;
    }
    if (body > cursor_.remaining()) return cut_short();
  }
  VarintCursor body_cursor(BytesView(cursor_.at, body));
  cursor_.at += body;
  if (!parse_body(body_cursor, record)) return fault(ErrorCode::kInvalid, kBadRecord);
  ++read_;
  return true;
}

bool RecordIterator::parse_body(VarintCursor body, RecordView& record) {
  if (body.remaining() == 0) return false;
  ++body.at;  // attributes, of which none is in use
  int32_t header_count;
  if (!read_varlong(body, record.timestamp_delta) || !read_varint(body, record.offset_delta) ||
      !read_nullable(body, record.key) || !read_nullable(body, record.value)) {
    return false;
  }
  const std::byte* headers = body.at;
  if (!read_varint(body, header_count) || header_count < 0) return false;
  HeaderView header;
  for (; header_count > 0; --header_count) {
    if (!read_header(body, header)) return false;
  }
  record.headers = RecordHeaders(BytesView(headers, body.at));
  return body.remaining() == 0;
}

// A varint out of the stream, of a body that has `left` bytes left.
bool RecordIterator::read_streamed(int32_t& value, size_t& left) {
  if (!ensure(kVarintBytesMax)) return false;
  const std::byte* start = cursor_.at;
  if (!read_varint(cursor_, value)) return cut_short();
  size_t size = static_cast<size_t>(cursor_.at - start);
  if (size > left) return fault(ErrorCode::kInvalid, kBadRecord);
  left -= size;
  return true;
}

bool RecordIterator::skip_streamed(int64_t bytes, size_t& left) {
  if (bytes <= 0) return true;
  size_t rest = static_cast<size_t>(bytes);
  if (rest > left) return fault(ErrorCode::kInvalid, kBadRecord);
  left -= rest;
  while (rest > 0) {
    if (!ensure(1)) return false;
    if (cursor_.remaining() == 0) return cut_short();
    size_t step = std::min(rest, cursor_.remaining());
    cursor_.at += step;
    rest -= step;
  }
  return true;
}

bool RecordIterator::walk_large_body(size_t body_size, RecordView& record) {
  size_t left = body_size;
  if (!skip_streamed(1, left) || !ensure(kVarlongBytesMax)) return false;
  const std::byte* start = cursor_.at;
  if (!read_varlong(cursor_, record.timestamp_delta)) return cut_short();
  left -= static_cast<size_t>(cursor_.at - start);  // the body is larger than the window, so this is in it
  if (!read_streamed(record.offset_delta, left)) return false;

  for (std::optional<BytesView>* field : {&record.key, &record.value}) {
    int32_t size;
    if (!read_streamed(size, left) || !skip_streamed(size, left)) return false;
    *field = size < 0 ? std::nullopt : std::optional(BytesView());
  }
  int32_t headers;
  if (!read_streamed(headers, left)) return false;
  if (headers < 0) return fault(ErrorCode::kInvalid, kBadRecord);
  for (; headers > 0; --headers) {
    int32_t key_size;
    int32_t value_size;
    if (!read_streamed(key_size, left)) return false;
    if (key_size < 0) return fault(ErrorCode::kInvalid, kBadRecord);
    if (!skip_streamed(key_size, left) || !read_streamed(value_size, left) || !skip_streamed(value_size, left)) {
      return false;
    }
  }
  if (left != 0) return fault(ErrorCode::kInvalid, kBadRecord);
  record.headers = {};
  ++read_;
  return true;
}

}  // namespace barnabas::wire
