// The life of one node as its controller sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "controller/testing.h"
#include "metadata/record_versions.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::controller {
namespace {

void create(World& world, const std::string& name, int32_t partitions, int16_t replication = 1) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = replication;
  auto decision = world.controller.create_topics(request);
  ASSERT_EQ(decision.response.topics[0].error_code, KafkaError::kNone)
      << decision.response.topics[0].error_message.value_or("");
  world.append(decision.records);
}

TEST(Story, TheBootstrapBatchIsKafkasToTheByte) {
  std::ifstream in(BARNABAS_TESTDATA "/first-start.log", std::ios::binary);
  std::string log((std::istreambuf_iterator<char>(in)), {});
  wire::BatchCursor cursor(as_bytes(log));
  ASSERT_TRUE(cursor.next().has_value());  // the control batch
  auto batch = cursor.next();
  std::vector<std::string> real;
  wire::RecordIterator records((*batch)->header, (*batch)->bytes);
  wire::RecordView record;
  while (records.next(record)) real.push_back(to_hex(*record.value));

  World world;
  std::map<std::string, int16_t> levels{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1},
                                        {"group.version", 1},     {"share.version", 1},
                                        {"streams.version", 1},   {"transaction.version", 2}};
  EXPECT_TRUE(world.controller.needs_bootstrap());
  std::vector<std::string> ours;
  for (const auto& r : world.controller.bootstrap(metadata::bootstrap_records(levels))) {
    ours.push_back(to_hex(metadata::encode_at(r, 30)));
  }
  EXPECT_EQ(ours, real);
}

TEST(Story, ABrokerRegistersIsUnfencedServesAndLeavesInGoodOrder) {
  World world;
  world.boot();
  EXPECT_FALSE(world.controller.needs_bootstrap());
  EXPECT_EQ(world.controller.image().metadata_version(), 30);

  Offset at = world.end;
  auto registered =
      world.controller.register_broker(world.registration(1, 1), {.now = world.now, .next_offset = world.end});
  EXPECT_EQ(registered.response.broker_epoch, at.value);  // the offset of its record
  world.append(registered.records);

  wire::BrokerHeartbeatRequest early = world.heartbeat(1);
  early.current_metadata_offset = -1;
  early.want_fence = true;
  early.cordoned_log_dirs.reset();
  auto answer = world.beat(early);
  EXPECT_FALSE(answer.is_caught_up);
  EXPECT_TRUE(answer.is_fenced);
  EXPECT_TRUE(world.last_records.empty());

  answer = world.beat(world.heartbeat(1));
  EXPECT_TRUE(answer.is_caught_up);
  EXPECT_FALSE(answer.is_fenced);
  ASSERT_EQ(world.last_records.size(), 2u);
  EXPECT_EQ(metadata::record_version(world.last_records[0], 30), 3);  // cordoned directories: none
  EXPECT_EQ(metadata::record_version(world.last_records[1], 30), 0);
  EXPECT_EQ(std::get<wire::BrokerRegistrationChangeRecord>(world.last_records[1]).fenced, -1);

  create(world, "t", 2);
  EXPECT_EQ(world.controller.image().partition("t", 1)->leader, BrokerId(1));
  EXPECT_EQ(world.controller.image().partition("t", 1)->directories, std::vector<Uuid>({{0x100, 0x201}}));
  EXPECT_TRUE(world.beat(world.heartbeat(1)).is_caught_up);
  EXPECT_TRUE(world.last_records.empty());

  wire::BrokerHeartbeatRequest leaving = world.heartbeat(1);
  leaving.want_shut_down = true;
  answer = world.beat(leaving);
  EXPECT_FALSE(answer.should_shut_down);
  ASSERT_EQ(world.last_records.size(), 3u);  // announced, and both partitions without a leader
  EXPECT_EQ(metadata::record_version(world.last_records[0], 30), 1);
  EXPECT_EQ(world.controller.image().partition("t", 0)->leader, metadata::kNoLeader);
  EXPECT_THAT(world.controller.image().partition("t", 0)->isr, ::testing::ElementsAre(BrokerId(1)));
  answer = world.beat(leaving);
  EXPECT_TRUE(answer.should_shut_down);
  EXPECT_TRUE(answer.is_fenced);
  ASSERT_EQ(world.last_records.size(), 1u);
  EXPECT_EQ(std::get<wire::BrokerRegistrationChangeRecord>(world.last_records[0]).fenced, 1);

  world.start_broker(1, 2);
  EXPECT_EQ(world.controller.image().partition("t", 0)->leader, BrokerId(1));
  EXPECT_EQ(world.controller.image().partition("t", 0)->leader_epoch, LeaderEpoch(2));  // -1, then 1 again
}

TEST(Story, AfterAKillTheOwnNodeIsBackAtOnceButAStrangerMustWait) {
  World world;
  world.boot();
  world.start_broker(1, 1);
  create(world, "t", 1);
  world.controller.activate(world.now);  // the node starts again, its old registration still counts as alive
  auto other = world.controller.register_broker(world.registration(1, 2), {.now = world.now, .next_offset = world.end});
  EXPECT_EQ(other.response.error_code, KafkaError::kDuplicateBrokerRegistration);
  auto own = world.controller.register_broker(world.registration(1, 2),
                                              {.now = world.now, .next_offset = world.end, .own_process = true});
  ASSERT_EQ(own.response.error_code, KafkaError::kNone);
  EXPECT_EQ(own.response.broker_epoch, world.end.value);
  world.append(own.records);
  EXPECT_EQ(world.controller.image().partition("t", 0)->leader, metadata::kNoLeader);
  EXPECT_FALSE(world.beat(world.heartbeat(1)).is_fenced);
  EXPECT_EQ(world.controller.image().partition("t", 0)->leader, BrokerId(1));
}

TEST(Story, ASilentBrokerIsFencedAfterNineSecondsAndItsPartitionsMove) {
  World world;
  world.boot();
  for (int32_t id : {1, 2, 3}) world.start_broker(id);
  create(world, "t", 3, 3);
  std::vector<BrokerId> leaders;
  for (int i = 0; i < 3; ++i) leaders.push_back(world.controller.image().partition("t", i)->leader);
  EXPECT_THAT(leaders, ::testing::UnorderedElementsAre(BrokerId(1), BrokerId(2), BrokerId(3)));

  world.now = world.now + seconds(8);
  world.beat(world.heartbeat(1));
  world.beat(world.heartbeat(2));
  world.now = world.now + seconds(1);
  auto due = world.controller.tick(world.now);
  ASSERT_EQ(due.batches.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<wire::NoOpRecord>(due.batches[1][0]));
  const auto& fencing = due.batches[0];
  ASSERT_EQ(fencing.size(), 4u);  // first the partitions, then the broker
  EXPECT_EQ(std::get<wire::BrokerRegistrationChangeRecord>(fencing[3]).fenced, 1);
  world.append(fencing);
  for (int i = 0; i < 3; ++i) {
    const metadata::Partition* partition = world.controller.image().partition("t", i);
    EXPECT_FALSE(partition->in_isr(BrokerId(3)));
    EXPECT_NE(partition->leader, BrokerId(3));
    EXPECT_EQ(partition->leader_epoch, LeaderEpoch(leaders[static_cast<size_t>(i)] == BrokerId(3) ? 1 : 0));
  }
  EXPECT_TRUE(world.controller.tick(world.now).batches.empty());
}

TEST(Story, NoOpsComeEveryHalfSecond) {
  World world;
  world.boot();
  int batches = 0;
  for (int ms = 0; ms < 5000; ms += 10) {
    world.now = {int64_t{ms} * 1000000};
    for (const auto& batch : world.controller.tick(world.now).batches) {
      world.append(batch);
      ++batches;
    }
  }
  EXPECT_EQ(batches, 9);
}

TEST(Story, ProducerIdsComeInBlocksOfAThousand) {
  World world;
  world.boot();
  world.start_broker(1);
  wire::AllocateProducerIdsRequest request;
  request.broker_id = 1;
  request.broker_epoch = world.controller.image().broker(BrokerId(1))->epoch.value;
  for (int64_t start : {0, 1000, 2000}) {
    auto decision = world.controller.allocate_producer_ids(request);
    EXPECT_EQ(decision.response.producer_id_start, start);
    EXPECT_EQ(decision.response.producer_id_len, 1000);
    world.append(decision.records);
  }
  request.broker_epoch -= 1;
  EXPECT_EQ(world.controller.allocate_producer_ids(request).response.error_code, KafkaError::kStaleBrokerEpoch);
}

TEST(Registration, RefusesWhoDoesNotFit) {
  World world;
  world.boot();
  world.start_broker(1);
  auto error_of = [&](const wire::BrokerRegistrationRequest& request) {
    return world.controller.register_broker(request, {.now = world.now, .next_offset = world.end}).response.error_code;
  };
  auto good = world.registration(2, 1);
  auto request = good;
  request.cluster_id = "other";
  EXPECT_EQ(error_of(request), KafkaError::kInconsistentClusterId);
  request = good;
  request.features.pop_back();  // transaction.version, not finalised: not needed
  EXPECT_EQ(error_of(request), KafkaError::kNone);
  std::erase_if(request.features, [](const auto& f) { return f.name == "metadata.version"; });
  EXPECT_EQ(error_of(request), KafkaError::kInvalidRegistration);
  request = good;
  for (auto& feature : request.features) {
    if (feature.name == "metadata.version") feature.max_supported_version = 29;
  }
  EXPECT_EQ(error_of(request), KafkaError::kUnsupportedVersion);
  for (const std::vector<Uuid>& dirs :
       {std::vector<Uuid>{}, {{5, 5}, {5, 5}}, {kUnassignedDirectory}, world.registration(1, 1).log_dirs}) {
    request = good;
    request.log_dirs = dirs;
    EXPECT_EQ(error_of(request), KafkaError::kInvalidRegistration);
  }
  request = good;
  request.is_migrating_zk_broker = true;
  EXPECT_EQ(error_of(request), KafkaError::kBrokerIdNotRegistered);
  EXPECT_EQ(error_of(world.registration(1, 2)), KafkaError::kDuplicateBrokerRegistration);
  auto again = world.controller.register_broker(world.registration(1, 1), {.now = world.now, .next_offset = world.end});
  EXPECT_EQ(again.response.broker_epoch, world.controller.image().broker(BrokerId(1))->epoch.value);

  wire::BrokerHeartbeatRequest stale = world.heartbeat(1);
  stale.broker_id = 9;
  EXPECT_EQ(world.controller.heartbeat(stale).response.error_code, KafkaError::kStaleBrokerEpoch);
}

// One broker with two directories, and a topic of two partitions that it put one in each.
struct TwoDirectories {
  TwoDirectories() {
    world.boot();
    auto registration = world.registration(1, 1);
    registration.log_dirs = {a, b};
    world.append(world.controller.register_broker(registration, {.now = world.now, .next_offset = world.end}).records);
    EXPECT_FALSE(world.beat(world.heartbeat(1)).is_fenced);
    create(world, "t", 2);
    EXPECT_EQ(partition(0)->directories, std::vector<Uuid>({kUnassignedDirectory}));
    EXPECT_EQ(assign(0, a), KafkaError::kNone);
    EXPECT_EQ(assign(1, b), KafkaError::kNone);
  }

  const metadata::Partition* partition(int32_t index) { return world.controller.image().partition("t", index); }

  KafkaError assign(int32_t index, const Uuid& directory) {
    wire::AssignReplicasToDirsRequest request;
    request.broker_id = 1;
    request.broker_epoch = world.controller.image().broker(BrokerId(1))->epoch.value;
    auto& row = request.directories.emplace_back();
    row.id = directory;
    auto& topic = row.topics.emplace_back();
    topic.topic_id = world.controller.image().topic("t")->id;
    topic.partitions.emplace_back().partition_index = index;
    auto decision = world.controller.assign_replicas_to_dirs(request);
    world.append(decision.records);
    return decision.response.directories[0].topics[0].partitions[0].error_code;
  }

  void fail(const Uuid& directory) {
    wire::BrokerHeartbeatRequest request = world.heartbeat(1);
    request.offline_log_dirs = {directory};
    EXPECT_FALSE(world.beat(request).is_fenced);
  }

  World world;
  Uuid a{0x100, 0xa};
  Uuid b{0x100, 0xb};
};

TEST(Directories, WhatIsInOneThatFailsHasNoLeaderUntilItIsBack) {
  TwoDirectories node;
  EXPECT_EQ(node.partition(1)->directories, std::vector<Uuid>({node.b}));
  node.fail(node.b);
  EXPECT_EQ(node.world.controller.image().broker(BrokerId(1))->log_dirs, std::vector<Uuid>({node.a}));
  EXPECT_EQ(node.partition(0)->leader, BrokerId(1));
  EXPECT_EQ(node.partition(1)->leader, metadata::kNoLeader);
  EXPECT_THAT(node.partition(1)->isr, ::testing::ElementsAre(BrokerId(1))) << "the only one that has everything";
  node.fail(node.b);
  EXPECT_TRUE(node.world.last_records.empty()) << "said once is enough";

  auto again = node.world.registration(1, 2);
  again.log_dirs = {node.a, node.b};
  node.world.append(
      node.world.controller
          .register_broker(again, {.now = node.world.now, .next_offset = node.world.end, .own_process = true})
          .records);
  EXPECT_FALSE(node.world.beat(node.world.heartbeat(1)).is_fenced);
  EXPECT_EQ(node.partition(1)->leader, BrokerId(1));
}

TEST(Directories, AReplicaAssignedToOneThatIsNotThereLosesItsLeader) {
  TwoDirectories node;
  node.fail(node.b);
  EXPECT_EQ(node.assign(0, node.b), KafkaError::kNone);
  EXPECT_EQ(node.partition(0)->leader, metadata::kNoLeader);
  EXPECT_EQ(node.assign(0, node.a), KafkaError::kNone);
  EXPECT_EQ(node.partition(0)->leader, BrokerId(1));
  EXPECT_EQ(node.assign(7, node.a), KafkaError::kUnknownTopicOrPartition);
}

TEST(Features, ChangeOnlyWithinWhatIsSupported) {
  World world;
  world.boot();
  world.start_broker(1);
  auto update = [&](const std::string& name, int16_t level, int8_t type) {
    wire::UpdateFeaturesRequest request;
    auto& one = request.feature_updates.emplace_back();
    one.feature = name;
    one.max_version_level = level;
    one.upgrade_type = type;
    return world.controller.update_features(request);
  };
  EXPECT_EQ(update("nonsense", 1, 1).response.error_code, KafkaError::kInvalidUpdateVersion);
  EXPECT_EQ(update("group.version", 1, 1).response.error_code, KafkaError::kInvalidUpdateVersion);
  EXPECT_EQ(update("metadata.version", 29, 1).response.error_code, KafkaError::kInvalidUpdateVersion);
  EXPECT_EQ(update("metadata.version", 29, 2).response.error_code, KafkaError::kInvalidUpdateVersion);  // loses records
  auto same = update("metadata.version", 30, 1);
  EXPECT_EQ(same.response.error_code, KafkaError::kNone);
  EXPECT_TRUE(same.records.empty());
}

}  // namespace
}  // namespace barnabas::controller
