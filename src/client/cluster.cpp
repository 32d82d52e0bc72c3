#include "client/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "client/cluster_state.h"
#include "client/metadata_cache.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::client {

namespace {

// How long one broker of several is waited for before the next is tried as well.
constexpr Duration kPatience = milliseconds(300);

Error client_closed() {
  return {.kind = Error::Kind::kClosed, .message = "the client was closed"};
}

runtime::Endpoint endpoint_of(const BrokerNode& node) {
  bool valid = node.port > 0 && node.port <= std::numeric_limits<uint16_t>::max();
  return {.host = node.host, .port = static_cast<uint16_t>(valid ? node.port : 0)};
}

}  // namespace

Cluster::State::State(runtime::World& w, runtime::Executor& l, ClientSettings s)
    : world(w),
      loop(l),
      settings(std::move(s)),
      scope(l),
      connections(w, l, settings, scope),
      current(std::make_shared<ClusterMetadata>()),
      kicked(l),
      update_done(l) {
  connections.on_lost([this](Peer) { want_refresh(); });
}

// ---- connections

runtime::Task<Cluster::State::Opened> Cluster::State::connection(Self self, Target target, MonotonicTime deadline) {
  if (closing()) co_return std::unexpected(client_closed());
  Opened opened = nullptr;
  switch (target.kind) {
    case Target::Kind::kAny:
      opened = co_await to_any(self, deadline);
      break;
    case Target::Kind::kBroker:
      opened = co_await to_broker(self, target.broker, target.purpose, deadline);
      break;
    case Target::Kind::kController:
      opened = co_await to_controller(self, deadline);
      break;
  }
  co_return opened;
}

std::vector<Cluster::State::Candidate> Cluster::State::candidates(bool brokers_failed) {
  std::vector<Candidate> all;
  auto known = snapshot();
  if (!use_bootstrap) {
    for (const auto& [id, node] : known->brokers) all.push_back({{.broker = id, .purpose = 0}, endpoint_of(node)});
  }
  size_t brokers = all.size();
  if (brokers > 0) {
    std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(world.random.below(brokers)));
  }
  if (brokers > 0 && !(brokers_failed && settings.rebootstrap)) return all;
  size_t count = settings.bootstrap.size();
  size_t first = count > 0 ? world.random.below(count) : 0;
  for (size_t i = 0; i < count; ++i) {
    size_t index = (first + i) % count;
    all.push_back({Peer::bootstrap(index), settings.bootstrap[index]});
  }
  return all;
}

runtime::Task<Cluster::State::Opened> Cluster::State::to_any([[maybe_unused]] Self self, MonotonicTime deadline) {
  bool brokers_failed = false;
  while (true) {
    if (closing()) co_return std::unexpected(client_closed());
    if (auto open = connections.least_loaded()) co_return open;
    if (loop.clock().now() >= deadline) co_return std::unexpected(out_of_time("reaching the cluster"));
    auto round = candidates(brokers_failed);
    if (round.empty())
      co_return std::unexpected(Error{.kind = Error::Kind::kConfig, .message = "bootstrap.servers is empty"});
    bool tried = false;
    bool hopeless = true;
    std::optional<Error> last;
    MonotonicTime earliest{std::numeric_limits<int64_t>::max()};
    for (const Candidate& candidate : round) {
      MonotonicTime retry = connections.retry_at(candidate.peer);
      earliest = std::min(earliest, retry);
      if (retry > loop.clock().now()) continue;
      tried = true;
      // One that is slow does not keep us from the next; its attempt goes on, and is joined again in the next round.
      MonotonicTime limit = deadline;
      if (round.size() > 1) limit = std::min(deadline, loop.clock().now() + kPatience);
      auto opened = co_await connections.open(candidate.peer, candidate.to, limit);
      if (opened) co_return opened;
      if (opened.error().kind == Error::Kind::kAuthentication) co_return opened;
      hopeless = hopeless && !opened.error().retriable;
      last = opened.error();
      if (auto open = connections.least_loaded()) co_return open;
    }
    // Nothing there that could become a broker.
    if (tried && hopeless && last) co_return std::unexpected(*last);
    if (tried && !use_bootstrap && !brokers_failed) {
      brokers_failed = true;
      continue;
    }
    if (!tried) {
      MonotonicTime now = loop.clock().now();
      Duration rest = std::min(earliest, deadline) - now;
      co_await runtime::sleep_for(loop, rest, scope.token());
    }
  }
}

runtime::Task<Cluster::State::Opened> Cluster::State::to_broker(Self self, int32_t broker, int purpose,
                                                                MonotonicTime deadline) {
  if (auto open = connections.connected({.broker = broker, .purpose = purpose})) co_return open;
  auto known = snapshot();
  if (!known->brokers.contains(broker)) {
    auto refreshed = co_await refresh(self, deadline);
    if (!refreshed) co_return std::unexpected(refreshed.error());
    known = *refreshed;
  }
  auto node = known->brokers.find(broker);
  if (node == known->brokers.end()) {
    co_return std::unexpected(Error{.kind = Error::Kind::kNotReachable,
                                    .code = ErrorCode::kBrokerNotAvailable,
                                    .message = fmt::format("broker {} is not in the cluster now", broker),
                                    .retriable = true});
  }
  runtime::Endpoint to = endpoint_of(node->second);
  auto opened = co_await connections.open({.broker = broker, .purpose = purpose}, to, deadline);
  if (!opened && opened.error().retriable) want_refresh();
  co_return opened;
}

runtime::Task<Cluster::State::Opened> Cluster::State::to_controller(Self self, MonotonicTime deadline) {
  for (int attempt = 0;; ++attempt) {
    auto known = snapshot();
    if (known->brokers.contains(known->controller)) {
      auto opened = co_await to_broker(self, known->controller, 0, deadline);
      co_return opened;
    }
    if (attempt > 0) {
      auto in_time = co_await back_off(self, attempt - 1, deadline);
      if (!in_time) co_return std::unexpected(out_of_time("finding the controller"));
    }
    auto refreshed = co_await refresh(self, deadline);
    if (!refreshed) co_return std::unexpected(refreshed.error());
  }
}

runtime::Task<bool> Cluster::State::back_off([[maybe_unused]] Self self, int attempt, MonotonicTime deadline) {
  Duration pause = grown(settings.retry_backoff_ms, settings.retry_backoff_max_ms, attempt, world.random);
  MonotonicTime now = loop.clock().now();
  if (closing() || now >= deadline) co_return false;
  Duration rest = deadline - now;
  auto slept = co_await runtime::sleep_for(loop, std::min(pause, rest), scope.token());
  co_return slept&& pause < rest;
}

Error Cluster::State::out_of_time(std::string_view doing) const {
  if (closing()) return client_closed();
  const auto& last = connections.last_failure();
  if (last) {
    Error error = *last;
    if (error.kind == Error::Kind::kTimedOut) error.kind = Error::Kind::kNotReachable;
    return error;
  }
  return {.kind = Error::Kind::kTimedOut,
          .code = ErrorCode::kRequestTimedOut,
          .message = fmt::format("{} took longer than allowed", doing),
          .retriable = true};
}

runtime::Task<> Cluster::State::close([[maybe_unused]] Self self) {
  closed = true;
  scope.cancel();
  connections.close();
  kicked.wake_all();
  update_done.wake_all();
  for (auto& [type, each] : lookups) each.ended.wake_all();
  co_await scope.join();
  co_await connections.ended();
}

// ---- the Cluster

Cluster::Cluster(runtime::World& world, runtime::Executor& loop, ClientSettings settings)
    : state_(std::make_shared<State>(world, loop, std::move(settings))) {}

Cluster::~Cluster() = default;

runtime::World& Cluster::world() {
  return state_->world;
}

runtime::Executor& Cluster::loop() {
  return state_->loop;
}

const ClientSettings& Cluster::settings() const {
  return state_->settings;
}

runtime::CancelToken Cluster::token() const {
  return state_->scope.token();
}

runtime::Task<Result<std::shared_ptr<Connection>>> Cluster::connection(Target target, MonotonicTime deadline) {
  return state_->connection(state_, target, deadline);
}

std::shared_ptr<Connection> Cluster::connected(int32_t broker, int purpose) {
  return state_->connections.connected({.broker = broker, .purpose = purpose});
}

Duration Cluster::left_until(MonotonicTime deadline) const {
  Duration limit = milliseconds(state_->settings.request_timeout_ms);
  return std::clamp(deadline - state_->loop.clock().now(), Duration(0), limit);
}

bool Cluster::may_retry(const Error& error, MonotonicTime deadline) const {
  return error.retriable && !state_->closing() && state_->loop.clock().now() < deadline;
}

runtime::Task<bool> Cluster::back_off(int attempt, MonotonicTime deadline) {
  return state_->back_off(state_, attempt, deadline);
}

MonotonicTime Cluster::deadline_in(int64_t ms) const {
  constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;
  return state_->loop.clock().now() + milliseconds(std::clamp<int64_t>(ms, 0, kYearMs));
}

std::shared_ptr<const ClusterMetadata> Cluster::metadata() const {
  return state_->snapshot();
}

void Cluster::track_topics(const std::vector<std::string>& topics, bool allow_auto_creation) {
  state_->track(topics, allow_auto_creation);
}

void Cluster::untrack_topics(const std::vector<std::string>& topics) {
  state_->untrack(topics);
}

void Cluster::track_all_topics(bool all) {
  if (all && !state_->everything) state_->urgent = state_->full_wanted = true;
  state_->everything = all;
  state_->kick();
}

runtime::Task<Result<std::shared_ptr<const ClusterMetadata>>> Cluster::refresh(MonotonicTime deadline) {
  return state_->refresh(state_, deadline);
}

runtime::Task<Result<std::shared_ptr<const TopicMetadata>>> Cluster::topic(std::string name, MonotonicTime deadline) {
  return state_->topic(state_, std::move(name), deadline);
}

void Cluster::request_refresh() {
  state_->want_refresh();
}

void Cluster::learn_leader(const std::string& topic, int32_t partition, int32_t leader, int32_t leader_epoch,
                           std::vector<BrokerNode> endpoints) {
  auto before = state_->snapshot();
  auto after = merge_leader(*before, {.topic = topic,
                                      .partition = partition,
                                      .leader = leader,
                                      .leader_epoch = leader_epoch,
                                      .endpoints = std::move(endpoints)});
  if (!after) return;
  bool reachable = leader < 0 || after->brokers.contains(leader);
  state_->publish(std::move(after));
  if (!reachable) state_->want_refresh();
}

void Cluster::on_metadata(std::function<void(const std::shared_ptr<const ClusterMetadata>&)> changed) {
  state_->listeners.push_back(std::move(changed));
}

runtime::Task<Result<int32_t>> Cluster::coordinator(CoordinatorType type, std::string key, MonotonicTime deadline) {
  return state_->coordinator(state_, type, std::move(key), deadline);
}

void Cluster::forget_coordinator(CoordinatorType type, const std::string& key) {
  state_->coordinators.erase({type, key});
}

void Cluster::forget_controller() {
  auto before = state_->snapshot();
  if (before->controller < 0) return;
  auto after = std::make_shared<ClusterMetadata>(*before);
  after->controller = -1;
  state_->publish(std::move(after));
  state_->want_refresh();
}

runtime::Task<> Cluster::close() {
  return state_->close(state_);
}

}  // namespace barnabas::client
