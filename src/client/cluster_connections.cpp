#include "client/cluster_connections.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/connection_security.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::client {

namespace {

Error client_closed() {
  return {.kind = Error::Kind::kClosed, .message = "the client was closed"};
}

}  // namespace

Duration grown(int64_t base_ms, int64_t max_ms, int attempt, runtime::Random& random) {
  int64_t ms = std::max<int64_t>(base_ms, 0);
  for (int i = 0; i < attempt && ms < max_ms; ++i) ms *= 2;
  ms = std::min(ms, max_ms);
  constexpr int64_t kParts = 1000;
  auto part = static_cast<int64_t>(random.below(kParts));
  int64_t nanos = ms * 1'000'000;
  return Duration(nanos / 10 * 8 + nanos / 10 * 4 / kParts * part);
}

ClusterConnections::ClusterConnections(runtime::World& world, runtime::Executor& loop, const ClientSettings& settings,
                                       runtime::Scope& scope)
    : world_(world), loop_(loop), settings_(settings), scope_(scope) {}

ClusterConnections::State& ClusterConnections::state(Peer peer) {
  return peers_.try_emplace(peer, loop_).first->second;
}

runtime::Task<Result<std::shared_ptr<Connection>>> ClusterConnections::open(Peer peer, runtime::Endpoint to,
                                                                            MonotonicTime deadline) {
  State& known = state(peer);
  if (known.to != to) {
    known.to = to;
    known.failures = 0;
    known.retry_at = {};
  }
  bool joined = false;
  while (true) {
    if (closed_) co_return std::unexpected(client_closed());
    if (known.open && !known.open->closed()) co_return known.open;
    // One attempt, ours or that of somebody before us.
    if (joined && !known.connecting && known.last_error) co_return std::unexpected(*known.last_error);
    MonotonicTime now = loop_.clock().now();
    if (now >= deadline) {
      if (known.last_error) co_return std::unexpected(*known.last_error);
      co_return std::unexpected(Error{.kind = Error::Kind::kNotReachable,
                                      .message = "connecting to " + to.to_string() + " takes too long",
                                      .retriable = true});
    }
    if (!known.connecting && now < known.retry_at) {
      co_await known.changed.wait(std::min(known.retry_at, deadline));
      continue;
    }
    if (!known.connecting) {
      known.connecting = true;
      scope_.spawn(connect(peer));
      joined = true;
      continue;
    }
    joined = true;
    co_await known.changed.wait(deadline);
  }
}

runtime::Task<> ClusterConnections::connect(Peer peer) {
  State& known = state(peer);
  Connection::Options options;
  options.to = known.to;
  options.host_name = known.to.host;
  options.broker_id = peer.is_bootstrap() ? -1 : peer.broker;
  options.setup_timeout = grown(settings_.socket_connection_setup_timeout_ms,
                                settings_.socket_connection_setup_timeout_max_ms, known.failures, world_.random);
  options.on_closed = [this, peer](const Error& why) { closed_by_itself(peer, why); };
  auto context = tls();
  Result<std::shared_ptr<Connection>> opened = nullptr;
  if (context) {
    options.tls = *context;
    opened = co_await Connection::open(world_, loop_, settings_, options, scope_.token());
  } else {
    opened = std::unexpected(context.error());
  }
  known.connecting = false;
  if (opened) {
    let_go(std::exchange(known.open, *std::move(opened)));
    known.failures = 0;
    known.last_error.reset();
    last_failure_.reset();
    watch_idle();
  } else {
    known.retry_at = loop_.clock().now() + grown(settings_.reconnect_backoff_ms, settings_.reconnect_backoff_max_ms,
                                                 known.failures++, world_.random);
    known.last_error = opened.error();
    last_failure_ = opened.error();
  }
  known.changed.wake_all();
}

void ClusterConnections::let_go(std::shared_ptr<Connection> closed) {
  struct Last {
    static runtime::Task<> wait(std::shared_ptr<Connection> connection) { co_await connection->ended(); }
  };
  if (closed) scope_.spawn(Last::wait(std::move(closed)));
}

Result<std::shared_ptr<security::TlsContext>> ClusterConnections::tls() {
  bool wanted = settings_.security == SecurityProtocol::kSsl || settings_.security == SecurityProtocol::kSaslSsl;
  if (!wanted || tls_) return tls_;
  auto made = make_tls_context(settings_.tls);
  if (made) tls_ = *made;
  return made;
}

void ClusterConnections::closed_by_itself(Peer peer, const Error& why) {
  if (closed_ || why.kind == Error::Kind::kClosed) return;
  State& known = state(peer);
  // While it is being negotiated, connect() hears of the failure itself.
  if (known.connecting) return;
  known.retry_at =
      loop_.clock().now() + grown(settings_.reconnect_backoff_ms, settings_.reconnect_backoff_max_ms, 0, world_.random);
  last_failure_ = why;
  if (lost_) lost_(peer);
}

std::shared_ptr<Connection> ClusterConnections::connected(Peer peer) const {
  auto found = peers_.find(peer);
  if (found == peers_.end() || !found->second.open || found->second.open->closed()) return nullptr;
  return found->second.open;
}

std::shared_ptr<Connection> ClusterConnections::least_loaded() const {
  std::shared_ptr<Connection> best;
  // From the back: brokers before bootstrap addresses.
  for (auto each = peers_.rbegin(); each != peers_.rend(); ++each) {
    const auto& open = each->second.open;
    if (each->first.purpose != 0 || !open || open->closed()) continue;
    if (!best || open->in_flight() < best->in_flight()) best = open;
  }
  return best;
}

MonotonicTime ClusterConnections::retry_at(Peer peer) const {
  auto found = peers_.find(peer);
  return found == peers_.end() || found->second.connecting ? MonotonicTime{} : found->second.retry_at;
}

void ClusterConnections::adopt(int32_t broker, const runtime::Endpoint& at) {
  State& own = state({.broker = broker, .purpose = 0});
  if (own.connecting || (own.open && !own.open->closed())) return;
  for (auto& [peer, known] : peers_) {
    if (!peer.is_bootstrap() || known.to != at || !known.open || known.open->closed()) continue;
    let_go(std::exchange(own.open, std::exchange(known.open, nullptr)));
    own.to = at;
    own.failures = 0;
    return;
  }
}

void ClusterConnections::start_over() {
  for (auto& [peer, known] : peers_) {
    if (known.open) {
      known.open->close({.kind = Error::Kind::kNotReachable,
                         .code = ErrorCode::kNetworkException,
                         .message = "the cluster is being looked for anew",
                         .retriable = true});
    }
    known.failures = 0;
    known.retry_at = {};
  }
}

// ---- idle connections

void ClusterConnections::watch_idle() {
  if (idle_timer_ != 0 || closed_ || settings_.connections_max_idle_ms < 0) return;
  Duration limit = milliseconds(settings_.connections_max_idle_ms);
  std::optional<MonotonicTime> first;
  for (auto& [peer, known] : peers_) {
    if (!known.open || known.open->closed()) continue;
    MonotonicTime at = known.open->last_used() + limit;
    if (!first || at < *first) first = at;
  }
  if (!first) return;
  // Not at once again for one that is old but busy.
  MonotonicTime at = std::max(*first, loop_.clock().now() + milliseconds(1000));
  idle_timer_ = loop_.schedule(at, [this] {
    idle_timer_ = 0;
    close_idle();
    watch_idle();
  });
}

void ClusterConnections::close_idle() {
  MonotonicTime now = loop_.clock().now();
  for (auto& [peer, known] : peers_) {
    if (!known.open || known.open->closed() || known.open->in_flight() > 0) continue;
    if (now - known.open->last_used() < milliseconds(settings_.connections_max_idle_ms)) continue;
    known.open->close({.kind = Error::Kind::kClosed, .message = "nothing was sent for connections.max.idle.ms"});
  }
}

// ---- the end

void ClusterConnections::close() {
  closed_ = true;
  if (idle_timer_ != 0) loop_.cancel(std::exchange(idle_timer_, 0));
  for (auto& [peer, known] : peers_) {
    if (known.open) known.open->close(client_closed());
    known.changed.wake_all();
  }
}

runtime::Task<> ClusterConnections::ended() {
  for (auto& [peer, known] : peers_) {
    if (!known.open) continue;
    auto last = std::exchange(known.open, nullptr);
    co_await last->ended();
  }
}

}  // namespace barnabas::client
