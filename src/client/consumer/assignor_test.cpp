#include "client/consumer/assignor.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "client/consumer/java_hash.h"
#include "client/consumer/sticky_user_data.h"

namespace barnabas::client {
namespace {

MemberSubscription member(std::string id, std::vector<std::string> topics) {
  MemberSubscription made;
  made.member_id = std::move(id);
  made.topics = std::move(topics);
  return made;
}

AssignableTopics topics(std::map<std::string, size_t> counts) {
  AssignableTopics made;
  for (auto& [name, count] : counts) made[name].racks.resize(count);
  return made;
}

std::string show(const GroupAssignment& assignment) {
  std::string text;
  for (const auto& [id, partitions] : assignment) {
    text += (text.empty() ? "" : "; ") + id + ":";
    auto sorted = partitions;
    std::sort(sorted.begin(), sorted.end());
    for (const auto& at : sorted) text += " " + at.topic + std::to_string(at.partition);
  }
  return text;
}

TEST(RangeAssignor, GivesEachTopicInRangesWithTheRestToTheFirst) {
  auto assigned =
      make_range_assignor()->assign({member("c1", {"t", "u"}), member("c0", {"t", "u"})}, topics({{"t", 3}, {"u", 3}}));
  EXPECT_EQ(show(assigned), "c0: t0 t1 u0 u1; c1: t2 u2");
}

TEST(RangeAssignor, RanksStaticMembersByInstanceBeforeOthers) {
  auto statically = member("z", {"t"});
  statically.instance_id = "a";
  EXPECT_EQ(show(make_range_assignor()->assign({member("b", {"t"}), statically}, topics({{"t", 3}}))),
            "b: t2; z: t0 t1");
}

TEST(RangeAssignor, KeepsEqualPartitionsOfTopicsTogetherWhereTheReplicasAre) {
  auto here = member("c0", {"t", "u"});
  here.rack = "r1";
  auto there = member("c1", {"t", "u"});
  there.rack = "r0";
  AssignableTopics made;
  for (const char* name : {"t", "u"}) made[name].racks = {{"r0"}, {"r1"}};
  EXPECT_EQ(show(make_range_assignor()->assign({here, there}, made)), "c0: t1 u1; c1: t0 u0");
}

TEST(RoundRobinAssignor, GoesAroundAndSkipsWhoDoesNotWantTheTopic) {
  auto assigned = make_round_robin_assignor()->assign(
      {member("c0", {"t"}), member("c1", {"t", "u"}), member("c2", {"t", "u", "v"})},
      topics({{"t", 1}, {"u", 2}, {"v", 3}}));
  EXPECT_EQ(show(assigned), "c0: t0; c1: u0; c2: u1 v0 v1 v2");
}

TEST(StickyAssignor, KeepsWhatMembersHadAndGivesANewOneOnlyItsShare) {
  auto sticky = make_sticky_assignor(false);
  auto all = topics({{"t", 6}});
  auto first = sticky->assign({member("a", {"t"}), member("b", {"t"})}, all);
  EXPECT_EQ(first["a"].size(), 3u);
  auto a = member("a", {"t"}), b = member("b", {"t"}), c = member("c", {"t"});
  a.user_data = sticky->user_data(first["a"], 1);
  b.user_data = sticky->user_data(first["b"], 1);
  auto second = sticky->assign({a, b, c}, all);
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(second[id].size(), 2u);
    for (const auto& at : second[id]) EXPECT_NE(std::find(first[id].begin(), first[id].end(), at), first[id].end());
  }
  EXPECT_EQ(second["c"].size(), 2u);
}

TEST(CooperativeStickyAssignor, LeavesOutWhatMustBeRevokedFirst) {
  auto sticky = make_sticky_assignor(true);
  auto a = member("a", {"t"});
  a.owned = {{"t", 0}, {"t", 1}};
  a.generation = 4;
  auto assigned = sticky->assign({a, member("b", {"t"})}, topics({{"t", 2}}));
  EXPECT_EQ(show(assigned), "a: t0; b:");
}

TEST(StickyUserData, ReadsBothVersionsAndTakesGarbageForNothing) {
  std::vector<TopicPartition> mine{{"t", 1}, {"u", 0}};
  Buffer data = encode_sticky_user_data(mine, 7);
  EXPECT_EQ(decode_sticky_user_data(data).partitions, mine);
  EXPECT_EQ(decode_sticky_user_data(data).generation, 7);
  data.resize(data.size() - 4);
  EXPECT_EQ(decode_sticky_user_data(data).partitions, mine);
  EXPECT_FALSE(decode_sticky_user_data(data).generation);
  data.resize(data.size() - 1);
  EXPECT_TRUE(decode_sticky_user_data(data).partitions.empty());
}

TEST(ConsumerProtocol, ReadsBackWhatItWrites) {
  MemberSubscription said = member("", {"u", "t"});
  said.user_data = Buffer(3);
  said.owned = {{"t", 0}, {"t", 2}};
  said.generation = 5;
  said.rack = "r";
  auto heard = decode_subscription(encode_subscription(said));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->topics, (std::vector<std::string>{"t", "u"}));
  EXPECT_EQ(heard->owned, said.owned);
  EXPECT_EQ(heard->generation, 5);
  EXPECT_EQ(heard->rack, "r");
  EXPECT_EQ(*decode_assignment(encode_assignment(said.owned)), said.owned);
  EXPECT_TRUE(decode_assignment({})->empty());
  EXPECT_FALSE(decode_subscription(Buffer(1)));
}

TEST(JavaHash, IsJavas) {
  EXPECT_EQ(java_hash(std::string_view("hello")), 99162322);
  EXPECT_EQ(java_hash(std::string_view("gr\u00fc\u00df \U0001F600")), 428496181);
}

// Whatever the members had and want: each partition goes to exactly one member that wants it (cooperative: or waits for
// its owner), and sticky loads differ by at most one where all want the same.
TEST(Assignors, AreCompleteAndValidOnRandomGroups) {
  for (const char* name : {"range", "roundrobin", "sticky", "cooperative-sticky"}) {
    auto assignor = Assignor::make(name);
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
      std::map<std::string, size_t> counts;
      for (size_t topic = 0; topic < 1 + random() % 4; ++topic) counts["t" + std::to_string(topic)] = 1 + random() % 7;
      auto all = topics(counts);
      bool alike = random() % 2 == 0;
      std::vector<MemberSubscription> members;
      for (size_t index = 0; index < 1 + random() % 6; ++index) {
        auto& made =
            members.emplace_back(member("m" + std::to_string(random() % 1000) + "-" + std::to_string(index), {}));
        for (const auto& [topic, count] : counts) {
          if (alike || random() % 3 > 0) made.topics.push_back(topic);
        }
        made.generation = static_cast<int32_t>(random() % 3) - 1;
      }
      for (const auto& [topic, count] : counts) {
        for (size_t number = 0; number < count; ++number) {
          if (random() % 3 > 0)
            members[random() % members.size()].owned.push_back({topic, static_cast<int32_t>(number)});
        }
      }
      std::erase_if(all, [&](const auto& topic) {
        return std::none_of(members.begin(), members.end(), [&](const auto& made) {
          return std::find(made.topics.begin(), made.topics.end(), topic.first) != made.topics.end();
        });
      });
      for (auto& made : members) made.user_data = assignor->user_data(made.owned, made.generation);
      auto assigned = assignor->assign(members, all);
      std::set<TopicPartition> given;
      size_t least = SIZE_MAX, most = 0;
      for (const auto& made : members) {
        for (const auto& at : assigned.at(made.member_id)) {
          EXPECT_TRUE(given.insert(at).second);
          EXPECT_NE(std::find(made.topics.begin(), made.topics.end(), at.topic), made.topics.end());
        }
        least = std::min(least, assigned[made.member_id].size());
        most = std::max(most, assigned[made.member_id].size());
      }
      if (alike && std::string_view(name) == "sticky") EXPECT_LE(most - least, 1u);
      for (const auto& [topic, count] : counts) {
        bool wanted = std::any_of(members.begin(), members.end(), [&](const auto& made) {
          return std::find(made.topics.begin(), made.topics.end(), topic) != made.topics.end();
        });
        for (size_t number = 0; number < count && wanted; ++number) {
          TopicPartition at{topic, static_cast<int32_t>(number)};
          bool owned = std::any_of(members.begin(), members.end(), [&](const auto& made) {
            return std::find(made.owned.begin(), made.owned.end(), at) != made.owned.end();
          });
          EXPECT_TRUE(given.contains(at) || (owned && assignor->cooperative())) << name << " " << topic << number;
        }
      }
    }
  }
}

}  // namespace
}  // namespace barnabas::client
