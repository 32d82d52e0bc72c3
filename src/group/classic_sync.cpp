// SyncGroup, Heartbeat and LeaveGroup of the classic protocol.
#include <utility>

#include "group/classic_membership.h"
#include "group/error_responses.h"
#include "group/group_records.h"

namespace barnabas::group {

using wire::KafkaError;

namespace {

constexpr int16_t kProtocolNamedFrom = 5;

KafkaError validate_sync(const ClassicGroup& group, const wire::SyncGroupRequest& request) {
  KafkaError error = group.validate(request.member_id, request.group_instance_id);
  if (error != KafkaError::kNone) return error;
  if (request.generation_id != group.generation()) return KafkaError::kIllegalGeneration;
  auto differs = [](const std::optional<std::string>& asked, const std::optional<std::string>& present) {
    return asked && present && *asked != *present;
  };
  if (differs(request.protocol_type, group.protocol_type()) || differs(request.protocol_name, group.protocol_name())) {
    return KafkaError::kInconsistentGroupProtocol;
  }
  return KafkaError::kNone;
}

}  // namespace

void ClassicMembership::sync(const Caller& caller, const wire::SyncGroupRequest& request) {
  auto refuse = [&](KafkaError error) { state_.reply(caller.token, sync_error(error)); };
  bool names_protocol = request.protocol_type && request.protocol_name;
  if (caller.api_version >= kProtocolNamedFrom && !names_protocol) {
    return refuse(KafkaError::kInconsistentGroupProtocol);
  }
  if (request.group_id.empty()) return refuse(KafkaError::kInvalidGroupId);
  ClassicGroup* group = state_.find(request.group_id);
  if (group == nullptr || group->in(ClassicState::kEmpty)) return refuse(KafkaError::kUnknownMemberId);
  KafkaError error = validate_sync(*group, request);
  if (error != KafkaError::kNone) return refuse(error);
  if (group->in(ClassicState::kPreparingRebalance)) return refuse(KafkaError::kRebalanceInProgress);

  ClassicMember& member = *group->find(request.member_id);
  group->awaited_syncs.erase(member.id);
  if (group->awaited_syncs.empty()) group->sync_deadline.reset();
  if (group->in(ClassicState::kStable)) {
    wire::SyncGroupResponse response = sync_error(KafkaError::kNone);
    response.protocol_type = group->protocol_type();
    response.protocol_name = group->protocol_name();
    response.assignment = member.assignment;
    renew_session(*group, member);
    state_.reply(caller.token, std::move(response));
    return;
  }

  if (auto pushed_out = std::exchange(member.parked_sync, caller.token)) {
    state_.reply(*pushed_out, sync_error(KafkaError::kRebalanceInProgress));
  }
  if (!group->is_leader(member.id)) return;
  AssignmentStored effect{
      .group_id = group->id(), .incarnation = group->incarnation(), .generation = group->generation()};
  for (const auto& assigned : request.assignments) {
    effect.assignments.insert_or_assign(assigned.member_id, assigned.assignment);
  }
  AppendSequence sequence = state_.append({group_record(*group, effect.assignments)});
  state_.ledger.attach(sequence, std::move(effect));
}

void ClassicMembership::committed(AssignmentStored& effect) {
  ClassicGroup* group = state_.find(effect.group_id);
  if (group == nullptr || group->incarnation() != effect.incarnation) return;
  // A rebalance may have begun while the record was on its way; then it is history.
  if (!group->in(ClassicState::kCompletingRebalance) || group->generation() != effect.generation) return;
  for (const auto& [id, member] : group->members()) {
    auto assigned = effect.assignments.find(id);
    group->find(id)->assignment = assigned == effect.assignments.end() ? Buffer() : std::move(assigned->second);
  }
  answer_syncs(*group, KafkaError::kNone);
  group->transition(ClassicState::kStable, now_.wall_ms);
}

void ClassicMembership::failed(AssignmentStored& effect, KafkaError error) {
  ClassicGroup* group = state_.find(effect.group_id);
  if (group == nullptr || group->incarnation() != effect.incarnation) return;
  if (!group->in(ClassicState::kCompletingRebalance) || group->generation() != effect.generation) return;
  answer_syncs(*group, error);
  rebalance_or_complete(*group);
}

void ClassicMembership::heartbeat(const Caller& caller, const wire::HeartbeatRequest& request) {
  auto answer = [&](KafkaError error) { state_.reply(caller.token, heartbeat_error(error)); };
  if (request.group_id.empty()) return answer(KafkaError::kInvalidGroupId);
  ClassicGroup* group = state_.find(request.group_id);
  if (group == nullptr) return answer(KafkaError::kUnknownMemberId);
  KafkaError error = group->validate(request.member_id, request.group_instance_id);
  if (error != KafkaError::kNone) return answer(error);
  if (request.generation_id != group->generation()) return answer(KafkaError::kIllegalGeneration);
  if (group->in(ClassicState::kEmpty)) return answer(KafkaError::kUnknownMemberId);
  renew_session(*group, *group->find(request.member_id));
  // Heartbeats may come before the assignment is out; they are as good as any.
  answer(group->in(ClassicState::kPreparingRebalance) ? KafkaError::kRebalanceInProgress : KafkaError::kNone);
}

void ClassicMembership::leave(const Caller& caller, const wire::LeaveGroupRequest& request) {
  constexpr int16_t kBatchFrom = 3;
  auto refuse = [&](KafkaError error) { state_.reply(caller.token, leave_error(error)); };
  if (request.group_id.empty()) return refuse(KafkaError::kInvalidGroupId);
  bool batch = caller.api_version >= kBatchFrom;
  std::vector<wire::LeaveGroupRequest::MemberIdentity> leaving = request.members;
  if (!batch) {
    leaving.assign(1, {});
    leaving.front().member_id = request.member_id;
  }

  ClassicGroup* group = state_.find(request.group_id);
  auto remove_one = [&](const wire::LeaveGroupRequest::MemberIdentity& identity) {
    if (group == nullptr) return KafkaError::kUnknownMemberId;
    std::string id = identity.member_id;
    if (id.empty()) {
      // An administrator removes a static member by its instance id alone.
      const std::string* present =
          identity.group_instance_id ? group->static_member(*identity.group_instance_id) : nullptr;
      if (present == nullptr) return KafkaError::kUnknownMemberId;
      id = *present;
    } else if (group->is_pending(id)) {
      group->remove(id);
      return KafkaError::kNone;
    } else {
      KafkaError error = group->validate(id, identity.group_instance_id);
      if (error != KafkaError::kNone) return error;
    }
    drop_member(*group, *group->find(id));
    return KafkaError::kNone;
  };

  wire::LeaveGroupResponse response = leave_error(KafkaError::kNone);
  bool any_left = false;
  for (const auto& identity : leaving) {
    KafkaError error = remove_one(identity);
    any_left = any_left || error == KafkaError::kNone;
    if (!batch) {
      response.error_code = error;
      continue;
    }
    auto& row = response.members.emplace_back();
    row.member_id = identity.member_id;
    row.group_instance_id = identity.group_instance_id;
    row.error_code = error;
  }
  // If the group is empty now, that is a record, and the answer waits for it.
  reply_with_append_ = Reply{caller.token, std::move(response)};
  if (any_left && !group->in(ClassicState::kEmpty)) rebalance_or_complete(*group);
  if (auto reply = std::exchange(reply_with_append_, std::nullopt)) state_.output.replies.push_back(std::move(*reply));
}

void ClassicMembership::answer_parked(ClassicGroup& group, KafkaError error) {
  for (const auto& [id, constant] : group.members()) {
    ClassicMember& member = *group.find(id);
    if (auto parked = group.unpark_join(member)) {
      state_.reply(parked->token, join_error(parked->api_version, error, id));
    }
    if (auto parked = std::exchange(member.parked_sync, std::nullopt)) state_.reply(*parked, sync_error(error));
  }
}

}  // namespace barnabas::group
