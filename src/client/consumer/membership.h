// Membership: a consumer's part in its group, by the classic protocol or by KIP-848's. It lives on the loop, from
// subscribe() until unsubscribe() or close(); what happens to partitions waits for the user's thread to be in poll().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer/context.h"
#include "client/consumer/group_offsets.h"
#include "runtime/cancel.h"

namespace barnabas::client {

class Membership : public std::enable_shared_from_this<Membership> {
 public:
  Membership(ConsumerContext& context, GroupOffsets& offsets);
  virtual ~Membership() = default;

  // All on the loop.
  virtual void start() = 0;
  // The subscription is another one; `reason` for enforce_rebalance().
  virtual void rejoin(std::string reason) = 0;
  virtual void learn(const ClusterMetadata& known) { (void)known; }
  // What a coordinator said to a commit.
  virtual void member_error(wire::KafkaError error) = 0;
  // Ends it; leaves the group if the protocol says so. The partitions are the caller's business.
  virtual runtime::Task<> leave(MonotonicTime deadline) = 0;

 protected:
  using Kind = RebalanceCall::Kind;

  // Waits until the user is inside poll(), and runs the listener there. False when the membership ended first.
  runtime::Task<bool> in_poll(Kind kind, std::vector<TopicPartition> partitions = {});
  // With auto commit: the positions, at once and with patience for `limit_ms`.
  runtime::Task<> commit_positions(int64_t limit_ms);
  // Takes partitions away, in the order: no more records, commit, listener, gone. Takes nothing, and ends with true,
  // when they were lost before the user came into poll(): then they are not his to commit any more.
  runtime::Task<bool> revoke(std::vector<TopicPartition> partitions);
  runtime::Task<bool> lose(std::vector<TopicPartition> partitions);
  runtime::Task<bool> give(std::vector<TopicPartition> partitions);
  void release_hold();

  bool stopped() const { return stop_.requested() || context_.scope.token().requested(); }
  // The user has not called poll() for max.poll.interval.ms.
  bool poll_is_late() const;
  void publish(int32_t generation, const std::string& member_id);
  std::vector<TopicPartition> owned() const;
  std::set<std::string> topics() const;
  const std::string& group() const { return *context_.settings.group_id; }
  runtime::Task<Result<std::shared_ptr<Connection>>> coordinator(int purpose, MonotonicTime deadline);
  void forget_coordinator();
  void log(std::string_view what) const;

  ConsumerContext& context_;
  GroupOffsets& offsets_;
  runtime::CancelSource stop_;
  runtime::CancelCallback stop_with_client_;
  bool lost_ = false;  // the group has dropped us: what we own is not ours any more
};

std::shared_ptr<Membership> make_classic_membership(ConsumerContext& context, GroupOffsets& offsets);
std::shared_ptr<Membership> make_consumer_membership(ConsumerContext& context, GroupOffsets& offsets);

}  // namespace barnabas::client
