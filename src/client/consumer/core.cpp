#include "client/consumer/core.h"

#include <re2/re2.h>

#include <algorithm>

namespace barnabas::client {

namespace {

Error closed() {
  return {.kind = Error::Kind::kClosed, .message = "the consumer is closed", .fatal = true};
}

Error invalid(std::string message) {
  return {.kind = Error::Kind::kInvalidArgument, .message = std::move(message)};
}

// The longest wait that still can be added to a clock.
MonotonicTime after(MonotonicTime now, Milliseconds timeout) {
  if (timeout >= std::chrono::hours(24 * 365)) return kFarAway;
  return now + std::max(timeout, Milliseconds(0));
}

}  // namespace

struct Consumer::Core::NextWaiter {
  Promise<ConsumerRecords> promise;
  runtime::TimerId timer = 0;
};

Result<std::shared_ptr<Consumer::Core>> Consumer::Core::make(const Config& config, ConsumerOptions options) {
  auto settings = consumer_settings(config);
  if (!settings) return std::unexpected(settings.error());
  auto runtime = RuntimeLoop::of(options.runtime);
  auto core = std::make_shared<Core>(*std::move(settings), std::move(options), std::move(runtime));
  core->loop_.post([core] { core->start(); });
  return core;
}

Consumer::Core::Core(ConsumerSettings settings, ConsumerOptions options, std::shared_ptr<RuntimeLoop> runtime)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      runtime_(std::move(runtime)),
      loop_(runtime_->loop()),
      cluster_(runtime_->world(), loop_, settings_),
      scope_(loop_),
      positions_due_(loop_),
      context_{.world = runtime_->world(),
               .loop = loop_,
               .settings = settings_,
               .cluster = cluster_,
               .state = state_,
               .scope = scope_,
               .positions_due = positions_due_,
               .notify = [this] { notify(); },
               .fetch =
                   [this] {
                     if (fetch_posted_.exchange(true)) return;
                     loop_.post([weak = weak_from_this()] {
                       auto core = weak.lock();
                       if (!core) return;
                       core->fetch_posted_ = false;
                       if (!core->shut_) core->fetcher_.wake();
                     });
                   }},
      offsets_(context_),
      positions_(context_, offsets_),
      fetcher_(context_) {
  options_.runtime.reset();
  state_.group.group_id = settings_.group_id.value_or("");
  state_.last_poll = context_.now();
  state_.next_auto_commit = context_.in_ms(settings_.auto_commit_interval_ms);
}

Consumer::Core::~Core() = default;

void Consumer::Core::start() {
  if (shut_) return;
  started_ = true;
  cluster_.on_metadata([this](const auto& known) { learn(known); });
  offsets_.on_member_error([this](wire::KafkaError error) {
    if (membership_) membership_->member_error(error);
  });
  scope_.spawn(positions_.run());
}

void Consumer::Core::learn(const std::shared_ptr<const ClusterMetadata>& known) {
  if (shut_ || !known) return;
  match_pattern(*known);
  positions_.learn(*known);
  if (membership_) membership_->learn(*known);
}

void Consumer::Core::match_pattern(const ClusterMetadata& known) {
  if (!pattern_ || settings_.consumer_protocol) return;
  std::set<std::string> matching;
  for (const auto& [name, topic] : known.topics) {
    if (topic->internal && settings_.exclude_internal_topics) continue;
    if (topic->error == wire::KafkaError::kUnknownTopicOrPartition) continue;
    if (re2::RE2::FullMatch(name, *pattern_)) matching.insert(name);
  }
  {
    std::lock_guard lock(state_.mutex);
    if (state_.mode != SubscriptionMode::kPattern || state_.topics == matching) return;
    state_.topics = std::move(matching);
  }
  if (membership_) membership_->rejoin("the topics that match the subscription have changed");
}

std::optional<Error> Consumer::Core::unusable() const {
  if (state_.closing) return closed();
  return std::nullopt;
}

Result<> Consumer::Core::subscribe(SubscriptionMode mode, std::vector<std::string> topics, std::string pattern,
                                   RebalanceListener listener) {
  if (!has_group()) {
    return std::unexpected(Error{.kind = Error::Kind::kConfig,
                                 .code = client::ErrorCode::kInvalidGroupId,
                                 .message = "subscribe() needs group.id; without a group use assign()"});
  }
  if (mode == SubscriptionMode::kPattern) {
    re2::RE2 probe(pattern, re2::RE2::Quiet);
    if (!probe.ok()) return std::unexpected(invalid("the pattern is not a regular expression: " + probe.error()));
  }
  {
    std::unique_lock lock(state_.mutex);
    if (auto why = unusable()) return std::unexpected(*why);
    bool was_subscribed = state_.mode == SubscriptionMode::kTopics || state_.mode == SubscriptionMode::kPattern;
    if (!was_subscribed) state_.remove(state_.partitions());
    state_.mode = mode;
    state_.topics = std::set<std::string>(topics.begin(), topics.end());
    state_.pattern = pattern;
    state_.listener = std::move(listener);
    state_.last_poll = context_.now();
    ++state_.subscription_version;
  }
  loop_.post([self = shared_from_this(), mode, topics = std::move(topics), pattern = std::move(pattern)] {
    if (self->shut_) return;
    self->pattern_.reset();
    self->cluster_.track_all_topics(mode == SubscriptionMode::kPattern);
    if (mode == SubscriptionMode::kPattern) {
      self->pattern_ = std::make_unique<re2::RE2>(pattern, re2::RE2::Quiet);
    } else {
      self->cluster_.track_topics(topics, self->settings_.allow_auto_create_topics);
    }
    if (auto known = self->cluster_.metadata()) self->match_pattern(*known);
    self->subscription_changed();
  });
  return {};
}

// On the loop.
void Consumer::Core::subscription_changed() {
  if (membership_) return membership_->rejoin("the subscription has changed");
  membership_ = settings_.consumer_protocol ? make_consumer_membership(context_, offsets_)
                                            : make_classic_membership(context_, offsets_);
  membership_->start();
}

Result<> Consumer::Core::assign(std::vector<TopicPartition> partitions) {
  for (const auto& at : partitions) {
    if (at.topic.empty() || at.partition < 0) return std::unexpected(invalid("a partition needs a topic and a number"));
  }
  std::vector<std::string> topics;
  for (const auto& at : partitions) topics.push_back(at.topic);
  bool leaves = false;
  {
    std::lock_guard lock(state_.mutex);
    if (auto why = unusable()) return std::unexpected(*why);
    leaves = state_.mode == SubscriptionMode::kTopics || state_.mode == SubscriptionMode::kPattern;
    std::set<TopicPartition> wanted(partitions.begin(), partitions.end());
    auto gone = state_.partitions();
    if (!leaves) std::erase_if(gone, [&](const auto& at) { return wanted.contains(at); });
    state_.remove(gone);
    state_.mode = partitions.empty() ? SubscriptionMode::kNone : SubscriptionMode::kManual;
    state_.topics.clear();
    state_.pattern.clear();
    state_.listener = {};
    state_.add(partitions, has_group(), settings_.offset_reset);
  }
  loop_.post([self = shared_from_this(), topics = std::move(topics), leaves] {
    if (self->shut_) return;
    if (leaves && self->membership_) {
      auto membership = std::move(self->membership_);
      self->scope_.spawn(self->drop_membership(std::move(membership), self->api_deadline(), {}));
    }
    self->cluster_.track_topics(topics, self->settings_.allow_auto_create_topics);
    if (auto known = self->cluster_.metadata()) self->positions_.learn(*known);
    self->positions_due_.ring();
    self->fetcher_.wake();
  });
  return {};
}

runtime::Task<> Consumer::Core::drop_membership(std::shared_ptr<Membership> membership, MonotonicTime deadline,
                                                Promise<> done) {
  co_await offsets_.idle();
  co_await membership->leave(deadline);
  done.set({});
}

// On the user's thread: all partitions go, as in a rebalance.
void Consumer::Core::tell_revoked() {
  RebalanceListener listener;
  std::vector<TopicPartition> partitions;
  bool member = false;
  {
    std::lock_guard lock(state_.mutex);
    if (state_.mode != SubscriptionMode::kTopics && state_.mode != SubscriptionMode::kPattern) return;
    partitions = state_.partitions();
    member = state_.group.generation_id >= 0;
    listener = state_.listener;
    for (const auto& [at, partition] : state_.assigned) partition->held = true;
  }
  if (partitions.empty()) return;
  const auto& lost = listener.on_lost ? listener.on_lost : listener.on_revoked;
  const auto& call = member ? listener.on_revoked : lost;
  if (call) call(partitions);
}

Future<> Consumer::Core::unsubscribe() {
  tell_revoked();
  {
    std::lock_guard lock(state_.mutex);
    if (auto why = unusable()) return ready_future<void>(std::unexpected(*why));
    state_.remove(state_.partitions());
    state_.mode = SubscriptionMode::kNone;
    state_.topics.clear();
    state_.pattern.clear();
    state_.listener = {};
    state_.calls.clear();
    state_.hold = false;
  }
  Promise<> promise;
  auto future = promise.future();
  loop_.post([self = shared_from_this(), promise = std::move(promise)]() mutable {
    self->pattern_.reset();
    auto membership = std::move(self->membership_);
    if (self->shut_ || !membership) return promise.set({});
    self->scope_.spawn(self->drop_membership(std::move(membership), self->api_deadline(), std::move(promise)));
  });
  return future;
}

Result<> Consumer::Core::enforce_rebalance() {
  loop_.post([self = shared_from_this()] {
    if (!self->shut_ && self->membership_) self->membership_->rejoin("rebalance enforced by the application");
  });
  return {};
}

void Consumer::Core::notify() {
  state_.changed.notify_all();
  if (!next_waits_) return;
  loop_.post([weak = weak_from_this()] {
    if (auto core = weak.lock()) core->retry_next();
  });
}

void Consumer::Core::wakeup() {
  {
    std::lock_guard lock(state_.mutex);
    state_.woken = true;
  }
  notify();
}

void Consumer::Core::entered(std::unique_lock<std::mutex>& lock) {
  state_.polling = true;
  auto_commit(lock);
}

// Commits what was handed out before this poll, that is, what the application is done with.
void Consumer::Core::auto_commit(std::unique_lock<std::mutex>&) {
  if (!settings_.auto_commit || !has_group() || state_.mode == SubscriptionMode::kNone || state_.hold) return;
  MonotonicTime now = context_.now();
  if (now < state_.next_auto_commit) return;
  state_.next_auto_commit = now + milliseconds(settings_.auto_commit_interval_ms);
  auto positions = state_.positions();
  if (positions.empty()) return;
  loop_.post([self = shared_from_this(), positions = std::move(positions)]() mutable {
    if (self->shut_) return;
    self->scope_.spawn(self->commit_in_background(self, std::move(positions)));
  });
}

void Consumer::Core::run_call(RebalanceCall call, const RebalanceListener& listener) {
  using Kind = RebalanceCall::Kind;
  const auto& lost = listener.on_lost ? listener.on_lost : listener.on_revoked;
  if (call.kind == Kind::kAssigned && listener.on_assigned) listener.on_assigned(call.partitions);
  if (call.kind == Kind::kRevoked && listener.on_revoked) listener.on_revoked(call.partitions);
  if (call.kind == Kind::kLost && lost) lost(call.partitions);
  call.done();
}

void Consumer::Core::run_calls(std::unique_lock<std::mutex>& lock) {
  while (!state_.calls.empty()) {
    RebalanceCall call = std::move(state_.calls.front());
    state_.calls.pop_front();
    if (call.kind == RebalanceCall::Kind::kEnterAndHold) state_.hold = true;
    RebalanceListener listener = state_.listener;
    lock.unlock();
    run_call(std::move(call), listener);
    lock.lock();
  }
}

std::optional<Result<ConsumerRecords>> Consumer::Core::step(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (state_.closing) return std::unexpected(closed());
    if (state_.woken) {
      state_.woken = false;
      return std::unexpected(Error{.kind = Error::Kind::kCancelled, .message = "wakeup() was called"});
    }
    if (!state_.calls.empty()) {
      run_calls(lock);
      continue;
    }
    if (!state_.errors.empty()) {
      Error error = std::move(state_.errors.front());
      state_.errors.pop_front();
      return std::unexpected(std::move(error));
    }
    if (state_.mode == SubscriptionMode::kNone) {
      return std::unexpected(invalid("poll() without subscribe() or assign()"));
    }
    return take_records(lock);
  }
}

std::optional<Result<ConsumerRecords>> Consumer::Core::take_records(std::unique_lock<std::mutex>& lock) {
  if (!state_.any_ready()) return std::nullopt;
  auto parts = std::make_shared<ConsumerRecords::Parts>();
  auto most = static_cast<size_t>(settings_.max_poll_records);
  parts->records.reserve(std::min<size_t>(most, 512));
  auto taken = state_.take(most, *parts);
  bool refill = false;
  if (state_.fetching_paused) {
    refill =
        std::ranges::any_of(state_.ready_bytes, [](const auto& entry) { return entry.second < Fetcher::kAheadBytes; });
    if (refill) state_.fetching_paused = false;
  }
  if (refill || !taken) context_.fetch();
  if (!taken) return std::unexpected(taken.error());
  if (parts->records.empty()) return std::nullopt;
  std::span<const ConsumerRecord> records(parts->records);
  ConsumerRecords result(std::move(parts), records);
  if (!options_.interceptors.empty()) {
    lock.unlock();
    for (const auto& interceptor : options_.interceptors) {
      if (interceptor.on_consume) interceptor.on_consume(result);
    }
    lock.lock();
  }
  return result;
}

Result<ConsumerRecords> Consumer::Core::poll(Milliseconds timeout) {
  if (runtime_->waiting_forbidden()) {
    return std::unexpected(invalid("poll() would wait for its own thread; use next() there"));
  }
  MonotonicTime deadline = after(context_.now(), timeout);
  std::unique_lock lock(state_.mutex);
  entered(lock);
  std::optional<Result<ConsumerRecords>> result;
  for (;;) {
    result = step(lock);
    if (result) break;
    MonotonicTime now = context_.now();
    if (now >= deadline) {
      result = ConsumerRecords();
      break;
    }
    state_.changed.wait_for(lock, std::min<Duration>(deadline - now, seconds(1)));
    auto_commit(lock);
  }
  state_.polling = false;
  state_.last_poll = context_.now();
  return *std::move(result);
}

Future<ConsumerRecords> Consumer::Core::next(Milliseconds timeout) {
  Promise<ConsumerRecords> promise;
  auto future = promise.future();
  loop_.post([self = shared_from_this(), promise = std::move(promise), timeout]() mutable {
    if (self->next_) return promise.set(std::unexpected(invalid("next() is under way already")));
    self->next_ = std::make_unique<NextWaiter>();
    self->next_->promise = std::move(promise);
    MonotonicTime deadline = after(self->context_.now(), timeout);
    self->next_->timer = self->loop_.schedule(deadline, [weak = std::weak_ptr(self)] {
      if (auto core = weak.lock()) core->finish_next(ConsumerRecords());
    });
    self->next_waits_ = true;
    {
      std::unique_lock lock(self->state_.mutex);
      self->entered(lock);
    }
    self->retry_next();
  });
  return future;
}

void Consumer::Core::retry_next() {
  if (!next_) return;
  std::optional<Result<ConsumerRecords>> result;
  {
    std::unique_lock lock(state_.mutex);
    result = step(lock);
  }
  if (result) finish_next(*std::move(result));
}

void Consumer::Core::finish_next(Result<ConsumerRecords> result) {
  if (!next_) return;
  auto waiter = std::move(next_);
  next_waits_ = false;
  loop_.cancel(waiter->timer);
  {
    std::lock_guard lock(state_.mutex);
    state_.polling = false;
    state_.last_poll = context_.now();
  }
  waiter->promise.set(std::move(result));
}

}  // namespace barnabas::client
