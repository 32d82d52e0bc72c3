// What a Kafka 4.3 answers to odd requests about topics and their configs, row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/placement.h"
#include "controller/testing.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"

namespace barnabas::controller {
namespace {

using Topic = wire::CreateTopicsRequest::CreatableTopic;
using Incremental = wire::IncrementalAlterConfigsRequest;

class Topics : public ::testing::Test {
 protected:
  Topics() {
    world.boot();
    world.start_broker(1);
  }

  static Topic topic(const std::string& name, int32_t partitions = 1, int16_t replication = 1) {
    Topic topic;
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = replication;
    return topic;
  }

  static Topic assigned(const std::string& name,
                        const std::vector<std::pair<int32_t, std::vector<int32_t>>>& replicas) {
    Topic t = topic(name, -1, -1);
    for (const auto& [index, ids] : replicas) t.assignments.push_back({index, ids, {}});
    return t;
  }

  static Topic configured(const std::string& name, const std::string& key, std::optional<std::string> value) {
    Topic t = topic(name);
    t.configs.push_back({key, std::move(value), {}});
    return t;
  }

  wire::CreateTopicsResponse create(std::vector<Topic> topics, bool validate_only = false) {
    wire::CreateTopicsRequest request;
    request.topics = std::move(topics);
    request.validate_only = validate_only;
    auto decision = world.controller.create_topics(request);
    records = decision.records;
    world.append(decision.records);
    return decision.response;
  }

  int error_of(const Topic& topic) {
    auto response = create({topic});
    EXPECT_EQ(response.topics.size(), 1u);
    const auto& row = response.topics[0];
    EXPECT_EQ(row.error_message.has_value(), row.error_code != KafkaError::kNone);
    if (row.error_code != KafkaError::kNone) {
      EXPECT_EQ(row.num_partitions, -1);
      EXPECT_EQ(row.replication_factor, -1);
    }
    return static_cast<int>(row.error_code);
  }

  template <class Response>
  static int code(const Response& row) {
    return static_cast<int>(row.error_code);
  }

  int alter(int8_t type, const std::string& name,
            const std::vector<std::tuple<std::string, int8_t, std::optional<std::string>>>& changes) {
    Incremental request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    for (const auto& [key, operation, value] : changes) resource.configs.push_back({key, operation, value, {}});
    auto decision = world.controller.incremental_alter_configs(request);
    records = decision.records;
    world.append(decision.records);
    return code(decision.response.responses.at(0));
  }

  const metadata::Image& image() const { return world.controller.image(); }

  World world;
  std::vector<MetadataRecord> records;
};

TEST_F(Topics, AreCreatedWithConfigsBetweenTopicAndPartitions) {
  Topic wanted = configured("t", "retention.ms", "5");
  wanted.num_partitions = 2;
  auto response = create({wanted});
  ASSERT_EQ(response.topics.size(), 1u);
  const auto& row = response.topics[0];
  EXPECT_EQ(code(row), 0);
  EXPECT_EQ(row.num_partitions, 2);
  EXPECT_EQ(row.replication_factor, 1);
  EXPECT_EQ(row.topic_id, image().topic("t")->id);
  ASSERT_TRUE(row.configs.has_value());
  EXPECT_EQ(row.configs->at(0).name, "retention.ms");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<wire::TopicRecord>(records[0]));
  EXPECT_TRUE(std::holds_alternative<wire::ConfigRecord>(records[1]));
  EXPECT_TRUE(std::holds_alternative<wire::PartitionRecord>(records[2]));
  EXPECT_EQ(image().topic_config("t").at("retention.ms"), "5");
  EXPECT_EQ(image().partition("t", 1)->leader_epoch, LeaderEpoch(0));
}

TEST_F(Topics, WithBadNumbersAreRefused) {
  EXPECT_EQ(error_of(topic("a", 0)), 37);
  EXPECT_EQ(error_of(topic("a", -2)), 37);
  EXPECT_EQ(error_of(topic("a", 1, 0)), 38);
  EXPECT_EQ(error_of(topic("a", 1, -2)), 38);
  EXPECT_EQ(error_of(topic("a", 1, 2)), 38);
  EXPECT_EQ(error_of(topic("a", 100001)), 44);
  EXPECT_EQ(error_of(topic("a", -1, -1)), 0);
  EXPECT_EQ(error_of(topic("a")), 36);
}

TEST_F(Topics, WithBadNamesAreRefused) {
  for (const std::string& name : std::vector<std::string>{"", ".", "..", "a b", "\xc3\xa4", std::string(250, 'x')}) {
    EXPECT_EQ(error_of(topic(name)), 17) << name;
  }
  EXPECT_EQ(error_of(topic(std::string(249, 'x'))), 0);
  EXPECT_EQ(error_of(topic("__cluster_metadata")), 42);
  EXPECT_EQ(error_of(topic("ct.x")), 0);
  EXPECT_EQ(error_of(topic("ct_x")), 17);
  auto both = create({topic("d.x"), topic("d_x")});
  EXPECT_EQ(code(both.topics[0]), 0);
  EXPECT_EQ(code(both.topics[1]), 0);
  auto twice = create({topic("e"), topic("e")});
  ASSERT_EQ(twice.topics.size(), 1u);
  EXPECT_EQ(code(twice.topics[0]), 42);
}

TEST_F(Topics, OfADeletedNameCollideNoMore) {
  EXPECT_EQ(error_of(topic("ct.x")), 0);
  wire::DeleteTopicsRequest request;
  request.topic_names = {"ct.x"};
  world.append(world.controller.delete_topics(request).records);
  EXPECT_EQ(error_of(topic("ct_x")), 0);
}

TEST_F(Topics, WithBadAssignmentsAreRefused) {
  Topic both = assigned("a", {{0, {1}}});
  both.num_partitions = 1;
  EXPECT_EQ(error_of(both), 42);
  both = assigned("a", {{0, {1}}});
  both.replication_factor = 1;
  EXPECT_EQ(error_of(both), 42);
  EXPECT_EQ(error_of(assigned("a", {{0, {1}}, {2, {1}}})), 39);
  EXPECT_EQ(error_of(assigned("a", {{0, {9}}})), 39);
  EXPECT_EQ(error_of(assigned("a", {{0, {1, 1}}})), 39);
  EXPECT_EQ(error_of(assigned("a", {{0, {}}})), 39);
  EXPECT_EQ(error_of(assigned("a", {{0, {1}}, {0, {1}}})), 39);
  EXPECT_EQ(error_of(assigned("a", {{1, {1}}, {0, {1}}})), 0);
  EXPECT_EQ(image().topic("a")->partition_count(), 2);
}

TEST_F(Topics, WithBadConfigsAreRefused) {
  EXPECT_EQ(error_of(configured("a", "nonsense", "1")), 40);
  EXPECT_EQ(error_of(configured("a", "retention.ms", std::nullopt)), 40);
}

TEST_F(Topics, AreOnlyLookedAtWhenValidating) {
  EXPECT_EQ(code(create({topic("a")}, true).topics[0]), 0);
  EXPECT_TRUE(records.empty());
  EXPECT_EQ(image().topic("a"), nullptr);
  create({topic("a")});
  EXPECT_EQ(code(create({topic("a")}, true).topics[0]), 36);
}

TEST_F(Topics, CannotBeCreatedWhileEveryBrokerIsFenced) {
  auto leaving = world.heartbeat(1);
  leaving.want_fence = true;
  world.beat(leaving);
  EXPECT_EQ(error_of(topic("a")), 38);
  EXPECT_EQ(error_of(assigned("a", {{0, {1}}})), 39);
}

TEST_F(Topics, AreDeletedByNameOrId) {
  create({topic("a"), topic("b")});
  wire::DeleteTopicsRequest request;
  request.topics.emplace_back().name = "a";
  request.topics.emplace_back().topic_id = image().topic("b")->id;
  request.topics.emplace_back().name = "nobody";
  request.topics.emplace_back().topic_id = {9, 9};
  request.topics.emplace_back();
  request.topics.emplace_back().name = "twice";
  request.topics.emplace_back().name = "twice";
  auto decision = world.controller.delete_topics(request);
  std::vector<int> codes;
  for (const auto& row : decision.response.responses) codes.push_back(code(row));
  EXPECT_THAT(codes, ::testing::ElementsAre(0, 0, 3, 100, 42, 42));
  EXPECT_EQ(decision.response.responses[1].name, "b");
  EXPECT_EQ(decision.response.responses[3].name, std::nullopt);
  world.append(decision.records);
  EXPECT_EQ(image().topic_count(), 0u);
}

TEST_F(Topics, GrowButDoNotShrink) {
  create({topic("a", 2)});
  auto grow = [&](const std::string& name, int32_t count,
                  std::optional<std::vector<std::vector<int32_t>>> assignments = std::nullopt) {
    wire::CreatePartitionsRequest request;
    auto& t = request.topics.emplace_back();
    t.name = name;
    t.count = count;
    t.assignments.reset();
    if (assignments) {
      t.assignments.emplace();
      for (auto& ids : *assignments) t.assignments->push_back({ids, {}});
    }
    auto decision = world.controller.create_partitions(request);
    world.append(decision.records);
    return code(decision.response.results.at(0));
  };
  EXPECT_EQ(grow("a", 2), 37);
  EXPECT_EQ(grow("a", 1), 37);
  EXPECT_EQ(grow("a", -1), 37);
  EXPECT_EQ(grow("nobody", 5), 3);
  EXPECT_EQ(grow("a", 100001), 44);
  EXPECT_EQ(grow("a", 4, {{{1}}}), 39);
  EXPECT_EQ(grow("a", 3, {{{9}}}), 39);
  EXPECT_EQ(grow("a", 3, {{{1}}}), 0);
  EXPECT_EQ(grow("a", 5), 0);
  EXPECT_EQ(image().topic("a")->partition_count(), 5);
}

TEST_F(Topics, NeedNoElection) {
  create({topic("a")});
  wire::ElectLeadersRequest request;
  request.topic_partitions->push_back({"a", {0, 7}, {}});
  request.topic_partitions->push_back({"nobody", {0}, {}});
  for (int8_t type : {0, 1}) {
    request.election_type = type;
    auto decision = world.controller.elect_leaders(request);
    const auto& results = decision.response.replica_election_results;
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(code(results[0].partition_result[0]), 84);
    EXPECT_EQ(code(results[0].partition_result[1]), 3);
    EXPECT_EQ(code(results[1].partition_result[0]), 3);
    EXPECT_TRUE(decision.records.empty());
  }
  request.topic_partitions.reset();
  EXPECT_TRUE(world.controller.elect_leaders(request).response.replica_election_results.empty());
}

TEST_F(Topics, AreConfiguredInSteps) {
  create({topic("a")});
  EXPECT_EQ(alter(2, "nobody", {{"retention.ms", 0, "1"}}), 3);
  EXPECT_EQ(alter(2, "a", {{"nonsense", 0, "1"}}), 40);
  EXPECT_EQ(alter(2, "a", {{"retention.ms", 0, std::nullopt}}), 42);
  EXPECT_EQ(alter(2, "a", {{"retention.ms", 1, std::nullopt}}), 0);
  EXPECT_TRUE(records.empty());
  EXPECT_EQ(alter(2, "a", {{"retention.ms", 2, "1"}}), 40);
  EXPECT_EQ(alter(2, "a", {{"retention.ms", 0, "1"}, {"retention.ms", 0, "2"}}), 42);
  EXPECT_EQ(alter(2, "a", {{"cleanup.policy", 2, "compact"}}), 0);
  EXPECT_EQ(image().topic_config("a").at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter(2, "a", {{"cleanup.policy", 3, "delete,compact"}}), 0);
  EXPECT_EQ(image().topic_config("a").at("cleanup.policy"), "");
  EXPECT_EQ(alter(2, "a", {{"cleanup.policy", 1, std::nullopt}}), 0);
  EXPECT_TRUE(image().topic_config("a").empty());
  EXPECT_EQ(alter(0, "a", {}), 42);
  EXPECT_EQ(alter(77, "a", {}), 42);
  EXPECT_EQ(alter(32, "", {{"retention.ms", 0, "1"}}), 42);
  EXPECT_EQ(alter(4, "2", {{"num.io.threads", 0, "8"}}), 42);
}

TEST_F(Topics, ABrokersUnchangedValueIsWrittenAgain) {
  EXPECT_EQ(alter(4, "", {{"num.io.threads", 0, "8"}}), 0);
  EXPECT_EQ(records.size(), 1u);
  EXPECT_EQ(alter(4, "", {{"num.io.threads", 0, "8"}}), 0);
  EXPECT_EQ(records.size(), 1u);  // brokers read it as the order to look again
}

TEST_F(Topics, AreConfiguredWholeByTheOldApi) {
  create({configured("a", "cleanup.policy", "compact")});
  wire::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = "a";
  resource.configs.push_back({"retention.ms", "7", {}});
  auto decision = world.controller.alter_configs(request);
  EXPECT_EQ(code(decision.response.responses.at(0)), 0);
  world.append(decision.records);
  EXPECT_THAT(image().topic_config("a"), ::testing::ElementsAre(::testing::Pair("retention.ms", "7")));
}

TEST(Placement, SpreadsLeadersAndReplicasEvenly) {
  std::vector<Candidate> brokers{{BrokerId(1), {}, false}, {BrokerId(2), {}, false}, {BrokerId(3), {}, false}};
  uint64_t seed = 5;
  Placer placer(brokers, [&] { return seed++; });
  std::map<BrokerId, int> leads;
  std::map<BrokerId, int> holds;
  for (int i = 0; i < 300; ++i) {
    std::vector<BrokerId> replicas = placer.place(2);
    ASSERT_EQ(replicas.size(), 2u);
    ASSERT_NE(replicas[0], replicas[1]);
    ++leads[replicas[0]];
    for (BrokerId id : replicas) ++holds[id];
  }
  for (const Candidate& broker : brokers) {
    EXPECT_EQ(leads[broker.id], 100);
    EXPECT_EQ(holds[broker.id], 200);
  }
}

TEST(Placement, UsesEveryRackAndFencedBrokersLast) {
  std::vector<Candidate> brokers{{BrokerId(1), "a", false},
                                 {BrokerId(2), "a", true},
                                 {BrokerId(3), "b", false},
                                 {BrokerId(4), "b", false},
                                 {BrokerId(5), "c", true}};
  Placer placer(brokers, [] { return uint64_t{0}; });
  for (int i = 0; i < 50; ++i) {
    std::vector<BrokerId> two = placer.place(2);
    EXPECT_NE(two[0], BrokerId(2));
    EXPECT_NE(two[0], BrokerId(5));
    auto rack = [&](BrokerId id) { return brokers[static_cast<size_t>(id.value - 1)].rack; };
    EXPECT_NE(rack(two[0]), rack(two[1]));
    std::vector<BrokerId> all = placer.place(5);
    EXPECT_EQ(std::set<BrokerId>(all.begin(), all.end()).size(), 5u);
  }
  EXPECT_TRUE(placer.problem(6).has_value());
  EXPECT_TRUE(placer.problem(0).has_value());
  Placer nobody({{BrokerId(1), {}, true}}, [] { return uint64_t{0}; });
  EXPECT_TRUE(nobody.problem(1).has_value());
}

}  // namespace
}  // namespace barnabas::controller
