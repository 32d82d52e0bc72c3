// Every API answers at every version it advertises: what it says by default can be encoded there.

#include "broker/api/table.h"
#include "broker/testing/test_broker.h"
#include "wire/api.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;

template <class Request, class Response>
void at_every_version(TestBroker& broker, const Request& request = {}) {
  const wire::ApiInfo* api = wire::find_api(Request::kApiKey);
  ASSERT_NE(api, nullptr);
  for (int16_t version = api->min_version; version <= api->max_version; ++version) {
    SCOPED_TRACE(std::string(Request::kName) + " version " + std::to_string(version));
    broker.ask<Response>(request, version);
  }
}

#define AT_EVERY_VERSION(Name) at_every_version<wire::Name##Request, wire::Name##Response>(broker)

TEST(EveryVersion, IsAnsweredForRequestsThatNameNothing) {
  TestBroker broker;
  broker.start_groups();
  AT_EVERY_VERSION(ListOffsets);
  AT_EVERY_VERSION(Metadata);
  AT_EVERY_VERSION(OffsetCommit);
  AT_EVERY_VERSION(OffsetFetch);
  AT_EVERY_VERSION(FindCoordinator);
  AT_EVERY_VERSION(JoinGroup);
  AT_EVERY_VERSION(Heartbeat);
  AT_EVERY_VERSION(LeaveGroup);
  AT_EVERY_VERSION(SyncGroup);
  AT_EVERY_VERSION(DescribeGroups);
  AT_EVERY_VERSION(ListGroups);
  AT_EVERY_VERSION(SaslHandshake);
  AT_EVERY_VERSION(ApiVersions);
  AT_EVERY_VERSION(CreateTopics);
  AT_EVERY_VERSION(DeleteTopics);
  AT_EVERY_VERSION(DeleteRecords);
  AT_EVERY_VERSION(InitProducerId);
  AT_EVERY_VERSION(OffsetForLeaderEpoch);
  AT_EVERY_VERSION(DescribeConfigs);
  AT_EVERY_VERSION(AlterConfigs);
  AT_EVERY_VERSION(DescribeLogDirs);
  AT_EVERY_VERSION(SaslAuthenticate);
  AT_EVERY_VERSION(CreatePartitions);
  AT_EVERY_VERSION(DeleteGroups);
  AT_EVERY_VERSION(ElectLeaders);
  AT_EVERY_VERSION(IncrementalAlterConfigs);
  AT_EVERY_VERSION(OffsetDelete);
  AT_EVERY_VERSION(DescribeQuorum);
  AT_EVERY_VERSION(UpdateFeatures);
  AT_EVERY_VERSION(DescribeProducers);
  AT_EVERY_VERSION(UnregisterBroker);
  AT_EVERY_VERSION(ListConfigResources);
  AT_EVERY_VERSION(DescribeTopicPartitions);
  AT_EVERY_VERSION(DescribeCluster);
}

TEST(EveryVersion, OfMetadataCanSayWhatThereIsAndWhatIsNot) {
  TestBroker broker({"auto.create.topics.enable=false"});
  broker.create_topic("there", 2);
  for (int16_t version = 0; version <= 13; ++version) {
    SCOPED_TRACE(version);
    wire::MetadataRequest request;
    request.topics->emplace_back().name = "there";
    request.topics->emplace_back().name = "missing";
    auto response = broker.ask<wire::MetadataResponse>(request, version);
    ASSERT_EQ(response.topics.size(), 2u);
    EXPECT_EQ(response.topics[0].partitions.size(), 2u);
    EXPECT_EQ(response.topics[1].error_code, wire::KafkaError::kUnknownTopicOrPartition);
    EXPECT_EQ(response.brokers.size(), 1u);
  }
}

TEST(EveryVersion, OfFindCoordinatorFindsTheGroup) {
  TestBroker broker;
  broker.start_groups();
  for (int16_t version = 0; version <= 6; ++version) {
    SCOPED_TRACE(version);
    wire::FindCoordinatorRequest request;
    if (version < 4) {
      request.key = "group";
    } else {
      request.coordinator_keys = {"group"};
    }
    auto response = broker.ask<wire::FindCoordinatorResponse>(request, version);
    int32_t port = version < 4 ? response.port : response.coordinators.at(0).port;
    EXPECT_EQ(port, 9092);
    std::string message = (version < 4 ? response.error_message : response.coordinators.at(0).error_message).value();
    EXPECT_EQ(message, version == 1 || version == 2 || version == 3 ? "NONE" : "");
  }
}

}  // namespace
}  // namespace barnabas::broker
