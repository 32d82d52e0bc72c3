// RunningNode: a node on a host thread of its own, from start to clean stop. Called from other threads, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "barnabas/error.h"
#include "barnabas/future.h"
#include "barnabas/testing/broker.h"
#include "config/node_config.h"
#include "host/host_thread.h"
#include "node/node.h"
#include "runtime/scope.h"

namespace barnabas::testing {

class RunningNode {
 public:
  static client::Result<std::unique_ptr<RunningNode>> start(config::NodeConfig config,
                                                            std::function<void(std::string_view)> log_sink);
  ~RunningNode();  // stops it
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

  // Of the first listener that is no controller's.
  uint16_t port() const { return port_; }
  client::Result<> create_topics(const std::vector<Topic>& topics);

 private:
  explicit RunningNode(host::HostOptions options);

  runtime::Task<> start_node(config::NodeConfig config, client::Promise<> done);
  runtime::Task<> stop_node(client::Promise<> done);
  runtime::Task<> create(std::vector<Topic> topics, client::Promise<> done);
  // Runs a task on the node's loop and waits for the promise it was given.
  template <class Start>
  client::Result<> run(Start start);

  uint16_t port_ = 0;
  std::unique_ptr<node::Node> node_;
  std::optional<runtime::Scope> scope_;  // outlives the thread, whose last pass ends the last task
  std::optional<host::HostThread> host_;
};

}  // namespace barnabas::testing
