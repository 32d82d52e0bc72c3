// Broker: a real broker inside a test's process, instead of a container: it starts in milliseconds, listens on a port
// of 127.0.0.1 that the system chooses, and keeps its data in a temporary directory that goes with it. Several may run
// at once. It is the same code as the `barnabas` program, so every Kafka client can talk to it, not only ours.
//
//   auto broker = barnabas::testing::Broker::start({.topics = {{.name = "orders", .partitions = 3}}});
//   auto producer = barnabas::client::Producer::create({{"bootstrap.servers", broker->bootstrap_servers()}});
//
// One thread at a time calls a Broker. Clients are best closed before it stops.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/error.h"

namespace barnabas::testing {

struct Topic {
  std::string name{};
  int32_t partitions = 1;
  std::map<std::string, std::string> configs{};  // a topic's keys: "cleanup.policy"
};

struct BrokerOptions {
  std::vector<Topic> topics{};  // made before start() returns; others are made when a client first names them
  // Keys of server.properties. Ours, unless they are named here: page-cache durability, internal topics with few
  // partitions, and no wait for further members when a group begins.
  std::map<std::string, std::string> overrides{};
  std::filesystem::path data_directory{};  // empty: a temporary one; otherwise kept at the end
  // Gets the broker's log, line by line, from any thread. Empty: errors go to standard error, the rest nowhere.
  std::function<void(std::string_view line)> log_sink{};
};

class Broker {
 public:
  // Serves clients when it returns. kConfig when an override is wrong, kIo when it cannot listen or write.
  static client::Result<Broker> start(BrokerOptions options = {});
  Broker(Broker&&) noexcept;
  Broker& operator=(Broker&&) noexcept;
  ~Broker();  // stop(), and the temporary directory is removed

  std::string bootstrap_servers() const;  // "127.0.0.1:40123"; the same after restart()
  uint16_t port() const;
  const std::filesystem::path& data_directory() const;

  // As a broker is stopped in earnest: what waits is answered, logs are closed. Idempotent.
  void stop();
  // Starts it again, on the same port with the same data; stops it first if it runs.
  client::Result<> restart();
  bool running() const;

 private:
  class Parts;
  explicit Broker(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace barnabas::testing
