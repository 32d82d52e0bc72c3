#include "log/segment_scan.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"

namespace barnabas::log {

using wire::BatchHeader;
using wire::kBatchCrcStart;
using wire::kBatchOverhead;

namespace {

constexpr size_t kMagicAt = 16;
constexpr size_t kChunk = 1 << 20;
constexpr size_t kSector = 512;
constexpr size_t kZerosMin = 32;  // fewer may be content
constexpr size_t kSearchStep = 4096;

bool all_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Result<BytesView> SegmentReader::read(uint64_t position, size_t size) {
  if (position >= end_) return BytesView();
  size = std::min<uint64_t>(size, end_ - position);
  if (position < window_position_ || position + size > window_position_ + window_size_) {
    size_t wanted = std::min<uint64_t>(std::max(size, window_bytes_), end_ - position);
    if (window_.size() < wanted) window_.resize(wanted);
    window_size_ = 0;
    TRY_ASSIGN(window_size_, file_.read_at(position, MutableBytes(window_).first(wanted)));
    window_position_ = position;
    size = std::min(size, window_size_);
  }
  return BytesView(window_).subspan(position - window_position_, size);
}

Result<bool> SegmentReader::crc_matches(uint64_t position, const BatchHeader& header) {
  uint64_t at = position + kBatchCrcStart;
  uint64_t batch_end = position + header.size_in_bytes();
  uint32_t crc = 0;
  while (at < batch_end) {
    TRY_ASSIGN(BytesView chunk, read(at, std::min<uint64_t>(kChunk, batch_end - at)));
    if (chunk.empty()) return false;
    crc = crc32c(chunk, crc);
    at += chunk.size();
  }
  return crc == header.crc;
}

Result<std::optional<BatchHeader>> SegmentScan::plausible_header_at(uint64_t position) {
  if (position + kBatchOverhead > reader_.end()) return std::nullopt;
  TRY_ASSIGN(BytesView bytes, reader_.read(position, kBatchOverhead));
  Result<BatchHeader> header = BatchHeader::decode(bytes);
  if (!header) return std::nullopt;
  bool plausible = header->last_offset_delta >= 0 && header->record_count >= 0 &&
                   int64_t{header->record_count} <= int64_t{header->last_offset_delta} + 1 &&
                   position + header->size_in_bytes() <= reader_.end() && header->first_offset() >= next_offset_ &&
                   header->base_offset - base_.value + header->last_offset_delta <= INT32_MAX;
  if (!plausible) return std::nullopt;
  return *header;
}

// Base offset and epoch are outside the checksum. An offset that leaps ahead of what follows is a lie.
Result<bool> SegmentScan::contradicted(const BatchHeader& header, uint64_t position) {
  if (header.first_offset() == next_offset_) return false;
  TRY_ASSIGN(BytesView bytes, reader_.read(position + header.size_in_bytes(), kBatchOverhead));
  Result<BatchHeader> following = BatchHeader::decode(bytes);
  return following && following->last_offset_delta >= 0 && following->first_offset() < header.next_offset() &&
         following->first_offset() >= next_offset_ + header.record_count;
}

Result<std::optional<BatchHeader>> SegmentScan::valid_batch_at(uint64_t position) {
  TRY_ASSIGN(std::optional<BatchHeader> header, plausible_header_at(position));
  if (!header) return std::nullopt;
  if (options_.verify_crc) {
    TRY_ASSIGN(bool right, reader_.crc_matches(position, *header));
    if (!right) return std::nullopt;
  }
  TRY_ASSIGN(bool lie, contradicted(*header, position));
  if (lie) return std::nullopt;
  return header;
}

Result<std::optional<BatchHeader>> SegmentScan::next() {
  TRY_ASSIGN(std::optional<BatchHeader> header, valid_batch_at(position_));
  if (!header) return std::nullopt;
  batch_position_ = position_;
  batch_size_ = header->size_in_bytes();
  position_ += batch_size_;
  next_offset_ = header->next_offset();
  return header;
}

Result<BytesView> SegmentScan::batch_bytes() {
  TRY_ASSIGN(BytesView bytes, reader_.read(batch_position_, batch_size_));
  if (bytes.size() != batch_size_) return fail(ErrorCode::kCorrupt, "a segment became shorter while it was read");
  return bytes;
}

Result<BadStretch> SegmentScan::skip_bad() {
  bool verify = options_.verify_crc;
  options_.verify_crc = true;  // among bad bytes a header proves nothing
  BadStretch stretch{.position = position_, .end_position = reader_.end(), .first = next_offset_, .end = next_offset_};
  TRY_ASSIGN(std::optional<uint64_t> found, find_batch_after(position_));
  if (found) {
    TRY_ASSIGN(std::optional<BatchHeader> header, valid_batch_at(*found));
    stretch.end_position = *found;
    stretch.end = header->first_offset();
    stretch.followed_by_batch = true;
    next_offset_ = stretch.end;
  }
  TRY_ASSIGN(stretch.has_zero_sector, has_zero_sector(stretch.position, stretch.end_position, stretch.first));
  position_ = stretch.end_position;
  options_.verify_crc = verify;
  return stretch;
}

Result<std::optional<uint64_t>> SegmentScan::find_batch_after(uint64_t position) {
  // The bad batch may say truly how long it is.
  TRY_ASSIGN(std::optional<BatchHeader> bad, plausible_header_at(position));
  if (bad) {
    uint64_t candidate = position + bad->size_in_bytes();
    TRY_ASSIGN(std::optional<BatchHeader> header, valid_batch_at(candidate));
    if (header) return candidate;
  }
  for (uint64_t at = position + 1; at + kBatchOverhead <= reader_.end();) {
    TRY_ASSIGN(BytesView bytes, reader_.read(at + kMagicAt, kSearchStep));
    const void* magic = std::memchr(bytes.data(), wire::kBatchMagic, bytes.size());
    if (magic == nullptr) {
      if (bytes.empty()) break;
      at += bytes.size();
      continue;
    }
    at += static_cast<uint64_t>(static_cast<const std::byte*>(magic) - bytes.data());
    TRY_ASSIGN(std::optional<BatchHeader> header, valid_batch_at(at));
    if (header) return at;
    ++at;
  }
  return std::nullopt;
}

// A sector, or what of it lies in the stretch, that is all zeros. Few zeros may be content, but not where a batch
// begins: with its offset, `expected`, which those bytes would have shown.
Result<bool> SegmentScan::has_zero_sector(uint64_t from, uint64_t to, Offset expected) {
  for (uint64_t at = from; at < to;) {
    uint64_t end = std::min((at / kSector + 1) * kSector, to);
    TRY_ASSIGN(BytesView piece, reader_.read(at, end - at));
    bool enough = piece.size() >= kZerosMin;
    if (at == from && piece.size() > 0) {
      size_t unseen = piece.size() < sizeof(int64_t) ? sizeof(int64_t) - piece.size() : 0;
      enough = enough || (expected.value >> (8 * unseen)) != 0;
    }
    if (enough && all_zero(piece)) return true;
    at = end;
  }
  return false;
}

void SegmentScan::resume_at(uint64_t position, Offset expected) {
  position_ = position;
  next_offset_ = expected;
}

}  // namespace barnabas::log
