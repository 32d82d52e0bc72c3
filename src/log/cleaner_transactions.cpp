#include "log/cleaner_transactions.h"

#include "wire/control_record.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {

using replication::AbortedTransaction;
using wire::BatchHeader;
using wire::ControlRecordType;

void CleanerTransactions::advance_to(Offset offset) {
  while (next_ < aborted_->size() && (*aborted_)[next_].first_offset <= offset) {
    const AbortedTransaction& transaction = (*aborted_)[next_++];
    open_aborted_.try_emplace(transaction.producer_id, Open{.transaction = transaction});
  }
}

bool CleanerTransactions::data_batch(const BatchHeader& header) {
  advance_to(header.last_offset());
  if (!header.is_transactional()) return false;
  ProducerId producer(header.producer_id);
  auto aborted = open_aborted_.find(producer);
  if (aborted != open_aborted_.end()) {
    aborted->second.has_data = true;
    return true;
  }
  open_committed_.insert(producer);
  return false;
}

bool CleanerTransactions::control_batch(const BatchHeader& header, BytesView batch,
                                        std::vector<AbortedTransaction>& kept) {
  advance_to(header.last_offset());
  wire::RecordIterator records(header, batch);
  wire::RecordView record;
  if (!records.next(record)) return header.record_count == 0;  // emptied before
  if (!record.key) return false;
  Result<ControlRecordType> type = wire::decode_control_key(*record.key);
  if (!type) return false;
  ProducerId producer(header.producer_id);
  if (*type == ControlRecordType::kCommit) return open_committed_.erase(producer) == 0;
  if (*type != ControlRecordType::kAbort) return false;
  auto aborted = open_aborted_.find(producer);
  if (aborted == open_aborted_.end()) return true;
  Open ended = aborted->second;
  open_aborted_.erase(aborted);
  if (!ended.has_data) return true;
  kept.push_back(ended.transaction);
  return false;
}

}  // namespace barnabas::log
