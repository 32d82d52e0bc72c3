// The cluster as a client of one listener sees it: which brokers it can reach, and what of a partition. Pure functions
// of an image; shared by Metadata, DescribeTopicPartitions, DescribeCluster and FindCoordinator.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "metadata/image.h"
#include "wire/kafka_error.h"

namespace barnabas::runtime {
class Random;
}

namespace barnabas::broker {

struct VisibleBroker {
  const metadata::Broker* broker = nullptr;
  const metadata::Endpoint* endpoint = nullptr;
};

// Unfenced brokers that have `listener`, by id. With `fenced_too`, all that have it.
std::vector<VisibleBroker> visible_brokers(const metadata::Image& image, std::string_view listener,
                                           bool fenced_too = false);

// What stands for "the controller" in answers to clients: any broker that is alive passes their requests on. -1 when
// there is none.
int32_t random_alive_broker(const metadata::Image& image, runtime::Random& random);

struct PartitionView {
  wire::KafkaError error{};
  int32_t leader_id = -1;
  std::vector<int32_t> replicas;
  std::vector<int32_t> isr;
  std::vector<int32_t> offline;
};

// How versions of Metadata differ in what they can say.
struct PartitionViewOptions {
  bool only_reachable = false;      // Metadata v0: leave out replicas that are away, and say so
  bool listener_not_found = false;  // Metadata v6+: a leader without this listener is told from no leader
};

PartitionView view_partition(const metadata::Image& image, std::string_view listener,
                             const metadata::Partition& partition, PartitionViewOptions options);

std::vector<int32_t> raw_ids(const std::vector<BrokerId>& ids);

// UNKNOWN_TOPIC_OR_PARTITION, or INVALID_TOPIC_EXCEPTION when no topic can be called so.
wire::KafkaError missing_topic_error(std::string_view name);

}  // namespace barnabas::broker
