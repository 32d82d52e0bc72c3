// DescribeCluster: who is in the cluster. On a broker listener these are the brokers and any of them stands for the
// controller; on a controller listener they are the controllers, and the id is that of the active one.

#include <string>

#include "broker/api/api.h"
#include "broker/api/authorized_operations.h"
#include "broker/api/cluster_view.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"

namespace barnabas::broker {

using wire::DescribeClusterRequest;
using wire::DescribeClusterResponse;
using wire::KafkaError;

namespace {

enum class EndpointType : int8_t { kBrokers = 1, kControllers = 2 };

DescribeClusterResponse refuse(EndpointType asked) {
  bool known = asked == EndpointType::kBrokers || asked == EndpointType::kControllers;
  DescribeClusterResponse response;
  response.error_code = known ? KafkaError::kMismatchedEndpointType : KafkaError::kUnsupportedEndpointType;
  response.error_message = known ? std::string("The request was sent to an endpoint of the wrong type.")
                                 : "Unsupported endpoint type " + std::to_string(static_cast<int>(asked));
  return response;
}

void add_brokers(DescribeClusterResponse& response, const metadata::Image& image, std::string_view listener,
                 bool fenced_too) {
  for (const VisibleBroker& visible : visible_brokers(image, listener, fenced_too)) {
    auto& row = response.brokers.emplace_back();
    row.broker_id = visible.broker->id.value;
    row.host = visible.endpoint->host;
    row.port = visible.endpoint->port;
    row.rack = visible.broker->rack;
    row.is_fenced = visible.broker->fenced;
  }
}

void add_controllers(DescribeClusterResponse& response, const metadata::Image& image, std::string_view listener) {
  for (const auto& [id, controller] : image.controllers()) {
    for (const metadata::Endpoint& endpoint : controller.endpoints) {
      if (endpoint.name != listener) continue;
      auto& row = response.brokers.emplace_back();
      row.broker_id = id;
      row.host = endpoint.host;
      row.port = endpoint.port;
    }
  }
}

runtime::Task<int32_t> active_controller(Caller& caller, Broker& broker) {
  wire::DescribeQuorumRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = metadata::kClusterMetadataTopic;
  topic.partitions.emplace_back().partition_index = 0;
  auto quorum = co_await broker.controller().describe_quorum(caller.loop, std::move(request));
  bool known =
      quorum.error_code == KafkaError::kNone && !quorum.topics.empty() && !quorum.topics.front().partitions.empty();
  co_return known ? quorum.topics.front().partitions.front().leader_id : -1;
}

}  // namespace

runtime::Task<DescribeClusterResponse> handle(Caller& caller, DescribeClusterRequest request, Broker& broker) {
  auto asked = static_cast<EndpointType>(request.endpoint_type);
  EndpointType here = caller.on_controller ? EndpointType::kControllers : EndpointType::kBrokers;
  if (asked != here) co_return refuse(asked);
  metadata::ImagePtr image = broker.image();
  DescribeClusterResponse response;
  response.endpoint_type = request.endpoint_type;
  response.cluster_id = broker.cluster_id();
  if (caller.on_controller) {
    add_controllers(response, *image, caller.connection.listener);
    int32_t active = co_await active_controller(caller, broker);
    response.controller_id = active;
  } else {
    add_brokers(response, *image, caller.connection.listener, request.include_fenced_brokers);
    response.controller_id = random_alive_broker(*image, broker.world().random);
  }
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  co_return response;
}

BARNABAS_API(DescribeCluster)

}  // namespace barnabas::broker
