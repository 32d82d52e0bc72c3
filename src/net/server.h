// Server: one listener, served on every loop. Accepts connections as its quotas let it, and ends idle ones and those
// that are too many; each stays on the loop that accepted it. Built and stopped on loops[0].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/connection_quotas.h"
#include "runtime/world.h"

namespace barnabas::net {

struct ServerOptions {
  ConnectionOptions connection;
  Duration idle_max = std::chrono::minutes(10);  // connections.max.idle.ms; zero or less: never
};

class Server {
 public:
  Server(runtime::World& world, std::string listener_name, std::unique_ptr<runtime::Listener> listener,
         Service& service, MemoryBudget& budget, ConnectionQuotas& quotas, const ServerOptions& options);
  ~Server();

  // Begins to accept, on all loops.
  void start();
  // Refuses new connections, ends those there are, waits until all are gone. Once.
  runtime::Task<> stop();

  const runtime::Endpoint& local() const { return listener_->local(); }

 private:
  struct PerLoop;

  static runtime::Task<> accept_on(Server* server, PerLoop* loop);
  static runtime::Task<> serve(Server* server, PerLoop* loop, std::unique_ptr<runtime::Stream> stream);
  static runtime::Task<> end_idle(Server* server, PerLoop* loop);
  void end_excess(PerLoop& loop);

  runtime::World& world_;
  const std::string name_;
  std::unique_ptr<runtime::Listener> listener_;
  Service& service_;
  MemoryBudget& budget_;
  ConnectionQuotas& quotas_;
  const ServerOptions options_;
  std::vector<std::unique_ptr<PerLoop>> loops_;
};

}  // namespace barnabas::net
