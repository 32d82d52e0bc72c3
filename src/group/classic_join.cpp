// JoinGroup of the classic protocol.
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "group/classic_membership.h"
#include "group/error_responses.h"
#include "group/group_records.h"

namespace barnabas::group {

using wire::KafkaError;

namespace {

constexpr int16_t kMemberIdRequiredFrom = 4;
constexpr int16_t kSkipAssignmentFrom = 9;

ClassicProtocols protocols_of(const wire::JoinGroupRequest& request) {
  ClassicProtocols protocols;
  protocols.reserve(request.protocols.size());
  for (const auto& protocol : request.protocols) protocols.push_back({protocol.name, protocol.metadata});
  return protocols;
}

}  // namespace

struct ClassicMembership::Joining {
  const Caller& caller;
  const wire::JoinGroupRequest& request;
  ClassicProtocols protocols;
  int32_t rebalance_timeout_ms;

  ParkedJoin parked() const { return {caller.token, caller.api_version}; }
  ReplyBody error(KafkaError code, std::string_view member_id) const {
    return join_error(caller.api_version, code, member_id);
  }
};

std::string random_uuid_text(const Uuid& random) {
  constexpr uint64_t kVersion4 = 0x4000;
  constexpr uint64_t kVariant = 0x8000'0000'0000'0000;
  Buffer bytes(16);
  store_be<uint64_t>(bytes.data(), (random.most & ~uint64_t{0xF000}) | kVersion4);
  store_be<uint64_t>(bytes.data() + 8, (random.least & ~(uint64_t{3} << 62U)) | kVariant);
  std::string hex = to_hex(bytes);
  std::string text;
  for (auto [from, length] : {std::pair{0, 8}, {8, 4}, {12, 4}, {16, 4}, {20, 12}}) {
    if (!text.empty()) text += '-';
    text += hex.substr(static_cast<size_t>(from), static_cast<size_t>(length));
  }
  return text;
}

void ClassicMembership::join(const Caller& caller, const wire::JoinGroupRequest& request) {
  // Version 0 knew one timeout only.
  int32_t rebalance_timeout_ms = caller.api_version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  Joining joining{caller, request, protocols_of(request), rebalance_timeout_ms};
  const std::string& member_id = request.member_id;
  auto refuse = [&](KafkaError error) { state_.reply(caller.token, joining.error(error, member_id)); };

  if (request.group_id.empty()) return refuse(KafkaError::kInvalidGroupId);
  std::chrono::milliseconds session(request.session_timeout_ms);
  if (session < state_.config.group_min_session_timeout_ms || session > state_.config.group_max_session_timeout_ms) {
    return refuse(KafkaError::kInvalidSessionTimeout);
  }
  if (state_.foreign.contains(request.group_id)) return refuse(KafkaError::kInconsistentGroupProtocol);

  ClassicGroup* group = state_.find(request.group_id);
  if (group == nullptr && !member_id.empty()) return refuse(KafkaError::kUnknownMemberId);
  bool created = group == nullptr;
  if (created) group = &state_.create(request.group_id, now_.wall_ms);

  if (!accepts_one_more(*group, member_id)) {
    if (ClassicMember* late = group->find(member_id)) drop_member(*group, *late);
    group->remove(member_id);
    state_.reply(caller.token, joining.error(KafkaError::kGroupMaxSizeReached, ""));
    complete_join_if_all_joined(*group);
  } else if (member_id.empty()) {
    join_new(*group, joining);
  } else {
    join_known(*group, joining);
  }

  if (created) {
    // Kafka, too, writes the birth of a group as a record of an empty generation 0.
    ClassicGroup newborn(group->id(), 0, now_.wall_ms);
    group->created_by = state_.append({group_record(newborn)});
    state_.ledger.attach(group->created_by, GroupCreated{group->id()});
  }
}

bool ClassicMembership::accepts_one_more(const ClassicGroup& group, std::string_view member_id) const {
  auto limit = static_cast<size_t>(std::max(state_.config.group_max_size, 0));
  const ClassicMember* known = group.find(member_id);
  switch (group.state()) {
    case ClassicState::kEmpty:
      return true;
    case ClassicState::kPreparingRebalance:
      // Counted are those who have joined, not the members: a group over a lowered limit sheds whoever comes last.
      return (known != nullptr && known->parked_join) || group.parked_joins() < limit;
    case ClassicState::kCompletingRebalance:
    case ClassicState::kStable:
      return known != nullptr || group.members().size() < limit;
  }
  return true;
}

void ClassicMembership::join_new(ClassicGroup& group, const Joining& joining) {
  const Caller& caller = joining.caller;
  if (!group.accepts_protocols(joining.request.protocol_type, joining.protocols)) {
    state_.reply(caller.token, joining.error(KafkaError::kInconsistentGroupProtocol, ""));
    return;
  }
  const std::optional<std::string>& instance = joining.request.group_instance_id;
  std::string new_id = (instance ? *instance : caller.client_id) + "-" + random_uuid_text(caller.fresh_uuid);
  if (instance) {
    if (const std::string* present = group.static_member(*instance)) {
      replace_static_member(group, joining, *present, std::move(new_id));
    } else {
      add_member(group, joining, std::move(new_id));
    }
    return;
  }
  if (caller.api_version < kMemberIdRequiredFrom) return add_member(group, joining, std::move(new_id));
  MonotonicTime deadline = after(joining.request.session_timeout_ms);
  group.add_pending(new_id, deadline);
  state_.deadlines.add(group, deadline);
  state_.reply(caller.token, joining.error(KafkaError::kMemberIdRequired, new_id));
}

void ClassicMembership::join_known(ClassicGroup& group, const Joining& joining) {
  const wire::JoinGroupRequest& request = joining.request;
  auto refuse = [&](KafkaError error) { state_.reply(joining.caller.token, joining.error(error, request.member_id)); };
  if (!group.accepts_protocols(request.protocol_type, joining.protocols)) {
    return refuse(KafkaError::kInconsistentGroupProtocol);
  }
  if (group.is_pending(request.member_id) && !request.group_instance_id) {
    return add_member(group, joining, request.member_id);
  }
  KafkaError error = group.validate(request.member_id, request.group_instance_id);
  if (error != KafkaError::kNone) return refuse(error);

  ClassicMember& member = *group.find(request.member_id);
  bool unchanged = member.protocols == joining.protocols;
  bool leads = group.is_leader(member.id);
  // A follower that asks again in the same words (say, its answer was lost) hears of the present generation. A leader
  // that asks in a stable group wants a rebalance: it has seen topics change.
  bool repeat =
      unchanged && (group.in(ClassicState::kCompletingRebalance) || (group.in(ClassicState::kStable) && !leads));
  if (group.in(ClassicState::kEmpty)) return refuse(KafkaError::kUnknownMemberId);
  if (!repeat) return update_member(group, member, joining);
  bool with_members = leads && group.in(ClassicState::kCompletingRebalance);
  renew_session(group, member);
  state_.reply(joining.caller.token, joined(group, member, joining.caller.api_version, with_members));
}

void ClassicMembership::park(ClassicGroup& group, ClassicMember& member, const Joining& joining) {
  // The connection of a request that is pushed out is most likely gone; if it is not, the client joins again.
  if (auto pushed_out = group.park_join(member, joining.parked())) {
    state_.reply(pushed_out->token, join_error(pushed_out->api_version, KafkaError::kRebalanceInProgress, member.id));
  }
}

void ClassicMembership::add_member(ClassicGroup& group, const Joining& joining, std::string member_id) {
  if (group.in(ClassicState::kPreparingRebalance) && group.previous_state() == ClassicState::kEmpty) {
    group.new_member_added = true;
  }
  ClassicMember added;
  added.id = std::move(member_id);
  added.instance_id = joining.request.group_instance_id;
  added.client_id = joining.caller.client_id;
  added.client_host = joining.caller.client_host;
  added.rebalance_timeout_ms = joining.rebalance_timeout_ms;
  added.session_timeout_ms = joining.request.session_timeout_ms;
  added.protocols = joining.protocols;
  added.is_new = true;
  ClassicMember& member = group.add(std::move(added), joining.request.protocol_type);
  park(group, member, joining);
  // It cannot send heartbeats before it has its answer, and a broken connection is not seen while the request is
  // parked: without a limit, clients that give up and retry would fill the group with ghosts.
  set_session(group, member, state_.config.new_member_join_timeout.count());
  rebalance_or_complete(group);
}

void ClassicMembership::update_member(ClassicGroup& group, ClassicMember& member, const Joining& joining) {
  group.set_protocols(member, joining.protocols);
  member.rebalance_timeout_ms = joining.rebalance_timeout_ms;
  member.session_timeout_ms = joining.request.session_timeout_ms;
  park(group, member, joining);
  rebalance_or_complete(group);
}

void ClassicMembership::replace_static_member(ClassicGroup& group, const Joining& joining, std::string old_id,
                                              std::string new_id) {
  ClassicMember& old = *group.find(old_id);
  // Whoever still waits under the old id is a duplicate of this instance.
  if (auto parked = group.unpark_join(old)) {
    state_.reply(parked->token, join_error(parked->api_version, KafkaError::kFencedInstanceId, old_id));
  }
  if (auto parked = std::exchange(old.parked_sync, std::nullopt)) {
    state_.reply(*parked, sync_error(KafkaError::kFencedInstanceId));
  }
  StaticMemberReplaced effect{.group_id = group.id(),
                              .incarnation = group.incarnation(),
                              .instance_id = *joining.request.group_instance_id,
                              .old_member_id = old_id,
                              .new_member_id = new_id,
                              .old_leader = group.leader(),
                              .old_protocols = old.protocols,
                              .old_rebalance_timeout_ms = old.rebalance_timeout_ms,
                              .old_session_timeout_ms = old.session_timeout_ms};
  ClassicMember& member = group.replace_static(effect.instance_id, old_id, std::move(new_id));
  group.set_protocols(member, joining.protocols);
  member.rebalance_timeout_ms = joining.rebalance_timeout_ms;
  member.session_timeout_ms = joining.request.session_timeout_ms;
  renew_session(group, member);
  park(group, member, joining);

  switch (group.state()) {
    case ClassicState::kStable:
      if (group.protocol_name() == group.select_protocol()) {
        AppendSequence sequence = state_.append({group_record(group)});
        state_.ledger.attach(sequence, std::move(effect));
      } else {
        rebalance_or_complete(group);
      }
      break;
    case ClassicState::kCompletingRebalance:
      // The leader may be working on an assignment for the old id.
      prepare_rebalance(group);
      break;
    case ClassicState::kPreparingRebalance:
      complete_join_if_all_joined(group);
      break;
    case ClassicState::kEmpty:
      CHECK(false, "an empty group has a static member");
  }
}

void ClassicMembership::committed(StaticMemberReplaced& effect) {
  ClassicGroup* group = state_.find(effect.group_id);
  if (group == nullptr || group->incarnation() != effect.incarnation) return;
  ClassicMember* member = group->find(effect.new_member_id);
  // If a rebalance has begun meanwhile, it will answer.
  if (member == nullptr || !group->in(ClassicState::kStable)) return;
  auto parked = group->unpark_join(*member);
  if (!parked) return;
  bool leads = group->is_leader(member->id);
  bool skips = parked->api_version >= kSkipAssignmentFrom;
  wire::JoinGroupResponse response = joined(*group, *member, parked->api_version, leads && skips);
  response.skip_assignment = leads && skips;
  // A client that cannot be told to skip must not think it leads: it is told the leader's old name.
  if (!skips) response.leader = effect.old_leader.value_or("");
  renew_session(*group, *member);
  state_.reply(parked->token, std::move(response));
}

void ClassicMembership::failed(StaticMemberReplaced& effect, KafkaError error) {
  ClassicGroup* group = state_.find(effect.group_id);
  if (group == nullptr || group->incarnation() != effect.incarnation) return;
  ClassicMember* member = group->find(effect.new_member_id);
  if (member == nullptr || !group->in(ClassicState::kStable)) return;
  if (auto parked = group->unpark_join(*member)) {
    wire::JoinGroupResponse response = joined(*group, *member, parked->api_version, false);
    response.member_id = "";
    response.leader = effect.old_leader.value_or("");
    response.error_code = error;
    state_.reply(parked->token, std::move(response));
  }
  group->set_protocols(*member, std::move(effect.old_protocols));
  member->rebalance_timeout_ms = effect.old_rebalance_timeout_ms;
  member->session_timeout_ms = effect.old_session_timeout_ms;
  if (auto parked = std::exchange(member->parked_sync, std::nullopt)) state_.reply(*parked, sync_error(error));
  ClassicMember& old = group->replace_static(effect.instance_id, effect.new_member_id, effect.old_member_id);
  renew_session(*group, old);
}

}  // namespace barnabas::group
