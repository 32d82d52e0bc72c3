// LocalController: the ControllerChannel to a controller in this process: nothing is encoded, a request is one of the
// controller's const decisions. How a decision is made on the controller's state, committed and published is the
// subclass's: the metadata quorum in a node, at once in tests.
#pragma once

#include <functional>
#include <vector>

#include "broker/controller_channel.h"
#include "controller/controller.h"

namespace barnabas::broker {

class LocalController : public ControllerChannel {
 public:
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
  runtime::Task<wire::AssignReplicasToDirsResponse> assign_replicas_to_dirs(
      runtime::Executor& home, wire::AssignReplicasToDirsRequest request) override;

 protected:
  using Decide = std::function<std::vector<controller::MetadataRecord>(const controller::Controller&)>;
  // Calls `decide` on the controller's loop, commits and publishes what it returns and comes back on `home`. False: no
  // controller is active here (`decide` may not have been called), or it stopped before the records were committed.
  virtual runtime::Task<bool> carry_out(runtime::Executor& home, Decide decide) = 0;

 private:
  template <class Request, class Response>
  runtime::Task<Response> answer(runtime::Executor& home, Request request,
                                 controller::Decision<Response> (controller::Controller::*decision)(const Request&)
                                     const,
                                 Response (*refuse)(const Request&));
};

}  // namespace barnabas::broker
