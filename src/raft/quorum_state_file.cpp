#include "raft/quorum_state_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace barnabas::raft {

std::string render_quorum_state(const PersistedState& state, int16_t kraft_version, const VoterSet& voters) {
  if (kraft_version >= 1) {
    return fmt::format(R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
                       state.leader_id, state.epoch.value, state.voted.id, state.voted.directory.to_string());
  }
  std::string ids;
  for (const Voter& voter : voters.voters()) {
    ids += fmt::format(R"({}{{"voterId":{}}})", ids.empty() ? "" : ",", voter.key.id);
  }
  return fmt::format(
      R"({{"clusterId":"","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":0,"currentVoters":[{}],"data_version":0}})",
      state.leader_id, state.epoch.value, state.voted.id, ids);
}

Result<PersistedState> parse_quorum_state(std::string_view text) {
  auto wrong = [](const std::string& what) { return fail(ErrorCode::kCorrupt, "quorum-state: " + what); };
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return wrong("not one JSON object");
  auto integer = [&](const char* key) -> std::optional<int64_t> {
    auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
  };
  auto version = integer("data_version");
  if (!version) return wrong("no data_version");
  if (*version != 0 && *version != 1) return wrong(fmt::format("data_version {}, known are 0 and 1", *version));
  auto leader = integer("leaderId");
  auto epoch = integer("leaderEpoch");
  auto voted = integer("votedId");
  if (!leader || !epoch || !voted) return wrong("leaderId, leaderEpoch or votedId is missing");
  if (*epoch < -1 || *epoch > INT32_MAX || *leader < -1 || *leader > INT32_MAX || *voted < -1 || *voted > INT32_MAX) {
    return wrong("a number is out of range");
  }
  PersistedState state;
  state.leader_id = static_cast<int32_t>(*leader);
  state.epoch = LeaderEpoch(static_cast<int32_t>(*epoch));
  state.voted.id = static_cast<int32_t>(*voted);
  auto directory = json.find("votedDirectoryId");
  if (directory != json.end()) {
    if (!directory->is_string()) return wrong("votedDirectoryId is no text");
    TRY_ASSIGN(state.voted.directory, Uuid::parse(directory->get_ref<const std::string&>()));
  }
  return state;
}

}  // namespace barnabas::raft
