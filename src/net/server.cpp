#include "net/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/logger.h"
#include "runtime/sleep.h"

namespace barnabas::net {

struct Server::PerLoop {
  explicit PerLoop(runtime::Executor& on) : executor(on), scope(on) {}
  runtime::Executor& executor;
  runtime::Scope scope;
  std::map<Connection*, bool> connections;  // true: it ends because there are too many
};

Server::Server(runtime::World& world, std::string listener_name, std::unique_ptr<runtime::Listener> listener,
               Service& service, MemoryBudget& budget, ConnectionQuotas& quotas, const ServerOptions& options)
    : world_(world),
      name_(std::move(listener_name)),
      listener_(std::move(listener)),
      service_(service),
      budget_(budget),
      quotas_(quotas),
      options_(options) {
  for (runtime::Executor* loop : world_.loops) loops_.push_back(std::make_unique<PerLoop>(*loop));
}

Server::~Server() = default;

void Server::start() {
  quotas_.add_listener(name_, [this] {
    for (auto& loop : loops_) {
      loop->executor.post([this, l = loop.get()] { end_excess(*l); });
    }
  });
  for (auto& loop : loops_) {
    loop->executor.post([this, l = loop.get()] {
      l->scope.spawn(accept_on(this, l));
      if (options_.idle_max.count() > 0) l->scope.spawn(end_idle(this, l));
    });
  }
}

runtime::Task<> Server::stop() {
  listener_->close();
  quotas_.add_listener(name_, {});
  struct Drain {
    static runtime::Task<> run(PerLoop* loop, runtime::Executor& home) {
      co_await runtime::resume_on(loop->executor);
      loop->scope.cancel();
      co_await loop->scope.join();
      co_await runtime::resume_on(home);
    }
  };
  runtime::Executor& home = *world_.loops[0];
  for (auto& loop : loops_) {
    co_await Drain::run(loop.get(), home);
  }
}

// The one that was quiet for longest goes first, as in Kafka.
void Server::end_excess(PerLoop& loop) {
  while (true) {
    auto oldest = loop.connections.end();
    for (auto it = loop.connections.begin(); it != loop.connections.end(); ++it) {
      if (it->second) continue;
      bool older = oldest == loop.connections.end() || it->first->last_active() < oldest->first->last_active();
      if (older) oldest = it;
    }
    if (oldest == loop.connections.end() || !quotas_.take_excess(name_)) return;
    oldest->second = true;
    oldest->first->close();
  }
}

runtime::Task<> Server::accept_on(Server* server, PerLoop* loop) {
  while (!loop->scope.token().requested()) {
    auto stream = co_await server->listener_->accept(loop->executor, loop->scope.token());
    if (!stream) {
      bool over = stream.error().code == ErrorCode::kClosed || stream.error().code == ErrorCode::kCancelled;
      if (over) break;
      server->world_.logger.warning(fmt::format("cannot accept on {}: {}", server->name_, stream.error().message));
      co_await runtime::sleep_for(loop->executor, milliseconds(100), loop->scope.token());
      continue;
    }
    std::string host = (*stream)->peer().host;
    auto verdict = co_await server->quotas_.admit(loop->executor, server->name_, host, loop->scope.token());
    if (verdict == ConnectionQuotas::Verdict::kCancelled) break;
    if (verdict == ConnectionQuotas::Verdict::kTooManyOfAddress) {
      server->world_.logger.info(
          fmt::format("Rejected connection from {} on {}: its address already has the configured maximum of {} "
                      "connections (max.connections.per.ip)",
                      (*stream)->peer().to_string(), server->name_, server->quotas_.per_ip_max(host)));
      continue;
    }
    loop->scope.spawn(serve(server, loop, std::move(*stream)));
  }
}

runtime::Task<> Server::serve(Server* server, PerLoop* loop, std::unique_ptr<runtime::Stream> stream) {
  std::string host = stream->peer().host;
  std::string peer = stream->peer().to_string();
  Connection connection(std::move(stream), loop->executor, server->name_, server->service_, server->budget_,
                        server->world_.logger, server->options_.connection);
  loop->connections.emplace(&connection, false);
  runtime::Logger& logger = server->world_.logger;
  bool tell = logger.enabled(runtime::LogLevel::kDebug);
  if (tell) logger.debug(fmt::format("accepted the connection of {} on {}", peer, server->name_));
  co_await connection.run(loop->scope.token());
  if (tell) logger.debug(fmt::format("the connection of {} on {} has ended", peer, server->name_));
  bool excess = loop->connections.extract(&connection).mapped();
  server->quotas_.leave(server->name_, host, excess);
}

runtime::Task<> Server::end_idle(Server* server, PerLoop* loop) {
  Duration step = std::max<Duration>(server->options_.idle_max / 4, milliseconds(10));
  while (true) {
    bool elapsed = co_await runtime::sleep_for(loop->executor, step, loop->scope.token());
    if (!elapsed) break;
    MonotonicTime now = loop->executor.clock().now();
    for (auto& [connection, excess] : loop->connections) {
      if (now - connection->last_active() > server->options_.idle_max) connection->close();
    }
  }
}

}  // namespace barnabas::net
