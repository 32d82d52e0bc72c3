// Server: one listener, served on every loop. Accepts, counts and ends connections; each stays on the loop that
// accepted it. Built and stopped on loops[0].
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/connection.h"
#include "runtime/world.h"

namespace barnabas::net {

struct ServerOptions {
  ConnectionOptions connection;
  Duration idle_max = std::chrono::minutes(10);  // connections.max.idle.ms; zero or less: never
  int64_t connections_max = INT64_MAX;           // max.connections
  int64_t connections_per_ip_max = INT64_MAX;    // max.connections.per.ip
};

class Server {
 public:
  Server(runtime::World& world, std::string listener_name, std::unique_ptr<runtime::Listener> listener,
         Service& service, MemoryBudget& budget, const ServerOptions& options);
  ~Server();

  // Begins to accept, on all loops.
  void start();
  // Refuses new connections, ends those there are, waits until all are gone. Once.
  runtime::Task<> stop();

  const runtime::Endpoint& local() const { return listener_->local(); }
  int64_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
  struct PerLoop;

  static runtime::Task<> accept_on(Server* server, PerLoop* loop);
  static runtime::Task<> serve(Server* server, PerLoop* loop, std::unique_ptr<runtime::Stream> stream);
  static runtime::Task<> end_idle(Server* server, PerLoop* loop);
  bool admit(const std::string& host);
  void leave(const std::string& host);

  runtime::World& world_;
  const std::string name_;
  std::unique_ptr<runtime::Listener> listener_;
  Service& service_;
  MemoryBudget& budget_;
  const ServerOptions options_;
  std::vector<std::unique_ptr<PerLoop>> loops_;
  std::atomic<int64_t> connections_ = 0;
  std::mutex mutex_;
  std::map<std::string, int64_t> per_ip_;
};

}  // namespace barnabas::net
