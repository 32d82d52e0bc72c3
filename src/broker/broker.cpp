#include "broker/broker.h"

#include <algorithm>

#include "base/check.h"
#include "broker/fetch_session.h"
#include "broker/group_coordinator.h"
#include "broker/pass_writer.h"
#include "broker/producer_ids.h"
#include "broker/replicas.h"
#include "broker/topic_creator.h"
#include "runtime/clock.h"

namespace barnabas::broker {

namespace {

config::Overrides overrides_of(const metadata::ConfigMap& values) {
  return {values.begin(), values.end()};
}

std::shared_ptr<const BrokerSettings> settings_of(const config::NodeConfig& node, const metadata::Image& image,
                                                  BrokerId self) {
  auto settings = std::make_shared<BrokerSettings>();
  settings->layers = node.layers;
  using metadata::ResourceType;
  settings->layers.cluster_default = overrides_of(image.config({ResourceType::kBroker, ""}));
  settings->layers.this_broker = overrides_of(image.config({ResourceType::kBroker, std::to_string(self.value)}));
  settings->broker = config::resolve_broker_config(settings->layers);
  return settings;
}

}  // namespace

Broker::Broker(runtime::World& world, const config::NodeConfig& node, Identity identity, ControllerChannel& controller,
               Replicas& replicas, runtime::Loggers& loggers)
    : world_(world),
      node_(node),
      identity_(std::move(identity)),
      controller_(controller),
      replicas_(replicas),
      loggers_(loggers),
      image_(metadata::Image::empty()),
      settings_(settings_of(node, *metadata::Image::empty(), identity_.id)) {
  for (runtime::Executor* loop : world_.loops) writers_.push_back(std::make_unique<PassWriter>(*loop));
  const config::BrokerConfig& config = settings_.get()->broker;
  fetch_sessions_ = std::make_unique<FetchSessionCache>(
      static_cast<size_t>(std::max(config.max_incremental_fetch_session_cache_slots, 0)));
  producer_ids_ = std::make_unique<ProducerIds>(*this);
  topic_creator_ = std::make_unique<TopicCreator>(*this);
  groups_ = std::make_unique<GroupCoordinator>(*this);
  replicas_.set_topic_config([this](const metadata::Image& image, std::string_view topic) {
    return config::share_topic_config(settings_.get()->layers, overrides_of(image.topic_config(topic)));
  });
  replicas_.set_producer_id_expiration(config.logs.producer_id_expiration_ms);
  replicas_.on_leadership([this](std::shared_ptr<Partition> partition) {
    if (partition->name().topic == metadata::kConsumerOffsetsTopic) groups_->leadership_changed(std::move(partition));
  });
}

Broker::~Broker() = default;

void Broker::start() {
  replicas_.start_background(settings_.get()->broker.logs);
  groups_->start();
}

runtime::Task<> Broker::stop() {
  begin_stop();
  co_await topic_creator_->stop();
  co_await groups_->stop();
}

config::TopicConfigPtr Broker::topic_config(std::string_view topic) const {
  return config::share_topic_config(settings_.get()->layers, overrides_of(image_.get()->topic_config(topic)));
}

PassWriter& Broker::writer_of(runtime::Executor& loop) {
  auto found = std::ranges::find(world_.loops, &loop);
  CHECK(found != world_.loops.end());
  return *writers_[static_cast<size_t>(found - world_.loops.begin())];
}

MonotonicTime Broker::now() const {
  return world_.clock.now();
}
TimestampMs Broker::wall_time() const {
  return world_.clock.wall_time();
}

void Broker::restore(metadata::ImagePtr image) {
  settings_.set(settings_of(node_, *image, identity_.id));
  replicas_.set_producer_id_expiration(settings_.get()->broker.logs.producer_id_expiration_ms);
  image_.set(std::move(image));
}

runtime::Task<> Broker::publish(metadata::Delta delta, metadata::ImagePtr image) {
  using metadata::ResourceType;
  std::set<std::string> topics;
  bool broker_changed = false;
  for (const metadata::ConfigResource& resource : delta.configs) {
    if (resource.type == ResourceType::kTopic) topics.insert(resource.name);
    bool ours = resource.name.empty() || resource.name == std::to_string(identity_.id.value);
    broker_changed |= resource.type == ResourceType::kBroker && ours;
  }
  if (broker_changed) {
    settings_.set(settings_of(node_, *image, identity_.id));
    replicas_.set_producer_id_expiration(settings_.get()->broker.logs.producer_id_expiration_ms);
    replicas_.reconfigure_background(settings_.get()->broker.logs);
    groups_->settings_changed();
    if (settings_callback_) settings_callback_(*settings_.get());
  }
  if (broker_changed || !topics.empty()) replicas_.reconfigure(*image, broker_changed ? nullptr : &topics);
  co_await replicas_.apply(delta, image);
  image_.set(image);
  for (const auto& [id, change] : delta.topics) {
    if (change.kind == metadata::TopicChange::Kind::kDeleted) groups_->topic_deleted(change.name, id);
  }
}

}  // namespace barnabas::broker
