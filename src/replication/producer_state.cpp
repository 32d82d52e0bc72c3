#include "replication/producer_state.h"

#include <algorithm>
#include <string>

#include "base/crc32c.h"
#include "replication/producer_snapshot.h"
#include "wire/kafka_error.h"
#include "wire/record_batch.h"

namespace barnabas::replication {

using wire::KafkaError;

namespace {

ProducerVerdict refuse(KafkaError error, std::string reason) {
  return {.kind = ProducerVerdict::Kind::kRefuse, .error = error, .reason = std::move(reason)};
}

bool follows(int32_t last_sequence, int32_t next) {
  return next == int64_t{last_sequence} + 1 || (next == 0 && last_sequence == INT32_MAX);
}

std::string describe(int64_t id, int16_t epoch) {
  return "producer " + std::to_string(id) + " epoch " + std::to_string(epoch);
}

void add_batch(ProducerState::Producer& producer, const ProducerState::Batch& batch) {
  if (producer.batch_count == ProducerState::kBatchesKept) {
    std::shift_left(producer.recent.begin(), producer.recent.end(), 1);
    --producer.batch_count;
  }
  producer.recent[producer.batch_count++] = batch;
}

// A new epoch begins its sequence anew.
void set_epoch(ProducerState::Producer& producer, int16_t epoch) {
  if (producer.epoch == epoch) return;
  producer.epoch = epoch;
  producer.batch_count = 0;
  producer.recent = {};
}

}  // namespace

int32_t ProducerState::Batch::first_sequence() const {
  if (last_sequence < offset_delta) {
    return static_cast<int32_t>(int64_t{INT32_MAX} - (int64_t{offset_delta} - last_sequence) + 1);
  }
  return last_sequence - offset_delta;
}

const ProducerState::Producer* ProducerState::find(ProducerId id) const {
  auto at = producers_.find(id);
  return at == producers_.end() ? nullptr : &at->second;
}

ProducerVerdict ProducerState::check_batch(const wire::BatchHeader& batch, AppendOrigin origin) const {
  const Producer* known = find(ProducerId(batch.producer_id));
  if (known == nullptr || origin == AppendOrigin::kReplication) return {};  // an unknown producer starts anywhere

  if (origin == AppendOrigin::kClient && batch.producer_epoch == known->epoch) {
    for (const Batch& kept : known->batches()) {
      if (kept.last_sequence == batch.last_sequence() && kept.first_sequence() == batch.base_sequence) {
        return {
            .kind = ProducerVerdict::Kind::kDuplicate, .base_offset = kept.first_offset(), .timestamp = kept.timestamp};
      }
    }
  }
  if (batch.producer_epoch < known->epoch) {
    return refuse(KafkaError::kInvalidProducerEpoch, describe(batch.producer_id, batch.producer_epoch) +
                                                         " is older than its current epoch " +
                                                         std::to_string(known->epoch));
  }
  if (origin == AppendOrigin::kClient) {
    if (batch.producer_epoch != known->epoch) {
      if (batch.base_sequence != 0 && known->epoch != wire::kNoProducerEpoch) {
        return refuse(KafkaError::kOutOfOrderSequenceNumber, describe(batch.producer_id, batch.producer_epoch) +
                                                                 " begins with sequence " +
                                                                 std::to_string(batch.base_sequence));
      }
    } else if (!follows(known->last_sequence(), batch.base_sequence)) {
      return refuse(KafkaError::kOutOfOrderSequenceNumber, describe(batch.producer_id, batch.producer_epoch) +
                                                               " sent sequence " + std::to_string(batch.base_sequence) +
                                                               " after " + std::to_string(known->last_sequence()));
    }
  }
  if (known->transaction_start && !batch.is_transactional()) {
    return refuse(KafkaError::kInvalidTxnState, describe(batch.producer_id, batch.producer_epoch) +
                                                    " has an open transaction and sent a batch outside of it");
  }
  return {};
}

ProducerVerdict ProducerState::check_marker(const TransactionMarker& marker, AppendOrigin origin) const {
  const Producer* known = find(marker.producer_id);
  if (known == nullptr || origin == AppendOrigin::kReplication) return {};
  // With an epoch for each transaction, a marker of the current epoch is a late one, unless nothing is open: then the
  // coordinator repeats, after a fail-over, what it has done.
  bool stale = marker.producer_epoch < known->epoch ||
               (marker.transaction_version >= 2 && marker.producer_epoch == known->epoch && known->transaction_start);
  if (stale) {
    return refuse(KafkaError::kInvalidProducerEpoch, "a marker of " +
                                                         describe(marker.producer_id.value, marker.producer_epoch) +
                                                         " came at epoch " + std::to_string(known->epoch));
  }
  if (marker.coordinator_epoch < known->coordinator_epoch) {
    return refuse(KafkaError::kTransactionCoordinatorFenced,
                  "a marker of coordinator epoch " + std::to_string(marker.coordinator_epoch) + " came after one of " +
                      std::to_string(known->coordinator_epoch));
  }
  return {};
}

void ProducerState::apply_batch(const wire::BatchHeader& batch) {
  ProducerId id(batch.producer_id);
  Producer& producer = producers_[id];
  set_epoch(producer, batch.producer_epoch);
  add_batch(producer, {.last_sequence = batch.last_sequence(),
                       .last_offset = batch.last_offset(),
                       .offset_delta = batch.last_offset_delta,
                       .timestamp = batch.max_timestamp});
  producer.last_timestamp = batch.max_timestamp;
  if (batch.is_transactional() && !producer.transaction_start) {
    producer.transaction_start = batch.first_offset();
    open_.emplace(batch.first_offset(), id);
  }
}

std::optional<CompletedTransaction> ProducerState::apply_marker(const TransactionMarker& marker) {
  Producer& producer = producers_[marker.producer_id];
  set_epoch(producer, marker.producer_epoch);
  producer.coordinator_epoch = marker.coordinator_epoch;
  producer.last_timestamp = marker.timestamp;
  if (!producer.transaction_start) return std::nullopt;

  Offset first = *producer.transaction_start;
  producer.transaction_start.reset();
  if (auto at = open_.find(first); at != open_.end() && at->second == marker.producer_id) open_.erase(at);
  CompletedTransaction completed{.producer_id = marker.producer_id,
                                 .first_offset = first,
                                 .last_offset = marker.offset,
                                 .last_stable_offset = open_.empty() ? marker.offset + 1 : open_.begin()->first,
                                 .aborted = !marker.commit};
  unsettled_.insert_or_assign(first, marker.offset);
  return completed;
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!unsettled_.empty() && (!first || unsettled_.begin()->first < *first)) first = unsettled_.begin()->first;
  return first;
}

void ProducerState::high_watermark_advanced(Offset high_watermark) {
  std::erase_if(unsettled_, [&](const auto& entry) { return entry.second < high_watermark; });
}

void ProducerState::log_start_advanced(Offset log_start) {
  std::erase_if(unsettled_, [&](const auto& entry) { return entry.second < log_start; });
}

size_t ProducerState::expire(TimestampMs now, int64_t expiration_ms) {
  return std::erase_if(producers_, [&](const auto& entry) {
    const Producer& producer = entry.second;
    return !producer.transaction_start && now - producer.last_timestamp >= expiration_ms;
  });
}

void ProducerState::clear() {
  producers_.clear();
  open_.clear();
  unsettled_.clear();
}

void ProducerState::restore(ProducerId id, const Producer& producer) {
  producers_[id] = producer;
  if (producer.transaction_start) open_.emplace(*producer.transaction_start, id);
}

}  // namespace barnabas::replication
