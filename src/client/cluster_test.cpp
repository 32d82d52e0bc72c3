#include "client/cluster.h"

#include <gmock/gmock.h>

#include "client/testing/client_test.h"
#include "client/testing/fake_cluster.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::client {
namespace {

using ::testing::ElementsAre;
using testing::FakeCluster;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using wire::KafkaError;

class ClusterTest : public testing::ClientTest {
 protected:
  ClusterTest() {
    settings_.bootstrap = {{"b1", 9092}};
    servers_.add_topic("orders", {{1, 5}, {2, 5}, {3, 5}});
  }
  ~ClusterTest() override {
    if (!cluster_) return;
    close();
  }

  Cluster& cluster() {
    if (!cluster_) cluster_ = std::make_unique<Cluster>(world_, loop_, settings_);
    return *cluster_;
  }
  void close() {
    bool ended = false;
    start(note(cluster_->close(), &ended));
    settle();
    EXPECT_TRUE(ended) << "close() did not end";
    cluster_.reset();
  }
  static runtime::Task<> note(runtime::Task<> task, bool* ended) {
    co_await std::move(task);
    *ended = true;
  }
  auto refresh(Duration limit = seconds(10)) { return run(cluster().refresh(clock_.now() + limit)); }
  auto topic(const std::string& name, Duration limit = seconds(10)) {
    return run(cluster().topic(name, clock_.now() + limit));
  }
  auto connection(Target target, Duration limit = seconds(10)) {
    return run(cluster().connection(target, clock_.now() + limit));
  }
  auto coordinator(const std::string& key, Duration limit = seconds(10)) {
    return run(cluster().coordinator(CoordinatorType::kGroup, key, clock_.now() + limit));
  }

  FakeCluster servers_{network_, 3};
  std::unique_ptr<Cluster> cluster_;
};

// ---- finding the cluster

TEST_F(ClusterTest, OneBootstrapAddressLeadsToAllBrokers) {
  auto known = refresh();
  ASSERT_TRUE(known.has_value()) << known.error().to_string();
  EXPECT_EQ((*known)->cluster_id, "cluster");
  EXPECT_EQ((*known)->brokers.size(), 3u);
  auto third = connection(Target::of(3));
  ASSERT_TRUE(third.has_value());
  EXPECT_EQ((*third)->options().to, (runtime::Endpoint{"b3", 9092}));
  EXPECT_EQ(cluster().connected(3), *third);
  EXPECT_EQ(cluster().connected(2), nullptr);
}

TEST_F(ClusterTest, TheBootstrapConnectionServesAsThatOfItsBroker) {
  refresh();
  EXPECT_NE(cluster().connected(1), nullptr);
  connection(Target::of(1));
  connection(Target::controller());
  EXPECT_EQ(network_.attempts.size(), 1u);
}

TEST_F(ClusterTest, EachPurposeHasAConnectionOfItsOwn) {
  auto one = connection(Target::of(2));
  auto other = connection(Target::of(2, kPurposeCoordinator));
  EXPECT_NE(*one, *other);
  EXPECT_EQ(*connection(Target::of(2)), *one);
}

TEST_F(ClusterTest, AllBootstrapAddressesAreTried) {
  settings_.bootstrap = {{"nowhere", 9092}, {"b2", 9092}, {"nobody", 9092}};
  EXPECT_TRUE(refresh().has_value());
}

TEST_F(ClusterTest, AnAddressThatSwallowsPacketsDoesNotHoldUpTheOthers) {
  network_.broker("swallows").hangs = true;
  network_.broker("swallows too").hangs = true;
  settings_.bootstrap = {{"swallows", 9092}, {"b2", 9092}, {"swallows too", 9092}};
  MonotonicTime before = clock_.now();
  EXPECT_TRUE(refresh().has_value());
  EXPECT_LT(clock_.now() - before, seconds(1));
}

TEST_F(ClusterTest, AnUnreachableClusterIsReportedWithTheReason) {
  settings_.bootstrap = {{"nowhere", 9092}};
  auto known = refresh(seconds(3));
  ASSERT_FALSE(known.has_value());
  EXPECT_EQ(known.error().kind, Error::Kind::kNotReachable);
  EXPECT_THAT(known.error().message, HasSubstr("connect to nowhere:9092: Connection refused"));
}

TEST_F(ClusterTest, ABackOffThatGrowsLiesBetweenAttempts) {
  settings_.bootstrap = {{"nowhere", 9092}};
  settings_.reconnect_backoff_ms = 100;
  settings_.reconnect_backoff_max_ms = 1600;
  auto known = start(cluster().refresh(clock_.now() + seconds(60)));
  advance(milliseconds(50));
  EXPECT_EQ(network_.attempts.size(), 1u);
  advance(milliseconds(3000));  // 100, 200, 400, 800, 1600 and a fifth
  EXPECT_GE(network_.attempts.size(), 4u);
  EXPECT_LE(network_.attempts.size(), 6u);
  size_t before = network_.attempts.size();
  advance(seconds(16));
  EXPECT_GE(network_.attempts.size() - before, 8u);
  EXPECT_LE(network_.attempts.size() - before, 13u);
}

TEST_F(ClusterTest, AWrongPortIsReportedAtOnce) {
  network_.broker("web").serve<wire::ApiVersionsRequest>(
      [](const testing::Asked&) { return std::optional<std::string>("HTTP/1.1 400 Bad Request\r\n"); });
  settings_.bootstrap = {{"web", 9092}};
  MonotonicTime before = clock_.now();
  auto known = refresh(seconds(60));
  ASSERT_FALSE(known.has_value());
  EXPECT_EQ(known.error().kind, Error::Kind::kBadAnswer);
  EXPECT_THAT(known.error().message, HasSubstr("speaks HTTP"));
  EXPECT_LT(clock_.now() - before, seconds(1));
}

TEST_F(ClusterTest, ABrokerThatIsNotInTheClusterIsNotWaitedFor) {
  auto gone = connection(Target::of(9));
  ASSERT_FALSE(gone.has_value());
  EXPECT_TRUE(gone.error().retriable);
  EXPECT_THAT(gone.error().message, HasSubstr("broker 9 is not in the cluster"));
}

// ---- calls

runtime::Task<Result<Answer<wire::HeartbeatResponse>>> beat(Cluster* cluster, Target target, Duration limit) {
  auto answer = co_await cluster->call<wire::HeartbeatResponse>(target, wire::HeartbeatRequest{},
                                                                cluster->loop().clock().now() + limit);
  co_return answer;
}

TEST_F(ClusterTest, ACallOutlivesABrokerThatRestarts) {
  servers_.broker(2).answer<wire::HeartbeatRequest, wire::HeartbeatResponse>(
      [](const wire::HeartbeatRequest&) { return wire::HeartbeatResponse{}; });
  ASSERT_TRUE(run(beat(&cluster(), Target::of(2), seconds(10))).has_value());
  servers_.broker(2).wires.back()->end();
  servers_.broker(2).refuses = true;
  settle();
  auto answer = start(beat(&cluster(), Target::of(2), seconds(10)));
  advance(seconds(2));
  EXPECT_FALSE(answer->has_value());
  servers_.broker(2).refuses = false;
  advance(seconds(3));
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->has_value());
}

TEST_F(ClusterTest, ACallToTheControllerFollowsIt) {
  for (int32_t id : {1, 2}) {
    servers_.broker(id).answer<wire::HeartbeatRequest, wire::HeartbeatResponse>(
        [this, id](const wire::HeartbeatRequest&) {
          wire::HeartbeatResponse response;
          if (servers_.controller != id) response.error_code = KafkaError::kNotController;
          return response;
        });
  }
  ASSERT_TRUE(run(beat(&cluster(), Target::controller(), seconds(10))).has_value());
  servers_.controller = 2;
  auto answer = run(beat(&cluster(), Target::controller(), seconds(10)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->message.error_code, KafkaError::kNone);
}

// ---- metadata

TEST_F(ClusterTest, ATopicIsKnownWithItsIdAndLeaders) {
  auto orders = topic("orders");
  ASSERT_TRUE(orders.has_value());
  EXPECT_EQ((*orders)->partitions.size(), 3u);
  EXPECT_EQ((*orders)->partitions[1].leader, 2);
  auto known = cluster().metadata();
  EXPECT_EQ(known->names.at((*orders)->id), "orders");
  EXPECT_EQ(known->partition("orders", 2)->leader_epoch, 5);
  EXPECT_EQ(known->partition("orders", 3), nullptr);
  EXPECT_EQ(known->partition("orders", -1), nullptr);
}

TEST_F(ClusterTest, ATopicThatMayBeCreatedIsWaitedFor) {
  cluster().track_topics({"fresh"}, true);
  auto fresh = topic("fresh");
  ASSERT_TRUE(fresh.has_value()) << fresh.error().to_string();
  EXPECT_EQ((*fresh)->partitions.size(), 1u);
}

TEST_F(ClusterTest, AnUnknownTopicIsReportedAfterTheDeadline) {
  auto unknown = topic("unknown", seconds(2));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind, Error::Kind::kBroker);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_THAT(unknown.error().message, HasSubstr("unknown"));
  EXPECT_FALSE(servers_.topics.contains("unknown")) << "nobody allowed it to be created";
}

TEST_F(ClusterTest, AForbiddenTopicIsReportedAtOnce) {
  servers_.topics["secret"].error = KafkaError::kTopicAuthorizationFailed;
  MonotonicTime before = clock_.now();
  auto secret = topic("secret", seconds(60));
  ASSERT_FALSE(secret.has_value());
  EXPECT_EQ(secret.error().code, ErrorCode::kTopicAuthorizationFailed);
  EXPECT_LT(clock_.now() - before, seconds(1));
}

TEST_F(ClusterTest, ThoseWhoWaitShareOneRequest) {
  refresh();
  servers_.silent = true;
  size_t before = servers_.metadata_requests();
  std::vector<std::shared_ptr<std::optional<Result<std::shared_ptr<const ClusterMetadata>>>>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(start(cluster().refresh(clock_.now() + seconds(5))));
  settle();
  EXPECT_EQ(servers_.metadata_requests() - before, 1u);
  for (int i = 0; i < 10; ++i) waiting.push_back(start(cluster().refresh(clock_.now() + seconds(5))));
  settle();
  servers_.answer_now();
  settle();
  for (auto& each : waiting) {
    ASSERT_TRUE(each->has_value());
    EXPECT_TRUE((*each)->has_value());
  }
  EXPECT_EQ(servers_.metadata_requests() - before, 1u);
}

TEST_F(ClusterTest, ANewTopicIsAskedForAloneAndTheOthersStay) {
  servers_.add_topic("other", {{2, 1}});
  cluster().track_topics({"orders"}, false);
  refresh();
  cluster().track_topics({"other"}, false);
  advance(milliseconds(20));
  EXPECT_THAT(servers_.last_asked, ElementsAre("other"));
  EXPECT_NE(cluster().metadata()->topic("orders"), nullptr);
  EXPECT_NE(cluster().metadata()->topic("other"), nullptr);
  refresh();
  EXPECT_THAT(servers_.last_asked, UnorderedElementsAre("orders", "other"));
  cluster().untrack_topics({"other"});
  refresh();
  EXPECT_THAT(servers_.last_asked, ElementsAre("orders"));
  EXPECT_EQ(cluster().metadata()->topic("other"), nullptr);
}

TEST_F(ClusterTest, AllTopicsCanBeTracked) {
  servers_.add_topic("other", {{2, 1}});
  cluster().track_all_topics(true);
  advance(milliseconds(20));
  EXPECT_TRUE(servers_.asked_for_all);
  EXPECT_EQ(cluster().metadata()->topics.size(), 2u);
}

TEST_F(ClusterTest, ManyRequestsForARefreshAreOne) {
  cluster().track_topics({"orders"}, false);
  refresh();
  size_t before = servers_.metadata_requests();
  for (int i = 0; i < 50; ++i) {
    cluster().request_refresh();
    advance(milliseconds(1));
  }
  advance(milliseconds(200));
  EXPECT_EQ(servers_.metadata_requests() - before, 1u);
}

TEST_F(ClusterTest, MetadataIsRefreshedWhenItIsOld) {
  settings_.metadata_max_age_ms = 5000;
  cluster().track_topics({"orders"}, false);
  refresh();
  size_t before = servers_.metadata_requests();
  advance(seconds(16), milliseconds(100));
  EXPECT_EQ(servers_.metadata_requests() - before, 3u);
}

TEST_F(ClusterTest, AnEpochNeverGoesBackUnlessTheTopicIsAnother) {
  cluster().track_topics({"orders"}, false);
  refresh();
  servers_.topics["orders"].partitions[0] = {2, 4};  // from a broker that is behind
  servers_.topics["orders"].partitions[1] = {3, 6};
  refresh();
  auto known = cluster().metadata();
  EXPECT_EQ(known->partition("orders", 0)->leader, 1);
  EXPECT_EQ(known->partition("orders", 1)->leader, 3);
  servers_.topics["orders"].id.most = 99;  // deleted and created anew
  servers_.topics["orders"].partitions = {{3, 0}};
  refresh();
  known = cluster().metadata();
  EXPECT_EQ(known->topic("orders")->partitions.size(), 1u);
  EXPECT_EQ(known->partition("orders", 0)->leader_epoch, 0);
  EXPECT_EQ(known->names.size(), 1u);
}

TEST_F(ClusterTest, ALeaderIsLearntFromAnAnswer) {
  cluster().track_topics({"orders"}, false);
  refresh();
  std::vector<int32_t> seen;
  cluster().on_metadata([&](const auto& known) { seen.push_back(known->partition("orders", 0)->leader); });
  cluster().learn_leader("orders", 0, 7, 6, {{.id = 7, .host = "b7", .port = 9092, .rack = {}}});
  EXPECT_THAT(seen, ElementsAre(7));
  EXPECT_EQ(cluster().metadata()->brokers.at(7).host, "b7");
  cluster().learn_leader("orders", 0, 2, 6, {});
  cluster().learn_leader("orders", 9, 2, 6, {});
  cluster().learn_leader("nothing", 0, 2, 6, {});
  EXPECT_THAT(seen, ElementsAre(7)) << "what is known already, or not at all, changes nothing";
}

TEST_F(ClusterTest, APartitionWithoutLeaderIsAskedForAgain) {
  servers_.topics["orders"].partitions[0].leader = -1;
  cluster().track_topics({"orders"}, false);
  refresh();
  servers_.topics["orders"].partitions[0] = {2, 6};
  advance(seconds(3));
  EXPECT_EQ(cluster().metadata()->partition("orders", 0)->leader, 2);
  size_t before = servers_.metadata_requests();
  advance(seconds(3));
  EXPECT_EQ(servers_.metadata_requests(), before) << "now there is nothing to ask";
}

TEST_F(ClusterTest, ABrokerThatKnowsNobodyYetIsAskedAgain) {
  auto members = servers_.members;
  servers_.members.clear();
  auto known = start(cluster().refresh(clock_.now() + seconds(10)));
  advance(seconds(1));
  EXPECT_FALSE(known->has_value());
  servers_.members = members;
  advance(seconds(2));
  ASSERT_TRUE(known->has_value());
  EXPECT_TRUE((*known)->has_value());
}

TEST_F(ClusterTest, PartitionsThatDoNotAddUpCloseTheConnection) {
  servers_.broker(1).serve<wire::MetadataRequest>([](const testing::Asked& asked) {
    wire::MetadataResponse response;
    response.brokers.emplace_back().host = "b1";
    auto& told = response.topics.emplace_back();
    told.name = "orders";
    told.partitions.emplace_back().partition_index = 1'000'000;
    return std::optional(testing::answer_frame(asked, response));
  });
  auto orders = topic("orders", seconds(2));
  ASSERT_FALSE(orders.has_value());
  EXPECT_EQ(orders.error().kind, Error::Kind::kBadAnswer);
  EXPECT_TRUE(servers_.broker(1).wires[0]->closed);
}

// ---- when brokers go

TEST_F(ClusterTest, ALostConnectionRefreshesTheMetadata) {
  cluster().track_topics({"orders"}, false);
  refresh();
  connection(Target::of(2));
  size_t before = servers_.metadata_requests();
  servers_.broker(2).wires.back()->end();
  advance(seconds(1));
  EXPECT_EQ(servers_.metadata_requests() - before, 1u);
}

TEST_F(ClusterTest, WhenAllBrokersKnownAreGoneTheBootstrapListIsUsed) {
  refresh();
  network_.broker("moved");  // where the same cluster is now
  for (int32_t id : {1, 2, 3}) {
    servers_.broker(id).refuses = true;
    for (auto& wire : servers_.broker(id).wires) wire->end();
  }
  settle();
  auto known = start(cluster().refresh(clock_.now() + seconds(20)));
  advance(seconds(2));
  EXPECT_FALSE(known->has_value());
  servers_.broker(1).refuses = false;
  servers_.members = {{4, "b1"}};
  advance(seconds(3));
  ASSERT_TRUE(known->has_value());
  ASSERT_TRUE((*known)->has_value());
  EXPECT_THAT((***known)->brokers, ::testing::SizeIs(1));
  EXPECT_TRUE(cluster().metadata()->brokers.contains(4));
}

runtime::Task<Result<Answer<wire::HeartbeatResponse>>> beat_on(std::shared_ptr<Connection> connection) {
  auto answer = co_await connection->call<wire::HeartbeatResponse>(wire::HeartbeatRequest{}, 4, seconds(30));
  co_return answer;
}

TEST_F(ClusterTest, ABrokerMayAskForTheBootstrapListToBeUsed) {
  settings_.bootstrap = {{"b3", 9092}};
  servers_.broker(2).serve<wire::HeartbeatRequest>([](const testing::Asked&) { return std::nullopt; });
  refresh();
  auto second = connection(Target::of(2));
  auto waiting = start(beat_on(*second));
  servers_.metadata_error = KafkaError::kRebootstrapRequired;
  auto known = start(cluster().refresh(clock_.now() + seconds(10)));
  advance(milliseconds(20));
  EXPECT_TRUE((*second)->closed());
  ASSERT_TRUE(waiting->has_value());
  EXPECT_TRUE((*waiting)->error().retriable) << "who waits there may ask again";
  servers_.metadata_error = KafkaError::kNone;
  network_.attempts.clear();
  advance(seconds(3));
  ASSERT_TRUE(known->has_value());
  EXPECT_TRUE((*known)->has_value());
  ASSERT_FALSE(network_.attempts.empty());
  EXPECT_EQ(network_.attempts[0].host, "b3");
}

TEST_F(ClusterTest, IdleConnectionsAreClosed) {
  settings_.connections_max_idle_ms = 5000;
  servers_.broker(2).answer<wire::HeartbeatRequest, wire::HeartbeatResponse>(
      [](const wire::HeartbeatRequest&) { return wire::HeartbeatResponse{}; });
  refresh();
  connection(Target::of(2));
  connection(Target::of(3));
  for (int i = 0; i < 8; ++i) {
    run(beat(&cluster(), Target::of(2), seconds(10)));
    advance(seconds(1), milliseconds(100));
  }
  EXPECT_NE(cluster().connected(2), nullptr);
  EXPECT_EQ(cluster().connected(3), nullptr);
  EXPECT_TRUE(connection(Target::of(3)).has_value()) << "and opened again when needed";
}

// ---- coordinators

TEST_F(ClusterTest, ACoordinatorIsAskedForOnce) {
  servers_.coordinators["g"] = {.node = 2};
  EXPECT_EQ(coordinator("g"), 2);
  EXPECT_EQ(coordinator("g"), 2);
  EXPECT_EQ(servers_.coordinator_requests(), 1u);
  servers_.coordinators["g"] = {.node = 3};
  cluster().forget_coordinator(CoordinatorType::kGroup, "g");
  EXPECT_EQ(coordinator("g"), 3);
}

TEST_F(ClusterTest, KeysWantedAtOnceGoTogether) {
  refresh();
  for (const char* key : {"a", "b", "c", "d"}) servers_.coordinators[key] = {.node = 2};
  std::vector<std::shared_ptr<std::optional<Result<int32_t>>>> waiting;
  for (const char* key : {"a", "b", "c", "d", "a"}) {
    waiting.push_back(start(cluster().coordinator(CoordinatorType::kGroup, key, clock_.now() + seconds(5))));
  }
  settle();
  for (auto& each : waiting) {
    ASSERT_TRUE(each->has_value());
    EXPECT_EQ(**each, 2);
  }
  EXPECT_LE(servers_.coordinator_requests(), 2u);
}

TEST_F(ClusterTest, AnOldBrokerIsAskedKeyByKey) {
  for (int32_t id : {1, 2, 3}) servers_.broker(id).versions[wire::FindCoordinatorRequest::kApiKey].max = 2;
  servers_.coordinators["a"] = {.node = 2};
  servers_.coordinators["b"] = {.node = 3};
  EXPECT_EQ(coordinator("a"), 2);
  EXPECT_EQ(coordinator("b"), 3);
}

TEST_F(ClusterTest, ACoordinatorThatIsNotThereYetIsWaitedFor) {
  auto waiting = start(cluster().coordinator(CoordinatorType::kGroup, "g", clock_.now() + seconds(10)));
  advance(seconds(1));
  EXPECT_FALSE(waiting->has_value());
  servers_.coordinators["g"] = {.node = 1};
  advance(seconds(2));
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(**waiting, 1);
}

TEST_F(ClusterTest, ACoordinatorThatNeverComesIsReportedByItsError) {
  auto never = coordinator("g", seconds(2));
  ASSERT_FALSE(never.has_value());
  EXPECT_EQ(never.error().code, ErrorCode::kCoordinatorNotAvailable);
}

TEST_F(ClusterTest, AForbiddenGroupIsReportedAtOnce) {
  servers_.coordinators["g"] = {.node = -1, .error = KafkaError::kGroupAuthorizationFailed};
  MonotonicTime before = clock_.now();
  auto forbidden = coordinator("g", seconds(60));
  ASSERT_FALSE(forbidden.has_value());
  EXPECT_EQ(forbidden.error().code, ErrorCode::kGroupAuthorizationFailed);
  EXPECT_LT(clock_.now() - before, seconds(1));
}

// ---- the end

TEST_F(ClusterTest, ClosingEndsEverythingThatWaits) {
  settings_.bootstrap = {{"nowhere", 9092}};
  auto known = start(cluster().refresh(clock_.now() + seconds(60)));
  auto any = start(cluster().connection(Target::any(), clock_.now() + seconds(60)));
  auto orders = start(cluster().topic("orders", clock_.now() + seconds(60)));
  auto group = start(cluster().coordinator(CoordinatorType::kGroup, "g", clock_.now() + seconds(60)));
  advance(milliseconds(500));
  close();
  settle();
  ASSERT_TRUE(known->has_value() && any->has_value() && orders->has_value() && group->has_value());
  EXPECT_EQ((*known)->error().kind, Error::Kind::kClosed);
  EXPECT_EQ((*any)->error().kind, Error::Kind::kClosed);
  EXPECT_EQ((*orders)->error().kind, Error::Kind::kClosed);
  EXPECT_EQ((*group)->error().kind, Error::Kind::kClosed);
}

}  // namespace
}  // namespace barnabas::client
