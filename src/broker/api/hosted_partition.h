// Where requests that name a partition find it: on this broker, or the reason why not.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/broker.h"
#include "broker/partition.h"
#include "broker/replicas.h"

namespace barnabas::broker {

struct HostedPartition {
  wire::KafkaError error{};
  std::shared_ptr<Partition> partition;  // never null without an error
};

// `known`: the topic as the image has it, or null.
inline HostedPartition hosted_partition(Broker& broker, const metadata::Topic* known, int32_t index) {
  if (!known || !known->partition(index)) return {wire::KafkaError::kUnknownTopicOrPartition, nullptr};
  auto partition = broker.replicas().find(known->id, index);
  if (!partition) return {broker.replicas().why_missing(known->id, index), nullptr};
  return {wire::KafkaError::kNone, std::move(partition)};
}

inline HostedPartition hosted_partition(Broker& broker, const metadata::Image& image, std::string_view topic,
                                        int32_t index) {
  return hosted_partition(broker, image.topic(topic), index);
}

inline HostedPartition hosted_partition(Broker& broker, const metadata::Image& image, const Uuid& topic_id,
                                        int32_t index) {
  const metadata::Topic* known = image.topic(topic_id);
  if (!known) return {wire::KafkaError::kUnknownTopicId, nullptr};
  return hosted_partition(broker, known, index);
}

}  // namespace barnabas::broker
