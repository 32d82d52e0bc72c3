// SimNetwork: the wires between machines: who listens where, what is under way, how slow and how broken each way is.
// Bytes of a connection arrive in order or not at all, as TCP has it: a blocked way holds them back until it heals.
// Machines are addressed by name; "localhost", "127.0.0.1" and "" are the machine itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "runtime/stream.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class Life;
class Machine;
class SimConnection;
class SimPort;
class Simulation;

class SimNetwork {
 public:
  explicit SimNetwork(Simulation& simulation);
  ~SimNetwork();

  // ---- faults
  // One-way delay: at least `least`, on average `mean` more; now and then ten times that.
  void set_delay(Duration least, Duration mean);
  // Nothing gets through from `from` to `to`; what was sent arrives after unblock().
  void block(const std::string& from, const std::string& to);
  void unblock(const std::string& from, const std::string& to);
  void partition(const std::string& one, const std::string& other);  // block() both ways
  void heal();                                                       // unblocks everything
  // All connections between the two break; what was under way is lost.
  void reset_connections(const std::string& one, const std::string& other);
  // How many bytes a connection made from now on holds between writer and reader; 0 = the seed decides each time.
  void set_window(size_t bytes) { window_ = bytes; }

  // ---- for machines
  // What a life's World sees.
  std::unique_ptr<runtime::Network> view_of(Life& life);
  // The process has died (its kernel ends the connections) or the power has failed (nobody is told).
  void end_connections(Life& life, bool with_power);
  // Something that was held back may get through now.
  void links_changed();

  // ---- for connections
  bool blocked(const Machine& from, const Machine& to) const;
  Duration delay(const Machine& from, const Machine& to);
  size_t new_window();
  SimRandom& random() { return random_; }
  Simulation& simulation() const { return simulation_; }
  uint64_t add(const std::shared_ptr<SimConnection>& connection);

  Result<std::shared_ptr<SimPort>> open_port(Life& life, uint16_t port);
  void close_port(const SimPort& port);
  std::shared_ptr<SimPort> find_port(const Machine& machine, uint16_t port) const;
  uint16_t free_port(const Machine& machine);

 private:
  Simulation& simulation_;
  SimRandom random_;
  Duration delay_least_ = microseconds(50);
  Duration delay_mean_ = microseconds(200);
  size_t window_ = 0;
  std::set<std::pair<std::string, std::string>> blocked_;
  std::map<std::pair<std::string, uint16_t>, std::shared_ptr<SimPort>> ports_;
  std::map<std::string, uint16_t> last_ports_;
  std::map<uint64_t, std::weak_ptr<SimConnection>> connections_;
  uint64_t last_connection_ = 0;
};

}  // namespace barnabas::sim
