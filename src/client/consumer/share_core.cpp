#include "client/consumer/share_core.h"

#include <algorithm>

#include "runtime/logger.h"
#include "runtime/random.h"
#include "wire/messages/share_group_heartbeat_request.h"
#include "wire/messages/share_group_heartbeat_response.h"

#include "client/consumer/share_session.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

constexpr MonotonicTime kNever{INT64_MAX / 2};

Error invalid(std::string message) {
  return {.kind = Error::Kind::kInvalidArgument, .message = std::move(message)};
}
Error closed() {
  return {.kind = Error::Kind::kClosed, .message = "the share consumer is closed", .fatal = true};
}

}  // namespace

Result<std::shared_ptr<ShareConsumer::Core>> ShareConsumer::Core::make(const Config& config,
                                                                       ShareConsumerOptions options) {
  auto settings = share_consumer_settings(config);
  if (!settings) return std::unexpected(settings.error());
  if (!settings->group_id || settings->group_id->empty()) {
    return std::unexpected(Error{.kind = Error::Kind::kConfig,
                                 .code = client::ErrorCode::kInvalidGroupId,
                                 .message = "a share consumer needs group.id"});
  }
  return std::make_shared<Core>(*std::move(settings), RuntimeLoop::of(std::move(options.runtime)));
}

ShareConsumer::Core::Core(ConsumerSettings settings, std::shared_ptr<RuntimeLoop> runtime)
    : settings_(std::move(settings)),
      runtime_(std::move(runtime)),
      loop_(runtime_->loop()),
      cluster_(runtime_->world(), loop_, settings_),
      scope_(loop_),
      heart_(loop_),
      member_id_(runtime_->world().random.uuid().to_string()) {}

Result<> ShareConsumer::Core::subscribe(std::vector<std::string> topics) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return std::unexpected(closed());
    topics_ = std::set<std::string>(topics.begin(), topics.end());
  }
  loop_.post([self = shared_from_this(), topics = std::move(topics)] {
    if (self->shut_) return;
    self->cluster_.track_topics(topics, self->settings_.allow_auto_create_topics);
    self->told_ = false;
    self->failed_ = false;
    if (!self->joined_) {
      self->joined_ = true;
      self->cluster_.on_metadata([core = self.get()](const auto&) { core->place(); });
      self->scope_.spawn(self->heartbeats());
    }
    self->heart_.ring();
  });
  return {};
}

std::set<std::string> ShareConsumer::Core::subscription() const {
  std::lock_guard lock(mutex_);
  return topics_;
}

void ShareConsumer::Core::report(Error error) {
  {
    std::lock_guard lock(mutex_);
    errors_.push_back(std::move(error));
  }
  changed_.notify_all();
}

void ShareConsumer::Core::wakeup() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

Result<ConsumerRecords> ShareConsumer::Core::poll(Milliseconds timeout) {
  if (runtime_->waiting_forbidden()) return std::unexpected(invalid("poll() would wait for its own thread"));
  MonotonicTime deadline = in_ms(std::clamp<int64_t>(timeout.count(), 0, 24LL * 3600 * 1000 * 365));
  std::unique_lock lock(mutex_);
  if (topics_.empty()) return std::unexpected(invalid("poll() without subscribe()"));
  if (settings_.share_explicit_acknowledgement) {
    for (const auto& [at, records] : handed_out_) {
      bool open = std::ranges::any_of(records, [](const auto& entry) { return !entry.second; });
      if (open) return std::unexpected(invalid("records of the last poll() are not acknowledged yet"));
    }
  }
  accept_handed_out();
  for (;;) {
    if (closing_) return std::unexpected(closed());
    if (std::exchange(woken_, false)) {
      return std::unexpected(Error{.kind = Error::Kind::kCancelled, .message = "wakeup() was called"});
    }
    if (!errors_.empty()) {
      Error error = std::move(errors_.front());
      errors_.pop_front();
      return std::unexpected(std::move(error));
    }
    if (!ready_.empty()) {
      Ready ready = std::move(ready_.front());
      ready_.pop_front();
      wanted_ = false;
      for (auto& [at, offsets] : ready.given) {
        for (int64_t offset : offsets) handed_out_[at][offset] = std::nullopt;
      }
      std::span<const ConsumerRecord> records(ready.parts->records);
      return ConsumerRecords(std::move(ready.parts), records);
    }
    MonotonicTime now = runtime_->world().clock.now();
    if (now >= deadline) {
      wanted_ = false;
      return ConsumerRecords();
    }
    if (!std::exchange(wanted_, true)) {
      loop_.post([weak = weak_from_this()] {
        auto core = weak.lock();
        if (core && !core->shut_) core->place();
      });
    }
    changed_.wait_for(lock, std::min<Duration>(deadline - now, seconds(1)));
  }
}

// Under the lock.
void ShareConsumer::Core::accept_handed_out() {
  for (auto& [at, records] : handed_out_) {
    for (auto& [offset, type] : records) {
      if (!type && settings_.share_explicit_acknowledgement) continue;
      acknowledged_[at][offset] = type.value_or(static_cast<int8_t>(Acknowledgement::kAccept));
    }
    if (settings_.share_explicit_acknowledgement)
      std::erase_if(records, [](const auto& entry) { return entry.second; });
  }
  if (settings_.share_explicit_acknowledgement) {
    std::erase_if(handed_out_, [](const auto& entry) { return entry.second.empty(); });
  } else {
    handed_out_.clear();
  }
}

Result<> ShareConsumer::Core::acknowledge(const ConsumerRecord& record, Acknowledgement outcome) {
  if (!settings_.share_explicit_acknowledgement) {
    return std::unexpected(invalid("acknowledge() needs share.acknowledgement.mode=explicit"));
  }
  std::lock_guard lock(mutex_);
  auto partition = handed_out_.find(TopicPartition{std::string(record.topic), record.partition});
  if (partition == handed_out_.end() || !partition->second.contains(record.offset)) {
    return std::unexpected(invalid("the record is not one of the last poll(), or was acknowledged and committed"));
  }
  partition->second[record.offset] = static_cast<int8_t>(outcome);
  return {};
}

runtime::Task<> ShareConsumer::Core::carry_commit(std::shared_ptr<Core> self, Promise<Outcomes> promise) {
  auto done = co_await self->commit_all(self->in_ms(self->settings_.default_api_timeout_ms));
  promise.set(std::move(done));
}

Future<std::map<TopicPartition, Result<>>> ShareConsumer::Core::commit() {
  {
    std::lock_guard lock(mutex_);
    accept_handed_out();
  }
  Promise<Outcomes> promise;
  auto future = promise.future();
  loop_.post([self = shared_from_this(), promise = std::move(promise)]() mutable {
    if (self->shut_) return promise.set(std::unexpected(closed()));
    self->scope_.spawn(carry_commit(self, std::move(promise)));
  });
  return future;
}

Result<> ShareConsumer::Core::close(Milliseconds limit) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return {};
    if (settings_.share_explicit_acknowledgement) accept_handed_out();
    closing_ = true;
  }
  MonotonicTime deadline = in_ms(std::min<int64_t>(limit.count(), 24LL * 3600 * 1000));
  Promise<> promise;
  auto done = promise.future();
  loop_.post([self = shared_from_this(), deadline, promise = std::move(promise)]() mutable {
    shut_down(self, deadline).then([promise = std::move(promise)](Result<> result) { promise.set(std::move(result)); });
  });
  if (runtime_->waiting_forbidden()) return {};
  return done.get();
}

Future<> ShareConsumer::Core::shut_down(std::shared_ptr<Core> self, MonotonicTime deadline) {
  self->shut_ = true;
  for (auto& [id, session] : std::map(self->sessions_)) {
    co_await self->send_acknowledgements(session, deadline, true);
  }
  co_await self->leave(deadline);
  self->scope_.cancel();
  co_await self->cluster_.close();
  co_await self->scope_.join();
  co_return Result<>();
}

runtime::Task<> ShareConsumer::Core::heartbeats() {
  auto token = scope_.token();
  int failures = 0;
  while (!token.requested() && !shut_) {
    if (failed_) {
      co_await heart_.wait(kNever, token);
      continue;
    }
    bool answered = co_await heartbeat();
    if (token.requested() || shut_) break;
    if (!answered) {
      told_ = false;
      co_await cluster_.back_off(failures++, kNever);
      continue;
    }
    failures = 0;
    co_await heart_.wait(in_ms(interval_ms_), token);
  }
}

runtime::Task<bool> ShareConsumer::Core::heartbeat() {
  auto deadline = in_ms(settings_.request_timeout_ms);
  auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *settings_.group_id, deadline);
  if (!coordinator) {
    if (coordinator.error().retriable || shut_) co_return false;
    failed_ = true;
    report(coordinator.error());
    co_return true;
  }
  wire::ShareGroupHeartbeatRequest request;
  request.group_id = *settings_.group_id;
  request.member_id = member_id_;
  request.member_epoch = epoch_;
  bool all = epoch_ == 0 || !told_;
  if (all) {
    std::lock_guard lock(mutex_);
    request.subscribed_topic_names.emplace(topics_.begin(), topics_.end());
    if (!settings_.client_rack.empty()) request.rack_id = settings_.client_rack;
  }
  told_ = true;
  auto answer = co_await cluster_.call<wire::ShareGroupHeartbeatResponse>(Target::of(*coordinator, kPurposeCoordinator),
                                                                          std::move(request), deadline);
  if (!answer) {
    cluster_.forget_coordinator(CoordinatorType::kGroup, *settings_.group_id);
    if (answer.error().retriable || shut_) co_return false;
    failed_ = true;
    report(answer.error());
    co_return true;
  }
  const auto& said = answer->message;
  switch (said.error_code) {
    case KafkaError::kNone:
      break;
    case KafkaError::kNotCoordinator:
    case KafkaError::kCoordinatorNotAvailable:
      cluster_.forget_coordinator(CoordinatorType::kGroup, *settings_.group_id);
      co_return false;
    case KafkaError::kUnknownMemberId:
    case KafkaError::kFencedMemberEpoch:
      epoch_ = 0;
      assignment_.clear();
      place();
      co_return false;
    default: {
      Error why = broker_error(said.error_code, "share group " + *settings_.group_id, said.error_message);
      if (why.retriable) co_return false;
      failed_ = true;
      report(std::move(why));
      co_return true;
    }
  }
  if (said.member_id) member_id_ = *said.member_id;
  epoch_ = said.member_epoch;
  if (said.heartbeat_interval_ms > 0) interval_ms_ = said.heartbeat_interval_ms;
  if (said.assignment) {
    assignment_.clear();
    for (const auto& topic : said.assignment->topic_partitions) assignment_[topic.topic_id] = topic.partitions;
    place();
  }
  co_return true;
}

runtime::Task<> ShareConsumer::Core::leave(MonotonicTime deadline) {
  if (epoch_ <= 0) co_return;
  auto coordinator = co_await cluster_.coordinator(CoordinatorType::kGroup, *settings_.group_id, deadline);
  if (!coordinator) co_return;
  wire::ShareGroupHeartbeatRequest request;
  request.group_id = *settings_.group_id;
  request.member_id = member_id_;
  request.member_epoch = -1;
  auto answer = co_await cluster_.call<wire::ShareGroupHeartbeatResponse>(Target::of(*coordinator, kPurposeCoordinator),
                                                                          std::move(request), deadline);
  (void)answer;
}

// Which broker is asked for what, now.
void ShareConsumer::Core::place() {
  if (shut_) return;
  auto known = cluster_.metadata();
  std::map<int32_t, std::set<std::pair<Uuid, int32_t>>> wanted;
  bool unknown = false;
  for (const auto& [id, partitions] : assignment_) {
    auto name = known ? known->names.find(id) : decltype(known->names.find(id)){};
    if (!known || name == known->names.end()) {
      unknown = true;
      continue;
    }
    for (int32_t number : partitions) {
      const auto* partition = known->partition(name->second, number);
      if (partition && partition->leader >= 0) {
        wanted[partition->leader].insert({id, number});
      } else {
        unknown = true;
      }
    }
  }
  if (unknown) cluster_.request_refresh();
  for (auto& [leader, partitions] : wanted) {
    auto& session = sessions_[leader];
    if (session) continue;
    session = std::make_shared<Session>(leader, loop_);
    scope_.spawn(serve(session));
  }
  for (auto& [leader, session] : sessions_) {
    auto found = wanted.find(leader);
    session->wanted = found == wanted.end() ? std::set<std::pair<Uuid, int32_t>>() : std::move(found->second);
    session->bell.ring();
  }
}

}  // namespace barnabas::client
