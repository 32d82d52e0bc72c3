// The transaction index: which transactions of a segment were aborted, in the order of their markers. Readers of
// committed data are told those that overlap what they fetch. Pure: the format of NNN.txnindex and the search in it;
// the log keeps the files.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "replication/producer_state.h"

namespace barnabas::replication {

struct AbortedTransaction {
  ProducerId producer_id = kNoProducerId;
  Offset first_offset{0};
  Offset last_offset{0};         // of the abort marker
  Offset last_stable_offset{0};  // when the marker was written: a search for offsets below it can stop here

  static constexpr size_t kSize = 34;  // in the file

  static AbortedTransaction of(const CompletedTransaction& transaction);
  void encode(MutableBytes to) const;
  static Result<AbortedTransaction> decode(BytesView bytes);
  bool operator==(const AbortedTransaction&) const = default;
};

// A whole index file. An error when its size, a version or the order of its entries is wrong.
Result<std::vector<AbortedTransaction>> decode_transaction_index(BytesView bytes);
Buffer encode_transaction_index(const std::vector<AbortedTransaction>& entries);

// Adds to `found` the entries that overlap [from, upper). True: no later segment can have one.
bool collect_aborted(const std::vector<AbortedTransaction>& entries, Offset from, Offset upper,
                     std::vector<AbortedTransaction>& found);

}  // namespace barnabas::replication
