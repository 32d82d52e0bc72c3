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

inline HostedPartition hosted_partition(Broker& broker, const metadata::Image& image, std::string_view topic,
                                        int32_t index) {
  const metadata::Topic* known = image.topic(topic);
  if (!known || !known->partition(index)) return {wire::KafkaError::kUnknownTopicOrPartition, nullptr};
  auto partition = broker.replicas().find(known->id, index);
  if (!partition) return {broker.replicas().why_missing(known->id, index), nullptr};
  return {wire::KafkaError::kNone, std::move(partition)};
}

}  // namespace barnabas::broker
