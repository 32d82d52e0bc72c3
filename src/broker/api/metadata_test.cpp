#include <gtest/gtest.h>

#include "broker/testing/test_broker.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"
#include "wire/messages/partition_change_record.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::KafkaError;
using wire::MetadataRequest;
using wire::MetadataResponse;

MetadataRequest of(std::vector<std::string> names) {
  MetadataRequest request;
  for (std::string& name : names) request.topics->emplace_back().name = std::move(name);
  return request;
}

MetadataRequest of_id(const Uuid& id, std::optional<std::string> name = std::nullopt) {
  MetadataRequest request;
  auto& topic = request.topics->emplace_back();
  topic.topic_id = id;
  topic.name = std::move(name);
  return request;
}

struct MetadataTest : ::testing::Test {
  TestBroker broker;
};

TEST_F(MetadataTest, EmptyListIsAllTopicsInVersionZeroAndNoneAfter) {
  broker.create_topic("a");
  broker.create_topic("b");
  EXPECT_EQ(broker.ask<MetadataResponse>(of({}), 0).topics.size(), 2u);
  EXPECT_EQ(broker.ask<MetadataResponse>(of({}), 1).topics.size(), 0u);
  MetadataRequest all;
  all.topics.reset();
  EXPECT_EQ(broker.ask<MetadataResponse>(all, 1).topics.size(), 2u);
}

TEST_F(MetadataTest, NamesThisBrokerAsAnybodyCanReachIt) {
  auto response = broker.ask<MetadataResponse>(of({}));
  ASSERT_EQ(response.brokers.size(), 1u);
  EXPECT_EQ(response.brokers[0].node_id, broker.broker().id().value);
  EXPECT_EQ(response.brokers[0].host, "localhost");
  EXPECT_EQ(response.brokers[0].port, 9092);
  EXPECT_EQ(response.controller_id, broker.broker().id().value);
  EXPECT_EQ(response.cluster_id, broker.broker().cluster_id());
  EXPECT_EQ(response.error_code, KafkaError::kNone);
}

TEST_F(MetadataTest, MissingTopicIsCreatedAndSaidToBeUnknownOnce) {
  auto first = broker.ask<MetadataResponse>(of({"new"}));
  EXPECT_EQ(first.topics.at(0).error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(first.topics.at(0).name, "new");
  EXPECT_TRUE(first.topics.at(0).topic_id.is_zero());
  broker.settle();
  auto second = broker.ask<MetadataResponse>(of({"new"}));
  EXPECT_EQ(second.topics.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(second.topics.at(0).partitions.at(0).leader_id, broker.broker().id().value);
}

TEST_F(MetadataTest, WhoeverDoesNotWantTopicsCreatedHasNone) {
  MetadataRequest request = of({"new"});
  request.allow_auto_topic_creation = false;
  broker.ask<MetadataResponse>(request);
  broker.settle();
  EXPECT_EQ(broker.broker().image()->topic("new"), nullptr);
  broker.ask<MetadataResponse>(of({"new"}), 3);  // before version 4 nobody could say no
  broker.settle();
  EXPECT_NE(broker.broker().image()->topic("new"), nullptr);
}

TEST_F(MetadataTest, NamesThatCollideAreNeverCreated) {
  broker.create_topic("auto.3");
  for (int i = 0; i < 2; ++i) {
    auto response = broker.ask<MetadataResponse>(of({"auto_3"}));
    EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kUnknownTopicOrPartition);
    broker.settle();
  }
}

TEST_F(MetadataTest, NamesNoTopicCanHaveAreInvalid) {
  for (const std::string& name : {std::string(), std::string("."), std::string("a/b"), std::string(250, 'a')}) {
    auto response = broker.ask<MetadataResponse>(of({name}));
    EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kInvalidTopicException);
    EXPECT_EQ(response.topics.at(0).name, name);
  }
}

TEST_F(MetadataTest, NullNameWithoutIdFailsTheWholeRequest) {
  auto response = broker.ask<MetadataResponse>(of_id(kZeroUuid), 12);
  EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kUnknownServerError);
  EXPECT_TRUE(response.brokers.empty());
  EXPECT_EQ(response.controller_id, -1);
  EXPECT_FALSE(response.cluster_id);
  EXPECT_EQ(broker.ask<MetadataResponse>(of_id(kZeroUuid), 10).topics.at(0).error_code, KafkaError::kInvalidRequest);
}

TEST_F(MetadataTest, IdWinsOverTheNameBesideIt) {
  Uuid a = broker.create_topic("a");
  broker.create_topic("b");
  auto response = broker.ask<MetadataResponse>(of_id(a, "b"));
  ASSERT_EQ(response.topics.size(), 1u);
  EXPECT_EQ(response.topics[0].name, "a");
}

TEST_F(MetadataTest, IdsAndNamesInOneRequestGiveTheIdsOnly) {
  Uuid a = broker.create_topic("a");
  broker.create_topic("b");
  MetadataRequest request = of_id(a);
  request.topics->emplace_back().name = "b";
  auto response = broker.ask<MetadataResponse>(request);
  ASSERT_EQ(response.topics.size(), 1u);
  EXPECT_EQ(response.topics[0].topic_id, a);
}

TEST_F(MetadataTest, UnknownIdHasNoName) {
  auto response = broker.ask<MetadataResponse>(of_id({7, 7}));
  EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kUnknownTopicId);
  EXPECT_FALSE(response.topics.at(0).name);
  EXPECT_EQ(response.topics.at(0).topic_id, (Uuid{7, 7}));
}

TEST_F(MetadataTest, NameAskedTwiceIsAnsweredOnce) {
  broker.create_topic("a");
  EXPECT_EQ(broker.ask<MetadataResponse>(of({"a", "a"})).topics.size(), 1u);
}

TEST_F(MetadataTest, PartitionWithoutLeaderSaysSo) {
  Uuid id = broker.create_topic("a");
  wire::PartitionChangeRecord change;
  change.topic_id = id;
  change.partition_id = 0;
  change.leader = -1;
  broker.commit({change});
  auto response = broker.ask<MetadataResponse>(of({"a"}));
  const auto& partition = response.topics.at(0).partitions.at(0);
  EXPECT_EQ(partition.error_code, KafkaError::kLeaderNotAvailable);
  EXPECT_EQ(partition.leader_id, -1);
  EXPECT_EQ(partition.replica_nodes.size(), 1u);
}

TEST_F(MetadataTest, OperationsAreToldToWhoeverAsks) {
  broker.create_topic("a");
  MetadataRequest request = of({"a"});
  auto silent = broker.ask<MetadataResponse>(request, 10);
  EXPECT_EQ(silent.cluster_authorized_operations, INT32_MIN);
  EXPECT_EQ(silent.topics.at(0).topic_authorized_operations, INT32_MIN);
  request.include_cluster_authorized_operations = true;
  request.include_topic_authorized_operations = true;
  auto response = broker.ask<MetadataResponse>(request, 10);
  EXPECT_EQ(response.cluster_authorized_operations, 8096);
  EXPECT_EQ(response.topics.at(0).topic_authorized_operations, 3576);
}

TEST_F(MetadataTest, InternalTopicsAreMarked) {
  broker.start_groups();
  auto response = broker.ask<MetadataResponse>(of({"__consumer_offsets"}));
  EXPECT_TRUE(response.topics.at(0).is_internal);
  EXPECT_EQ(response.topics.at(0).partitions.size(), 50u);
}

TEST_F(MetadataTest, DescribeClusterKnowsBrokersHereAndControllersThere) {
  wire::DescribeClusterRequest request;
  request.include_cluster_authorized_operations = true;
  auto brokers = broker.ask<wire::DescribeClusterResponse>(request);
  EXPECT_EQ(brokers.brokers.at(0).port, 9092);
  EXPECT_EQ(brokers.endpoint_type, 1);
  EXPECT_EQ(brokers.cluster_authorized_operations, 8096);
  request.endpoint_type = 2;
  auto controllers = broker.ask<wire::DescribeClusterResponse>(request, 2, ListenerKind::kController);
  EXPECT_EQ(controllers.brokers.at(0).port, 9093);
  EXPECT_EQ(controllers.controller_id, broker.broker().id().value);
}

TEST_F(MetadataTest, DescribeClusterRefusesTheOtherEndpointType) {
  wire::DescribeClusterRequest request;
  request.endpoint_type = 2;
  auto mismatched = broker.ask<wire::DescribeClusterResponse>(request);
  EXPECT_EQ(mismatched.error_code, KafkaError::kMismatchedEndpointType);
  EXPECT_TRUE(mismatched.error_message);
  request.endpoint_type = 9;
  EXPECT_EQ(broker.ask<wire::DescribeClusterResponse>(request).error_code, KafkaError::kUnsupportedEndpointType);
  request.endpoint_type = 1;
  auto there = broker.ask<wire::DescribeClusterResponse>(request, 2, ListenerKind::kController);
  EXPECT_EQ(there.error_code, KafkaError::kMismatchedEndpointType);
}

}  // namespace
}  // namespace barnabas::broker
