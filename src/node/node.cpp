#include "node/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/broker.h"
#include "broker/replicas.h"
#include "broker/service.h"
#include "config/broker_config.h"
#include "config/quorum_config.h"
#include "log/log_dir.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "net/connection_quotas.h"
#include "net/memory_budget.h"
#include "net/server.h"
#include "node/broker_lifecycle.h"
#include "node/config_validator.h"
#include "node/connection_settings.h"
#include "node/format.h"
#include "node/local_controller.h"
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
  Parts(runtime::World& w, config::NodeConfig c) : world(w), config(std::move(c)), loading(*w.loops[0]) {}

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
  std::vector<broker::ReplicaDir> dirs;
  std::unique_ptr<log::LogDir> separate_metadata_dir;
  Uuid metadata_directory_id;
  BrokerEpoch previous_epoch{-1};
  std::unique_ptr<ConfigValidator> validator;
  std::unique_ptr<quorum::MetadataQuorum> quorum;
  std::unique_ptr<LocalController> controller;
  std::unique_ptr<broker::Replicas> replicas;
  std::unique_ptr<broker::Broker> broker;
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
  Result<> format_if_empty();
  Result<> check_identity();
  Result<> take_last_stop();
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

std::vector<raft::VoterEndpoint> Node::Parts::controller_endpoints() const {
  std::vector<raft::VoterEndpoint> endpoints;
  for (const config::Listener& listener : config.listeners) {
    if (!config.is_controller_listener(listener.name)) continue;
    auto at = std::ranges::find(advertised, listener.name, &config::Listener::name);
    std::string host = at != advertised.end() ? at->address.host : listener.address.host;
    uint16_t port = at != advertised.end() ? at->address.port : listeners.at(listener.name)->local().port;
    endpoints.push_back({listener.name, host.empty() ? "localhost" : host, port});
  }
  return endpoints;
}

Result<> Node::Parts::open_dirs() {
  for (const std::string& path : config.log_dirs) {
    auto dir = log::LogDir::open(world.disk, path, world.logger);
    if (!dir && dir.error().code == ErrorCode::kBusy) {
      return fail(ErrorCode::kBusy,
                  fmt::format("{} cannot be locked: {}; a log directory belongs to one node at a time", path,
                              dir.error().message));
    }
    if (!dir) {
      // One bad directory does not stop a node that has others, but the metadata must be readable.
      bool vital = config.log_dirs.size() == 1 || path == config.metadata_log_dir;
      std::string message = fmt::format("log directory {} cannot be used: {}", path, dir.error().message);
      if (vital) return fail(dir.error().code, message);
      world.logger.error(message);
      continue;
    }
    dirs.push_back({.dir = std::move(*dir)});
    facts.log_dirs.push_back(path);
  }
  bool separate = std::ranges::find(config.log_dirs, config.metadata_log_dir) == config.log_dirs.end();
  if (separate) {
    auto dir = log::LogDir::open(world.disk, config.metadata_log_dir, world.logger);
    if (!dir) return std::unexpected(dir.error());
    separate_metadata_dir = std::move(*dir);
  }
  return {};
}

Result<> Node::Parts::format_if_empty() {
  TRY_ASSIGN(FormatState state, read_format(world, all_dirs(config)));
  bool any = std::ranges::any_of(state.dirs, &FormatState::Dir::formatted);
  if (any) {
    // A directory added to log.dirs later becomes one of this cluster's.
    for (const auto& dir : state.dirs) {
      if (dir.formatted) facts.cluster_id = dir.cluster_id;
    }
  } else {
    facts.cluster_id = world.random.uuid().to_string();
    facts.formatted = true;
  }
  FormatOptions options{
      .cluster_id = facts.cluster_id,
      .levels = metadata::default_levels(),
      .voters = config.quorum_voters.empty() ? FormatOptions::Voters::kStandalone : FormatOptions::Voters::kNone,
      .ignore_formatted = true,
      .own_endpoints = controller_endpoints()};
  for (const auto& dir : state.dirs) {
    bool other_cluster = dir.formatted && dir.cluster_id != facts.cluster_id;
    if (other_cluster) {
      return fail(ErrorCode::kInvalid, fmt::format("{} belongs to cluster {}, but another log directory to cluster {}",
                                                   dir.path, dir.cluster_id, facts.cluster_id));
    }
    bool metadata_lost = any && !dir.formatted && dir.path == config.metadata_log_dir;
    if (metadata_lost) {
      return fail(ErrorCode::kInvalid, fmt::format("{} is the metadata log directory and has no meta.properties, while "
                                                   "other log directories are formatted: was it emptied or moved?",
                                                   dir.path));
    }
  }
  TRY_ASSIGN(auto formatted, format(world, config, options));
  (void)formatted;
  return {};
}

Result<> Node::Parts::check_identity() {
  TRY_ASSIGN(FormatState state, read_format(world, all_dirs(config)));
  for (const auto& dir : state.dirs) {
    bool other_node = dir.node_id && *dir.node_id != config.node_id;
    if (other_node) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} belongs to node {}, but node.id is {}: use the right directory or set node.id={}",
                              dir.path, *dir.node_id, config.node_id, *dir.node_id));
    }
    Uuid id = dir.directory_id.value_or(kZeroUuid);
    for (auto& opened : dirs) {
      if (opened.dir->path() == dir.path) opened.directory_id = id;
    }
    if (dir.path == config.metadata_log_dir) metadata_directory_id = id;
  }
  return {};
}

// How each directory was left: closed cleanly, by a process that died, or by a machine that did.
Result<> Node::Parts::take_last_stop() {
  std::string boot_id = world.disk.boot_id();
  for (auto& dir : dirs) {
    TRY_ASSIGN(auto clean, dir.dir->take_clean_shutdown());
    dir.clean = clean.has_value();
    if (clean) previous_epoch = BrokerEpoch(clean->broker_epoch);
    TRY_ASSIGN(bool same_boot, dir.dir->same_boot(boot_id));
    dir.power_lost = !same_boot;
  }
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

  auto taken = take_last_stop();
  if (!taken) co_return taken;

  auto store = quorum::MetadataStore::open(world, **directory, quorum_config, std::move(inspected->bootstrap_records));
  if (!store) co_return std::unexpected(store.error());
  auto settings = config::resolve_broker_config(config.layers);
  validator = std::make_unique<ConfigValidator>(config.layers, config.node_id);
  quorum::MetadataQuorumOptions options{
      .node_id = config.node_id,
      .directory_id = metadata_directory_id,
      .cluster_id = facts.cluster_id,
      .config = quorum_config,
      .endpoints = controller_endpoints(),
      .default_partitions = settings.num_partitions,
      .default_replication_factor = static_cast<int16_t>(settings.default_replication_factor)};
  if ((*store)->log_index().voters().empty() && (*store)->log_index().kraft_version() == 0) {
    (*store)->set_static_voters(raft::VoterSet({{.key = {config.node_id, kZeroUuid}, .endpoints = options.endpoints}}));
  }
  quorum = std::make_unique<quorum::MetadataQuorum>(controller_world, std::move(options), std::move(*store), *validator);
  auto started = co_await quorum->start();
  if (!started) co_return started;
  // Levels may have been raised by the log after the snapshot: what the controller replayed counts.
  supported = metadata::check_supported(*quorum->image());
  if (!supported) co_return supported;

  wire::ControllerRegistrationRequest request;
  request.controller_id = config.node_id;
  request.incarnation_id = world.random.uuid();
  for (const raft::VoterEndpoint& endpoint : controller_endpoints()) {
    auto& row = request.listeners.emplace_back();
    row.name = endpoint.listener;
    row.host = endpoint.host;
    row.port = endpoint.port;
  }
  for (const metadata::FeatureRange& feature : metadata::supported_features()) {
    auto& row = request.features.emplace_back();
    row.name = feature.name;
    row.min_supported_version = feature.min;
    row.max_supported_version = feature.max;
  }
  auto decide = [&request](controller::Controller& core, MonotonicTime, Offset) {
    return core.register_controller(request);
  };
  auto registered = co_await quorum->submit(*world.loops[0], decide);
  if (!registered) co_return fail(ErrorCode::kIo, "the controller could not write its registration");
  co_return Result<>{};
}

runtime::Task<Result<>> Node::Parts::start_broker() {
  BrokerId id(config.node_id);
  std::vector<Uuid> directory_ids;
  for (const auto& dir : dirs) directory_ids.push_back(dir.directory_id);
  controller = std::make_unique<LocalController>(*quorum);
  replicas = std::make_unique<broker::Replicas>(
      log_world,
      broker::Replicas::Options{
          .self = id, .durability = config.durability, .dirs_missing = dirs.size() < config.log_dirs.size()},
      std::move(dirs));
  broker = std::make_unique<broker::Broker>(
      server_world, config, broker::Broker::Identity{id, facts.cluster_id}, *controller, *replicas, loggers);
  broker->set_bound_listeners(advertised);
  broker->restore(quorum->image());

  std::vector<config::Listener> own;
  for (const config::Listener& listener : advertised) {
    if (!config.is_controller_listener(listener.name)) own.push_back(listener);
  }
  lifecycle = std::make_unique<BrokerLifecycle>(
      server_world, *quorum,
      BrokerLifecycle::Options{.id = id,
                               .cluster_id = facts.cluster_id,
                               .rack = config.rack,
                               .listeners = std::move(own),
                               .log_dirs = std::move(directory_ids),
                               .previous_epoch = previous_epoch,
                               .heartbeat_interval = milliseconds(quorum_config.broker_heartbeat_interval_ms)});
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
  for (Step step : {&Parts::bind, &Parts::open_dirs, &Parts::format_if_empty, &Parts::check_identity}) {
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
  // A start that failed before the replicas took the directories over.
  for (auto& dir : p.dirs) {
    if (!dir.dir) continue;
    if (dir.clean) {
      auto marked = dir.dir->write_clean_shutdown({p.previous_epoch.value});
      if (!marked) p.world.logger.warning(marked.error().message);
    }
    auto closed = dir.dir->close();
    if (!closed) p.world.logger.warning(closed.error().message);
  }
  if (p.separate_metadata_dir) {
    auto closed = p.separate_metadata_dir->close();
    if (!closed) p.world.logger.warning(closed.error().message);
  }
}

}  // namespace barnabas::node
