// Sequences: which sequence number the next batch of a partition gets, and what a refusal of one means (KIP-98,
// KIP-360). Pure: no clock, no request. Belongs to the loop.
//
// PartitionSequences knows one partition: its batches in flight in their order. Sequencer knows the producer: its
// identity, and whether its epoch must be bumped because some partition cannot go on with its sequences.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "client/producer/batch.h"
#include "wire/kafka_error.h"

namespace barnabas::client::producer {

class PartitionSequences {
 public:
  // Batches that were sent and have no fate yet, or wait to be sent again; in their order.
  const std::deque<BatchPtr>& in_flight() const { return in_flight_; }
  ProducerIdentity identity() const { return identity_; }
  int32_t next() const { return next_; }
  int32_t last_acknowledged() const { return last_acknowledged_; }
  int64_t last_acknowledged_offset() const { return last_acknowledged_offset_; }
  bool unresolved() const { return unresolved_.has_value(); }

  // Gives the batch the next sequences.
  void assign(Batch& batch);
  void add_in_flight(BatchPtr batch) { in_flight_.push_back(std::move(batch)); }
  void remove_in_flight(const Batch& batch);
  // The parts take the batch's place.
  void replace_in_flight(const Batch& batch, const std::vector<BatchPtr>& parts);

  void acknowledged(const Batch& batch, int64_t base_offset);
  // All that is in flight begins again at 0 under this identity.
  void start_at_beginning(ProducerIdentity identity);
  // The batch failed for good and nothing of it was taken: those after it move up.
  void close_gap(const Batch& failed);
  // The batch expired after it had been sent: whether it was taken is not known.
  void mark_unresolved(const Batch& expired);
  void resolve() { unresolved_.reset(); }

  bool on_the_wire() const;
  // Nothing is sent until the epoch was bumped.
  bool begins_again() const { return begins_again_; }

  // Whether it follows directly on what was acknowledged last.
  bool is_next(int32_t sequence) const { return sequence == sequence_after(last_acknowledged_, 1); }
  bool is_next_after_unresolved(int32_t sequence) const { return unresolved_ == sequence; }

 private:
  ProducerIdentity identity_;
  int32_t next_ = 0;
  int32_t last_acknowledged_ = -1;
  int64_t last_acknowledged_offset_ = -1;
  std::optional<int32_t> unresolved_;
  std::deque<BatchPtr> in_flight_;
  friend class Sequencer;
  bool begins_again_ = false;
};

class Sequencer {
 public:
  Sequencer(bool idempotent, bool transactional) : idempotent_(idempotent), transactional_(transactional) {}

  bool idempotent() const { return idempotent_; }
  bool transactional() const { return transactional_; }
  ProducerIdentity identity() const { return identity_; }
  void set_identity(ProducerIdentity identity) { identity_ = identity; }

  // Whether a batch may be sent again that was refused with `code`. May ask for an epoch bump.
  bool may_retry(PartitionSequences& partition, const Batch& batch, wire::KafkaError code, int64_t log_start_offset);
  // The batch failed for good; `nothing_was_taken` is false where a try of it may have arrived.
  void failed(PartitionSequences& partition, const Batch& batch, bool nothing_was_taken);
  // Batches that expired are out of the way: the sequences are whole, or a bump is asked for. Returns false when a
  // transaction must be aborted instead.
  bool resolve(PartitionSequences& partition);

  // KIP-360: the epoch goes up without asking the broker, once nothing is on the wire of the partitions that asked for
  // it (what is under way may yet be taken under the old epoch). True if it did. Afterwards the identity is not valid()
  // if the epochs are used up: a new id must be asked for.
  bool bump_if_possible();
  bool bump_needed() const { return bump_needed_; }

  // Before a new batch of the partition is sent: it takes over a new identity when nothing of the old is in flight.
  // False: it must wait.
  bool ready_for_new_batch(PartitionSequences& partition);

 private:
  void ask_for_bump(PartitionSequences& partition);

  const bool idempotent_;
  const bool transactional_;
  ProducerIdentity identity_;
  bool bump_needed_ = false;
  std::vector<PartitionSequences*> begin_again_;
};

}  // namespace barnabas::client::producer
