// ClusterConnections: the connections of a Cluster, by broker and purpose: opened when asked for, one attempt at a time
// each, with back-off between failures, closed when idle. Knows nothing of metadata.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "client/cluster_wait.h"
#include "client/connection.h"
#include "client/settings.h"
#include "runtime/scope.h"
#include "runtime/world.h"

namespace barnabas::client {

// Grows by powers of two from `base_ms`, at most to `max_ms`, with a fifth of it more or less by chance.
Duration grown(int64_t base_ms, int64_t max_ms, int attempt, runtime::Random& random);

class ClusterConnections {
 public:
  struct Peer {
    int32_t broker = -1;  // an id, or one of bootstrap(index)
    int purpose = 0;
    auto operator<=>(const Peer&) const = default;
    static Peer bootstrap(size_t index) { return {.broker = -2 - static_cast<int32_t>(index), .purpose = 0}; }
    bool is_bootstrap() const { return broker < -1; }
  };

  ClusterConnections(runtime::World& world, runtime::Executor& loop, const ClientSettings& settings,
                     runtime::Scope& scope);

  // The open connection, or a new one: waits out the back-off, then makes (or joins) one attempt. kClosed after
  // close().
  runtime::Task<Result<std::shared_ptr<Connection>>> open(Peer peer, runtime::Endpoint to, MonotonicTime deadline);
  // Without waiting; null when there is none.
  std::shared_ptr<Connection> connected(Peer peer) const;
  // Of the open ones for general use, one with the fewest requests under way.
  std::shared_ptr<Connection> least_loaded() const;
  // When an attempt may be made at the earliest.
  MonotonicTime retry_at(Peer peer) const;
  // A connection to a bootstrap address serves as that of the broker found to be there.
  void adopt(int32_t broker, const runtime::Endpoint& at);

  // Called on the loop when an open connection broke.
  void on_lost(std::function<void(Peer)> lost) { lost_ = std::move(lost); }
  // Why the latest attempt failed, if nothing was reached since.
  const std::optional<Error>& last_failure() const { return last_failure_; }

  // Closes all that are open, and forgets back-off: the addresses may have new owners.
  void start_over();
  void close();
  runtime::Task<> ended();

 private:
  struct State {
    explicit State(runtime::Executor& loop) : changed(loop) {}
    std::shared_ptr<Connection> open;
    runtime::Endpoint to;
    bool connecting = false;
    int failures = 0;
    MonotonicTime retry_at{};
    std::optional<Error> last_error;
    WaitList changed;
  };

  State& state(Peer peer);
  runtime::Task<> connect(Peer peer);
  void closed_by_itself(Peer peer, const Error& why);
  void watch_idle();
  void close_idle();
  void let_go(std::shared_ptr<Connection> closed);
  Result<std::shared_ptr<security::TlsContext>> tls();

  runtime::World& world_;
  runtime::Executor& loop_;
  const ClientSettings& settings_;
  runtime::Scope& scope_;
  std::map<Peer, State> peers_;
  std::function<void(Peer)> lost_;
  std::optional<Error> last_failure_;
  std::shared_ptr<security::TlsContext> tls_;
  runtime::TimerId idle_timer_ = 0;
  bool closed_ = false;
};

}  // namespace barnabas::client
