// ControllerChannel: the way to the active controller, wherever it is: in this process on a node of one, behind a
// connection in a cluster. Any loop may call; each task resumes on the loop it was awaited on. Answers come when the
// change is committed and this node's image shows it.
#pragma once

#include <cstdint>

#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::wire {
struct AllocateProducerIdsRequest;
struct AllocateProducerIdsResponse;
struct AlterConfigsRequest;
struct AlterConfigsResponse;
struct AssignReplicasToDirsRequest;
struct AssignReplicasToDirsResponse;
struct CreatePartitionsRequest;
struct CreatePartitionsResponse;
struct CreateTopicsRequest;
struct CreateTopicsResponse;
struct DeleteTopicsRequest;
struct DeleteTopicsResponse;
struct DescribeQuorumRequest;
struct DescribeQuorumResponse;
struct ElectLeadersRequest;
struct ElectLeadersResponse;
struct IncrementalAlterConfigsRequest;
struct IncrementalAlterConfigsResponse;
struct UnregisterBrokerRequest;
struct UnregisterBrokerResponse;
struct UpdateFeaturesRequest;
struct UpdateFeaturesResponse;
}  // namespace barnabas::wire

namespace barnabas::broker {

class ControllerChannel {
 public:
  virtual ~ControllerChannel() = default;

  // `home`: the caller's loop. `request` is taken by value: it may cross loops.
  virtual runtime::Task<wire::CreateTopicsResponse> create_topics(runtime::Executor& home,
                                                                  wire::CreateTopicsRequest request) = 0;
  virtual runtime::Task<wire::DeleteTopicsResponse> delete_topics(runtime::Executor& home,
                                                                  wire::DeleteTopicsRequest request) = 0;
  virtual runtime::Task<wire::CreatePartitionsResponse> create_partitions(runtime::Executor& home,
                                                                          wire::CreatePartitionsRequest request) = 0;
  virtual runtime::Task<wire::AlterConfigsResponse> alter_configs(runtime::Executor& home,
                                                                  wire::AlterConfigsRequest request) = 0;
  virtual runtime::Task<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
      runtime::Executor& home, wire::IncrementalAlterConfigsRequest request) = 0;
  virtual runtime::Task<wire::ElectLeadersResponse> elect_leaders(runtime::Executor& home,
                                                                  wire::ElectLeadersRequest request) = 0;
  virtual runtime::Task<wire::UpdateFeaturesResponse> update_features(runtime::Executor& home,
                                                                      wire::UpdateFeaturesRequest request) = 0;
  virtual runtime::Task<wire::UnregisterBrokerResponse> unregister_broker(runtime::Executor& home,
                                                                          wire::UnregisterBrokerRequest request) = 0;
  virtual runtime::Task<wire::AllocateProducerIdsResponse> allocate_producer_ids(
      runtime::Executor& home, wire::AllocateProducerIdsRequest request) = 0;
  virtual runtime::Task<wire::AssignReplicasToDirsResponse> assign_replicas_to_dirs(
      runtime::Executor& home, wire::AssignReplicasToDirsRequest request) = 0;
  virtual runtime::Task<wire::DescribeQuorumResponse> describe_quorum(runtime::Executor& home,
                                                                      wire::DescribeQuorumRequest request) = 0;
};

}  // namespace barnabas::broker
