// Producer: sends records to a Kafka cluster. Thread-safe: any thread may call any function. Records of one partition
// are delivered in the order of their send() calls, once each while idempotence is on (the default; KIP-98, KIP-679).
//
// send() copies the record into a batch and returns; batches leave when they are full (batch.size) or old enough
// (linger.ms, 5 by default), up to max.in.flight.requests.per.connection at a time for a broker. When buffer.memory is
// full or the topic is not known yet, send() waits up to max.block.ms, then fails with kTimedOut; the asynchronous
// forms wait without a thread. A record is reported delivered or failed exactly once, within delivery.timeout.ms.
//
// Configuration: the Java producer's keys. Closing (or destroying) waits for what was sent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/future.h"
#include "barnabas/runtime.h"
#include "barnabas/types.h"

namespace barnabas::client {

class Consumer;
struct ConsumerGroupMetadata;

// What a partitioner may know. `partitions` is the topic's number of them, at least 1; `available` those with a leader.
struct PartitionerInput {
  std::string_view topic;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  int32_t partitions = 0;
  std::span<const int32_t> available;
};
// Returns a partition in [0, partitions), or nothing to leave it to the built-in one. Called by send(), on its thread.
using Partitioner = std::function<std::optional<int32_t>(const PartitionerInput&)>;

// The partition Kafka's clients give a key: murmur2, as `org.apache.kafka.common.utils.Utils.murmur2`. partitions > 0.
int32_t partition_for_key(std::string_view key, int32_t partitions);

// Sees every record on its way (KIP-42). Functions may be empty. A hook must not block.
struct ProducerInterceptor {
  // On send()'s thread before the record is serialised; may change it. What it points to must outlive send().
  std::function<void(ProducerRecord& record)> on_send{};
  // On the client's thread, before the report is given to the caller.
  std::function<void(const Result<RecordMetadata>& report)> on_acknowledgement{};
};

// The fate of the records of one batch that were sent with a tag, in one call: the cheapest form of report.
struct DeliveryReport {
  std::string_view topic;
  int32_t partition = -1;
  // Of each record, as given to send_tagged(), in order.
  std::span<const uint64_t> tags;
  // Offset of the first record; the others follow without gaps. -1 as in RecordMetadata, or when `error` is set.
  int64_t base_offset = -1;
  const Error* error = nullptr;  // null: delivered
};

struct ProducerOptions {
  std::shared_ptr<Runtime> runtime{};                        // absent: one of its own
  Partitioner partitioner;                                   // absent: partitioner.* keys decide
  std::vector<ProducerInterceptor> interceptors{};           // in this order
  std::function<void(const DeliveryReport&)> on_delivery{};  // for send_tagged(); on the client's thread
};

struct ProducerMetrics {
  uint64_t records_sent = 0;
  uint64_t records_failed = 0;
  uint64_t batches_sent = 0;
  uint64_t bytes_sent = 0;
  uint64_t retries = 0;
  uint64_t buffered_bytes = 0;
};

class Producer {
 public:
  using Callback = std::move_only_function<void(Result<RecordMetadata>)>;

  // kConfig when the configuration is wrong. Does not wait for a broker.
  static Result<Producer> create(const Config& config, ProducerOptions options = {});
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;
  ~Producer();  // close() with a time limit of delivery.timeout.ms

  // Errors of the call itself (record too large for max.request.size, unknown topic after max.block.ms, closed, fenced)
  // come through the Future or callback too, so there is one place to look.
  Future<RecordMetadata> send(const ProducerRecord& record);
  // `callback` is called once, on the client's thread (or in this call when it fails at once).
  void send(const ProducerRecord& record, Callback callback);
  // Reported through ProducerOptions::on_delivery, batch by batch. An error here means that the record was not taken
  // and will not be reported.
  Result<> send_tagged(const ProducerRecord& record, uint64_t tag = 0);

  // Ends when everything sent before it is delivered or failed. Sends now what linger.ms would hold back.
  Future<> flush();

  struct PartitionInfo {
    int32_t partition = -1;
    std::optional<int32_t> leader;
    std::vector<int32_t> replicas;
    std::vector<int32_t> in_sync_replicas;
  };
  Future<std::vector<PartitionInfo>> partitions_for(std::string topic);

  // Transactions (KIP-98, KIP-447, KIP-890): needs transactional.id. Both protocol versions; the cluster's
  // transaction.version decides. After an error with `fatal`, only close() is left; after any other, abort().
  Future<> init_transactions();
  Result<> begin_transaction();
  Future<> send_offsets_to_transaction(std::map<TopicPartition, OffsetAndMetadata> offsets,
                                       ConsumerGroupMetadata group);
  Future<> commit_transaction();  // flushes first
  Future<> abort_transaction();

  ProducerMetrics metrics() const;

  // Takes no more records; waits up to `limit` for those taken, then fails the rest with kClosed. Idempotent.
  Result<> close(Milliseconds limit = Milliseconds::max());

  class Core;  // the library's own

 private:
  explicit Producer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::client
