// Producer::Core: what is behind a Producer: the ways in from user threads, and the parts on the loop. Held by the
// Producer, by work under way on the loop, and by the coroutine that closes it.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "client/cluster.h"
#include "client/producer/accumulator.h"
#include "client/producer/sender.h"
#include "client/producer/topic.h"
#include "client/producer/transactions.h"
#include "client/runtime_loop.h"
#include "client/settings.h"
#include "runtime/scope.h"

namespace barnabas::client {

class Producer::Core : public std::enable_shared_from_this<Producer::Core> {
 public:
  Core(ProducerSettings settings, ProducerOptions options, std::shared_ptr<RuntimeLoop> runtime);
  ~Core();
  void start();

  // Takes the record, or says why not. `callback` is null for a record with a tag, else left alone on failure.
  Result<> send(const ProducerRecord& record, uint64_t tag, Callback* callback);
  // The failure of a send(), to its callback.
  void refuse(Callback& callback, const Error& error);

  Future<> flush();
  Future<std::vector<PartitionInfo>> partitions_for(std::string topic);
  ProducerMetrics metrics() const { return sender_.metrics(); }
  Result<> close(Milliseconds limit);
  Milliseconds close_limit() const { return Milliseconds(settings_.delivery_timeout_ms); }

  Future<> init_transactions();
  Result<> begin_transaction();
  Future<> send_offsets(std::map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group);
  Future<> commit_transaction();
  Future<> abort_transaction();

 private:
  // A send() made on a client's thread that would have had to wait: it waits on the loop instead, with a copy.
  struct Parked;
  // Where a record goes: a partition, or the topic must be asked for first.
  struct Route {
    producer::Partition* partition = nullptr;
    bool sticky = false;
  };

  enum class Attempt { kTaken, kUnknownTopic, kNoRoom, kRefused };
  Attempt attempt(producer::Topic& topic, producer::Accumulator::Item& item, Error& refusal);
  Result<Route> route(producer::Topic& topic, const ProducerRecord& record);
  // What is wrong with the record or the producer already before a partition is looked for.
  std::optional<Error> precheck(const ProducerRecord& record, const producer::RecordShape& shape) const;
  Result<> send_checked(const ProducerRecord& record, uint64_t tag, Callback* callback);
  Result<> send_blocking(producer::Topic& topic, producer::Accumulator::Item& item, Attempt first);
  // Any client's thread.
  bool behind_parked() const;
  Result<> park(const producer::Accumulator::Item& item);
  void take_parked(std::list<Parked> parked);
  void unpark();
  void set_parked_timer();
  void report_parked(Parked& parked, const Error& error);
  void wake();
  template <class T, class Start>
  Future<T> on_loop(Start start);
  // Ends when the topic (and its partition) is known, or cannot be.
  runtime::Task<> learn_topic(std::string name, std::optional<int32_t> partition, MonotonicTime deadline,
                              Promise<> done);
  runtime::Task<> learn_for_parked(std::string name, std::optional<int32_t> partition, MonotonicTime deadline);
  runtime::Task<> tell_partitions(std::string name, Promise<std::vector<PartitionInfo>> done);
  runtime::Task<> settle_transaction(runtime::Task<Result<>> work, Promise<> done);
  static Future<> shut_down(std::shared_ptr<Core> self, Milliseconds limit,
                            std::shared_ptr<detail::FutureState<void>> done);
  runtime::Task<bool> flush_until(MonotonicTime deadline);

  const ProducerSettings settings_;
  const ProducerOptions options_;
  const std::shared_ptr<RuntimeLoop> runtime_;
  runtime::Executor& loop_;
  runtime::Scope scope_;
  Cluster cluster_;
  producer::TopicTable topics_;
  producer::Accumulator accumulator_;
  producer::Sequencer sequencer_;
  std::unique_ptr<producer::Transactions> transactions_;
  producer::Sender sender_;

  std::atomic<bool> woken_{false};
  // Of what is parked, or on its way there from another client's loop.
  std::atomic<size_t> parked_count_{0};
  std::atomic<size_t> parked_bytes_{0};
  std::mutex mutex_;
  std::shared_ptr<detail::FutureState<void>> closed_;  // under mutex_; there once closing has begun

  // On the loop.
  std::list<Parked> parked_;
  runtime::TimerId parked_timer_ = 0;
  bool unparking_ = false;
  bool shut_ = false;  // no more tasks are begun
};

}  // namespace barnabas::client
