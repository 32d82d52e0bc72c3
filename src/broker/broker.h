// Broker: the data plane of one node, as its handlers see it: who we are, what the cluster looks like, the replicas we
// host, the groups we coordinate, the way to the controller. Built by `node`; used from all loops.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/published.h"
#include "base/time.h"
#include "base/uuid.h"
#include "config/broker_config.h"
#include "config/layers.h"
#include "config/node_config.h"
#include "config/topic_config.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::runtime {
class Loggers;
}

namespace barnabas::broker {

class ControllerChannel;
class FetchSessionCache;
class GroupCoordinator;
class PassWriter;
class ProducerIds;
class Replicas;
class TopicCreator;

// Everything about configuration that may change while the node runs, replaced as a whole.
struct BrokerSettings {
  config::BrokerLayers layers;
  config::BrokerConfig broker;
};

class Broker {
 public:
  struct Identity {
    BrokerId id;
    std::string cluster_id;
  };

  // The referents outlive the broker. `replicas` has its log directories open already.
  Broker(runtime::World& world, const config::NodeConfig& node, Identity identity, ControllerChannel& controller,
         Replicas& replicas, runtime::Loggers& loggers);
  ~Broker();

  // Starts background work on loops[0]; stop() ends it and answers what is parked. Closing the logs is Replicas'
  // business.
  void start();
  runtime::Task<> stop();

  runtime::World& world() { return world_; }
  runtime::Executor& main_loop() { return *world_.loops[0]; }
  const config::NodeConfig& node() const { return node_; }
  BrokerId id() const { return identity_.id; }
  const std::string& cluster_id() const { return identity_.cluster_id; }

  // Never null; never one that shows a partition of ours as led here before it can be written.
  metadata::ImagePtr image() const { return image_.get(); }
  std::shared_ptr<const BrokerSettings> settings() const { return settings_.get(); }
  config::TopicConfigPtr topic_config(std::string_view topic) const;

  ControllerChannel& controller() { return controller_; }
  Replicas& replicas() { return replicas_; }
  runtime::Loggers& loggers() { return loggers_; }
  GroupCoordinator& groups() { return *groups_; }
  FetchSessionCache& fetch_sessions() { return *fetch_sessions_; }
  ProducerIds& producer_ids() { return *producer_ids_; }
  TopicCreator& topic_creator() { return *topic_creator_; }
  PassWriter& writer_of(runtime::Executor& loop);

  MonotonicTime now() const;
  TimestampMs wall_time() const;

  // On loops[0], at start: what the metadata log held when this process began. Nobody is served by it yet.
  void restore(metadata::ImagePtr image);
  // On loops[0]: the metadata log has been applied up to `image`. Opens, creates, changes and drops replicas, then
  // publishes the image to the loops; the task ends when that is done.
  runtime::Task<> publish(metadata::Delta delta, metadata::ImagePtr image);

  // On loops[0]: `callback` hears of every change of settings().
  void on_settings(std::function<void(const BrokerSettings&)> callback) { settings_callback_ = std::move(callback); }

  // The advertised port of each listener, once bound (configured port 0 means "any").
  void set_bound_listeners(std::vector<config::Listener> advertised) { bound_ = std::move(advertised); }
  const std::vector<config::Listener>& bound_listeners() const { return bound_; }

  // Set while the node stops: new produce and fetch requests are sent elsewhere (NOT_LEADER_OR_FOLLOWER).
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  void begin_stop() { stopping_ = true; }

 private:
  runtime::World& world_;
  const config::NodeConfig& node_;
  const Identity identity_;
  ControllerChannel& controller_;
  Replicas& replicas_;
  runtime::Loggers& loggers_;
  Published<metadata::Image> image_;
  Published<BrokerSettings> settings_;
  std::vector<std::unique_ptr<PassWriter>> writers_;  // one per loop, in the order of world_.loops
  std::unique_ptr<FetchSessionCache> fetch_sessions_;
  std::unique_ptr<ProducerIds> producer_ids_;
  std::unique_ptr<TopicCreator> topic_creator_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::function<void(const BrokerSettings&)> settings_callback_;
  std::vector<config::Listener> bound_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace barnabas::broker
