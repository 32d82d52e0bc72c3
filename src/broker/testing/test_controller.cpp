#include "broker/testing/test_controller.h"

#include "base/check.h"
#include "broker/broker.h"
#include "config/resolved.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::broker::testing {

std::optional<controller::ConfigProblem> TestValidator::check(const metadata::ConfigResource&,
                                                              const metadata::ConfigMap&,
                                                              const metadata::ConfigMap&) const {
  return std::nullopt;
}
bool TestValidator::is_list(metadata::ResourceType, std::string_view key) const {
  return key == "cleanup.policy";
}
std::optional<std::string> TestValidator::default_value(metadata::ResourceType, std::string_view) const {
  return std::nullopt;
}
std::vector<controller::DescribedConfig> TestValidator::describe_topic(const metadata::ConfigMap& overrides) const {
  std::vector<controller::DescribedConfig> rows;
  for (auto& row : config::describe_topic(overrides, layers_)) {
    rows.push_back({.name = row.name, .value = row.value, .source = static_cast<int8_t>(row.source)});
  }
  return rows;
}

TestController::TestController(std::string cluster_id, const config::BrokerLayers& layers)
    : validator_(layers),
      core_({.cluster_id = std::move(cluster_id), .random = [this] { return random_ += 0x9e3779b97f4a7c15ULL; }},
            validator_) {
  core_.set_kraft_version(1);
  builder_.set_kraft_version(1);
}

void TestController::replay(const std::vector<wire::MetadataRecord>& records) {
  for (const wire::MetadataRecord& record : records) {
    auto core = core_.replay(record, next_);
    CHECK(core.has_value());
    auto image = builder_.replay(record);
    CHECK(image.has_value());
    builder_.set_provenance({.last_offset = next_, .epoch = LeaderEpoch(1)});
    next_ = next_ + 1;
  }
}

metadata::ImagePtr TestController::bootstrap(const std::vector<wire::MetadataRecord>& records) {
  core_.activate(MonotonicTime(0));
  replay(records);
  return builder_.build().image;
}

runtime::Task<> TestController::commit(std::vector<wire::MetadataRecord> records) {
  replay(records);
  auto published = builder_.build();
  co_await broker_->publish(std::move(published.delta), std::move(published.image));
}

template <class Response>
runtime::Task<Response> TestController::carry_out(controller::Decision<Response> decision) {
  co_await commit(std::move(decision.records));
  co_return std::move(decision.response);
}

runtime::Task<wire::CreateTopicsResponse> TestController::create_topics(runtime::Executor&,
                                                                        wire::CreateTopicsRequest request) {
  return carry_out(core_.create_topics(request));
}
runtime::Task<wire::DeleteTopicsResponse> TestController::delete_topics(runtime::Executor&,
                                                                        wire::DeleteTopicsRequest request) {
  return carry_out(core_.delete_topics(request));
}
runtime::Task<wire::CreatePartitionsResponse> TestController::create_partitions(runtime::Executor&,
                                                                                wire::CreatePartitionsRequest request) {
  return carry_out(core_.create_partitions(request));
}
runtime::Task<wire::AlterConfigsResponse> TestController::alter_configs(runtime::Executor&,
                                                                        wire::AlterConfigsRequest request) {
  return carry_out(core_.alter_configs(request));
}
runtime::Task<wire::IncrementalAlterConfigsResponse> TestController::incremental_alter_configs(
    runtime::Executor&, wire::IncrementalAlterConfigsRequest request) {
  return carry_out(core_.incremental_alter_configs(request));
}
runtime::Task<wire::ElectLeadersResponse> TestController::elect_leaders(runtime::Executor&,
                                                                        wire::ElectLeadersRequest request) {
  return carry_out(core_.elect_leaders(request));
}
runtime::Task<wire::UpdateFeaturesResponse> TestController::update_features(runtime::Executor&,
                                                                            wire::UpdateFeaturesRequest request) {
  return carry_out(core_.update_features(request));
}
runtime::Task<wire::UnregisterBrokerResponse> TestController::unregister_broker(runtime::Executor&,
                                                                                wire::UnregisterBrokerRequest request) {
  return carry_out(core_.unregister_broker(request));
}
runtime::Task<wire::AllocateProducerIdsResponse> TestController::allocate_producer_ids(
    runtime::Executor&, wire::AllocateProducerIdsRequest request) {
  return carry_out(core_.allocate_producer_ids(request));
}
runtime::Task<wire::DescribeQuorumResponse> TestController::describe_quorum(runtime::Executor&,
                                                                            wire::DescribeQuorumRequest request) {
  wire::DescribeQuorumResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic_name = asked.topic_name;
    for (const auto& partition : asked.partitions) {
      auto& row = topic.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.leader_id = broker_->id().value;
    }
  }
  co_return response;
}

}  // namespace barnabas::broker::testing
