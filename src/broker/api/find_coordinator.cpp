// FindCoordinator: which broker coordinates a group. The first question of a cluster's life creates __consumer_offsets;
// until it is there the answer is COORDINATOR_NOT_AVAILABLE, and clients ask again.

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/cluster_view.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "broker/topic_creator.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"

namespace barnabas::broker {

using wire::FindCoordinatorRequest;
using wire::FindCoordinatorResponse;
using wire::KafkaError;

namespace {

enum class KeyType : int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

constexpr int16_t kBatchesFrom = 4;
constexpr int16_t kShareFrom = 6;

bool known_type(int8_t type) {
  return type >= static_cast<int8_t>(KeyType::kGroup) && type <= static_cast<int8_t>(KeyType::kShare);
}

struct Found {
  KafkaError error{};
  int32_t node_id = -1;
  std::string host;
  int32_t port = -1;
};

// groupId:topicId:partition
bool is_share_key(std::string_view key) {
  size_t first = key.find(':');
  size_t second = first == std::string_view::npos ? first : key.find(':', first + 1);
  if (second == std::string_view::npos || first == 0) return false;
  std::string_view partition = key.substr(second + 1);
  int32_t index = 0;
  auto [end, error] = std::from_chars(partition.data(), partition.data() + partition.size(), index);
  bool number = error == std::errc() && end == partition.data() + partition.size();
  return number && Uuid::parse(key.substr(first + 1, second - first - 1)).has_value();
}

Found find_group(Broker& broker, const metadata::Image& image, const Caller& caller, std::string_view group) {
  const metadata::Topic* offsets = image.topic(metadata::kConsumerOffsetsTopic);
  if (!offsets) {
    broker.topic_creator().create({std::string(metadata::kConsumerOffsetsTopic)});
    return {KafkaError::kCoordinatorNotAvailable};
  }
  const metadata::Partition* partition = offsets->partition(broker.groups().partition_of(group));
  const metadata::Broker* leader = partition ? image.broker(partition->leader) : nullptr;
  const metadata::Endpoint* endpoint =
      leader && !leader->fenced ? leader->endpoint(caller.connection.listener) : nullptr;
  if (!endpoint) return {KafkaError::kCoordinatorNotAvailable};
  return {KafkaError::kNone, leader->id.value, endpoint->host, endpoint->port};
}

Found find(Broker& broker, const metadata::Image& image, const Caller& caller, int8_t type, std::string_view key) {
  switch (static_cast<KeyType>(type)) {
    case KeyType::kGroup:
      return find_group(broker, image, caller, key);
    case KeyType::kTransaction:
      return {KafkaError::kCoordinatorNotAvailable};
    case KeyType::kShare:
      if (caller.api_version >= kShareFrom && is_share_key(key)) return {KafkaError::kCoordinatorNotAvailable};
      break;
  }
  return {KafkaError::kInvalidRequest};
}

}  // namespace

runtime::Task<FindCoordinatorResponse> handle(Caller& caller, FindCoordinatorRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  FindCoordinatorResponse response;
  if (caller.api_version < kBatchesFrom) {
    Found found = find(broker, *image, caller, request.key_type, request.key);
    response.error_code = found.error;
    response.error_message =
        found.error == KafkaError::kNone ? std::string("NONE") : std::string(wire::kafka_error_message(found.error));
    response.node_id = found.node_id;
    response.host = std::move(found.host);
    response.port = found.port;
    co_return response;
  }
  for (std::string& key : request.coordinator_keys) {
    Found found = find(broker, *image, caller, request.key_type, key);
    auto& row = response.coordinators.emplace_back();
    row.key = std::move(key);
    row.error_code = found.error;
    // Kafka explains a type of key nobody knows, and leaves the message of every other row empty.
    if (!known_type(request.key_type)) row.error_message = std::string(wire::kafka_error_message(found.error));
    row.node_id = found.node_id;
    row.host = std::move(found.host);
    row.port = found.port;
  }
  co_return response;
}

BARNABAS_API(FindCoordinator)

}  // namespace barnabas::broker
