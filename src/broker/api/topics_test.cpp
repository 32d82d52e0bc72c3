// Topics as administration sees them: CreateTopics, CreatePartitions, DeleteTopics, ElectLeaders,
// DescribeTopicPartitions. The controller's rules have tests of their own; here is what a client gets to see.

#include <gtest/gtest.h>

#include "broker/testing/test_broker.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;
using wire::DeleteTopicsRequest;
using wire::DeleteTopicsResponse;
using wire::DescribeTopicPartitionsRequest;
using wire::DescribeTopicPartitionsResponse;
using wire::KafkaError;

CreateTopicsRequest create(const std::string& name) {
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = 1;
  topic.replication_factor = 1;
  return request;
}

struct TopicsTest : ::testing::Test {
  bool there(const std::string& name) { return broker.broker().image()->topic(name) != nullptr; }
  TestBroker broker;
};

TEST_F(TopicsTest, CreationAnswersWithIdNumbersAndConfigs) {
  auto row = broker.ask<CreateTopicsResponse>(create("t")).topics.at(0);
  EXPECT_EQ(row.error_code, KafkaError::kNone);
  EXPECT_EQ(row.topic_id, broker.broker().image()->topic("t")->id);
  EXPECT_EQ(row.num_partitions, 1);
  EXPECT_EQ(row.replication_factor, 1);
  ASSERT_TRUE(row.configs);
  EXPECT_EQ(row.configs->size(), 33u);
}

TEST_F(TopicsTest, CreatedTopicCanBeWrittenToWhenTheAnswerComes) {
  broker.create_topic("t");
  broker.produce("t", 0, {"at once"});
}

TEST_F(TopicsTest, RefusedCreationSaysWhyAndNothingElse) {
  broker.create_topic("t");
  auto row = broker.ask<CreateTopicsResponse>(create("t")).topics.at(0);
  EXPECT_EQ(row.error_code, KafkaError::kTopicAlreadyExists);
  EXPECT_TRUE(row.error_message);
  EXPECT_EQ(row.num_partitions, -1);
  EXPECT_EQ(row.replication_factor, -1);
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(create("t"), 2).topics.at(0).error_code, KafkaError::kTopicAlreadyExists);
}

TEST_F(TopicsTest, WithoutTimeToWaitIsBegunAndSaidToHaveTimedOut) {
  for (int32_t timeout : {0, -1}) {
    auto request = create("t" + std::to_string(-timeout));
    request.timeout_ms = timeout;
    auto row = broker.ask<CreateTopicsResponse>(request).topics.at(0);
    EXPECT_EQ(row.error_code, KafkaError::kRequestTimedOut);
    EXPECT_FALSE(row.error_message);
  }
  EXPECT_TRUE(there("t0"));
  EXPECT_TRUE(there("t1"));
}

TEST_F(TopicsTest, ValidationAloneCreatesNothing) {
  auto request = create("t");
  request.validate_only = true;
  EXPECT_EQ(broker.ask<CreateTopicsResponse>(request).topics.at(0).error_code, KafkaError::kNone);
  EXPECT_FALSE(there("t"));
}

TEST_F(TopicsTest, ControllerListenerCreatesToo) {
  auto response = broker.ask<CreateTopicsResponse>(create("t"), 7, ListenerKind::kController);
  EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kNone);
  EXPECT_TRUE(there("t"));
}

TEST_F(TopicsTest, AreDeletedByNameAndById) {
  broker.create_topic("a");
  Uuid b = broker.create_topic("b");
  DeleteTopicsRequest by_name;
  by_name.topic_names = {"a", "unknown"};
  by_name.timeout_ms = 1000;
  auto first = broker.ask<DeleteTopicsResponse>(by_name, 5);
  EXPECT_EQ(first.responses.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(first.responses.at(1).error_code, KafkaError::kUnknownTopicOrPartition);
  DeleteTopicsRequest by_id;
  by_id.timeout_ms = 1000;
  by_id.topics.emplace_back().topic_id = b;
  by_id.topics.emplace_back().topic_id = {9, 9};
  auto second = broker.ask<DeleteTopicsResponse>(by_id, 6);
  EXPECT_EQ(second.responses.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(second.responses.at(0).name, "b");
  EXPECT_EQ(second.responses.at(1).error_code, KafkaError::kUnknownTopicId);
  EXPECT_FALSE(there("a"));
  EXPECT_FALSE(there("b"));
}

TEST(Topics, AreNotDeletedWhereThatIsForbidden) {
  TestBroker broker({"delete.topic.enable=false"});
  broker.create_topic("t");
  DeleteTopicsRequest request;
  request.topic_names = {"t"};
  request.timeout_ms = 1000;
  EXPECT_EQ(broker.ask<DeleteTopicsResponse>(request, 5).responses.at(0).error_code,
            KafkaError::kTopicDeletionDisabled);
  EXPECT_EQ(broker.ask<DeleteTopicsResponse>(request, 2).responses.at(0).error_code, KafkaError::kInvalidRequest);
  EXPECT_NE(broker.broker().image()->topic("t"), nullptr);
}

TEST_F(TopicsTest, GrowByPartitions) {
  broker.create_topic("t");
  wire::CreatePartitionsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.count = 3;
  topic.assignments.reset();
  auto response = broker.ask<wire::CreatePartitionsResponse>(request);
  EXPECT_EQ(response.results.at(0).error_code, KafkaError::kNone);
  broker.produce("t", 2, {"in the new one"});
  EXPECT_EQ(broker.ask<wire::CreatePartitionsResponse>(request).results.at(0).error_code,
            KafkaError::kInvalidPartitions);
}

TEST_F(TopicsTest, ElectionThatIsNotNeededSaysSo) {
  broker.create_topic("t");
  wire::ElectLeadersRequest request;
  request.topic_partitions.emplace();
  for (const char* name : {"t", "unknown"}) {
    auto& topic = request.topic_partitions->emplace_back();
    topic.topic = name;
    topic.partitions = {0};
  }
  auto response = broker.ask<wire::ElectLeadersResponse>(request);
  ASSERT_EQ(response.replica_election_results.size(), 2u);
  for (const auto& result : response.replica_election_results) {
    EXPECT_EQ(result.partition_result.at(0).error_code,
              result.topic == "t" ? KafkaError::kElectionNotNeeded : KafkaError::kUnknownTopicOrPartition);
  }
}

TEST_F(TopicsTest, AreDescribedPageByPage) {
  broker.create_topic("b", 3);
  broker.create_topic("a", 1);
  DescribeTopicPartitionsRequest request;
  request.response_partition_limit = 2;
  auto first = broker.ask<DescribeTopicPartitionsResponse>(request);
  ASSERT_EQ(first.topics.size(), 2u);
  EXPECT_EQ(first.topics[0].name, "a");
  EXPECT_EQ(first.topics[1].partitions.size(), 1u);
  ASSERT_TRUE(first.next_cursor);
  EXPECT_EQ(first.next_cursor->topic_name, "b");
  EXPECT_EQ(first.next_cursor->partition_index, 1);
  auto& cursor = request.cursor.emplace();
  cursor.topic_name = first.next_cursor->topic_name;
  cursor.partition_index = first.next_cursor->partition_index;
  auto second = broker.ask<DescribeTopicPartitionsResponse>(request);
  ASSERT_EQ(second.topics.size(), 1u);
  EXPECT_EQ(second.topics[0].partitions.size(), 2u);
  EXPECT_EQ(second.topics[0].partitions[0].partition_index, 1);
  EXPECT_FALSE(second.next_cursor);
}

TEST_F(TopicsTest, PageThatEndsWithATopicPointsToTheNextOne) {
  broker.create_topic("a", 2);
  broker.create_topic("b", 1);
  DescribeTopicPartitionsRequest request;
  request.response_partition_limit = 2;
  auto page = broker.ask<DescribeTopicPartitionsResponse>(request);
  EXPECT_EQ(page.topics.size(), 1u);
  ASSERT_TRUE(page.next_cursor);
  EXPECT_EQ(page.next_cursor->topic_name, "b");
  EXPECT_EQ(page.next_cursor->partition_index, 0);
}

TEST_F(TopicsTest, DescriptionKnowsUnknownAndImpossibleNames) {
  DescribeTopicPartitionsRequest request;
  request.topics.emplace_back().name = "unknown";
  request.topics.emplace_back().name = "a/b";
  auto response = broker.ask<DescribeTopicPartitionsResponse>(request);
  EXPECT_EQ(response.topics.at(0).error_code, KafkaError::kInvalidTopicException);  // sorted: a/b first
  EXPECT_EQ(response.topics.at(1).error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_FALSE(there("unknown"));
}

TEST_F(TopicsTest, CursorOutsideTheListIsRefused) {
  DescribeTopicPartitionsRequest request;
  request.topics.emplace_back().name = "t";
  request.cursor.emplace().topic_name = "other";
  EXPECT_EQ(broker.ask<DescribeTopicPartitionsResponse>(request).topics.at(0).error_code, KafkaError::kInvalidRequest);
}

TEST_F(TopicsTest, UnknownBrokerCannotBeUnregistered) {
  wire::UnregisterBrokerRequest request;
  request.broker_id = 77;
  EXPECT_EQ(broker.ask<wire::UnregisterBrokerResponse>(request).error_code, KafkaError::kBrokerIdNotRegistered);
}

TEST_F(TopicsTest, QuorumIsDescribedOnBothListeners) {
  wire::DescribeQuorumRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = "__cluster_metadata";
  topic.partitions.emplace_back();
  for (ListenerKind listener : {ListenerKind::kBroker, ListenerKind::kController}) {
    auto response = broker.ask<wire::DescribeQuorumResponse>(request, 2, listener);
    EXPECT_EQ(response.topics.at(0).partitions.at(0).leader_id, broker.broker().id().value);
  }
}

TEST(Sasl, HasNoPlaceOnAPlaintextListener) {
  TestBroker broker;
  wire::SaslHandshakeRequest handshake;
  handshake.mechanism = "PLAIN";
  EXPECT_EQ(broker.ask<wire::SaslHandshakeResponse>(handshake).error_code, KafkaError::kIllegalSaslState);
  EXPECT_EQ(broker.ask<wire::SaslAuthenticateResponse>(wire::SaslAuthenticateRequest()).error_code,
            KafkaError::kIllegalSaslState);
}

}  // namespace
}  // namespace barnabas::broker
