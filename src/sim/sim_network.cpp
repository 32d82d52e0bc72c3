#include "sim/sim_network.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "sim/machine.h"
#include "sim/sim_connection.h"
#include "sim/sim_life.h"
#include "sim/sim_port.h"
#include "sim/simulation.h"

namespace barnabas::sim {

namespace {

using runtime::Endpoint;
using runtime::Stream;
using runtime::Task;

constexpr uint16_t kFirstFreePort = 49'152;
constexpr Duration kHandshakeRetry = seconds(1);

bool means_self(const std::string& host) {
  return host.empty() || host == "localhost" || host == "127.0.0.1" || host == "::1" || host == "0.0.0.0" ||
         host == "::";
}

// One connect() under way: the handshake's messages are events, repeated while the way is blocked.
struct Attempt : std::enable_shared_from_this<Attempt> {
  SimNetwork& network;
  Life& life;
  runtime::Executor& home;
  Machine& target;
  Endpoint to;
  runtime::Completion<Result<std::shared_ptr<SimConnection>>> done;
  bool abandoned = false;

  Attempt(SimNetwork& n, Life& l, runtime::Executor& h, Machine& t, Endpoint e)
      : network(n), life(l), home(h), target(t), to(std::move(e)) {}

  bool given_up() const { return abandoned || life.cut_off(); }
  void later(Duration delay, void (Attempt::*next)()) {
    network.simulation().after(delay, [self = shared_from_this(), next] {
      if (!self->given_up()) (self.get()->*next)();
    });
  }
  void send_request() { later(network.delay(life.machine(), target), &Attempt::request_arrives); }
  void request_arrives();
  void refusal_arrives();
};

void Attempt::request_arrives() {
  if (network.blocked(life.machine(), target)) return later(kHandshakeRetry, &Attempt::request_arrives);
  auto port = network.find_port(target, to.port);
  if (!port) return later(network.delay(target, life.machine()), &Attempt::refusal_arrives);
  SimConnection::End client;
  client.machine = &life.machine();
  client.life = &life;
  client.loop = &home;
  client.name = {life.machine().name(), network.free_port(life.machine())};
  SimConnection::End server;
  server.machine = &target;
  server.life = &port->life();
  server.name = {target.name(), to.port};
  auto connection = std::make_shared<SimConnection>(network, std::move(client), std::move(server));
  connection->set_id(network.add(connection));
  Duration back = network.delay(target, life.machine());
  connection->hold_until(SimConnection::kServer, network.simulation().now() + back);
  port->offer(connection);
  // The client learns of it; if it cannot, it goes on trying, and has no use for this connection.
  network.simulation().after(back, [self = shared_from_this(), connection] {
    if (self->given_up() || connection->end(SimConnection::kClient).closed) {
      connection->close(SimConnection::kClient);
    } else if (self->network.blocked(self->target, self->life.machine())) {
      connection->vanish(SimConnection::kClient);
      self->later(kHandshakeRetry, &Attempt::request_arrives);
    } else {
      self->network.simulation().trace(self->life.machine().name(), "connected", self->to.to_string());
      self->done.set(connection);
    }
  });
}

void Attempt::refusal_arrives() {
  if (network.blocked(target, life.machine())) return later(kHandshakeRetry, &Attempt::request_arrives);
  done.set(fail(ErrorCode::kClosed, "connect to " + to.to_string() + ": connection refused"));
}

class NetworkView final : public runtime::Network {
 public:
  NetworkView(SimNetwork& network, Life& life) : network_(network), life_(life) {}

  Result<std::unique_ptr<runtime::Listener>> listen(const Endpoint& at, const runtime::ListenOptions& options) override;
  Task<Result<std::unique_ptr<Stream>>> connect(runtime::Executor& home, Endpoint to, Duration timeout,
                                                runtime::CancelToken token) override;

 private:
  SimNetwork& network_;
  Life& life_;
};

Result<std::unique_ptr<runtime::Listener>> NetworkView::listen(const Endpoint& at, const runtime::ListenOptions&) {
  const std::string& own = life_.machine().name();
  if (!means_self(at.host) && at.host != own) {
    return fail(ErrorCode::kNotFound, "listen on " + at.to_string() + ": not an address of this machine");
  }
  TRY_ASSIGN(auto port, network_.open_port(life_, at.port));
  Endpoint local{at.host.empty() ? own : at.host, port->number()};
  return std::make_unique<SimListener>(network_, std::move(port), std::move(local));
}

Task<Result<std::unique_ptr<Stream>>> NetworkView::connect(runtime::Executor& home, Endpoint to, Duration timeout,
                                                           runtime::CancelToken token) {
  Machine* target = means_self(to.host) ? &life_.machine() : network_.simulation().find_machine(to.host);
  if (!target) co_return fail(ErrorCode::kNotFound, "cannot find the address of " + to.host);
  if (life_.cut_off()) co_return fail(ErrorCode::kClosed, "the machine is down");
  auto attempt = std::make_shared<Attempt>(network_, life_, home, *target, to);
  runtime::CancelSource ending;
  runtime::CancelCallback on_cancel(token, [&ending] { ending.request(); });
  bool timed_out = false;
  runtime::TimerId timer = home.schedule(home.clock().now() + timeout, [&ending, &timed_out] {
    timed_out = true;
    ending.request();
  });
  auto debt = life_.owe([done = attempt->done] {
    if (!done.is_set()) done.set(fail(ErrorCode::kClosed, "the machine is down"));
  });
  attempt->send_request();
  auto connected = co_await attempt->done.wait(home, ending.token());
  life_.forget(debt);
  home.cancel(timer);
  attempt->abandoned = true;
  if (!connected && timed_out) co_return fail(ErrorCode::kTimedOut, "connect to " + to.to_string() + " took too long");
  if (!connected) co_return fail(ErrorCode::kCancelled, "connect to " + to.to_string() + " was cancelled");
  if (!*connected) co_return std::unexpected(connected->error());
  co_return std::make_unique<SimStream>(std::move(**connected), SimConnection::kClient);
}

}  // namespace

SimNetwork::SimNetwork(Simulation& simulation) : simulation_(simulation), random_(simulation.stream("network")) {}
SimNetwork::~SimNetwork() = default;

// ---- faults

void SimNetwork::set_delay(Duration least, Duration mean) {
  delay_least_ = least;
  delay_mean_ = mean;
}

void SimNetwork::block(const std::string& from, const std::string& to) {
  simulation_.trace(from, "block", to);
  blocked_.emplace(from, to);
}

void SimNetwork::unblock(const std::string& from, const std::string& to) {
  simulation_.trace(from, "unblock", to);
  blocked_.erase({from, to});
  links_changed();
}

void SimNetwork::partition(const std::string& one, const std::string& other) {
  block(one, other);
  block(other, one);
}

void SimNetwork::heal() {
  simulation_.trace("network", "heal", "");
  blocked_.clear();
  links_changed();
}

void SimNetwork::reset_connections(const std::string& one, const std::string& other) {
  for (auto& [id, weak] : connections_) {
    auto connection = weak.lock();
    if (!connection) continue;
    const std::string& client = connection->end(SimConnection::kClient).machine->name();
    const std::string& server = connection->end(SimConnection::kServer).machine->name();
    if ((client == one && server == other) || (client == other && server == one)) connection->break_now();
  }
}

// ---- for machines

std::unique_ptr<runtime::Network> SimNetwork::view_of(Life& life) {
  return std::make_unique<NetworkView>(*this, life);
}

void SimNetwork::end_connections(Life& life, bool with_power) {
  auto connections = connections_;  // closing may add none, but may end some
  for (auto& [id, weak] : connections) {
    auto connection = weak.lock();
    if (!connection) continue;
    for (auto side : {SimConnection::kClient, SimConnection::kServer}) {
      if (connection->end(side).life != &life) continue;
      if (with_power) {
        connection->close(side);
      } else {
        connection->vanish(side);
      }
    }
  }
  std::vector<std::shared_ptr<SimPort>> ending;
  for (auto& [key, port] : ports_) {
    if (&port->life() == &life) ending.push_back(port);
  }
  for (auto& port : ending) close_port(*port);
}

void SimNetwork::links_changed() {
  for (auto& [id, weak] : connections_) {
    if (auto connection = weak.lock()) connection->schedule_arrivals();
  }
}

// ---- for connections

bool SimNetwork::blocked(const Machine& from, const Machine& to) const {
  if (!from.powered() || !to.powered()) return true;
  return &from != &to && blocked_.contains({from.name(), to.name()});
}

Duration SimNetwork::delay(const Machine& from, const Machine& to) {
  if (&from == &to) return random_.between(microseconds(5), microseconds(30));
  Duration most = 2 * delay_mean_;
  if (random_.one_in(500)) most *= 10;
  return delay_least_ + random_.between(Duration(0), most);
}

size_t SimNetwork::new_window() {
  return window_ ? window_ : size_t{4096} << (2 * random_.below(4));
}

uint64_t SimNetwork::add(const std::shared_ptr<SimConnection>& connection) {
  std::erase_if(connections_, [](const auto& entry) { return entry.second.expired(); });
  uint64_t id = ++last_connection_;
  connections_.emplace(id, connection);
  return id;
}

Result<std::shared_ptr<SimPort>> SimNetwork::open_port(Life& life, uint16_t port) {
  const std::string& machine = life.machine().name();
  if (life.cut_off()) return fail(ErrorCode::kIo, "the machine is down");
  if (port == 0) port = free_port(life.machine());
  auto [place, fresh] = ports_.try_emplace({machine, port});
  if (!fresh) {
    return fail(ErrorCode::kBusy, "listen on " + Endpoint{machine, port}.to_string() + ": address already in use");
  }
  place->second = std::make_shared<SimPort>(life, port);
  simulation_.trace(machine, "listen", std::to_string(port));
  return place->second;
}

void SimNetwork::close_port(const SimPort& port) {
  auto found = ports_.find({port.life().machine().name(), port.number()});
  if (found == ports_.end() || found->second.get() != &port) return;
  auto closing = std::move(found->second);
  ports_.erase(found);
  closing->close();
}

std::shared_ptr<SimPort> SimNetwork::find_port(const Machine& machine, uint16_t port) const {
  auto found = ports_.find({machine.name(), port});
  return found == ports_.end() ? nullptr : found->second;
}

uint16_t SimNetwork::free_port(const Machine& machine) {
  uint16_t& last = last_ports_.try_emplace(machine.name(), kFirstFreePort - 1).first->second;
  do {
    last = last == UINT16_MAX ? kFirstFreePort : last + 1;
  } while (ports_.contains({machine.name(), last}));
  return last;
}

}  // namespace barnabas::sim
