// Reading a segment file batch by batch, believing nothing: for recovery, for finding a batch behind an index entry,
// and for tools that dump a file. SegmentReader gives views of file bytes; SegmentScan walks the batches and, where the
// bytes are no batch, looks for the next one that is.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "wire/record_batch.h"

namespace barnabas::log {

// Bytes of a file through a window in memory.
class SegmentReader {
 public:
  // Of the first `end` bytes of `file`, which outlives the reader.
  SegmentReader(const runtime::File& file, uint64_t end, size_t window_bytes)
      : file_(file), end_(end), window_bytes_(window_bytes) {}

  uint64_t end() const { return end_; }
  // Up to `size` bytes at `position`: less only at the end. Valid until the next call.
  Result<BytesView> read(uint64_t position, size_t size);
  // The checksum of the batch at `position` is right. Its length has been checked against end().
  Result<bool> crc_matches(uint64_t position, const wire::BatchHeader& header);

 private:
  const runtime::File& file_;
  uint64_t end_;
  size_t window_bytes_;
  Buffer window_;
  uint64_t window_position_ = 0;
  size_t window_size_ = 0;
};

// Bytes [position, end_position) that hold no batch. Between the batches around them, offsets [first, end) are missing.
struct BadStretch {
  uint64_t position = 0;
  uint64_t end_position = 0;
  Offset first{0};
  Offset end{0};  // only known when a batch follows
  bool followed_by_batch = false;
  bool has_zero_sector = false;  // all zeros as far as it is in the stretch: what is left where data never arrived
};

struct ScanOptions {
  uint64_t position = 0;   // where to begin: at a batch
  Offset expected{0};      // batches with lower offsets are bad
  bool verify_crc = true;  // else only headers are looked at
};

class SegmentScan {
 public:
  // Walks the file of the segment that begins with offset `base`.
  SegmentScan(SegmentReader& reader, Offset base, ScanOptions options)
      : reader_(reader), base_(base), options_(options), position_(options.position), next_offset_(options.expected) {}

  // The next batch; nullopt at the end of the file or before bytes that are no batch (position() < end then).
  Result<std::optional<wire::BatchHeader>> next();
  // Of the batch next() gave.
  uint64_t batch_position() const { return batch_position_; }
  // The whole batch next() gave, valid until the reader is used again. It fits into memory: its length is that of bytes
  // that are in the file.
  Result<BytesView> batch_bytes();
  // Where the next batch begins, and at least with which offset.
  uint64_t position() const { return position_; }
  Offset next_offset() const { return next_offset_; }
  bool at_end() const { return position_ == reader_.end(); }

  // After next() found bytes that are no batch: goes on behind them, at the next batch or the end of the file.
  Result<BadStretch> skip_bad();
  // Goes on at `position`, where a batch with an offset of at least `expected` begins.
  void resume_at(uint64_t position, Offset expected);

 private:
  Result<std::optional<wire::BatchHeader>> valid_batch_at(uint64_t position);
  Result<std::optional<wire::BatchHeader>> plausible_header_at(uint64_t position);
  Result<bool> contradicted(const wire::BatchHeader& header, uint64_t position);
  Result<std::optional<uint64_t>> find_batch_after(uint64_t position);
  Result<bool> has_zero_sector(uint64_t from, uint64_t to, Offset expected);

  SegmentReader& reader_;
  Offset base_;
  ScanOptions options_;
  uint64_t position_;
  Offset next_offset_;
  uint64_t batch_position_ = 0;
  uint64_t batch_size_ = 0;
};

}  // namespace barnabas::log
