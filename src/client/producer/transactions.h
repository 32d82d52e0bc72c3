// Transactions: the state of a transactional producer and its talk with the coordinators (KIP-98, KIP-360, KIP-447,
// KIP-890). Which errors end a transaction and which end the producer is as in Kafka's own client.
//
// Two protocols, by the cluster's transaction.version. Before 2 the producer names each partition to the coordinator
// before it writes there, and asks for a new epoch after errors. With 2 the first write names it, and every end of a
// transaction comes with a new epoch.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "client/cluster.h"
#include "client/producer/sender.h"

namespace barnabas::client::producer {

class Transactions final : public TransactionGate {
 public:
  enum class State {
    kUninitialized,
    kInitializing,
    kReady,
    kInTransaction,
    kCommitting,
    kAborting,
    kAbortableError,
    kFatalError,
  };

  Transactions(Cluster& cluster, const ProducerSettings& settings, Sequencer& sequencer, runtime::Scope& scope);
  // Once, before anything else.
  void connect(Sender& sender) { sender_ = &sender; }

  // Any thread. What is called is refused if the state is not right for it; else the state changes with the call.
  Result<> may_send() const;
  Result<> begin();
  Result<> enter_initializing();
  Result<> enter_committing();
  Result<> enter_aborting();
  Result<> may_add_offsets() const;
  // A record of the transaction was not taken.
  void send_failed(const Error& error);
  State state() const { return state_.load(std::memory_order_acquire); }

  // On the loop, after the call above that allows it. kTimedOut after max.block.ms: the same call goes on with it.
  runtime::Task<Result<>> initialize();
  runtime::Task<Result<>> commit();
  runtime::Task<Result<>> abort();
  runtime::Task<Result<>> send_offsets(std::map<TopicPartition, OffsetAndMetadata> offsets,
                                       ConsumerGroupMetadata group);

  bool admits(Partition& partition) override;
  int16_t produce_version_max() const override { return second_ ? 13 : 11; }
  void batch_failed(const Error& error, wire::KafkaError code) override;
  void sequences_lost() override;

 private:
  enum class Next { kDone, kAgain, kAbortable, kFatal };
  // What a coordinator's code means, for all requests alike; those with exceptions look at the code first.
  Next next_after(wire::KafkaError code);

  template <class Response, class Request>
  runtime::Task<Result<Answer<Response>>> ask(CoordinatorType type, std::string key, Request request,
                                              MonotonicTime deadline, int16_t limit);
  runtime::Task<Result<>> ask_for_identity(ProducerIdentity known, MonotonicTime deadline);
  runtime::Task<Result<>> end(bool commit, MonotonicTime deadline);
  runtime::Task<> add_partitions();
  runtime::Task<Result<>> add_offsets(std::string group, MonotonicTime deadline);
  runtime::Task<Result<>> flush(MonotonicTime deadline);
  // Sets the state the error asks for, and returns it as the caller is to see it.
  Error to_abortable(Error error);
  Error to_fatal(Error error);
  Error settle(wire::KafkaError code, std::string_view what, Next next);
  void bump_from_here();
  void completed();
  Result<> refused(std::string_view call) const;
  Result<> move(State from, State also_from, State to, std::string_view call);

  Cluster& cluster_;
  const ProducerSettings& settings_;
  Sequencer& sequencer_;
  runtime::Scope& scope_;
  Sender* sender_ = nullptr;

  mutable std::mutex mutex_;
  std::atomic<State> state_{State::kUninitialized};  // changed under mutex_
  Error error_;                                      // under mutex_; of the error states

  // On the loop.
  bool second_ = false;  // transaction.version 2 for the present transaction
  bool cluster_has_second_ = false;
  bool started_ = false;      // the coordinator knows of the transaction
  bool bump_needed_ = false;  // a new epoch must be asked for before the next transaction
  bool adding_ = false;
  std::vector<Partition*> to_add_;
  std::vector<Partition*> members_;
};

}  // namespace barnabas::client::producer
