// FetchedRecords: the bytes of one partition out of one Fetch answer, on their way to the user: batches are checked and
// opened one by one as records are taken. Records are views of the frame, or of a batch's decompressed bytes; whoever
// takes them gets the owners too. Bytes that are not what they should be are an Error of kind kBadAnswer; what came
// before them has been handed out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/consumer.h"
#include "base/bytes.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::client {

// What ConsumerRecords hold.
struct ConsumerRecords::Parts {
  std::vector<ConsumerRecord> records;
  std::vector<std::shared_ptr<const void>> owners;
};

struct AbortedRange {
  int64_t producer_id = -1;
  int64_t first_offset = -1;
};

class FetchedRecords {
 public:
  struct Options {
    bool check_crcs = true;
    bool read_committed = false;
  };
  static constexpr size_t kPlainBytesMax = size_t{256} << 20;  // of one batch

  // `bytes` lie in `frame`. Records below `position` are skipped.
  FetchedRecords(std::shared_ptr<const std::string> topic, int32_t partition, std::shared_ptr<const void> frame,
                 BytesView bytes, std::vector<AbortedRange> aborted, int64_t position, Options options);

  // Appends up to `most` records. Fewer only at the end.
  Result<size_t> take(size_t most, ConsumerRecords::Parts& to);
  bool at_end() const { return ended_; }

  // The next offset to read, and the leader epoch of what was read before it (-1: nothing yet).
  int64_t position() const { return position_; }
  int32_t epoch() const { return epoch_; }
  size_t size() const { return size_; }

 private:
  Result<bool> open_next();
  bool aborted(const wire::BatchView& batch);
  Error bad(const wire::BatchHeader& header, std::string_view why) const;

  std::shared_ptr<const std::string> topic_;
  int32_t partition_;
  std::shared_ptr<const void> frame_;
  size_t size_;
  wire::BatchCursor batches_;
  std::vector<AbortedRange> aborted_;
  size_t next_aborted_ = 0;
  std::set<int64_t> aborting_;
  int64_t position_;
  int32_t epoch_ = -1;
  Options options_;
  bool ended_ = false;

  // The open batch.
  wire::BatchHeader header_;
  std::optional<wire::RecordIterator> records_;
  std::shared_ptr<const void> owner_;  // of the open batch's bytes
  bool owner_given_ = false;
};

// The offset after the last whole batch of `bytes`, and its leader epoch; nothing when there is none.
std::optional<std::pair<int64_t, int32_t>> end_of_batches(BytesView bytes);

}  // namespace barnabas::client
