#include "broker/topic_creator.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "metadata/topic.h"
#include "runtime/logger.h"
#include "wire/kafka_error.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"

namespace barnabas::broker {

namespace {

constexpr Duration kComplainAgainAfter = seconds(60);

using Topic = wire::CreateTopicsRequest::CreatableTopic;

void add_config(Topic& topic, std::string_view name, std::string value) {
  auto& config = topic.configs.emplace_back();
  config.name = name;
  config.value = std::move(value);
}

Topic describe(Broker& broker, const std::string& name) {
  Topic topic;
  topic.name = name;
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  if (name != metadata::kConsumerOffsetsTopic) return topic;
  const auto settings = broker.settings();
  const auto& groups = settings->broker.groups;
  topic.num_partitions = groups.offsets_topic_num_partitions;
  int brokers = 0;
  for (const auto& [id, registered] : broker.image()->brokers()) brokers += registered.fenced ? 0 : 1;
  // On a cluster smaller than the configured factor Kafka would wait for ever for brokers that do not exist.
  topic.replication_factor =
      static_cast<int16_t>(std::clamp<int>(groups.offsets_topic_replication_factor, 1, std::max(brokers, 1)));
  if (topic.replication_factor < groups.offsets_topic_replication_factor) {
    broker.world().logger.warning(
        fmt::format("creating {} with replication factor {}: offsets.topic.replication.factor is {}, but this cluster "
                    "has {} broker(s)",
                    name, topic.replication_factor, groups.offsets_topic_replication_factor, brokers));
  }
  add_config(topic, "compression.type", "producer");
  add_config(topic, "cleanup.policy", "compact");
  add_config(topic, "segment.bytes", std::to_string(groups.offsets_topic_segment_bytes));
  return topic;
}

}  // namespace

TopicCreator::TopicCreator(Broker& broker) : broker_(broker), scope_(broker.main_loop()) {}

void TopicCreator::create(std::vector<std::string> names) {
  {
    std::lock_guard lock(mutex_);
    std::erase_if(names, [this](const std::string& name) { return !under_way_.insert(name).second; });
  }
  if (names.empty()) return;
  broker_.main_loop().post([this, names = std::move(names)]() mutable {
    if (scope_.token().requested()) return;
    scope_.spawn(create_on_main(this, std::move(names)));
  });
}

runtime::Task<> TopicCreator::create_on_main(TopicCreator* self, std::vector<std::string> names) {
  Broker& broker = self->broker_;
  wire::CreateTopicsRequest request;
  for (const std::string& name : names) request.topics.push_back(describe(broker, name));
  request.timeout_ms = broker.settings()->broker.request_timeout_ms;
  auto response = co_await broker.controller().create_topics(broker.main_loop(), std::move(request));
  for (const auto& topic : response.topics) {
    bool fine =
        topic.error_code == wire::KafkaError::kNone || topic.error_code == wire::KafkaError::kTopicAlreadyExists;
    if (fine || !self->may_complain(topic.name)) continue;
    broker.world().logger.warning(fmt::format("cannot create topic {}: {} {}", topic.name,
                                              wire::kafka_error_name(topic.error_code),
                                              topic.error_message.value_or("")));
  }
  std::lock_guard lock(self->mutex_);
  for (const std::string& name : names) self->under_way_.erase(name);
}

bool TopicCreator::may_complain(const std::string& name) {
  MonotonicTime now = broker_.now();
  std::erase_if(complained_, [now](const auto& one) { return now - one.second >= kComplainAgainAfter; });
  return complained_.emplace(name, now).second;
}

runtime::Task<> TopicCreator::stop() {
  scope_.cancel();
  co_await scope_.join();
}

}  // namespace barnabas::broker
