#include "barnabas/testing/broker.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "barnabas/future.h"
#include "config/node_config.h"
#include "config/value.h"
#include "testing/running_node.h"

namespace barnabas::testing {

namespace {

using client::Error;
using client::Result;

std::unexpected<Error> failed(Error::Kind kind, std::string message) {
  return std::unexpected(Error{.kind = kind, .message = std::move(message)});
}

// What a test wants that a server does not.
const std::map<std::string, std::string>& test_defaults() {
  static const std::map<std::string, std::string> defaults = {
      {"barnabas.durability", "page-cache"},         {"group.initial.rebalance.delay.ms", "0"},
      {"offsets.topic.num.partitions", "1"},         {"offsets.topic.replication.factor", "1"},
      {"transaction.state.log.num.partitions", "1"}, {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
  };
  return defaults;
}

Result<std::filesystem::path> make_temporary_directory() {
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  std::string pattern = (base / "barnabas-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    return failed(Error::Kind::kIo, fmt::format("no temporary directory could be made: {}", pattern));
  return std::filesystem::path(pattern);
}

}  // namespace

class Broker::Parts {
 public:
  explicit Parts(BrokerOptions options) : options_(std::move(options)) {}
  ~Parts() {
    node_.reset();
    std::error_code ignored;
    if (owns_directory_) std::filesystem::remove_all(options_.data_directory, ignored);
  }

  Result<> prepare() {
    if (!options_.data_directory.empty()) return {};
    auto made = make_temporary_directory();
    if (!made) return std::unexpected(made.error());
    options_.data_directory = *std::move(made);
    owns_directory_ = true;
    return {};
  }

  Result<> start() {
    auto config = node_config();
    if (!config) return std::unexpected(config.error());
    auto started = RunningNode::start(*std::move(config), options_.log_sink);
    if (!started) return std::unexpected(started.error());
    node_ = *std::move(started);
    port_ = node_->port();
    return {};
  }

  Result<> create_topics() { return options_.topics.empty() ? Result<>{} : node_->create_topics(options_.topics); }

  void stop() { node_.reset(); }
  bool running() const { return node_ != nullptr; }
  uint16_t port() const { return port_; }
  const std::filesystem::path& directory() const { return options_.data_directory; }

 private:
  Result<config::NodeConfig> node_config() const {
    config::NodeConfigSource source{.default_data_dir = options_.data_directory.string()};
    auto values = test_defaults();
    values["listeners"] = fmt::format("PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:0", port_);
    for (const auto& [key, value] : options_.overrides) values[key] = value;
    for (const auto& [key, value] : values) source.overrides.push_back(fmt::format("{}={}", key, value));
    auto config = config::load_node_config(source);
    if (!config) return failed(Error::Kind::kConfig, config.error().message);
    if (!config->is_broker) return failed(Error::Kind::kConfig, "process.roles must have broker in it");
    return *std::move(config);
  }

  BrokerOptions options_;
  bool owns_directory_ = false;
  uint16_t port_ = 0;  // 0: not started yet, the system chooses
  std::unique_ptr<RunningNode> node_;
};

Result<Broker> Broker::start(BrokerOptions options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  if (auto ok = parts->prepare(); !ok) return std::unexpected(ok.error());
  if (auto ok = parts->start(); !ok) return std::unexpected(ok.error());
  if (auto ok = parts->create_topics(); !ok) return std::unexpected(ok.error());
  return Broker(std::move(parts));
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Broker::Broker(Broker&&) noexcept = default;
Broker& Broker::operator=(Broker&&) noexcept = default;
Broker::~Broker() = default;

std::string Broker::bootstrap_servers() const {
  return fmt::format("127.0.0.1:{}", parts_->port());
}

uint16_t Broker::port() const {
  return parts_->port();
}

const std::filesystem::path& Broker::data_directory() const {
  return parts_->directory();
}

void Broker::stop() {
  parts_->stop();
}

bool Broker::running() const {
  return parts_->running();
}

client::Result<> Broker::restart() {
  parts_->stop();
  return parts_->start();
}

}  // namespace barnabas::testing
