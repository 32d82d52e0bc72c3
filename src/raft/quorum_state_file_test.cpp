#include "raft/quorum_state_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace barnabas::raft {
namespace {

TEST(QuorumState, OfKafkaIsWrittenAgainToTheByte) {
  std::ifstream in(BARNABAS_TESTDATA "/quorum-state", std::ios::binary);
  std::string real((std::istreambuf_iterator<char>(in)), {});
  auto state = parse_quorum_state(real);
  ASSERT_TRUE(state.has_value()) << state.error().message;
  EXPECT_EQ(*state, (PersistedState{.leader_id = 1, .epoch = LeaderEpoch(1)}));
  EXPECT_EQ(render_quorum_state(*state, 1, {}), real);
}

TEST(QuorumState, OfKraftVersionZeroListsVoters) {
  PersistedState state{.leader_id = 1, .epoch = LeaderEpoch(2)};
  VoterSet voters({Voter{.key = {2, {}}}, Voter{.key = {1, {}}}});
  std::string text = render_quorum_state(state, 0, voters);
  EXPECT_EQ(text, R"({"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,)"
                  R"("currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0})");
  EXPECT_EQ(*parse_quorum_state(text), state);
}

TEST(QuorumState, RemembersAVoteWithItsDirectory) {
  PersistedState state{.epoch = LeaderEpoch(7), .voted = {3, {5, 6}}};
  EXPECT_EQ(*parse_quorum_state(render_quorum_state(state, 1, {})), state);
}

TEST(QuorumState, DamagedIsRefused) {
  for (const char* text : {"", "{", "[]", "{}", R"({"data_version":2,"leaderId":1,"leaderEpoch":1,"votedId":-1})",
                           R"({"data_version":1,"leaderId":1,"leaderEpoch":99999999999,"votedId":-1})",
                           R"({"data_version":1,"leaderId":"1","leaderEpoch":1,"votedId":-1})",
                           R"({"data_version":1,"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"x"})"}) {
    EXPECT_FALSE(parse_quorum_state(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace barnabas::raft
