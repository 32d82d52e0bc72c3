// ProducerState: what one partition remembers of each producer (KIP-98, KIP-890): epoch, the last five batches, the
// open transaction. It is a function of the log: every batch with a producer id is shown to it once, in order. Pure;
// the log owns one, under the partition's lock. check_*() decide and are const, apply_*() change.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace barnabas::wire {
enum class KafkaError : int16_t;
struct BatchHeader;
}  // namespace barnabas::wire

namespace barnabas::replication {

// Who wants to append. Only clients are held to their sequence; what a leader replicated is never refused.
enum class AppendOrigin { kClient, kCoordinator, kReplication };

// A transaction marker that is about to be, or was, appended at `offset`.
struct TransactionMarker {
  ProducerId producer_id = kNoProducerId;
  int16_t producer_epoch = -1;
  int32_t coordinator_epoch = -1;
  bool commit = false;
  Offset offset{0};
  TimestampMs timestamp = kNoTimestamp;
  int16_t transaction_version = 0;  // 2: each transaction has its own epoch, so the marker's must be a new one
};

// A transaction that a marker ended. An aborted one becomes an entry of the transaction index.
struct CompletedTransaction {
  ProducerId producer_id = kNoProducerId;
  Offset first_offset{0};
  Offset last_offset{0};  // of the marker
  Offset last_stable_offset{0};
  bool aborted = false;
  bool operator==(const CompletedTransaction&) const = default;
};

struct ProducerVerdict {
  enum class Kind { kAccept, kDuplicate, kRefuse };
  Kind kind = Kind::kAccept;
  // Of a duplicate: where the batch is, and its timestamp (the append time of a LogAppendTime topic).
  Offset base_offset = kNoOffset;
  TimestampMs timestamp = kNoTimestamp;
  // Of a refusal: 45, 47, 48 or 52, and why.
  wire::KafkaError error{};
  std::string reason;

  bool accepted() const { return kind == Kind::kAccept; }
};

class ProducerState {
 public:
  static constexpr size_t kBatchesKept = 5;

  struct Batch {
    int32_t last_sequence = -1;
    Offset last_offset{-1};
    int32_t offset_delta = 0;
    TimestampMs timestamp = kNoTimestamp;

    int32_t first_sequence() const;
    Offset first_offset() const { return last_offset - offset_delta; }
    bool operator==(const Batch&) const = default;
  };

  struct Producer {
    int16_t epoch = -1;
    uint8_t batch_count = 0;
    int32_t coordinator_epoch = -1;
    TimestampMs last_timestamp = kNoTimestamp;
    std::optional<Offset> transaction_start;
    std::array<Batch, kBatchesKept> recent{};  // oldest first, batch_count of them

    std::span<const Batch> batches() const { return std::span(recent).first(batch_count); }
    int32_t last_sequence() const { return batch_count == 0 ? -1 : recent[batch_count - 1].last_sequence; }
    bool operator==(const Producer&) const = default;
  };

  // May this data batch be appended? `batch` has a producer id and is not a control batch.
  ProducerVerdict check_batch(const wire::BatchHeader& batch, AppendOrigin origin) const;
  ProducerVerdict check_marker(const TransactionMarker& marker, AppendOrigin origin) const;

  // The batch, with its final offsets, is in the log. Takes anything a log can hold: a log is never wrong.
  void apply_batch(const wire::BatchHeader& batch);
  // The marker is in the log. Nothing when no transaction of that producer was open.
  std::optional<CompletedTransaction> apply_marker(const TransactionMarker& marker);

  const Producer* find(ProducerId id) const;
  const std::map<ProducerId, Producer>& producers() const { return producers_; }
  bool empty() const { return producers_.empty(); }

  // The first offset of any transaction that is open, or whose marker the high watermark has not passed: readers of
  // committed data stop there.
  std::optional<Offset> first_unstable_offset() const;
  // Transactions whose marker is below it are settled.
  void high_watermark_advanced(Offset high_watermark);
  // What lies before `log_start` no longer holds anything back.
  void log_start_advanced(Offset log_start);

  // Forgets producers without an open transaction that were silent for `expiration_ms`. Returns how many.
  size_t expire(TimestampMs now, int64_t expiration_ms);
  void clear();

  // A producer as a snapshot has it (producer_snapshot.h).
  void restore(ProducerId id, const Producer& producer);

  bool operator==(const ProducerState&) const = default;

 private:
  std::map<ProducerId, Producer> producers_;
  std::map<Offset, ProducerId> open_;   // open transactions by first offset
  std::map<Offset, Offset> unsettled_;  // ended ones the high watermark has not passed: first offset, marker
};

}  // namespace barnabas::replication
