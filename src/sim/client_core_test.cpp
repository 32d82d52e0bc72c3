// The core of the client library against a whole node of ours: it finds the cluster, lives through the node's deaths
// and the network's, and ends when asked.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "client/cluster.h"
#include "runtime/clock.h"
#include "runtime/scope.h"
#include "runtime/sleep.h"
#include "sim/scenario.h"
#include "sim/sim_network.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"

namespace barnabas::sim {
namespace {

using client::Cluster;
using client::Target;

constexpr uint64_t kSeeds = 8;

client::ClientSettings settings_for(const Scenario& story) {
  client::ClientSettings settings;
  settings.bootstrap = {story.address()};
  settings.client_id = "core";
  settings.request_timeout_ms = 2000;
  return settings;
}

struct Seen {
  int answered = 0;
  int failed = 0;
  bool stop = false;
  bool ended = false;
  std::optional<client::Error> error;
  MonotonicTime last_answer{};
};

// Asks one thing after the other, each for as long as it takes.
runtime::Task<> ask_on_and_on(Cluster* cluster, Seen* seen) {
  while (!seen->stop) {
    wire::ListGroupsRequest request;
    auto answer = co_await cluster->call<wire::ListGroupsResponse>(Target::of(1), request, cluster->deadline_in(60000));
    if (answer) {
      ++seen->answered;
      seen->last_answer = cluster->loop().clock().now();
    } else {
      ++seen->failed;
      seen->error = answer.error();
    }
    co_await runtime::sleep_for(cluster->loop(), milliseconds(10), cluster->token());
  }
  seen->ended = true;
}

runtime::Task<> live(runtime::World* world, client::ClientSettings settings, Seen* seen) {
  Cluster cluster(*world, *world->loops[0], std::move(settings));
  co_await ask_on_and_on(&cluster, seen);
  co_await cluster.close();
}

runtime::Task<client::Result<std::shared_ptr<const client::TopicMetadata>>> find_topic(runtime::World* world,
                                                                                       client::ClientSettings settings,
                                                                                       std::string name) {
  Cluster cluster(*world, *world->loops[0], std::move(settings));
  auto found = co_await cluster.topic(std::move(name), cluster.deadline_in(10000));
  co_await cluster.close();
  co_return found;
}

TEST(ClientCoreInSimulation, FindsATopicOfANode) {
  Scenario story(1, {"node.id=1"});
  story.start_node();
  story.create_topic("orders", 3);
  auto found =
      story.simulation().run_task(story.client(), find_topic(&story.client().world(), settings_for(story), "orders"));
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ((*found)->partitions.size(), 3u);
  EXPECT_FALSE((*found)->id.is_zero());
}

uint64_t live_through_deaths(uint64_t seed) {
  Scenario story(seed, {"node.id=1"});
  Seen seen;
  story.start_node();
  auto random = story.simulation().stream("story");
  story.client().spawn(live(&story.client().world(), settings_for(story), &seen));
  for (int death = 0; death < 4; ++death) {
    story.simulation().run_for(milliseconds(300 + random.next() % 500));
    int before = seen.answered;
    EXPECT_GT(before, 0) << "seed " << seed;
    switch (random.next() % 3) {
      case 0:
        story.broker().kill();
        story.simulation().run_for(milliseconds(random.next() % 5000));
        story.start_node();
        break;
      case 1:
        story.simulation().network().partition("client", "broker");
        story.simulation().run_for(milliseconds(random.next() % 5000));
        story.simulation().network().heal();
        break;
      default:
        story.simulation().network().reset_connections("client", "broker");
        break;
    }
    bool again = story.simulation().run_until([&] { return seen.answered > before; }, seconds(20));
    EXPECT_TRUE(again) << "seed " << seed << ", death " << death;
  }
  EXPECT_EQ(seen.failed, 0) << "seed " << seed << ": " << (seen.error ? seen.error->to_string() : "");
  seen.stop = true;
  EXPECT_TRUE(story.simulation().run_until([&] { return seen.ended && !story.client().busy(); }, seconds(20)));
  return story.simulation().trace_hash();
}

TEST(ClientCoreInSimulation, EachCallLivesThroughTheDeathsOfNodeAndNetwork) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) live_through_deaths(seed);
}

TEST(ClientCoreInSimulation, TheSameSeedRunsTheSameTwice) {
  EXPECT_EQ(live_through_deaths(5), live_through_deaths(5));
}

}  // namespace
}  // namespace barnabas::sim
