// Random clients against one shard, from a seed. What must hold whatever they do: each request is answered exactly
// once, generations only grow, each generation has one leader who is a member, nobody who keeps its word is thrown out,
// and what a restart reads from the log is what readers saw before it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "group/test_world.h"

namespace barnabas::group {
namespace {

using wire::KafkaError;

struct Client {
  std::string name;
  std::optional<std::string> instance;
  std::string member;
  int32_t generation = -1;
  bool leads = false;
  std::vector<std::string> peers;
  enum class Phase { kOut, kJoining, kMustSync, kSyncing, kIn } phase = Phase::kOut;
  RequestToken waiting = 0;
};

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), world_(GroupConfig{.group_max_size = 5}) {
    for (int i = 0; i < 6; ++i) {
      Client client;
      client.name = "c" + std::to_string(i);
      if (i % 3 == 0) client.instance = "s" + std::to_string(i);
      clients_.push_back(client);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) step();
    settle();
  }

 private:
  size_t pick(size_t count) { return static_cast<size_t>(random_() % count); }

  void step() {
    Client& client = clients_[pick(clients_.size())];
    switch (pick(14)) {
      case 0:
        world_.hold = !world_.hold;
        if (!world_.hold) world_.flush();
        break;
      case 1:
        world_.refuse_next = KafkaError::kNotEnoughReplicas;
        break;
      case 2:
        world_.advance(milliseconds(pick(8'000)));
        break;
      case 3:
        if (client.phase == Client::Phase::kIn) leave(client);
        break;
      case 4:
        if (client.phase == Client::Phase::kIn) client.phase = Client::Phase::kOut;  // forgets itself
        break;
      case 5:
        if (client.phase == Client::Phase::kIn) join(client);
        break;
      case 6:
        world_.commit({.group = "simple", .partition = static_cast<int32_t>(pick(4)), .offset = ++offset_});
        break;
      case 7:
        if (pick(20) == 0) restart();
        break;
      default:
        act(client);
    }
    hear();
    check();
  }

  void act(Client& client) {
    switch (client.phase) {
      case Client::Phase::kOut:
        client.member.clear();
        join(client);
        break;
      case Client::Phase::kMustSync:
        sync(client);
        break;
      case Client::Phase::kIn:
        heartbeat(client);
        break;
      default:
        break;
    }
  }

  void join(Client& client) {
    auto version = static_cast<int16_t>(pick(2) == 0 ? 3 : 9);
    if (client.instance) version = static_cast<int16_t>(pick(2) == 0 ? 8 : 9);
    std::vector<std::string> protocols =
        pick(2) == 0 ? std::vector<std::string>{"range", "sticky"} : std::vector<std::string>{"sticky", "range"};
    client.phase = Client::Phase::kJoining;
    client.waiting = world_.join({.member = client.member,
                                  .instance = client.instance,
                                  .protocols = protocols,
                                  .session_ms = 10'000,
                                  .rebalance_ms = 15'000,
                                  .version = version,
                                  .client = client.name});
  }

  void sync(Client& client) {
    World::Sync ask{.member = client.member, .generation = client.generation, .instance = client.instance};
    for (const std::string& peer : client.peers) ask.assignments.emplace_back(peer, "for " + peer);
    client.phase = Client::Phase::kSyncing;
    client.waiting = world_.sync(ask);
  }

  void heartbeat(Client& client) {
    KafkaError error = world_.heartbeat("g", client.member, client.generation, client.instance);
    if (error == KafkaError::kRebalanceInProgress) return join(client);
    if (error != KafkaError::kNone) client.phase = Client::Phase::kOut;
  }

  void leave(Client& client) {
    world_.leave("g", {{.member = client.member, .instance = client.instance}});
    client.phase = Client::Phase::kOut;
  }

  void restart() {
    if (!world_.hold) world_.flush();
    world_.hold = false;
    world_.flush();
    hear();
    auto before = world_.fetch("simple", "orders", 0);
    world_.obey(world_.shard.resign());
    world_.reload();
    last_generation_ = 0;  // soft generations are lost with the coordinator, as in Kafka
    leaders_.clear();
    EXPECT_EQ(world_.fetch("simple", "orders", 0), before);
  }

  // Answers that came out are taken by their clients.
  void hear() {
    auto fresh = world_.take_fresh();
    for (size_t i = 0; i < fresh.size(); ++i) {
      auto [token, body] = std::move(fresh[i]);
      auto at = std::ranges::find(clients_, token, &Client::waiting);
      if (at == clients_.end()) continue;
      at->waiting = 0;
      if (auto* joined = std::get_if<wire::JoinGroupResponse>(&body)) heard(*at, *joined);
      if (auto* synced = std::get_if<wire::SyncGroupResponse>(&body)) heard(*at, *synced);
      for (auto& more : world_.take_fresh()) fresh.push_back(std::move(more));
    }
  }

  void heard(Client& client, const wire::JoinGroupResponse& answer) {
    if (answer.error_code == KafkaError::kMemberIdRequired) {
      client.member = answer.member_id;
      return join(client);
    }
    if (answer.error_code != KafkaError::kNone) {
      client.phase = Client::Phase::kOut;
      return;
    }
    client.member = answer.member_id;
    client.generation = answer.generation_id;
    client.leads = !answer.members.empty();
    client.peers.clear();
    for (const auto& peer : answer.members) client.peers.push_back(peer.member_id);
    client.phase = Client::Phase::kMustSync;
    EXPECT_GE(answer.generation_id, 1);
    if (!client.leads || answer.skip_assignment) return;
    EXPECT_EQ(answer.leader, answer.member_id) << "only the leader gets the members";
    EXPECT_TRUE(std::ranges::count(client.peers, client.member) == 1);
    EXPECT_GE(answer.generation_id, last_generation_);
    last_generation_ = answer.generation_id;
    auto [at, first] = leaders_.emplace(answer.generation_id, answer.member_id);
    EXPECT_EQ(at->second, answer.member_id) << "two leaders in generation " << answer.generation_id;
  }

  void heard(Client& client, const wire::SyncGroupResponse& answer) {
    if (answer.error_code == KafkaError::kNone) {
      client.phase = Client::Phase::kIn;
    } else if (answer.error_code == KafkaError::kRebalanceInProgress ||
               answer.error_code == KafkaError::kCoordinatorNotAvailable) {
      join(client);
    } else {
      client.phase = Client::Phase::kOut;
    }
  }

  void check() {
    EXPECT_EQ(world_.replies.size() + world_.shard.parked_requests(), world_.last_token) << "an answer is lost";
    auto group = world_.shard.describe("g", 6);
    std::set<std::string> ids;
    for (const auto& member : group.members) EXPECT_TRUE(ids.insert(member.member_id).second);
    // Five may join; static members that are away are kept besides.
    bool agreed = group.group_state == "Stable" || group.group_state == "CompletingRebalance";
    if (agreed) EXPECT_LE(group.members.size(), 7U);
  }

  // With a working disk and clients that behave, all of them end in one stable generation.
  void settle() {
    world_.refuse_next.reset();
    world_.hold = false;
    world_.flush();
    clients_.resize(4);  // fewer than the limit; those who went silent time out
    for (int round = 0; round < 400; ++round) {
      for (Client& client : clients_) {
        hear();
        act(client);
      }
      hear();
      world_.advance(milliseconds(500));
      hear();
      check();
    }
    std::set<std::string> ids;
    for (const auto& member : world_.shard.describe("g", 6).members) ids.insert(member.member_id);
    EXPECT_EQ(world_.state_of("g"), "Stable");
    EXPECT_EQ(ids.size(), clients_.size());
    for (const Client& client : clients_) {
      EXPECT_TRUE(ids.contains(client.member)) << client.name << " is lost";
      EXPECT_EQ(client.phase, Client::Phase::kIn) << client.name;
    }
  }

  std::mt19937_64 random_;
  World world_;
  std::vector<Client> clients_;
  int64_t offset_ = 0;
  int32_t last_generation_ = 0;
  std::map<int32_t, std::string> leaders_;
};

class RandomClients : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RandomClients, KeepTheInvariants) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Model(GetParam()).run(1500);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomClients, ::testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace barnabas::group
