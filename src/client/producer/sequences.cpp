#include "client/producer/sequences.h"

#include <algorithm>

#include "base/check.h"

namespace barnabas::client::producer {

namespace {

// How far `later` is behind `earlier`, around the wrap.
int64_t distance(int32_t earlier, int32_t later) {
  int64_t difference = int64_t{later} - earlier;
  return difference < 0 ? difference + INT32_MAX + 1 : difference;
}

int32_t sequence_before(int32_t sequence, int32_t records) {
  int64_t before = int64_t{sequence} - records;
  return static_cast<int32_t>(before < 0 ? before + INT32_MAX + 1 : before);
}

}  // namespace

void PartitionSequences::assign(Batch& batch) {
  batch.set_identity(identity_, next_);
  next_ = sequence_after(next_, batch.record_count());
}

void PartitionSequences::remove_in_flight(const Batch& batch) {
  std::erase_if(in_flight_, [&](const BatchPtr& other) { return other.get() == &batch; });
}

void PartitionSequences::replace_in_flight(const Batch& batch, const std::vector<BatchPtr>& parts) {
  auto at = std::ranges::find_if(in_flight_, [&](const BatchPtr& other) { return other.get() == &batch; });
  CHECK(at != in_flight_.end(), "a batch that was in flight");
  at = in_flight_.erase(at);
  in_flight_.insert(at, parts.begin(), parts.end());
}

bool PartitionSequences::on_the_wire() const {
  return std::ranges::any_of(in_flight_, [](const BatchPtr& batch) { return batch->on_the_wire; });
}

void PartitionSequences::acknowledged(const Batch& batch, int64_t base_offset) {
  if (batch.identity() != identity_) return;  // of an epoch that is over
  int32_t last = batch.last_sequence();
  if (last_acknowledged_ < 0 || distance(last_acknowledged_, last) < INT32_MAX / 2) last_acknowledged_ = last;
  if (base_offset >= 0) {
    last_acknowledged_offset_ = std::max(last_acknowledged_offset_, base_offset + batch.record_count() - 1);
  }
}

void PartitionSequences::start_at_beginning(ProducerIdentity identity) {
  identity_ = identity;
  next_ = 0;
  last_acknowledged_ = -1;
  for (const BatchPtr& batch : in_flight_) {
    assign(*batch);
    batch->sequence_was_reset = true;
  }
}

void PartitionSequences::close_gap(const Batch& failed) {
  if (!failed.has_sequence() || failed.identity() != identity_) return;
  next_ = sequence_before(next_, failed.record_count());
  for (const BatchPtr& batch : in_flight_) {
    if (distance(failed.base_sequence(), batch->base_sequence()) >= INT32_MAX / 2) continue;
    batch->set_identity(identity_, sequence_before(batch->base_sequence(), failed.record_count()));
    batch->sequence_was_reset = true;
  }
}

void PartitionSequences::mark_unresolved(const Batch& expired) {
  int32_t after = sequence_after(expired.last_sequence(), 1);
  if (!unresolved_ || distance(*unresolved_, after) < INT32_MAX / 2) unresolved_ = after;
}

bool Sequencer::may_retry(PartitionSequences& partition, const Batch& batch, wire::KafkaError code,
                          int64_t log_start_offset) {
  if (idempotent_ && code == wire::KafkaError::kUnknownProducerId) {
    // Without the log's start it cannot be told why the broker forgot us; the next answer has it.
    if (log_start_offset == -1) return true;
    // The batch before it met the same and had all of them begin again.
    if (batch.sequence_was_reset) return true;
    if (partition.last_acknowledged_offset() < log_start_offset && transactional_) {
      // Retention took all that we wrote: nothing is missing, and the transaction may go on from 0.
      partition.start_at_beginning(identity_);
      return true;
    }
    if (!transactional_) {
      ask_for_bump(partition);
      return true;
    }
  } else if (idempotent_ && code == wire::KafkaError::kOutOfOrderSequenceNumber) {
    if (!partition.unresolved() && (batch.sequence_was_reset || !partition.is_next(batch.base_sequence()))) {
      // One before it failed or is on its way again; it is not the one that made the gap.
      return true;
    }
    if (!transactional_) {
      if (!partition.unresolved() || partition.is_next_after_unresolved(batch.base_sequence())) ask_for_bump(partition);
      return true;
    }
  }
  return wire::is_retriable(code);
}

void Sequencer::failed(PartitionSequences& partition, const Batch& batch, bool nothing_was_taken) {
  partition.remove_in_flight(batch);
  if (!idempotent_ || !nothing_was_taken || !batch.has_sequence()) return;
  if (transactional_) {
    partition.close_gap(batch);
  } else {
    ask_for_bump(partition);
  }
}

bool Sequencer::resolve(PartitionSequences& partition) {
  if (!partition.unresolved() || !partition.in_flight().empty()) return true;
  // What came after the expired batch was taken, so it was taken too.
  bool whole = partition.is_next(partition.next());
  partition.resolve();
  if (whole) return true;
  if (transactional_) return false;
  ask_for_bump(partition);
  return true;
}

void Sequencer::ask_for_bump(PartitionSequences& partition) {
  bump_needed_ = true;
  if (partition.begins_again_) return;
  partition.begins_again_ = true;
  begin_again_.push_back(&partition);
}

bool Sequencer::bump_if_possible() {
  if (!bump_needed_ || transactional_) return false;
  for (PartitionSequences* partition : begin_again_) {
    if (partition->on_the_wire()) return false;
  }
  bump_needed_ = false;
  if (identity_.epoch == INT16_MAX) {
    identity_ = {};
  } else {
    ++identity_.epoch;
  }
  for (PartitionSequences* partition : begin_again_) {
    partition->start_at_beginning(identity_);
    partition->resolve();
    partition->begins_again_ = false;
  }
  begin_again_.clear();
  return true;
}

bool Sequencer::ready_for_new_batch(PartitionSequences& partition) {
  if (!idempotent_) return true;
  if (!identity_.valid() || partition.begins_again()) return false;
  if (partition.identity() != identity_) {
    if (!partition.in_flight().empty()) return false;
    partition.start_at_beginning(identity_);
  }
  return !partition.unresolved();
}

}  // namespace barnabas::client::producer
