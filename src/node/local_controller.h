// LocalController: the ControllerChannel of a node that is its own controller: requests hop to the controller's loop
// and back, nothing is encoded.
#pragma once

#include "broker/controller_channel.h"
#include "quorum/metadata_quorum.h"

namespace barnabas::node {

class LocalController : public broker::ControllerChannel {
 public:
  explicit LocalController(quorum::MetadataQuorum& quorum) : quorum_(quorum) {}

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
  quorum::MetadataQuorum& quorum_;
};

}  // namespace barnabas::node
