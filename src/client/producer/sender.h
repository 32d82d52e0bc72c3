// Sender: takes batches to brokers. On the loop. One pass looks at the partitions that have news or whose time has
// come, queues each at its leader, and fills requests for every leader that can take one: one batch a partition, up to
// max.request.size, up to max.in.flight.requests.per.connection requests under way.
//
// A batch leaves the sender with exactly one fate. With idempotence the batches of a partition are in flight in the
// order of their sequences, and a batch that must go again goes before all that came after it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/producer/accumulator.h"
#include "client/producer/sequences.h"
#include "client/producer/topic.h"
#include "client/settings.h"
#include "runtime/scope.h"
#include "wire/messages/produce_response.h"

namespace barnabas::client::producer {

// What a transactional producer's sender asks and tells.
class TransactionGate {
 public:
  // Whether batches of the partition may go now. If not, the gate sees to it that they may later, and calls look_at().
  virtual bool admits(Partition& partition) = 0;
  // The highest version of Produce that says what is meant (KIP-890).
  virtual int16_t produce_version_max() const = 0;
  // A batch failed for good.
  virtual void batch_failed(const Error& error, wire::KafkaError code) = 0;
  // Sequences were lost with batches that expired.
  virtual void sequences_lost() = 0;

 protected:
  ~TransactionGate() = default;
};

class Sender {
 public:
  struct Environment {
    Cluster& cluster;
    const ProducerSettings& settings;
    const ProducerOptions& options;
    Accumulator& accumulator;
    TopicTable& topics;
    Sequencer& sequencer;
    runtime::Scope& scope;
    TransactionGate* gate = nullptr;
    std::function<void()> after_pass{};
    // What owns the sender, or null once it is being destroyed: held by what runs on the loop later.
    std::function<std::shared_ptr<void>()> owner{};
  };
  explicit Sender(const Environment& environment);

  // A pass. From the loop's queue, a timer, or an answer.
  void run();
  // A pass when the present one of the loop is over.
  void run_soon();
  // Looks at the partition in the next pass.
  void look_at(Partition& partition);

  // Ends when every batch begun before it has its fate; open ones are closed, so that they leave.
  void flush(Promise<> done);
  bool idle() const { return incomplete() == 0; }
  size_t incomplete() const;

  // Fails what no broker may have: queued batches, and those that wait for another try too if `tried_too`.
  void fail_queued(const Error& error, bool tried_too);
  // Everything fails, also what is on the wire.
  void fail_all(const Error& error);
  // Sending stops for good: all that is there and comes later fails with this.
  void stop(const Error& error);
  // Any thread.
  std::optional<Error> why_stopped() const;

  void take_over(const std::shared_ptr<const ClusterMetadata>& metadata);
  // Partitions and leaders of the topic as they are known now.
  void take_over(Topic& topic, const TopicMetadata& metadata);
  // Refreshes of the metadata ask for it from now on.
  void track(Topic& topic);

  // Nothing runs by itself any more; before the sender is destroyed, on the loop.
  void end();

  // Any thread.
  ProducerMetrics metrics() const;
  int requests_in_flight() const { return requests_in_flight_.load(std::memory_order_relaxed); }

 private:
  struct Request {
    Leader* leader = nullptr;
    std::vector<BatchPtr> batches;
    size_t bytes = 0;
  };
  struct Timer {
    MonotonicTime when;
    Partition* partition;
    bool operator>(const Timer& other) const { return when > other.when; }
  };

  // The pass.
  void look_at_now(Partition& partition, MonotonicTime now);
  std::optional<MonotonicTime> wants_to_send_at(Partition& partition, MonotonicTime now);
  void queue_at_leader(Partition& partition);
  void move_to(Partition& partition, Leader* leader);
  void drain(Leader& leader, MonotonicTime now);
  bool fill(Request& request, MonotonicTime now, int16_t version_max);
  enum class Taken { kBatch, kNothing, kNoRoom };
  Taken take(Partition& partition, Request& request, MonotonicTime now);
  void set_timer(Partition& partition, MonotonicTime when);
  void run_timers(MonotonicTime now);
  void arm(MonotonicTime now);
  Leader& leader(int32_t id);

  // Requests.
  void connect(Leader& leader);
  runtime::Task<> connect_to(Leader* leader);
  runtime::Task<> exchange(Leader* leader, std::shared_ptr<Connection> connection, Request request);
  struct Outcome {
    wire::KafkaError code = wire::KafkaError::kNone;
    int64_t base_offset = -1;
    int64_t log_append_time = -1;
    int64_t log_start_offset = -1;
    bool new_leader_named = false;
    std::string message{};
    const Error* transport = nullptr;  // no answer came
  };
  void settle_all(Request& request, const Outcome& outcome);
  void settle_answers(Request& request, const wire::ProduceResponse& answer);
  void settle(const BatchPtr& batch, const Outcome& outcome);
  void split(const BatchPtr& batch);
  void retry(const BatchPtr& batch, bool at_once);
  void fail(const BatchPtr& batch, const Error& error, wire::KafkaError code, bool nothing_was_taken);
  void report(Batch& batch, const Batch::Fate& fate);
  Error refusal(const Batch& batch, const Outcome& outcome) const;

  // Time and identity.
  void expire(MonotonicTime now);
  void expire_in(Partition& partition, MonotonicTime now, MonotonicTime& next);
  void resolve_sequences();
  void acquire_identity();
  runtime::Task<> ask_for_identity();
  void drop_inactive();

  Cluster& cluster_;
  runtime::Executor& loop_;
  const ProducerSettings& settings_;
  const ProducerOptions& options_;
  Accumulator& accumulator_;
  TopicTable& topics_;
  Sequencer& sequencer_;
  runtime::Scope& scope_;
  TransactionGate* gate_;

  std::vector<std::unique_ptr<Leader>> leaders_;
  std::vector<Partition*> active_;  // those with batches
  std::vector<Partition*> to_look_at_;
  std::vector<Partition*> unresolved_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  runtime::TimerId timer_ = 0;
  MonotonicTime timer_at_{};
  MonotonicTime next_expiry_{INT64_MAX};
  bool hurry_ = false;  // in this pass: batches leave although they are neither full nor old
  bool run_pending_ = false;
  bool running_ = false;
  bool acquiring_ = false;
  const std::function<void()> after_pass_;
  const std::function<std::shared_ptr<void>()> owner_;
  bool ended_ = false;
  std::atomic<bool> stopped_{false};
  mutable std::mutex stop_mutex_;
  Error why_stopped_;  // under stop_mutex_

  std::atomic<int> requests_in_flight_{0};
  std::atomic<uint64_t> records_sent_{0}, records_failed_{0}, batches_sent_{0}, bytes_sent_{0}, retries_{0};
};

}  // namespace barnabas::client::producer
