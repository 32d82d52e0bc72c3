// quorum-state: what a replica must remember of elections. One JSON line, written through a temporary file and synced
// before anything that depends on it leaves the node.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "raft/voter_set.h"

namespace barnabas::raft {

inline constexpr std::string_view kQuorumStateFile = "quorum-state";

struct PersistedState {
  int32_t leader_id = -1;
  LeaderEpoch epoch{0};
  ReplicaKey voted{};  // id -1: nobody

  bool operator==(const PersistedState&) const = default;
};

// Kafka's text: version 1 (with the voted directory) for kraft.version 1, else version 0, which lists the voters' ids.
std::string render_quorum_state(const PersistedState& state, int16_t kraft_version, const VoterSet& voters);

// Reads both versions; unknown members are passed over.
Result<PersistedState> parse_quorum_state(std::string_view text);

}  // namespace barnabas::raft
