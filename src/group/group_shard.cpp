#include "group/group_shard.h"

#include <utility>

#include "base/check.h"
#include "group/classic_membership.h"
#include "group/error_responses.h"
#include "group/offset_operations.h"
#include "group/record_loader.h"
#include "group/shard_reader.h"
#include "group/shard_state.h"

namespace barnabas::group {

using wire::KafkaError;

struct GroupShard::State : ShardState {
  using ShardState::ShardState;

  void committed(UncommittedAppend& append, Now now);
  void undo(UncommittedAppend& append, Now now, KafkaError error);
};

GroupShard::GroupShard(GroupConfig config) : state_(std::make_unique<State>(config)) {}
GroupShard::~GroupShard() = default;
GroupShard::GroupShard(GroupShard&&) noexcept = default;
GroupShard& GroupShard::operator=(GroupShard&&) noexcept = default;

void GroupShard::set_config(GroupConfig config) {
  state_->config = config;
}

Result<> GroupShard::replay(const LoggedRecord& record) {
  return load_record(*state_, record);
}

void GroupShard::replay_marker(ProducerId producer_id, bool committed) {
  state_->offsets.end_transaction(producer_id, committed);
}

Output GroupShard::finish_load(Now now) {
  ClassicMembership membership(*state_, now);
  for (const auto& [id, group] : state_->groups) membership.loaded(*group);
  return state_->take_output();
}

void GroupShard::appended(AppendSequence sequence, Offset base_offset) {
  state_->ledger.appended(sequence, base_offset);
}

void GroupShard::State::committed(UncommittedAppend& append, Now now) {
  offsets.commit(append.sequence, *append.base_offset);
  ClassicMembership membership(*this, now);
  for (AppendEffect& effect : append.effects) {
    if (auto* assignment = std::get_if<AssignmentStored>(&effect)) membership.committed(*assignment);
    if (auto* replaced = std::get_if<StaticMemberReplaced>(&effect)) membership.committed(*replaced);
  }
  for (Reply& reply : append.replies) output.replies.push_back(std::move(reply));
}

void GroupShard::State::undo(UncommittedAppend& append, Now now, KafkaError error) {
  offsets.revert(append.sequence);
  ClassicMembership membership(*this, now);
  for (auto at = append.effects.rbegin(); at != append.effects.rend(); ++at) {
    if (auto* created = std::get_if<GroupCreated>(&*at)) {
      ClassicGroup* group = find(created->group_id);
      CHECK(group != nullptr, "a group vanished before its birth was undone");
      membership.answer_parked(*group, error);
      take_out(*group);
    } else if (auto* deleted = std::get_if<GroupDeleted>(&*at)) {
      ClassicGroup& group = *deleted->group;
      CHECK(find(group.id()) == nullptr, "a group was born twice");
      std::string id = group.id();
      groups.emplace(std::move(id), std::move(deleted->group));
      if (auto next = group.next_deadline()) deadlines.add(group, *next);
    } else if (auto* assignment = std::get_if<AssignmentStored>(&*at)) {
      membership.failed(*assignment, error);
    } else if (auto* replaced = std::get_if<StaticMemberReplaced>(&*at)) {
      membership.failed(*replaced, error);
    }
  }
}

Output GroupShard::append_failed(Now now, AppendSequence sequence, KafkaError error) {
  KafkaError client_error = client_error_of_append(error);
  std::vector<UncommittedAppend> newest_first;
  while (auto append = state_->ledger.take_newest(sequence)) newest_first.push_back(std::move(*append));
  for (UncommittedAppend& append : newest_first) state_->undo(append, now, client_error);
  for (auto append = newest_first.rbegin(); append != newest_first.rend(); ++append) {
    for (Reply& reply : append->replies) {
      state_->output.replies.push_back(failed_reply(std::move(reply), client_error));
    }
  }
  return state_->take_output();
}

Output GroupShard::on_high_watermark(Now now, Offset high_watermark) {
  while (auto append = state_->ledger.take_committed(high_watermark)) state_->committed(*append, now);
  return state_->take_output();
}

Output GroupShard::resign() {
  ClassicMembership membership(*state_, Now{});
  for (const auto& [id, group] : state_->groups) membership.answer_parked(*group, KafkaError::kNotCoordinator);
  for (auto& reply : state_->ledger.take_all_replies()) {
    state_->output.replies.push_back(failed_reply(std::move(reply), KafkaError::kNotCoordinator));
  }
  Output output = state_->take_output();
  output.next_timer.reset();
  state_ = std::make_unique<State>(state_->config);
  return output;
}

Output GroupShard::join(const Caller& caller, Now now, const wire::JoinGroupRequest& request) {
  ClassicMembership(*state_, now).join(caller, request);
  return state_->take_output();
}

Output GroupShard::sync(const Caller& caller, Now now, const wire::SyncGroupRequest& request) {
  ClassicMembership(*state_, now).sync(caller, request);
  return state_->take_output();
}

Output GroupShard::heartbeat(const Caller& caller, Now now, const wire::HeartbeatRequest& request) {
  ClassicMembership(*state_, now).heartbeat(caller, request);
  return state_->take_output();
}

Output GroupShard::leave(const Caller& caller, Now now, const wire::LeaveGroupRequest& request) {
  ClassicMembership(*state_, now).leave(caller, request);
  return state_->take_output();
}

Output GroupShard::commit_offsets(const Caller& caller, Now now, const wire::OffsetCommitRequest& request,
                                  const TopicLookup& topics) {
  OffsetOperations(*state_, now).commit(caller, request, topics);
  return state_->take_output();
}

Output GroupShard::delete_offsets(const Caller& caller, Now now, const wire::OffsetDeleteRequest& request,
                                  const TopicLookup& topics) {
  OffsetOperations(*state_, now).remove(caller, request, topics);
  return state_->take_output();
}

wire::OffsetFetchResponse::OffsetFetchResponseGroup GroupShard::fetch_offsets(
    const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group, FetchOptions options,
    const TopicLookup& topics) const {
  return read_offsets(*state_, group, options, topics);
}

wire::DescribeGroupsResponse::DescribedGroup GroupShard::describe(std::string_view group_id,
                                                                  int16_t api_version) const {
  return describe_group(*state_, group_id, api_version);
}

std::vector<wire::ListGroupsResponse::ListedGroup> GroupShard::list(const wire::ListGroupsRequest& request) const {
  return list_groups(*state_, request);
}

Output GroupShard::delete_groups(const Caller& caller, Now now, const std::vector<std::string>& group_ids) {
  OffsetOperations(*state_, now).delete_groups(caller, group_ids);
  return state_->take_output();
}

Output GroupShard::tick(Now now) {
  ClassicMembership membership(*state_, now);
  while (const std::string* id = state_->deadlines.due(now.monotonic)) {
    ClassicGroup& group = *state_->find(*id);
    state_->deadlines.remove(group);
    membership.run_due(group);
    if (auto next = group.next_deadline()) state_->deadlines.add(group, *next);
  }
  return state_->take_output();
}

Output GroupShard::expire_offsets(Now now) {
  OffsetOperations(*state_, now).expire();
  return state_->take_output();
}

Output GroupShard::topic_deleted(Now now, std::string_view name, const Uuid& id) {
  OffsetOperations(*state_, now).topic_deleted(name, id);
  return state_->take_output();
}

size_t GroupShard::group_count() const {
  return state_->groups.size();
}

size_t GroupShard::parked_requests() const {
  size_t count = 0;
  for (const auto& [id, group] : state_->groups) {
    for (const auto& [member_id, member] : group->members()) {
      count += member.parked_join ? 1 : 0;
      count += member.parked_sync ? 1 : 0;
    }
  }
  for (const UncommittedAppend& append : state_->ledger.uncommitted()) count += append.replies.size();
  return count;
}

}  // namespace barnabas::group
