#include "broker/local_controller.h"

#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {

constexpr KafkaError kLost = KafkaError::kNotController;

// Answers in the shape of each API when there is no active controller here: the client finds the one there is and
// retries.
wire::CreateTopicsResponse refused(const wire::CreateTopicsRequest& request) {
  wire::CreateTopicsResponse response;
  for (const auto& topic : request.topics) {
    auto& row = response.topics.emplace_back();
    row.name = topic.name;
    row.error_code = kLost;
  }
  return response;
}

wire::DeleteTopicsResponse refused(const wire::DeleteTopicsRequest& request) {
  wire::DeleteTopicsResponse response;
  for (const auto& topic : request.topics) {
    auto& row = response.responses.emplace_back();
    row.name = topic.name;
    row.topic_id = topic.topic_id;
    row.error_code = kLost;
  }
  for (const auto& name : request.topic_names) {
    auto& row = response.responses.emplace_back();
    row.name = name;
    row.error_code = kLost;
  }
  return response;
}

wire::CreatePartitionsResponse refused(const wire::CreatePartitionsRequest& request) {
  wire::CreatePartitionsResponse response;
  for (const auto& topic : request.topics) {
    auto& row = response.results.emplace_back();
    row.name = topic.name;
    row.error_code = kLost;
  }
  return response;
}

template <class Response, class Request>
Response refused_configs(const Request& request) {
  Response response;
  for (const auto& resource : request.resources) {
    auto& row = response.responses.emplace_back();
    row.resource_type = resource.resource_type;
    row.resource_name = resource.resource_name;
    row.error_code = kLost;
  }
  return response;
}

wire::AlterConfigsResponse refused(const wire::AlterConfigsRequest& request) {
  return refused_configs<wire::AlterConfigsResponse>(request);
}

wire::IncrementalAlterConfigsResponse refused(const wire::IncrementalAlterConfigsRequest& request) {
  return refused_configs<wire::IncrementalAlterConfigsResponse>(request);
}

template <class Response, class Request>
Response refused_at_top(const Request&) {
  Response response;
  response.error_code = kLost;
  return response;
}

}  // namespace

template <class Request, class Response>
runtime::Task<Response> LocalController::answer(
    runtime::Executor& home, Request request,
    controller::Decision<Response> (controller::Controller::*decision)(const Request&) const,
    Response (*refuse)(const Request&)) {
  Response response;
  Decide decide = [&request, &response, decision](const controller::Controller& controller) {
    auto decided = (controller.*decision)(request);
    response = std::move(decided.response);
    return std::move(decided.records);
  };
  bool done = co_await carry_out(home, std::move(decide));
  co_return done ? std::move(response) : refuse(request);
}

runtime::Task<wire::CreateTopicsResponse> LocalController::create_topics(runtime::Executor& home,
                                                                         wire::CreateTopicsRequest request) {
  return answer(home, std::move(request), &controller::Controller::create_topics, &refused);
}

runtime::Task<wire::DeleteTopicsResponse> LocalController::delete_topics(runtime::Executor& home,
                                                                         wire::DeleteTopicsRequest request) {
  return answer(home, std::move(request), &controller::Controller::delete_topics, &refused);
}

runtime::Task<wire::CreatePartitionsResponse> LocalController::create_partitions(
    runtime::Executor& home, wire::CreatePartitionsRequest request) {
  return answer(home, std::move(request), &controller::Controller::create_partitions, &refused);
}

runtime::Task<wire::AlterConfigsResponse> LocalController::alter_configs(runtime::Executor& home,
                                                                         wire::AlterConfigsRequest request) {
  return answer(home, std::move(request), &controller::Controller::alter_configs, &refused);
}

runtime::Task<wire::IncrementalAlterConfigsResponse> LocalController::incremental_alter_configs(
    runtime::Executor& home, wire::IncrementalAlterConfigsRequest request) {
  return answer(home, std::move(request), &controller::Controller::incremental_alter_configs, &refused);
}

runtime::Task<wire::ElectLeadersResponse> LocalController::elect_leaders(runtime::Executor& home,
                                                                         wire::ElectLeadersRequest request) {
  return answer(home, std::move(request), &controller::Controller::elect_leaders, &refused_at_top);
}

runtime::Task<wire::UpdateFeaturesResponse> LocalController::update_features(runtime::Executor& home,
                                                                             wire::UpdateFeaturesRequest request) {
  return answer(home, std::move(request), &controller::Controller::update_features, &refused_at_top);
}

runtime::Task<wire::UnregisterBrokerResponse> LocalController::unregister_broker(
    runtime::Executor& home, wire::UnregisterBrokerRequest request) {
  return answer(home, std::move(request), &controller::Controller::unregister_broker, &refused_at_top);
}

runtime::Task<wire::AllocateProducerIdsResponse> LocalController::allocate_producer_ids(
    runtime::Executor& home, wire::AllocateProducerIdsRequest request) {
  return answer(home, std::move(request), &controller::Controller::allocate_producer_ids, &refused_at_top);
}

runtime::Task<wire::AssignReplicasToDirsResponse> LocalController::assign_replicas_to_dirs(
    runtime::Executor& home, wire::AssignReplicasToDirsRequest request) {
  return answer(home, std::move(request), &controller::Controller::assign_replicas_to_dirs, &refused_at_top);
}

}  // namespace barnabas::broker
