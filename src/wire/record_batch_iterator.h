// The records of one batch, in order, decompressed on the way in constant memory. Nothing a batch claims is believed:
// each record is checked in full (lengths, headers) before it is handed out, and at the end that their number is the
// header's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/varint.h"
#include "wire/compression.h"
#include "wire/record_batch.h"

namespace barnabas::wire {

struct HeaderView {
  std::string_view key;
  std::optional<BytesView> value;
};

// The headers of a record: a range of HeaderView over checked bytes.
class RecordHeaders {
 public:
  RecordHeaders() = default;
  // `encoded` is the count and the headers, as a record ends in; it has been checked.
  explicit RecordHeaders(BytesView encoded) : encoded_(encoded) {}

  class Iterator {
   public:
    using value_type = HeaderView;
    using difference_type = std::ptrdiff_t;
    Iterator(VarintCursor cursor, int32_t left) : cursor_(cursor), left_(left) { load(); }
    const HeaderView& operator*() const { return current_; }
    const HeaderView* operator->() const { return &current_; }
    Iterator& operator++() {
      --left_;
      load();
      return *this;
    }
    bool operator!=(const Iterator& other) const { return left_ != other.left_; }
    bool operator==(const Iterator& other) const { return left_ == other.left_; }

   private:
    void load();
    VarintCursor cursor_;
    int32_t left_;
    HeaderView current_;
  };

  int32_t size() const;
  bool empty() const { return size() == 0; }
  Iterator begin() const;
  Iterator end() const { return Iterator(VarintCursor({}), 0); }
  BytesView encoded() const { return encoded_; }

 private:
  BytesView encoded_;
};

// Views into the batch, or, of a compressed batch, into the iterator: valid until its next step.
struct RecordView {
  int32_t offset_delta = 0;
  int64_t timestamp_delta = 0;
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  RecordHeaders headers;
  size_t size_in_bytes = 0;  // with its length prefix
};

struct DecompressionLimits {
  uint64_t batch_bytes = uint64_t{2} << 30;  // of plain records in all
  size_t record_bytes = size_t{128} << 20;   // of one record held in memory
};

class RecordIterator {
 public:
  enum class Want {
    kAll,
    // Key and value only say whether they are null, headers are checked but not given: records of any size pass by in
    // constant memory.
    kShape,
  };

  // `batch` is one whole batch that outlives the iterator, `header` its header. The checksum is the caller's business.
  RecordIterator(const BatchHeader& header, BytesView batch, Want want = Want::kAll, DecompressionLimits limits = {});

  // Sets `record` to the next one; false at the end or at the first fault.
  bool next(RecordView& record) {
    if (read_ >= header_.record_count || failed_) [[unlikely]]
      return finish();
    return step(record);
  }
  // To be asked after next() said false. kInvalid: records that are not what the header says; kCorrupt, kUnsupported:
  // the compressed data.
  Result<> status() const;

  // The fault is that the batch decompresses to more than the limits allow.
  bool beyond_limits() const { return failed_ && decompressed_ > limits_.batch_bytes; }

  const BatchHeader& header() const { return header_; }
  int32_t records_read() const { return read_; }

 private:
  bool step(RecordView& record);
  bool finish();
  bool ensure(size_t bytes);
  bool refill(size_t bytes);
  bool parse_body(VarintCursor body, RecordView& record);
  bool walk_large_body(size_t body_size, RecordView& record);
  bool read_streamed(int32_t& value, size_t& left);
  bool skip_streamed(int64_t bytes, size_t& left);
  bool cut_short();
  bool fault(ErrorCode code, const char* message);

  BatchHeader header_;
  Want want_;
  DecompressionLimits limits_;
  VarintCursor cursor_;  // over what can be read: the batch itself, or window_
  std::unique_ptr<Decompressor> stream_;
  Buffer window_;
  size_t window_bytes_ = 0;
  uint64_t decompressed_ = 0;
  int32_t read_ = 0;
  bool stream_ended_ = true;
  bool finished_ = false;
  bool failed_ = false;
  std::optional<Error> stream_error_;  // found while reading ahead; told when what came before it is used up
  Error error_;
};

}  // namespace barnabas::wire
