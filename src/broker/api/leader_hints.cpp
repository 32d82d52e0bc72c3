#include "broker/api/leader_hints.h"

#include <algorithm>

#include "wire/messages/fetch_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {

template <class NodeEndpoint>
void add_endpoint(std::vector<NodeEndpoint>& endpoints, const metadata::Image& image, std::string_view listener,
                  BrokerId leader) {
  if (std::ranges::find(endpoints, leader.value, &NodeEndpoint::node_id) != endpoints.end()) return;
  const metadata::Broker* broker = image.broker(leader);
  const metadata::Endpoint* at = broker ? broker->endpoint(listener) : nullptr;
  if (!at) return;
  auto& endpoint = endpoints.emplace_back();
  endpoint.node_id = leader.value;
  endpoint.host = at->host;
  endpoint.port = at->port;
  endpoint.rack = broker->rack;
}

}  // namespace

void add_leader_hints(const metadata::Image& image, const Caller& caller, const wire::ProduceRequest& request,
                      wire::ProduceResponse& response) {
  for (size_t t = 0; t < response.responses.size(); ++t) {
    const auto& asked = request.topic_data[t];
    const metadata::Topic* topic = asked.topic_id.is_zero() ? image.topic(asked.name) : image.topic(asked.topic_id);
    if (!topic) continue;
    for (auto& partition : response.responses[t].partition_responses) {
      if (partition.error_code != KafkaError::kNotLeaderOrFollower) continue;
      const metadata::Partition* known = topic->partition(partition.index);
      if (!known) continue;
      partition.current_leader.leader_id = known->leader.value;
      partition.current_leader.leader_epoch = known->leader_epoch.value;
      add_endpoint(response.node_endpoints, image, caller.connection.listener, known->leader);
    }
  }
}

void add_leader_hints(const metadata::Image& image, const Caller& caller, wire::FetchResponse& response) {
  for (auto& topic_response : response.responses) {
    const metadata::Topic* topic =
        topic_response.topic_id.is_zero() ? image.topic(topic_response.topic) : image.topic(topic_response.topic_id);
    if (!topic) continue;
    for (auto& partition : topic_response.partitions) {
      bool moved = partition.error_code == KafkaError::kNotLeaderOrFollower ||
                   partition.error_code == KafkaError::kFencedLeaderEpoch;
      const metadata::Partition* known = topic->partition(partition.partition_index);
      if (!moved || !known) continue;
      partition.current_leader.leader_id = known->leader.value;
      partition.current_leader.leader_epoch = known->leader_epoch.value;
      add_endpoint(response.node_endpoints, image, caller.connection.listener, known->leader);
    }
  }
}

}  // namespace barnabas::broker
