// Scenario: one simulated machine with a whole node on it, and a second one with a scripted client. What the story
// tests of nodes share.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "config/node_config.h"
#include "sim/machine.h"
#include "sim/simulation.h"
#include "sim/wire_client.h"
#include "wire/kafka_error.h"

namespace barnabas::sim {

// server.properties of the node, after the lines every scenario has.
config::NodeConfig scenario_config(const std::vector<std::string>& overrides);

// A program that runs a node until it is asked to stop, and says whether it came up.
struct NodeRun {
  bool serving = false;
  std::optional<Error> failed;
};
Program node_program(config::NodeConfig config, std::shared_ptr<NodeRun> run);

struct Produced {
  wire::KafkaError error{};
  int64_t offset = -1;
};

class Scenario {
 public:
  explicit Scenario(uint64_t seed, std::vector<std::string> overrides = {});

  Simulation& simulation() { return simulation_; }
  Machine& broker() { return broker_; }
  Machine& client() { return client_; }
  // Starts the node and waits until it serves.
  void start_node();
  // Starts the node; why it did not come up, if it did not.
  std::optional<Error> try_start();
  runtime::Endpoint address() const { return {"broker", 9092}; }

  // Each a conversation of its own, driven to its end; an error is one of the connection. As clients do, produce() and
  // fetch() come again, for a tenth of a second, while the replica is not open.
  template <class Response, class Request>
  Result<Response> ask(Request request, int16_t version) {
    WireClient client(client_.world(), address());
    return simulation_.run_task(client_, client.call<Response>(std::move(request), version));
  }
  void create_topic(const std::string& topic, int32_t partitions = 1);
  Result<Produced> produce(const std::string& topic, const std::string& value, int16_t acks = -1,
                           Duration limit = std::chrono::minutes(5));
  struct Fetched {
    wire::KafkaError error{};
    int64_t high_watermark = -1;
    std::map<int64_t, std::string> records;  // offset -> value
  };
  Result<Fetched> fetch(const std::string& topic, int64_t offset);
  std::map<int64_t, std::string> read_all(const std::string& topic);

 private:
  Simulation simulation_;
  Machine& broker_;
  Machine& client_;
  std::vector<std::string> overrides_;
  std::shared_ptr<NodeRun> run_;
};

runtime::Task<Result<Produced>> produce_one(WireClient& client, std::string topic, std::string value, int16_t acks,
                                            TimestampMs now);

}  // namespace barnabas::sim
