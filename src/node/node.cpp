#include "node/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/broker.h"
#include "broker/config_validator.h"
#include "broker/dir_assignments.h"
#include "broker/replicas.h"
#include "broker/service.h"
#include "config/broker_config.h"
#include "config/quorum_config.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "metadata/registration_rows.h"
#include "net/connection_quotas.h"
#include "net/memory_budget.h"
#include "net/server.h"
#include "node/broker_lifecycle.h"
#include "node/connection_settings.h"
#include "node/data_dirs.h"
#include "node/quorum_controller.h"
#include "quorum/metadata_quorum.h"
#include "quorum/metadata_store.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/loggers.h"
#include "runtime/random.h"
#include "runtime/scope.h"
#include "wire/messages/controller_registration_request.h"
#include "wire/messages/controller_registration_response.h"

namespace barnabas::node {

struct Node::Parts {
  Parts(runtime::World& w, config::NodeConfig c)
      : world(w), config(std::move(c)), dirs(world, config), loading(*w.loops[0]) {}

  runtime::World& world;
  // The names are Kafka's, so that what people set by name does what they expect.
  runtime::Loggers loggers{world.logger};
  runtime::World controller_world = with_logger(world, loggers.get("kafka.controller"));
  runtime::World log_world = with_logger(world, loggers.get("kafka.log"));
  runtime::World network_world = with_logger(world, loggers.get("kafka.network"));
  runtime::World server_world = with_logger(world, loggers.get("kafka.server"));
  const config::NodeConfig config;
  Facts facts;
  config::QuorumConfig quorum_config;
  std::map<std::string, std::unique_ptr<runtime::Listener>> listeners;  // bound, by name
  std::vector<config::Listener> advertised;                             // with real ports
  DataDirs dirs;
  std::unique_ptr<broker::ConfigValidator> validator;
  std::unique_ptr<quorum::MetadataQuorum> quorum;
  std::unique_ptr<QuorumController> controller;
  std::unique_ptr<broker::Replicas> replicas;
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<broker::DirAssignments> assignments;
  std::unique_ptr<BrokerLifecycle> lifecycle;
  std::unique_ptr<net::MemoryBudget> budget;
  std::unique_ptr<net::ConnectionQuotas> broker_quotas;
  std::unique_ptr<net::ConnectionQuotas> controller_quotas;
  std::unique_ptr<broker::KafkaService> broker_service;
  std::unique_ptr<broker::KafkaService> controller_service;
  std::vector<std::unique_ptr<net::Server>> servers;
  runtime::Scope loading;  // replicas that open while the first ones serve

  Result<> check_roles() const;
  Result<> bind();
  Result<> open_dirs();
  std::vector<metadata::Endpoint> endpoints(bool of_controller) const;
  std::vector<raft::VoterEndpoint> controller_endpoints() const;
  runtime::Task<Result<>> start_quorum();
  runtime::Task<Result<>> start_broker();
  void serve();
};

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() = default;
const Node::Facts& Node::facts() const {
  return parts_->facts;
}

Result<> Node::Parts::check_roles() const {
  bool combined = config.is_broker && config.is_controller;
  if (!combined) {
    return fail(ErrorCode::kUnsupported,
                "process.roles must be broker,controller: this release runs a node that is both, and nothing else yet");
  }
  bool alone = config.quorum_voters.size() <= 1 &&
               std::ranges::all_of(config.quorum_voters, [&](const auto& v) { return v.id == config.node_id; });
  if (!alone || config.quorum_bootstrap_servers.size() > 1) {
    return fail(ErrorCode::kUnsupported,
                "controller.quorum.voters and controller.quorum.bootstrap.servers must name this node alone: this "
                "release runs clusters of one node");
  }
  for (const config::Listener& listener : config.listeners) {
    if (listener.protocol == config::SecurityProtocol::kPlaintext) continue;
    return fail(ErrorCode::kUnsupported, fmt::format("listener {} wants {}: this release speaks PLAINTEXT only",
                                                     listener.name, config::security_protocol_name(listener.protocol)));
  }
  return {};
}

Result<> Node::Parts::bind() {
  runtime::ListenOptions options = listen_options(config::resolve_broker_config(config.layers).sockets);
  for (const config::Listener& listener : config.listeners) {
    auto bound = world.network.listen({listener.address.host, listener.address.port}, options);
    if (!bound && bound.error().code == ErrorCode::kBusy) {
      return fail(ErrorCode::kBusy,
                  fmt::format("{} cannot listen: {}; stop what uses port {} or change listeners",
                              config::to_string(listener), bound.error().message, listener.address.port));
    }
    if (!bound) {
      return fail(bound.error().code,
                  fmt::format("{} cannot listen: {}", config::to_string(listener), bound.error().message));
    }
    listeners[listener.name] = std::move(*bound);
  }
  advertised = config.advertised_listeners;
  for (config::Listener& listener : advertised) {
    auto bound = listeners.find(listener.name);
    if (listener.address.port == 0 && bound != listeners.end()) listener.address.port = bound->second->local().port;
    if (listener.address.host.empty()) listener.address.host = "localhost";
    facts.addresses.push_back(config::to_string(listener));
  }
  return {};
}

// Where others find our listeners of one kind. Those of controllers need not be advertised.
std::vector<metadata::Endpoint> Node::Parts::endpoints(bool of_controller) const {
  std::vector<metadata::Endpoint> found;
  for (const config::Listener& listener : config.listeners) {
    if (config.is_controller_listener(listener.name) != of_controller) continue;
    auto at = std::ranges::find(advertised, listener.name, &config::Listener::name);
    if (at == advertised.end() && !of_controller) continue;
    config::HostPort address = at != advertised.end() ? at->address : listener.address;
    if (at == advertised.end()) address.port = listeners.at(listener.name)->local().port;
    found.push_back({.name = listener.name,
                     .host = address.host.empty() ? "localhost" : address.host,
                     .port = address.port,
                     .security_protocol = static_cast<int16_t>(listener.protocol)});
  }
  return found;
}

std::vector<raft::VoterEndpoint> Node::Parts::controller_endpoints() const {
  std::vector<raft::VoterEndpoint> voters;
  for (const auto& endpoint : endpoints(true)) voters.push_back({endpoint.name, endpoint.host, endpoint.port});
  return voters;
}

Result<> Node::Parts::open_dirs() {
  TRY(dirs.open());
  TRY(dirs.identify(controller_endpoints()));
  facts.cluster_id = dirs.cluster_id();
  facts.formatted = dirs.new_cluster();
  return {};
}

runtime::Task<Result<>> Node::Parts::start_quorum() {
  auto directory = world.disk.open_directory(config.metadata_log_dir, false);
  if (!directory) co_return std::unexpected(directory.error());
  auto inspected = quorum::MetadataStore::inspect(**directory);
  if (!inspected) co_return std::unexpected(inspected.error());
  // Before anything is changed: levels this build does not run.
  metadata::ImagePtr found = inspected->image;
  if (!inspected->has_metadata_log) {
    metadata::ImageBuilder builder;
    for (const auto& record : inspected->bootstrap_records) {
      auto replayed = builder.replay(record);
      if (!replayed) co_return std::unexpected(replayed.error());
    }
    found = builder.build().image;
  }
  auto supported = metadata::check_supported(*found);
  if (!supported) {
    co_return fail(supported.error().code, fmt::format("{}: {}", config.metadata_log_dir, supported.error().message));
  }

  auto taken = dirs.take_last_stop();
  if (!taken) co_return taken;
  facts.log_dirs = dirs.paths();

  auto store = quorum::MetadataStore::open(world, **directory, quorum_config, std::move(inspected->bootstrap_records));
  if (!store) co_return std::unexpected(store.error());
  auto settings = config::resolve_broker_config(config.layers);
  validator = std::make_unique<broker::ConfigValidator>(config.layers);
  quorum::MetadataQuorumOptions options{
      .node_id = config.node_id,
      .directory_id = dirs.metadata_directory_id(),
      .cluster_id = facts.cluster_id,
      .config = quorum_config,
      .endpoints = controller_endpoints(),
      .default_partitions = settings.num_partitions,
      .default_replication_factor = static_cast<int16_t>(settings.default_replication_factor)};
  if ((*store)->log_index().voters().empty() && (*store)->log_index().kraft_version() == 0) {
    (*store)->set_static_voters(raft::VoterSet({{.key = {config.node_id, kZeroUuid}, .endpoints = options.endpoints}}));
  }
  quorum =
      std::make_unique<quorum::MetadataQuorum>(controller_world, std::move(options), std::move(*store), *validator);
  auto started = co_await quorum->start();
  if (!started) co_return started;
  // Levels may have been raised by the log after the snapshot: what the controller replayed counts.
  supported = metadata::check_supported(*quorum->image());
  if (!supported) co_return supported;

  wire::ControllerRegistrationRequest request;
  request.controller_id = config.node_id;
  request.incarnation_id = world.random.uuid();
  request.listeners = metadata::endpoint_rows<wire::ControllerRegistrationRequest::Listener>(endpoints(true));
  request.features =
      metadata::feature_rows<wire::ControllerRegistrationRequest::Feature>(metadata::supported_features());
  auto decide = [&request](controller::Controller& core, MonotonicTime, Offset) {
    return core.register_controller(request);
  };
  auto registered = co_await quorum->submit(*world.loops[0], decide);
  if (!registered) co_return fail(ErrorCode::kIo, "the controller could not write its registration");
  co_return Result<>{};
}

runtime::Task<Result<>> Node::Parts::start_broker() {
  BrokerId id(config.node_id);
  std::vector<Uuid> directory_ids = dirs.ids();
  controller = std::make_unique<QuorumController>(*quorum);
  replicas = std::make_unique<broker::Replicas>(
      log_world, broker::Replicas::Options{.self = id, .durability = config.durability, .offline_dirs = dirs.offline()},
      dirs.take());
  broker = std::make_unique<broker::Broker>(server_world, config, broker::Broker::Identity{id, facts.cluster_id},
                                            *controller, *replicas, loggers);
  broker->set_bound_listeners(advertised);
  broker->restore(quorum->image());
  assignments = std::make_unique<broker::DirAssignments>(*broker);

  lifecycle = std::make_unique<BrokerLifecycle>(
      server_world, *quorum,
      BrokerLifecycle::Options{.id = id,
                               .cluster_id = facts.cluster_id,
                               .rack = config.rack,
                               .endpoints = endpoints(false),
                               .log_dirs = std::move(directory_ids),
                               .previous_epoch = dirs.previous_epoch(),
                               .heartbeat_interval = milliseconds(quorum_config.broker_heartbeat_interval_ms)});
  replicas->on_misplaced([this](const broker::DirAssignment& assignment) { assignments->add(assignment); });
  replicas->on_dir_failed([this](const Uuid& directory) { lifecycle->directory_failed(directory); });
  auto registered = co_await lifecycle->register_broker();
  if (!registered) co_return registered;
  // Replicas open in the background, each serving as soon as it is ready.
  loading.spawn(replicas->load(quorum->image()));
  quorum->publish_to([this](metadata::Delta delta, metadata::ImagePtr image) {
    return broker->publish(std::move(delta), std::move(image));
  });
  auto unfenced = co_await lifecycle->unfence();
  if (!unfenced) co_return unfenced;
  broker->start();
  co_return Result<>{};
}

void Node::Parts::serve() {
  const config::SocketConfig sockets = broker->settings()->broker.sockets;
  budget = std::make_unique<net::MemoryBudget>(static_cast<uint64_t>(sockets.request_memory_bytes));
  broker_service = std::make_unique<broker::KafkaService>(*broker, broker::ListenerKind::kBroker);
  controller_service = std::make_unique<broker::KafkaService>(*broker, broker::ListenerKind::kController);
  net::ServerOptions options;
  options.connection.frame_bytes_max = static_cast<uint32_t>(sockets.request_max_bytes);
  options.idle_max = milliseconds(sockets.connections_max_idle_ms);
  // As in Kafka, controllers and brokers count apart, though they are one process.
  auto limits = [this](const broker::BrokerSettings& settings) {
    return connection_limits(settings.broker.sockets, config.inter_broker_listener_name);
  };
  broker_quotas = std::make_unique<net::ConnectionQuotas>(limits(*broker->settings()));
  controller_quotas = std::make_unique<net::ConnectionQuotas>(limits(*broker->settings()));
  broker->on_settings([this, limits](const broker::BrokerSettings& settings) {
    broker_quotas->update(limits(settings));
    controller_quotas->update(limits(settings));
  });
  for (auto& [name, listener] : listeners) {
    bool of_controller = config.is_controller_listener(name);
    net::Service& service = of_controller ? *controller_service : *broker_service;
    net::ConnectionQuotas& quotas = of_controller ? *controller_quotas : *broker_quotas;
    servers.push_back(
        std::make_unique<net::Server>(network_world, name, std::move(listener), service, *budget, quotas, options));
    servers.back()->start();
  }
  listeners.clear();
}

runtime::Task<Result<std::unique_ptr<Node>>> Node::start(runtime::World& world, config::NodeConfig config) {
  auto parts = std::make_unique<Parts>(world, std::move(config));
  Parts& p = *parts;
  p.quorum_config = config::resolve_quorum_config(p.config.layers);
  p.facts.durability = p.config.durability == config::Durability::kFsync ? "fsync" : "page-cache";
  std::unique_ptr<Node> node(new Node(std::move(parts)));

  using Step = Result<> (Parts::*)();
  auto roles = p.check_roles();
  if (!roles) co_return std::unexpected(roles.error());
  for (Step step : {&Parts::bind, &Parts::open_dirs}) {
    auto done = (p.*step)();
    if (!done) {
      co_await node->stop();
      co_return std::unexpected(done.error());
    }
  }
  auto quorum = co_await p.start_quorum();
  if (!quorum) {
    co_await node->stop();
    co_return std::unexpected(quorum.error());
  }
  auto broker = co_await p.start_broker();
  if (!broker) {
    co_await node->stop();
    co_return std::unexpected(broker.error());
  }
  p.serve();
  co_return node;
}

runtime::Task<> Node::stop() {
  Parts& p = *parts_;
  if (p.assignments) {
    co_await p.assignments->stop();
  }
  if (p.lifecycle) {
    co_await p.lifecycle->leave();
    co_await p.lifecycle->stop();
  }
  if (p.broker) {
    co_await p.broker->stop();
  }
  for (auto& server : p.servers) {
    co_await server->stop();
  }
  co_await p.loading.join();
  if (p.quorum) {
    co_await p.quorum->stop();
  }
  if (p.replicas) {
    BrokerEpoch epoch = p.lifecycle ? p.lifecycle->epoch() : BrokerEpoch(-1);
    co_await p.replicas->close(epoch);
  }
  p.dirs.release();
}

}  // namespace barnabas::node
