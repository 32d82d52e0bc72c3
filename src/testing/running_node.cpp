#include "testing/running_node.h"

#include <fmt/format.h>

#include <utility>

#include "client/cluster.h"
#include "client/connection.h"
#include "config/value.h"
#include "runtime/executor.h"
#include "wire/kafka_error.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"

namespace barnabas::testing {

namespace {

using client::Error;
using client::Result;

// The port in "PLAINTEXT://127.0.0.1:40123".
uint16_t port_of(const std::vector<std::string>& addresses) {
  if (addresses.empty()) return 0;
  const std::string& address = addresses.front();
  return static_cast<uint16_t>(
      config::parse_long(std::string_view(address).substr(address.rfind(':') + 1)).value_or(0));
}

wire::CreateTopicsRequest request_for(const std::vector<Topic>& topics) {
  wire::CreateTopicsRequest request;
  for (const Topic& topic : topics) {
    auto& row = request.topics.emplace_back();
    row.name = topic.name;
    row.num_partitions = topic.partitions;
    row.replication_factor = -1;
    for (const auto& [name, value] : topic.configs) {
      auto& config = row.configs.emplace_back();
      config.name = name;
      config.value = value;
    }
  }
  return request;
}

}  // namespace

RunningNode::RunningNode(host::HostOptions options) {
  host_.emplace(std::move(options));
  scope_.emplace(host_->loop());
}

RunningNode::~RunningNode() {
  if (node_) static_cast<void>(run([this](client::Promise<> done) { return stop_node(std::move(done)); }));
  host_.reset();
}

template <class Start>
Result<> RunningNode::run(Start start) {
  client::Promise<> done;
  auto finished = done.future();
  host_->loop().post([this, &start, &done] { scope_->spawn(start(std::move(done))); });
  return finished.get();
}

Result<std::unique_ptr<RunningNode>> RunningNode::start(config::NodeConfig config,
                                                        std::function<void(std::string_view)> log_sink) {
  host::HostOptions options;
  options.log_level = log_sink ? runtime::LogLevel::kInfo : runtime::LogLevel::kError;
  options.log_sink = std::move(log_sink);
  std::unique_ptr<RunningNode> running(new RunningNode(std::move(options)));
  auto started =
      running->run([&](client::Promise<> done) { return running->start_node(std::move(config), std::move(done)); });
  if (!started) return std::unexpected(started.error());
  return running;
}

Result<> RunningNode::create_topics(const std::vector<Topic>& topics) {
  return run([&](client::Promise<> done) { return create(topics, std::move(done)); });
}

runtime::Task<> RunningNode::start_node(config::NodeConfig config, client::Promise<> done) {
  auto started = co_await node::Node::start(host_->world(), std::move(config));
  if (!started) {
    done.set(std::unexpected(Error{.kind = Error::Kind::kIo, .message = started.error().message}));
    co_return;
  }
  node_ = *std::move(started);
  port_ = port_of(node_->facts().addresses);
  done.set({});
}

runtime::Task<> RunningNode::stop_node(client::Promise<> done) {
  co_await node_->stop();
  node_.reset();
  done.set({});
}

runtime::Task<> RunningNode::create(std::vector<Topic> topics, client::Promise<> done) {
  constexpr auto kLimit = std::chrono::seconds(30);
  client::ClientSettings settings;
  settings.client_id = "barnabas-testing";
  client::Connection::Options options{.to = {.host = "127.0.0.1", .port = port_}, .host_name = "127.0.0.1"};
  auto connection = co_await client::Connection::open(host_->world(), host_->loop(), settings, options, {});
  if (!connection) {
    done.set(std::unexpected(connection.error()));
    co_return;
  }
  auto request = request_for(topics);
  auto answer =
      co_await (*connection)->call<wire::CreateTopicsResponse>(request, wire::CreateTopicsRequest::kMaxVersion, kLimit);
  (*connection)->close({.kind = Error::Kind::kClosed, .message = "done"});
  if (!answer) {
    done.set(std::unexpected(answer.error()));
    co_return;
  }
  Result<> result;
  for (const auto& topic : answer->message.topics) {
    const auto code = static_cast<wire::KafkaError>(topic.error_code);
    if (code != wire::KafkaError::kNone && code != wire::KafkaError::kTopicAlreadyExists && result)
      result = std::unexpected(client::broker_error(code, "topic " + std::string(topic.name), topic.error_message));
  }
  done.set(std::move(result));
}

}  // namespace barnabas::testing
