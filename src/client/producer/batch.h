// Batch: records of one partition on their way: filled by send() under its partition's lock, then sealed into a record
// batch and sent by the loop, as often as it takes. Its records are encoded once, when they are appended; compression,
// the producer's identity and the checksum come when it is sealed. It knows whom to tell when its fate is known.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "barnabas/producer.h"
#include "base/bytes.h"
#include "base/time.h"
#include "client/producer/memory.h"
#include "wire/compression.h"

namespace barnabas::client::producer {

struct Partition;

// Under which a broker knows the producer (KIP-98).
struct ProducerIdentity {
  int64_t id = -1;
  int16_t epoch = -1;
  bool valid() const { return id >= 0; }
  bool operator==(const ProducerIdentity&) const = default;
};

// (sequence + records), which wraps from 2^31-1 to 0.
int32_t sequence_after(int32_t sequence, int32_t records);

// Ends when a number of batches have.
struct FlushWait {
  size_t left = 0;
  Promise<> done;
};

// What a record needs in a batch, apart from its place there.
struct RecordShape {
  explicit RecordShape(const ProducerRecord& record);
  size_t fixed = 0;    // of the body, without the deltas of time and offset
  size_t headers = 0;  // bytes of the headers with their number
  size_t upper_bound() const { return fixed + 20; }
};

class Batch {
 public:
  // Takes records until they would reach `limit` bytes, header included; the first always fits if the block does.
  Batch(Partition& partition, Memory& memory, Block block, size_t limit, MonotonicTime created);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Appends the record if it fits; its report goes to `callback` if there is one, else by `tag`.
  bool append(const ProducerRecord& record, const RecordShape& shape, TimestampMs timestamp, uint64_t tag,
              Producer::Callback* callback);

  Partition& partition() const { return *partition_; }
  MonotonicTime created() const { return created_; }
  int32_t record_count() const { return count_; }
  size_t plain_size() const { return used_; }
  size_t limit() const { return limit_; }

  // On the loop, from here on.
  // The record batch as it is sent. The same bytes as before when identity and sequence are.
  BytesView seal(const wire::Compression& compression, bool transactional);
  // compress() happens in seal(); before it the size is only known to be at most plain_size().
  bool sealed() const { return sealed_; }
  size_t sealed_size() const { return wire_.size(); }

  void set_identity(ProducerIdentity identity, int32_t base_sequence);
  bool has_sequence() const { return base_sequence_ >= 0; }
  int32_t base_sequence() const { return base_sequence_; }
  int32_t last_sequence() const { return sequence_after(base_sequence_, count_ - 1); }
  ProducerIdentity identity() const { return identity_; }

  // Parts of at most `limit` bytes each, at least two if there are two records, in order, with their share of the
  // reports and sequences. This batch is spent.
  std::vector<std::shared_ptr<Batch>> split(size_t limit);

  // Reports delivery (`error` null) or failure of all records, once.
  struct Fate {
    int64_t base_offset = -1;
    Timestamp log_append_time = -1;
    const Error* error = nullptr;
  };
  void report(const Fate& fate, std::string_view topic, int32_t partition, const ProducerOptions& options);
  bool done() const { return done_; }

  // The sender's notes.
  int attempts = 0;
  bool on_the_wire = false;
  bool waits_for_retry = false;
  MonotonicTime retry_at{};
  bool sequence_was_reset = false;
  bool transactional = false;
  std::vector<std::shared_ptr<FlushWait>> flushes;

 private:
  struct Acknowledgement {
    int32_t index;
    TimestampMs timestamp;
    Producer::Callback callback;
  };
  void report_tags(const Fate& fate, const DeliveryReport& report, const ProducerOptions& options);
  std::vector<TimestampMs> timestamps() const;

  Partition* partition_;
  Memory& memory_;
  Block block_;
  const size_t limit_;
  const MonotonicTime created_;
  size_t used_;
  int32_t count_ = 0;
  TimestampMs base_timestamp_ = 0;
  TimestampMs max_timestamp_ = -1;
  std::vector<uint64_t> tags_;
  std::vector<Acknowledgement> acknowledgements_;
  bool done_ = false;

  ProducerIdentity identity_;
  int32_t base_sequence_ = -1;
  Buffer compressed_;
  bool sealed_ = false;
  BytesView wire_;
};

using BatchPtr = std::shared_ptr<Batch>;

}  // namespace barnabas::client::producer
