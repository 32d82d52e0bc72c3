// GroupOffsets: commits of the group's offsets and reads of them, over the group's coordinator. Commits are sent one
// after the other, in the order they were asked for.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "client/consumer/context.h"

namespace barnabas::client {

using Offsets = std::map<TopicPartition, OffsetAndMetadata>;
using CommittedOffsets = std::map<TopicPartition, std::optional<OffsetAndMetadata>>;

class GroupOffsets {
 public:
  explicit GroupOffsets(ConsumerContext& context) : context_(context) {}

  // Called with what a coordinator said that concerns the membership: unknown member, fenced, rebalance.
  void on_member_error(std::function<void(wire::KafkaError)> told) { member_error_ = std::move(told); }

  // On the loop.
  runtime::Task<Result<>> commit(Offsets offsets, MonotonicTime deadline);
  // Ends when the commits asked for so far are done.
  runtime::Task<> idle();
  runtime::Task<Result<CommittedOffsets>> committed(std::vector<TopicPartition> partitions, MonotonicTime deadline);

 private:
  runtime::Task<> take_turn();
  void pass_turn();
  runtime::Task<Result<>> commit_now(Offsets offsets, MonotonicTime deadline);
  Result<ConsumerGroupMetadata> member() const;
  void forget_coordinator();
  MonotonicTime one_try(MonotonicTime deadline) const;

  ConsumerContext& context_;
  std::function<void(wire::KafkaError)> member_error_;
  bool committing_ = false;
  std::deque<runtime::Completion<bool>> queue_;
};

}  // namespace barnabas::client
