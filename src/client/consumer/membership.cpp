#include "client/consumer/membership.h"

#include <algorithm>

namespace barnabas::client {

Membership::Membership(ConsumerContext& context, GroupOffsets& offsets)
    : context_(context), offsets_(offsets), stop_with_client_(context.scope.token(), [this] { stop_.request(); }) {}

runtime::Task<bool> Membership::in_poll(Kind kind, std::vector<TopicPartition> partitions) {
  runtime::Completion<bool> done;
  {
    std::lock_guard lock(context_.state.mutex);
    context_.state.calls.push_back({kind, std::move(partitions), [done] { done.set(true); }, this});
  }
  context_.notify();
  auto ran = co_await done.wait(context_.loop, stop_.token());
  if (!ran) {
    std::lock_guard lock(context_.state.mutex);
    std::erase_if(context_.state.calls, [&](const RebalanceCall& call) { return call.owner == this; });
  }
  co_return ran.has_value() && !stopped();
}

runtime::Task<> Membership::commit_positions(int64_t limit_ms) {
  if (!context_.settings.auto_commit) co_return;
  Offsets positions;
  {
    std::lock_guard lock(context_.state.mutex);
    positions = context_.state.positions();
  }
  auto committed = co_await offsets_.commit(std::move(positions), context_.in_ms(limit_ms));
  if (!committed) log("auto commit failed: " + committed.error().to_string());
}

runtime::Task<bool> Membership::revoke(std::vector<TopicPartition> partitions) {
  bool inside = co_await in_poll(Kind::kEnterAndHold);
  if (!inside) co_return false;
  if (lost_) {
    release_hold();
    co_return true;
  }
  co_await commit_positions(
      std::min(context_.settings.default_api_timeout_ms, context_.settings.max_poll_interval_ms / 2));
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& at : partitions) {
      if (auto partition = context_.state.find(at)) partition->held = true;
    }
  }
  bool called = co_await in_poll(Kind::kRevoked, partitions);
  // What the listener commits, also without waiting for it, is there before the next owner asks.
  co_await offsets_.idle();
  {
    std::lock_guard lock(context_.state.mutex);
    context_.state.hold = false;
    if (called) context_.state.remove(partitions);
  }
  context_.notify();
  co_return called;
}

runtime::Task<bool> Membership::lose(std::vector<TopicPartition> partitions) {
  {
    std::lock_guard lock(context_.state.mutex);
    context_.state.hold = false;
    for (const auto& at : partitions) {
      if (auto partition = context_.state.find(at)) partition->held = true;
    }
  }
  if (partitions.empty()) co_return true;
  bool called = co_await in_poll(Kind::kLost, partitions);
  if (!called) co_return false;
  std::lock_guard lock(context_.state.mutex);
  context_.state.remove(partitions);
  co_return true;
}

runtime::Task<bool> Membership::give(std::vector<TopicPartition> partitions) {
  std::vector<std::string> names;
  {
    std::lock_guard lock(context_.state.mutex);
    context_.state.add(partitions, true, context_.settings.offset_reset);
    for (const auto& at : partitions) {
      context_.state.find(at)->held = true;
      names.push_back(at.topic);
    }
  }
  context_.cluster.track_topics(names, false);
  if (auto known = context_.cluster.metadata()) {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& at : partitions) {
      auto partition = context_.state.find(at);
      const auto* metadata = known->partition(at.topic, at.partition);
      if (!partition || !metadata) continue;
      partition->leader = metadata->leader;
      partition->leader_epoch = metadata->leader_epoch;
    }
  }
  bool called = co_await in_poll(Kind::kAssigned, partitions);
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& at : partitions) {
      if (auto partition = context_.state.find(at)) partition->held = false;
    }
  }
  context_.positions_due.ring();
  context_.fetch();
  co_return called;
}

void Membership::release_hold() {
  {
    std::lock_guard lock(context_.state.mutex);
    context_.state.hold = false;
  }
  context_.notify();
}

bool Membership::poll_is_late() const {
  std::lock_guard lock(context_.state.mutex);
  const ConsumerState& state = context_.state;
  if (state.polling) return false;
  return context_.now() - state.last_poll > milliseconds(context_.settings.max_poll_interval_ms);
}

void Membership::publish(int32_t generation, const std::string& member_id) {
  std::lock_guard lock(context_.state.mutex);
  auto& group = context_.state.group;
  group.group_id = *context_.settings.group_id;
  group.generation_id = generation;
  group.member_id = member_id;
  group.group_instance_id = context_.settings.group_instance_id;
}

std::vector<TopicPartition> Membership::owned() const {
  std::lock_guard lock(context_.state.mutex);
  return context_.state.partitions();
}

std::set<std::string> Membership::topics() const {
  std::lock_guard lock(context_.state.mutex);
  return context_.state.topics;
}

runtime::Task<Result<std::shared_ptr<Connection>>> Membership::coordinator(int purpose, MonotonicTime deadline) {
  auto broker = co_await context_.cluster.coordinator(CoordinatorType::kGroup, group(), deadline);
  if (!broker) co_return std::unexpected(broker.error());
  auto connection = co_await context_.cluster.connection(Target::of(*broker, purpose), deadline);
  if (!connection) forget_coordinator();
  co_return connection;
}

void Membership::forget_coordinator() {
  context_.cluster.forget_coordinator(CoordinatorType::kGroup, group());
}

void Membership::log(std::string_view what) const {
  context_.world.logger.info("group " + group() + ": " + std::string(what));
}

}  // namespace barnabas::client
