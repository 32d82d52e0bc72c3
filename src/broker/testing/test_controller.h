// TestController: the real controller core behind a ControllerChannel that commits at once. For tests.
#pragma once

#include <vector>

#include "broker/controller_channel.h"
#include "config/layers.h"
#include "controller/config_validator.h"
#include "controller/controller.h"
#include "metadata/image_builder.h"

namespace barnabas::broker {
class Broker;
}

namespace barnabas::broker::testing {

// Leaves the rules to the broker's own checks; describes topics as config/ does.
class TestValidator final : public controller::ConfigValidator {
 public:
  explicit TestValidator(const config::BrokerLayers& layers) : layers_(layers) {}
  std::optional<controller::ConfigProblem> check(const metadata::ConfigResource& resource,
                                                 const metadata::ConfigMap& before,
                                                 const metadata::ConfigMap& after) const override;
  bool is_list(metadata::ResourceType type, std::string_view key) const override;
  std::optional<std::string> default_value(metadata::ResourceType type, std::string_view key) const override;
  std::vector<controller::DescribedConfig> describe_topic(const metadata::ConfigMap& overrides) const override;

 private:
  const config::BrokerLayers& layers_;
};

class TestController final : public ControllerChannel {
 public:
  TestController(std::string cluster_id, const config::BrokerLayers& layers);

  // Before a broker is there to be told: replays only.
  metadata::ImagePtr bootstrap(const std::vector<wire::MetadataRecord>& records);
  void set_broker(Broker& broker) { broker_ = &broker; }
  runtime::Task<> commit(std::vector<wire::MetadataRecord> records);
  Offset next_offset() const { return next_; }

  runtime::Task<wire::CreateTopicsResponse> create_topics(runtime::Executor& home,
                                                          wire::CreateTopicsRequest request) override;
  runtime::Task<wire::DeleteTopicsResponse> delete_topics(runtime::Executor& home,
                                                          wire::DeleteTopicsRequest request) override;
  runtime::Task<wire::CreatePartitionsResponse> create_partitions(runtime::Executor& home,
                                                                  wire::CreatePartitionsRequest request) override;
  runtime::Task<wire::AlterConfigsResponse> alter_configs(runtime::Executor& home,
                                                          wire::AlterConfigsRequest request) override;
  runtime::Task<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
      runtime::Executor& home, wire::IncrementalAlterConfigsRequest request) override;
  runtime::Task<wire::ElectLeadersResponse> elect_leaders(runtime::Executor& home,
                                                          wire::ElectLeadersRequest request) override;
  runtime::Task<wire::UpdateFeaturesResponse> update_features(runtime::Executor& home,
                                                              wire::UpdateFeaturesRequest request) override;
  runtime::Task<wire::UnregisterBrokerResponse> unregister_broker(runtime::Executor& home,
                                                                  wire::UnregisterBrokerRequest request) override;
  runtime::Task<wire::AllocateProducerIdsResponse> allocate_producer_ids(
      runtime::Executor& home, wire::AllocateProducerIdsRequest request) override;
  runtime::Task<wire::DescribeQuorumResponse> describe_quorum(runtime::Executor& home,
                                                              wire::DescribeQuorumRequest request) override;

 private:
  void replay(const std::vector<wire::MetadataRecord>& records);
  template <class Response>
  runtime::Task<Response> carry_out(controller::Decision<Response> decision);

  TestValidator validator_;
  controller::Controller core_;
  metadata::ImageBuilder builder_;
  Offset next_{0};
  uint64_t random_ = 1;
  Broker* broker_ = nullptr;
};

}  // namespace barnabas::broker::testing
