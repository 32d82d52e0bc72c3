#include "group/shard_state.h"

#include "base/check.h"
#include "group/error_responses.h"

namespace barnabas::group {

using wire::KafkaError;

const ClassicGroup* ShardState::find_committed(std::string_view group_id) const {
  // A deletion that is not committed has not happened yet; the oldest one holds the group readers know.
  for (const UncommittedAppend& append : ledger.uncommitted()) {
    for (const AppendEffect& effect : append.effects) {
      const auto* deleted = std::get_if<GroupDeleted>(&effect);
      if (deleted == nullptr || deleted->group->id() != group_id) continue;
      if (deleted->group->created_by <= ledger.committed_sequence()) return deleted->group.get();
    }
  }
  const ClassicGroup* group = find(group_id);
  return group != nullptr && group->created_by <= ledger.committed_sequence() ? group : nullptr;
}

ClassicGroup& ShardState::create(std::string_view group_id, TimestampMs now_ms) {
  auto group = std::make_unique<ClassicGroup>(std::string(group_id), next_incarnation++, now_ms);
  auto [at, added] = groups.emplace(std::string(group_id), std::move(group));
  CHECK(added);
  return *at->second;
}

std::unique_ptr<ClassicGroup> ShardState::take_out(ClassicGroup& group) {
  deadlines.remove(group);
  auto node = groups.extract(group.id());
  CHECK(!node.empty());
  return std::move(node.mapped());
}

AppendSequence ShardState::append(std::vector<CoordinatorRecord> records, std::vector<Reply> replies) {
  CHECK(!records.empty());
  auto count = static_cast<int64_t>(records.size());
  AppendSequence sequence = ledger.add(count, std::move(replies));
  output.appends.push_back(Append{sequence, std::move(records)});
  return sequence;
}

Output ShardState::take_output() {
  output.next_timer = deadlines.earliest();
  return std::exchange(output, Output());
}

namespace {

void turn_into(wire::OffsetCommitResponse& response, KafkaError error) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == KafkaError::kNone) partition.error_code = error;
    }
  }
}
void turn_into(wire::DeleteGroupsResponse& response, KafkaError error) {
  for (auto& result : response.results) {
    if (result.error_code == KafkaError::kNone) result.error_code = error;
  }
}
void turn_into(wire::LeaveGroupResponse& response, KafkaError error) {
  response = leave_error(error);
}
void turn_into(wire::OffsetDeleteResponse& response, KafkaError error) {
  response = offset_delete_error(error);
}
void turn_into(wire::JoinGroupResponse& response, KafkaError error) {
  response.error_code = error;
}
void turn_into(wire::SyncGroupResponse& response, KafkaError error) {
  response = sync_error(error);
}
void turn_into(wire::HeartbeatResponse& response, KafkaError error) {
  response = heartbeat_error(error);
}

}  // namespace

Reply failed_reply(Reply reply, KafkaError error) {
  std::visit([&](auto& response) { turn_into(response, error); }, reply.body);
  return reply;
}

}  // namespace barnabas::group
