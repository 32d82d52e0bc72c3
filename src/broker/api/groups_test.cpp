// The group APIs and the way to them, as one client of a broker of one sees them.

#include <gtest/gtest.h>

#include "broker/testing/test_broker.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::FindCoordinatorRequest;
using wire::FindCoordinatorResponse;
using wire::KafkaError;

FindCoordinatorResponse::Coordinator find(TestBroker& broker, int8_t type, const std::string& key) {
  FindCoordinatorRequest request;
  request.key_type = type;
  request.coordinator_keys = {key};
  return broker.ask<FindCoordinatorResponse>(request).coordinators.at(0);
}

TEST(FindCoordinator, FirstQuestionCreatesTheOffsetsTopic) {
  TestBroker broker;
  auto first = find(broker, 0, "g");
  EXPECT_EQ(first.error_code, KafkaError::kCoordinatorNotAvailable);
  EXPECT_EQ(first.node_id, -1);
  EXPECT_EQ(first.port, -1);
  broker.settle();
  auto second = find(broker, 0, "g");
  EXPECT_EQ(second.error_code, KafkaError::kNone);
  EXPECT_EQ(second.host, "localhost");
  // On a node of one, with offsets.topic.replication.factor 3 as Kafka's default says.
  EXPECT_EQ(broker.broker().image()->topic("__consumer_offsets")->partition(0)->replicas.size(), 1u);
}

TEST(FindCoordinator, EmptyGroupIsFoundToo) {
  TestBroker broker;
  broker.start_groups();
  EXPECT_EQ(find(broker, 0, "").error_code, KafkaError::kNone);
}

TEST(FindCoordinator, TransactionsHaveNoCoordinatorAndCreateNothing) {
  TestBroker broker;
  EXPECT_EQ(find(broker, 1, "t").error_code, KafkaError::kCoordinatorNotAvailable);
  broker.settle();
  EXPECT_EQ(broker.broker().image()->topic_count(), 0u);
}

TEST(FindCoordinator, ShareKeyMustNameGroupTopicAndPartition) {
  TestBroker broker;
  std::string key = "g:" + Uuid{1, 2}.to_string() + ":0";
  EXPECT_EQ(find(broker, 2, key).error_code, KafkaError::kCoordinatorNotAvailable);
  for (const char* wrong : {"g", "", "g:x:0", ":AAAAAAAAAAEAAAAAAAAAAg:0", "g:AAAAAAAAAAEAAAAAAAAAAg:x"}) {
    EXPECT_EQ(find(broker, 2, wrong).error_code, KafkaError::kInvalidRequest) << wrong;
  }
}

TEST(FindCoordinator, UnknownTypeOfKeyIsExplained) {
  TestBroker broker;
  EXPECT_EQ(find(broker, 7, "g").error_code, KafkaError::kInvalidRequest);
  EXPECT_FALSE(find(broker, 7, "g").error_message->empty());
}

TEST(Groups, WithoutACoordinatorSayWhereTheyAreNot) {
  TestBroker broker;
  wire::HeartbeatRequest request;
  request.group_id = "g";
  EXPECT_EQ(broker.ask<wire::HeartbeatResponse>(request).error_code, KafkaError::kCoordinatorNotAvailable);
}

struct GroupsTest : ::testing::Test {
  GroupsTest() { broker.start_groups(); }

  static wire::JoinGroupRequest join(const std::string& member = "") {
    wire::JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = 10000;
    request.rebalance_timeout_ms = 30000;
    request.member_id = member;
    request.protocol_type = "consumer";
    request.protocols.emplace_back().name = "range";
    return request;
  }
  // A member alone, with its assignment.
  std::string settle_member() {
    auto first = broker.ask<wire::JoinGroupResponse>(join());
    EXPECT_EQ(first.error_code, KafkaError::kMemberIdRequired);
    EXPECT_TRUE(first.member_id.starts_with("tester-"));
    EXPECT_FALSE(first.protocol_type);
    auto second = broker.ask<wire::JoinGroupResponse>(join(first.member_id));
    EXPECT_EQ(second.error_code, KafkaError::kNone);
    EXPECT_EQ(second.generation_id, 1);
    EXPECT_EQ(second.leader, first.member_id);
    EXPECT_EQ(second.members.size(), 1u);
    wire::SyncGroupRequest sync;
    sync.group_id = "g";
    sync.generation_id = 1;
    sync.member_id = first.member_id;
    sync.protocol_type = "consumer";
    sync.protocol_name = "range";
    auto& assignment = sync.assignments.emplace_back();
    assignment.member_id = first.member_id;
    assignment.assignment = to_buffer(as_bytes("yours"));
    auto synced = broker.ask<wire::SyncGroupResponse>(sync);
    EXPECT_EQ(synced.error_code, KafkaError::kNone);
    EXPECT_EQ(as_text(synced.assignment), "yours");
    return first.member_id;
  }
  KafkaError heartbeat(const std::string& member, int32_t generation = 1) {
    wire::HeartbeatRequest request;
    request.group_id = "g";
    request.generation_id = generation;
    request.member_id = member;
    return broker.ask<wire::HeartbeatResponse>(request).error_code;
  }
  KafkaError commit(const std::string& topic, int64_t offset, const std::string& member = "", int32_t generation = -1,
                    int32_t partition = 0) {
    wire::OffsetCommitRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id_or_member_epoch = generation;
    auto& row = request.topics.emplace_back();
    row.name = topic;
    auto& part = row.partitions.emplace_back();
    part.partition_index = partition;
    part.committed_offset = offset;
    return broker.ask<wire::OffsetCommitResponse>(request, 9).topics.at(0).partitions.at(0).error_code;
  }
  int64_t fetch(const std::string& topic, int16_t version) {
    wire::OffsetFetchRequest request;
    if (version < 8) {
      request.group_id = "g";
      auto& row = request.topics->emplace_back();
      row.name = topic;
      row.partition_indexes = {0};
      return broker.ask<wire::OffsetFetchResponse>(request, version).topics.at(0).partitions.at(0).committed_offset;
    }
    auto& group = request.groups.emplace_back();
    group.group_id = "g";
    auto& row = group.topics->emplace_back();
    const metadata::Topic* known = broker.broker().image()->topic(topic);
    if (version >= 10 && known) row.topic_id = known->id;
    if (version < 10) row.name = topic;
    row.partition_indexes = {0};
    return broker.ask<wire::OffsetFetchResponse>(request, version)
        .groups.at(0)
        .topics.at(0)
        .partitions.at(0)
        .committed_offset;
  }
  std::vector<wire::ListGroupsResponse::ListedGroup> list(wire::ListGroupsRequest request = {}) {
    return broker.ask<wire::ListGroupsResponse>(request).groups;
  }

  TestBroker broker;
};

TEST_F(GroupsTest, MemberJoinsSyncsBeatsAndLeaves) {
  std::string member = settle_member();
  EXPECT_EQ(heartbeat(member), KafkaError::kNone);
  EXPECT_EQ(heartbeat(member, 7), KafkaError::kIllegalGeneration);
  EXPECT_EQ(heartbeat("nobody"), KafkaError::kUnknownMemberId);
  wire::LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members.emplace_back().member_id = member;
  auto left = broker.ask<wire::LeaveGroupResponse>(leave);
  EXPECT_EQ(left.error_code, KafkaError::kNone);
  EXPECT_EQ(left.members.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(heartbeat(member), KafkaError::kUnknownMemberId);
}

TEST_F(GroupsTest, MemberThatFallsSilentIsGoneAfterItsSession) {
  std::string member = settle_member();
  broker.advance(seconds(11));
  EXPECT_EQ(heartbeat(member), KafkaError::kUnknownMemberId);
}

TEST_F(GroupsTest, OldJoinGetsItsMemberIdAtOnce) {
  auto response = broker.ask<wire::JoinGroupResponse>(join(), 3);
  EXPECT_EQ(response.error_code, KafkaError::kNone);
  EXPECT_EQ(response.generation_id, 1);
}

TEST_F(GroupsTest, OffsetsComeBackAtEveryVersion) {
  broker.create_topic("t");
  EXPECT_EQ(commit("t", 42), KafkaError::kNone);
  for (int16_t version = 1; version <= 10; ++version) EXPECT_EQ(fetch("t", version), 42) << version;
}

TEST_F(GroupsTest, OffsetThatWasNeverCommittedIsMinusOneWithoutError) {
  broker.create_topic("t");
  for (int16_t version : {1, 7, 8, 10}) EXPECT_EQ(fetch("t", version), -1) << version;
}

TEST_F(GroupsTest, CommitRefusesOnlyTheUnknownTopic) {
  broker.create_topic("t");
  wire::OffsetCommitRequest request;
  request.group_id = "g";
  for (const char* topic : {"unknown", "t"}) {
    auto& row = request.topics.emplace_back();
    row.name = topic;
    row.partitions.emplace_back().committed_offset = 5;
  }
  auto response = broker.ask<wire::OffsetCommitResponse>(request, 9);
  EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(response.topics.at(1).partitions.at(0).error_code, KafkaError::kNone);
  request.topics.resize(1);
  request.topics[0].name.clear();
  request.topics[0].topic_id = {9, 9};
  auto by_id = broker.ask<wire::OffsetCommitResponse>(request, 10);
  EXPECT_EQ(by_id.topics.at(0).partitions.at(0).error_code, KafkaError::kUnknownTopicId);
}

TEST_F(GroupsTest, ActiveGroupTakesOffsetsFromItsMembersOnly) {
  broker.create_topic("t");
  std::string member = settle_member();
  EXPECT_EQ(commit("t", 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(commit("t", 1, member, 7), KafkaError::kIllegalGeneration);
  EXPECT_EQ(commit("t", 1, member, 1), KafkaError::kNone);
  EXPECT_EQ(commit("t", 1, member, 1, 99), KafkaError::kUnknownTopicOrPartition);
}

TEST_F(GroupsTest, AreListedWithStateAndType) {
  settle_member();
  auto groups = list();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].group_id, "g");
  EXPECT_EQ(groups[0].group_state, "Stable");
  EXPECT_EQ(groups[0].group_type, "classic");
  wire::ListGroupsRequest empty_only;
  empty_only.states_filter = {"empty"};
  EXPECT_TRUE(list(empty_only).empty());
  wire::ListGroupsRequest stable_only;
  stable_only.states_filter = {"sTaBlE"};
  EXPECT_EQ(list(stable_only).size(), 1u);
}

TEST_F(GroupsTest, AreDescribedWithTheirMembers) {
  std::string member = settle_member();
  wire::DescribeGroupsRequest request;
  request.groups = {"g"};
  request.include_authorized_operations = true;
  auto group = broker.ask<wire::DescribeGroupsResponse>(request).groups.at(0);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.protocol_data, "range");
  EXPECT_EQ(group.members.at(0).member_id, member);
  EXPECT_EQ(group.members.at(0).client_id, "tester");
  EXPECT_EQ(group.members.at(0).client_host, "/127.0.0.1");
  EXPECT_EQ(group.authorized_operations, 3400);
}

TEST_F(GroupsTest, UnknownGroupIsDeadOrNotFoundByVersion) {
  wire::DescribeGroupsRequest request;
  request.groups = {"nothing"};
  auto old = broker.ask<wire::DescribeGroupsResponse>(request, 5).groups.at(0);
  EXPECT_EQ(old.error_code, KafkaError::kNone);
  EXPECT_EQ(old.group_state, "Dead");
  auto now = broker.ask<wire::DescribeGroupsResponse>(request, 6).groups.at(0);
  EXPECT_EQ(now.error_code, KafkaError::kGroupIdNotFound);
  EXPECT_TRUE(now.error_message);
}

TEST_F(GroupsTest, DeletingTellsActiveEmptyAndUnknownApart) {
  broker.create_topic("t");
  settle_member();
  wire::OffsetCommitRequest other;
  other.group_id = "other";
  auto& row = other.topics.emplace_back();
  row.name = "t";
  row.partitions.emplace_back().committed_offset = 1;
  broker.ask<wire::OffsetCommitResponse>(other, 9);

  wire::DeleteGroupsRequest request;
  request.groups_names = {"g", "other", "unknown"};
  auto response = broker.ask<wire::DeleteGroupsResponse>(request, 2);
  std::map<std::string, KafkaError> errors;
  for (const auto& result : response.results) errors[result.group_id] = result.error_code;
  EXPECT_EQ(errors.at("g"), KafkaError::kNonEmptyGroup);
  EXPECT_EQ(errors.at("other"), KafkaError::kNone);
  EXPECT_EQ(errors.at("unknown"), KafkaError::kGroupIdNotFound);
  EXPECT_EQ(list().size(), 1u);
}

TEST_F(GroupsTest, OffsetsCanBeDeletedOneByOne) {
  broker.create_topic("t");
  EXPECT_EQ(commit("t", 42), KafkaError::kNone);
  wire::OffsetDeleteRequest request;
  request.group_id = "g";
  auto& row = request.topics.emplace_back();
  row.name = "t";
  row.partitions.emplace_back().partition_index = 0;
  auto response = broker.ask<wire::OffsetDeleteResponse>(request);
  EXPECT_EQ(response.error_code, KafkaError::kNone);
  EXPECT_EQ(fetch("t", 9), -1);
  request.group_id = "unknown";
  EXPECT_EQ(broker.ask<wire::OffsetDeleteResponse>(request).error_code, KafkaError::kGroupIdNotFound);
}

TEST_F(GroupsTest, DeletedTopicTakesItsOffsetsAlong) {
  broker.create_topic("t");
  EXPECT_EQ(commit("t", 42), KafkaError::kNone);
  wire::RemoveTopicRecord removed;
  removed.topic_id = broker.broker().image()->topic("t")->id;
  broker.commit({removed});
  broker.settle();
  broker.create_topic("t");
  EXPECT_EQ(fetch("t", 9), -1);
}

}  // namespace
}  // namespace barnabas::broker
