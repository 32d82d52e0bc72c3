#include <algorithm>

#include "client/consumer/core.h"
#include "client/consumer/offset_lookup.h"
#include "runtime/sleep.h"

namespace barnabas::client {

namespace {

constexpr int64_t kPositionCheckMs = 5;

Error closed() {
  return {.kind = Error::Kind::kClosed, .message = "the consumer is closed", .fatal = true};
}

Error not_assigned(const TopicPartition& at) {
  return {.kind = Error::Kind::kInvalidArgument,
          .message = at.topic + "-" + std::to_string(at.partition) + " is not assigned to this consumer"};
}

template <class T>
runtime::Task<> carry(std::shared_ptr<Consumer::Core> core, std::function<runtime::Task<Result<T>>()> work,
                      Promise<T> promise) {
  auto result = co_await work();
  promise.set(std::move(result));
  (void)core;
}

runtime::Task<Result<std::map<TopicPartition, int64_t>>> edges(ConsumerContext& context,
                                                               std::vector<TopicPartition> partitions, int64_t time,
                                                               MonotonicTime deadline) {
  std::map<TopicPartition, int64_t> times;
  for (const auto& at : partitions) times[at] = time;
  auto found = co_await find_offsets(context, std::move(times), deadline);
  if (!found) co_return std::unexpected(found.error());
  std::map<TopicPartition, int64_t> offsets;
  for (const auto& [at, offset] : *found) offsets[at] = offset.offset;
  co_return offsets;
}

using TimeOffsets = std::map<TopicPartition, std::optional<OffsetAndTimestamp>>;

runtime::Task<Result<TimeOffsets>> by_times(ConsumerContext& context, std::map<TopicPartition, Timestamp> times,
                                            MonotonicTime deadline) {
  auto found = co_await find_offsets(context, std::move(times), deadline);
  if (!found) co_return std::unexpected(found.error());
  TimeOffsets offsets;
  for (const auto& [at, offset] : *found) {
    auto& entry = offsets[at];
    if (offset.offset < 0) continue;
    entry = OffsetAndTimestamp{.offset = offset.offset, .timestamp = offset.timestamp};
    if (offset.leader_epoch >= 0) entry->leader_epoch = offset.leader_epoch;
  }
  co_return offsets;
}

runtime::Task<Result<>> to_time(ConsumerContext& context, std::vector<TopicPartition> partitions, Timestamp time,
                                MonotonicTime deadline) {
  std::map<TopicPartition, int64_t> times;
  for (const auto& at : partitions) times[at] = time;
  auto found = co_await find_offsets(context, std::move(times), deadline);
  if (!found) co_return std::unexpected(found.error());
  {
    std::lock_guard lock(context.state.mutex);
    for (const auto& [at, offset] : *found) {
      auto partition = context.state.find(at);
      if (!partition) co_return std::unexpected(not_assigned(at));
      if (offset.offset >= 0) {
        context.state.move(*partition, offset.offset, -1);
      } else {
        context.state.request_reset(*partition, OffsetReset::kLatest);
      }
    }
  }
  context.positions_due.ring();
  context.fetch();
  co_return Result<>();
}

runtime::Task<Result<int64_t>> await_position(ConsumerContext& context, TopicPartition at, MonotonicTime deadline) {
  for (;;) {
    {
      std::lock_guard lock(context.state.mutex);
      auto partition = context.state.find(at);
      if (!partition) co_return std::unexpected(not_assigned(at));
      if (partition->position >= 0) co_return partition->position;
    }
    if (context.now() >= deadline) {
      co_return std::unexpected(Error{
          .kind = Error::Kind::kTimedOut,
          .message = "the position of " + at.topic + "-" + std::to_string(at.partition) + " was not found in time",
          .retriable = true});
    }
    bool slept = co_await runtime::sleep_for(context.loop, milliseconds(kPositionCheckMs), context.scope.token());
    if (!slept) co_return std::unexpected(closed());
  }
}

runtime::Task<Result<std::vector<TopicPartition>>> list_partitions(ConsumerContext& context, std::string topic,
                                                                   MonotonicTime deadline) {
  auto known = co_await context.cluster.topic(topic, deadline);
  if (!known) co_return std::unexpected(known.error());
  std::vector<TopicPartition> partitions;
  for (size_t number = 0; number < (*known)->partitions.size(); ++number) {
    partitions.push_back({topic, static_cast<int32_t>(number)});
  }
  co_return partitions;
}

}  // namespace

template <class T>
Future<T> Consumer::Core::on_loop(std::function<runtime::Task<Result<T>>()> work) {
  Promise<T> promise;
  auto future = promise.future();
  loop_.post([self = shared_from_this(), work = std::move(work), promise = std::move(promise)]() mutable {
    if (self->shut_) return promise.set(std::unexpected(closed()));
    self->scope_.spawn(carry<T>(self, std::move(work), std::move(promise)));
  });
  return future;
}

Future<> Consumer::Core::commit(std::optional<Offsets> offsets) {
  if (!offsets) {
    std::lock_guard lock(state_.mutex);
    offsets = state_.positions();
  }
  return on_loop<void>([this, what = *std::move(offsets)] { return commit_and_tell(what, api_deadline()); });
}

runtime::Task<Result<>> Consumer::Core::commit_and_tell(Offsets offsets, MonotonicTime deadline) {
  auto done = co_await offsets_.commit(offsets, deadline);
  if (!done) co_return done;
  for (const auto& interceptor : options_.interceptors) {
    if (interceptor.on_commit) interceptor.on_commit(offsets);
  }
  co_return done;
}

runtime::Task<> Consumer::Core::commit_in_background(std::shared_ptr<Core> self, Offsets offsets) {
  auto done = co_await commit_and_tell(std::move(offsets), context_.in_ms(settings_.request_timeout_ms));
  if (!done) context_.world.logger.info("auto commit failed: " + done.error().to_string());
  (void)self;
}

void Consumer::Core::commit_async(std::function<void(const Result<>&)> done) {
  commit(std::nullopt).then([done = std::move(done)](Result<> result) {
    if (done) done(result);
  });
}

Result<> Consumer::Core::with_partitions(std::span<const TopicPartition> partitions,
                                         const std::function<void(PartitionState&)>& act) {
  {
    std::lock_guard lock(state_.mutex);
    if (auto why = unusable()) return std::unexpected(*why);
    for (const auto& at : partitions) {
      if (!state_.find(at)) return std::unexpected(not_assigned(at));
    }
    for (const auto& at : partitions) act(*state_.find(at));
  }
  positions_due_.ring();
  context_.fetch();
  return {};
}

Result<> Consumer::Core::seek(const TopicPartition& at, int64_t offset) {
  if (offset < 0) {
    return std::unexpected(Error{.kind = Error::Kind::kInvalidArgument, .message = "an offset is not negative"});
  }
  return with_partitions({&at, 1}, [&](PartitionState& partition) { state_.move(partition, offset, -1); });
}

Result<> Consumer::Core::reset_to(std::span<const TopicPartition> partitions, OffsetReset to) {
  std::vector<TopicPartition> all;
  if (partitions.empty()) {
    std::lock_guard lock(state_.mutex);
    all = state_.partitions();
    partitions = all;
  }
  return with_partitions(partitions, [&](PartitionState& partition) { state_.request_reset(partition, to); });
}

Result<> Consumer::Core::set_paused(std::span<const TopicPartition> partitions, bool paused) {
  return with_partitions(partitions, [&](PartitionState& partition) { partition.paused = paused; });
}

Future<> Consumer::Core::seek_to_time(std::vector<TopicPartition> partitions, Timestamp time) {
  return on_loop<void>(
      [this, partitions = std::move(partitions), time] { return to_time(context_, partitions, time, api_deadline()); });
}

Future<int64_t> Consumer::Core::position(TopicPartition at) {
  {
    std::lock_guard lock(state_.mutex);
    auto partition = state_.find(at);
    if (!partition) return ready_future<int64_t>(std::unexpected(not_assigned(at)));
    if (partition->position >= 0) return ready_future<int64_t>(partition->position);
  }
  return on_loop<int64_t>([this, at = std::move(at)] { return await_position(context_, at, api_deadline()); });
}

Future<CommittedOffsets> Consumer::Core::committed(std::vector<TopicPartition> partitions) {
  return on_loop<CommittedOffsets>(
      [this, partitions = std::move(partitions)] { return offsets_.committed(partitions, api_deadline()); });
}

Future<std::map<TopicPartition, int64_t>> Consumer::Core::edge_offsets(std::vector<TopicPartition> partitions,
                                                                       int64_t time) {
  return on_loop<std::map<TopicPartition, int64_t>>(
      [this, partitions = std::move(partitions), time] { return edges(context_, partitions, time, api_deadline()); });
}

Future<TimeOffsets> Consumer::Core::offsets_for_times(std::map<TopicPartition, Timestamp> times) {
  for (const auto& [at, time] : times) {
    if (time >= 0) continue;
    return ready_future<TimeOffsets>(std::unexpected(
        Error{.kind = Error::Kind::kInvalidArgument, .message = "a time is milliseconds since 1970, not negative"}));
  }
  return on_loop<TimeOffsets>([this, times = std::move(times)] { return by_times(context_, times, api_deadline()); });
}

Future<std::vector<TopicPartition>> Consumer::Core::partitions_for(std::string topic) {
  return on_loop<std::vector<TopicPartition>>(
      [this, topic = std::move(topic)] { return list_partitions(context_, topic, api_deadline()); });
}

Result<> Consumer::Core::close(Milliseconds limit) {
  if (runtime_->waiting_forbidden()) {
    abandon();
    return {};
  }
  MonotonicTime deadline = context_.in_ms(std::min<int64_t>(limit.count(), 24LL * 3600 * 1000));
  bool commits = false;
  {
    std::lock_guard lock(state_.mutex);
    if (state_.closing) return {};
    state_.polling = true;  // nobody is late while closing
    commits = settings_.auto_commit && has_group() && state_.mode != SubscriptionMode::kNone;
  }
  if (commits) {
    auto committed = commit(std::nullopt);
    (void)committed.get_for(deadline - context_.now());
  }
  tell_revoked();
  {
    std::lock_guard lock(state_.mutex);
    state_.closing = true;
  }
  Promise<> promise;
  auto done = promise.future();
  auto self = shared_from_this();
  loop_.post([self, deadline, promise = std::move(promise)]() mutable {
    shut_down(self, deadline).then([promise = std::move(promise)](Result<> result) { promise.set(std::move(result)); });
  });
  self.reset();
  return done.get();
}

void Consumer::Core::abandon() {
  {
    std::lock_guard lock(state_.mutex);
    if (state_.closing) return;
  }
  tell_revoked();
  {
    std::lock_guard lock(state_.mutex);
    state_.closing = true;
  }
  MonotonicTime deadline = context_.in_ms(settings_.default_api_timeout_ms);
  loop_.post([self = shared_from_this(), deadline] { shut_down(self, deadline).then([](Result<>) {}); });
}

// On the loop, outside of the scope that it waits for.
Future<> Consumer::Core::shut_down(std::shared_ptr<Core> self, MonotonicTime deadline) {
  if (self->shut_) co_return Result<>();
  self->shut_ = true;
  self->finish_next(std::unexpected(closed()));
  if (self->membership_) {
    co_await self->offsets_.idle();
    co_await self->membership_->leave(deadline);
  }
  self->scope_.cancel();
  co_await self->fetcher_.close(deadline);
  co_await self->cluster_.close();
  co_await self->scope_.join();
  self->membership_.reset();
  co_return Result<>();
}

}  // namespace barnabas::client
