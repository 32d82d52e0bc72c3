// ShareConsumer::Core: membership by heartbeats, and for each broker that leads assigned partitions a share session
// with one request outstanding: a ShareFetch while poll() waits for records, which takes acknowledgements along, or a
// ShareAcknowledge for commit(). Nothing is fetched ahead: what is acquired is locked for others.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "barnabas/share_consumer.h"
#include "client/cluster.h"
#include "client/consumer/bell.h"
#include "client/consumer/share_records.h"
#include "client/runtime_loop.h"
#include "runtime/clock.h"
#include "runtime/scope.h"

namespace barnabas::client {

class ShareConsumer::Core : public std::enable_shared_from_this<ShareConsumer::Core> {
 public:
  static Result<std::shared_ptr<Core>> make(const Config& config, ShareConsumerOptions options);
  Core(ConsumerSettings settings, std::shared_ptr<RuntimeLoop> runtime);

  Result<> subscribe(std::vector<std::string> topics);
  std::set<std::string> subscription() const;
  Result<ConsumerRecords> poll(Milliseconds timeout);
  void wakeup();
  Result<> acknowledge(const ConsumerRecord& record, Acknowledgement outcome);
  Future<std::map<TopicPartition, Result<>>> commit();
  Result<> close(Milliseconds limit);

 private:
  using Outcomes = std::map<TopicPartition, Result<>>;

  struct Ready {
    std::shared_ptr<ConsumerRecords::Parts> parts;
    std::map<TopicPartition, std::vector<int64_t>> given;
    int32_t broker = -1;
  };
  // A share session with one broker.
  struct Session;

  runtime::Task<> heartbeats();
  runtime::Task<bool> heartbeat();
  runtime::Task<> leave(MonotonicTime deadline);
  runtime::Task<> serve(std::shared_ptr<Session> session);
  runtime::Task<> fetch(std::shared_ptr<Session> session);
  runtime::Task<> send_acknowledgements(std::shared_ptr<Session> session, MonotonicTime deadline, bool last);
  runtime::Task<Result<Outcomes>> commit_all(MonotonicTime deadline);
  static Future<> shut_down(std::shared_ptr<Core> self, MonotonicTime deadline);
  static runtime::Task<> carry_commit(std::shared_ptr<Core> self, Promise<Outcomes> promise);

  void place();  // partitions to sessions, by the metadata
  void settle_lost(Session& session, std::map<TopicPartition, Acknowledgements> sent, const Error& why);
  void accept_handed_out();  // under the lock
  void report(Error error);
  MonotonicTime in_ms(int64_t ms) const { return runtime_->world().clock.now() + milliseconds(ms); }

  ConsumerSettings settings_;
  std::shared_ptr<RuntimeLoop> runtime_;
  runtime::Executor& loop_;
  Cluster cluster_;
  runtime::Scope scope_;
  Bell heart_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> topics_;
  std::deque<Ready> ready_;
  std::deque<Error> errors_;
  std::map<TopicPartition, std::map<int64_t, std::optional<int8_t>>> handed_out_;  // by the last poll
  std::map<TopicPartition, Acknowledgements> acknowledged_;                        // to be sent
  bool wanted_ = false;                                                            // poll() waits
  bool woken_ = false;
  bool closing_ = false;

  // On the loop.
  std::string member_id_;
  int32_t epoch_ = 0;
  int64_t interval_ms_ = 5000;
  bool told_ = false;
  bool joined_ = false;
  bool failed_ = false;
  bool shut_ = false;
  std::map<Uuid, std::vector<int32_t>> assignment_;
  std::map<int32_t, std::shared_ptr<Session>> sessions_;
  std::map<TopicPartition, int32_t> holder_;  // the broker whose session acquired from a partition
  Outcomes outcomes_;                         // of acknowledgements, for commit()
};

}  // namespace barnabas::client
