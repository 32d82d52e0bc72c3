// DescribeGroups, ListGroups, DeleteGroups.
#include <gtest/gtest.h>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

std::vector<std::string> listed(const World& world, std::vector<std::string> states, std::vector<std::string> types) {
  wire::ListGroupsRequest request;
  request.states_filter = std::move(states);
  request.types_filter = std::move(types);
  std::vector<std::string> ids;
  for (const auto& group : world.shard.list(request)) ids.push_back(group.group_id);
  return ids;
}

TEST(Describe, UnknownGroupIsDeadAndAnErrorSinceVersionSix) {
  World world;
  auto five = world.shard.describe("nowhere", 5);
  EXPECT_EQ(five.error_code, KafkaError::kNone);
  EXPECT_EQ(five.group_state, "Dead");
  EXPECT_EQ(five.error_message, std::nullopt);
  auto six = world.shard.describe("nowhere", 6);
  EXPECT_EQ(six.error_code, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(six.group_state, "Dead");
  EXPECT_EQ(six.error_message, "Group nowhere not found.");
}

TEST(Describe, StableGroupShowsMetadataAndAssignmentOfItsMembers) {
  World world;
  std::string member = world.stable_of_one({.client = "app"});
  auto group = world.shard.describe("g", 5);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.protocol_type, "consumer");
  EXPECT_EQ(group.protocol_data, "range");
  ASSERT_EQ(group.members.size(), 1U);
  EXPECT_EQ(group.members[0].member_id, member);
  EXPECT_EQ(group.members[0].client_id, "app");
  EXPECT_EQ(group.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(group.members[0].member_metadata, subscription({"orders"}));
  EXPECT_EQ(group.members[0].member_assignment, bytes_of("all"));
}

TEST(Describe, RebalancingGroupShowsItsMembersOnly) {
  World world;
  world.stable_of_one();
  world.join_twice({});
  auto group = world.shard.describe("g", 5);
  EXPECT_EQ(group.group_state, "PreparingRebalance");
  EXPECT_EQ(group.protocol_data, "");
  ASSERT_EQ(group.members.size(), 2U);
  EXPECT_TRUE(group.members[0].member_metadata.empty());
}

TEST(List, FiltersByStateAndTypeWithoutRegardToCase) {
  World world;
  world.stable_of_one({.group = "busy", .session_ms = 60'000});
  world.commit({.group = "quiet"});
  EXPECT_EQ(listed(world, {}, {}), (std::vector<std::string>{"busy", "quiet"}));
  EXPECT_EQ(listed(world, {"sTABLE"}, {}), std::vector<std::string>{"busy"});
  EXPECT_EQ(listed(world, {"empty", "dead"}, {"CLASSIC"}), std::vector<std::string>{"quiet"});
  EXPECT_TRUE(listed(world, {"nonsense"}, {}).empty());
  EXPECT_TRUE(listed(world, {}, {"consumer"}).empty());
  auto rows = world.shard.list({});
  EXPECT_EQ(rows[0].protocol_type, "consumer");
  EXPECT_EQ(rows[0].group_type, "classic");
  EXPECT_EQ(rows[0].group_state, "Stable");
  EXPECT_EQ(rows[1].protocol_type, "");
}

TEST(DeleteGroups, OnlyEmptyGroupsGoAndTheyStayAway) {
  World world;
  world.stable_of_one({.group = "busy", .session_ms = 60'000});
  world.commit({.group = "quiet", .partition = 0});
  world.commit({.group = "quiet", .partition = 1});
  world.commit({.group = ""});
  Caller who = world.caller(2);
  world.fresh_records.clear();
  world.obey(world.shard.delete_groups(who, world.now, {"busy", "quiet", "nowhere", "", "quiet"}));
  const auto& results = world.reply<wire::DeleteGroupsResponse>(who.token)->results;
  ASSERT_EQ(results.size(), 5U);
  EXPECT_EQ(results[0].error_code, KafkaError::kNonEmptyGroup);
  EXPECT_EQ(results[1].error_code, KafkaError::kNone);
  EXPECT_EQ(results[2].error_code, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(results[3].error_code, KafkaError::kNone);
  EXPECT_EQ(results[4].error_code, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(world.fresh_records.size(), 5U) << "a tombstone for each offset and each group";
  for (const CoordinatorRecord& record : world.fresh_records) EXPECT_FALSE(record.value.has_value());
  world.reload();
  EXPECT_EQ(world.state_of("quiet"), "Dead");
  EXPECT_EQ(world.fetch("quiet", "orders", 0).committed_offset, -1);
}

}  // namespace
}  // namespace barnabas::group
