#include "net/server.h"

#include <fmt/format.h>

#include <set>

#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/logger.h"
#include "runtime/sleep.h"

namespace barnabas::net {

struct Server::PerLoop {
  explicit PerLoop(runtime::Executor& on) : executor(on), scope(on) {}
  runtime::Executor& executor;
  runtime::Scope scope;
  std::set<Connection*> connections;
};

Server::Server(runtime::World& world, std::string listener_name, std::unique_ptr<runtime::Listener> listener,
               Service& service, MemoryBudget& budget, const ServerOptions& options)
    : world_(world),
      name_(std::move(listener_name)),
      listener_(std::move(listener)),
      service_(service),
      budget_(budget),
      options_(options) {
  for (runtime::Executor* loop : world_.loops) loops_.push_back(std::make_unique<PerLoop>(*loop));
}

Server::~Server() = default;

void Server::start() {
  for (auto& loop : loops_) {
    loop->executor.post([this, l = loop.get()] {
      l->scope.spawn(accept_on(this, l));
      if (options_.idle_max.count() > 0) l->scope.spawn(end_idle(this, l));
    });
  }
}

runtime::Task<> Server::stop() {
  listener_->close();
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

bool Server::admit(const std::string& host) {
  std::lock_guard lock(mutex_);
  if (connections_.load() >= options_.connections_max) return false;
  int64_t& of_host = per_ip_[host];
  if (of_host >= options_.connections_per_ip_max) return false;
  ++of_host;
  ++connections_;
  return true;
}

void Server::leave(const std::string& host) {
  std::lock_guard lock(mutex_);
  --connections_;
  auto found = per_ip_.find(host);
  if (--found->second == 0) per_ip_.erase(found);
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
    loop->scope.spawn(serve(server, loop, std::move(*stream)));
  }
}

runtime::Task<> Server::serve(Server* server, PerLoop* loop, std::unique_ptr<runtime::Stream> stream) {
  std::string host = stream->peer().host;
  if (!server->admit(host)) {
    server->world_.logger.warning(fmt::format(
        "refusing {}: too many connections (max.connections {}, "
        "max.connections.per.ip {})",
        stream->peer().to_string(), server->options_.connections_max, server->options_.connections_per_ip_max));
    stream->close();
    co_return;
  }
  Connection connection(std::move(stream), loop->executor, server->name_, server->service_, server->budget_,
                        server->world_.logger, server->options_.connection);
  loop->connections.insert(&connection);
  co_await connection.run(loop->scope.token());
  loop->connections.erase(&connection);
  server->leave(host);
}

runtime::Task<> Server::end_idle(Server* server, PerLoop* loop) {
  Duration step = std::max<Duration>(server->options_.idle_max / 4, milliseconds(10));
  while (true) {
    bool elapsed = co_await runtime::sleep_for(loop->executor, step, loop->scope.token());
    if (!elapsed) break;
    MonotonicTime now = loop->executor.clock().now();
    for (Connection* connection : loop->connections) {
      if (now - connection->last_active() > server->options_.idle_max) connection->close();
    }
  }
}

}  // namespace barnabas::net
