// CleanerTransactions: what a walk over a log, batch by batch, tells a cleaner about transactions: whether a batch
// belongs to an aborted one, and whether a marker still has data it speaks for. Pure; copyable, so that a walk can be
// taken back.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "replication/transaction_index.h"
#include "wire/record_batch.h"

namespace barnabas::log {

class CleanerTransactions {
 public:
  using Aborted = std::shared_ptr<const std::vector<replication::AbortedTransaction>>;
  // `aborted`, by first offset: all that overlap what is walked.
  explicit CleanerTransactions(Aborted aborted) : aborted_(std::move(aborted)) {}

  // A data batch: true when it is of an aborted transaction.
  bool data_batch(const wire::BatchHeader& header);
  // A control batch: true when no data of its transaction was met, so that it is not needed any more. An entry of the
  // transaction index that still is goes to `kept`.
  bool control_batch(const wire::BatchHeader& header, BytesView batch,
                     std::vector<replication::AbortedTransaction>& kept);

 private:
  struct Open {
    replication::AbortedTransaction transaction;
    bool has_data = false;
  };

  void advance_to(Offset offset);

  Aborted aborted_;
  size_t next_ = 0;
  std::unordered_map<ProducerId, Open> open_aborted_;
  std::unordered_set<ProducerId> open_committed_;
};

}  // namespace barnabas::log
