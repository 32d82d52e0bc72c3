// Consumer::Core: the consumer behind its interface. The user's thread works on ConsumerState under its lock and posts
// to the loop; the loop's parts are the fetcher, the positions, the membership.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "client/consumer/context.h"
#include "client/consumer/fetcher.h"
#include "client/consumer/group_offsets.h"
#include "client/consumer/membership.h"
#include "client/consumer/positions.h"
#include "client/runtime_loop.h"

namespace re2 {
class RE2;
}

namespace barnabas::client {

class Consumer::Core : public std::enable_shared_from_this<Consumer::Core> {
 public:
  static Result<std::shared_ptr<Core>> make(const Config& config, ConsumerOptions options);
  Core(ConsumerSettings settings, ConsumerOptions options, std::shared_ptr<RuntimeLoop> runtime);
  ~Core();

  Result<> subscribe(SubscriptionMode mode, std::vector<std::string> topics, std::string pattern,
                     RebalanceListener listener);
  Result<> assign(std::vector<TopicPartition> partitions);
  Future<> unsubscribe();
  Result<> enforce_rebalance();

  Result<ConsumerRecords> poll(Milliseconds timeout);
  Future<ConsumerRecords> next(Milliseconds timeout);
  void wakeup();

  Future<> commit(std::optional<Offsets> offsets);
  void commit_async(std::function<void(const Result<>&)> done);

  Result<> with_partitions(std::span<const TopicPartition> partitions, const std::function<void(PartitionState&)>& act);
  Result<> seek(const TopicPartition& at, int64_t offset);
  Result<> reset_to(std::span<const TopicPartition> partitions, OffsetReset to);
  Future<> seek_to_time(std::vector<TopicPartition> partitions, Timestamp time);
  Result<> set_paused(std::span<const TopicPartition> partitions, bool paused);
  Future<int64_t> position(TopicPartition at);
  Future<CommittedOffsets> committed(std::vector<TopicPartition> partitions);
  Future<std::map<TopicPartition, int64_t>> edge_offsets(std::vector<TopicPartition> partitions, int64_t time);
  Future<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> offsets_for_times(
      std::map<TopicPartition, Timestamp> times);
  Future<std::vector<TopicPartition>> partitions_for(std::string topic);

  Result<> close(Milliseconds limit);
  // Of an object that dies on the client's own thread: nobody waits.
  void abandon();

  ConsumerState& state() { return state_; }

 private:
  struct NextWaiter;

  void start();
  void notify();
  void retry_next();
  void finish_next(Result<ConsumerRecords> result);
  std::optional<Result<ConsumerRecords>> step(std::unique_lock<std::mutex>& lock);
  std::optional<Result<ConsumerRecords>> take_records(std::unique_lock<std::mutex>& lock);
  void run_call(RebalanceCall call, const RebalanceListener& listener);
  void entered(std::unique_lock<std::mutex>& lock);
  void auto_commit(std::unique_lock<std::mutex>& lock);
  void learn(const std::shared_ptr<const ClusterMetadata>& known);
  void match_pattern(const ClusterMetadata& known);
  void subscription_changed();
  std::optional<Error> unusable() const;
  bool has_group() const { return settings_.group_id && !settings_.group_id->empty(); }
  MonotonicTime api_deadline() const { return context_.in_ms(settings_.default_api_timeout_ms); }
  void run_calls(std::unique_lock<std::mutex>& lock);
  void tell_revoked();
  runtime::Task<Result<>> commit_and_tell(Offsets offsets, MonotonicTime deadline);
  runtime::Task<> commit_in_background(std::shared_ptr<Core> self, Offsets offsets);

  static Future<> shut_down(std::shared_ptr<Core> self, MonotonicTime deadline);
  runtime::Task<> drop_membership(std::shared_ptr<Membership> membership, MonotonicTime deadline, Promise<> done);

  // Runs `task` on the loop with its result in the Future. The task may use the core until it ends.
  template <class T>
  Future<T> on_loop(std::function<runtime::Task<Result<T>>()> work);

  ConsumerSettings settings_;
  ConsumerOptions options_;
  std::shared_ptr<RuntimeLoop> runtime_;
  runtime::Executor& loop_;
  ConsumerState state_;
  Cluster cluster_;
  runtime::Scope scope_;
  Bell positions_due_;
  std::atomic<bool> fetch_posted_ = false;
  ConsumerContext context_;
  GroupOffsets offsets_;
  Positions positions_;
  Fetcher fetcher_;
  std::shared_ptr<Membership> membership_;  // on the loop
  std::unique_ptr<re2::RE2> pattern_;       // on the loop
  bool started_ = false;                    // on the loop
  bool shut_ = false;

  std::atomic<bool> next_waits_ = false;
  std::unique_ptr<NextWaiter> next_;  // on the loop
};

}  // namespace barnabas::client
