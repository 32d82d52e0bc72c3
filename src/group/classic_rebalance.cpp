// Rebalances of the classic protocol: how they begin, end and time out.
#include <algorithm>
#include <utility>

#include "group/classic_membership.h"
#include "group/error_responses.h"
#include "group/group_records.h"

namespace barnabas::group {

using std::chrono::milliseconds;
using wire::KafkaError;

MonotonicTime ClassicMembership::after(int64_t timeout_ms) const {
  return now_.monotonic + milliseconds(timeout_ms);
}

void ClassicMembership::set_session(ClassicGroup& group, ClassicMember& member, int64_t timeout_ms) {
  member.session_deadline = after(timeout_ms);
  state_.deadlines.add(group, *member.session_deadline);
}

void ClassicMembership::renew_session(ClassicGroup& group, ClassicMember& member) {
  set_session(group, member, member.session_timeout_ms);
}

void ClassicMembership::start_join_timer(ClassicGroup& group, milliseconds delay,
                                         std::optional<ClassicGroup::JoinTimer::InitialDelay> initial) {
  group.join_timer = ClassicGroup::JoinTimer{after(delay.count()), initial};
  state_.deadlines.add(group, group.join_timer->deadline);
}

void ClassicMembership::rebalance_or_complete(ClassicGroup& group) {
  if (group.in(ClassicState::kPreparingRebalance)) {
    complete_join_if_all_joined(group);
  } else {
    prepare_rebalance(group);
  }
}

void ClassicMembership::prepare_rebalance(ClassicGroup& group) {
  if (group.in(ClassicState::kCompletingRebalance)) answer_syncs(group, KafkaError::kRebalanceInProgress);
  group.awaited_syncs.clear();
  group.sync_deadline.reset();
  bool initial = group.in(ClassicState::kEmpty);
  group.transition(ClassicState::kPreparingRebalance, now_.wall_ms);
  if (initial) {
    // A new group: its members come one after another, so each rebalance at once would be one of many.
    group.new_member_added = false;
    int64_t delay_ms = state_.config.group_initial_rebalance_delay_ms.count();
    int64_t remaining_ms = std::max<int64_t>(group.rebalance_timeout_ms() - delay_ms, 0);
    start_join_timer(group, milliseconds(delay_ms), ClassicGroup::JoinTimer::InitialDelay{delay_ms, remaining_ms});
  } else if (group.all_joined()) {
    complete_join(group);
  } else {
    start_join_timer(group, milliseconds(group.rebalance_timeout_ms()), std::nullopt);
  }
}

void ClassicMembership::complete_join_if_all_joined(ClassicGroup& group) {
  if (!group.in(ClassicState::kPreparingRebalance)) return;
  if (group.previous_state() == ClassicState::kEmpty) return;  // the initial delay decides
  if (group.all_joined()) complete_join(group);
}

void ClassicMembership::join_timer_fired(ClassicGroup& group) {
  auto timer = std::exchange(group.join_timer, std::nullopt);
  if (!timer->initial || !group.new_member_added || timer->initial->remaining_ms == 0) {
    complete_join(group);
    return;
  }
  group.new_member_added = false;
  int64_t step_ms =
      std::min<int64_t>(state_.config.group_initial_rebalance_delay_ms.count(), timer->initial->remaining_ms);
  int64_t remaining_ms = std::max<int64_t>(timer->initial->remaining_ms - timer->initial->step_ms, 0);
  start_join_timer(group, milliseconds(step_ms), ClassicGroup::JoinTimer::InitialDelay{step_ms, remaining_ms});
}

void ClassicMembership::complete_join(ClassicGroup& group) {
  group.join_timer.reset();
  std::vector<std::string> absent;
  for (const auto& [id, member] : group.members()) {
    if (!member.parked_join && !member.is_static()) absent.push_back(id);
  }
  for (const std::string& id : absent) group.remove(id);

  if (!group.elect_joined_leader() && !group.members().empty()) {
    // Only static members are left and none has come back: wait until one does, or their sessions end.
    start_join_timer(group, milliseconds(std::max(group.rebalance_timeout_ms(), 1)), std::nullopt);
    return;
  }
  group.next_generation(now_.wall_ms);
  if (group.in(ClassicState::kEmpty)) {
    std::vector<Reply> replies;
    if (auto reply = std::exchange(reply_with_append_, std::nullopt)) replies.push_back(std::move(*reply));
    // If this record is lost, the members of the generation before come back to life and time out: harmless.
    state_.append({group_record(group)}, std::move(replies));
    return;
  }
  for (const auto& [id, constant] : group.members()) {
    ClassicMember& member = *group.find(id);
    if (auto parked = group.unpark_join(member)) {
      state_.reply(parked->token, joined(group, member, parked->api_version, group.is_leader(id)));
    }
    renew_session(group, member);
    member.is_new = false;
    group.awaited_syncs.insert(id);
  }
  group.sync_deadline = after(group.rebalance_timeout_ms());
  state_.deadlines.add(group, *group.sync_deadline);
}

void ClassicMembership::sync_timed_out(ClassicGroup& group) {
  group.sync_deadline.reset();
  if (!group.in(ClassicState::kCompletingRebalance) && !group.in(ClassicState::kStable)) return;
  if (group.awaited_syncs.empty()) return;
  auto silent = std::exchange(group.awaited_syncs, {});
  for (const std::string& id : silent) {
    if (ClassicMember* member = group.find(id)) drop_member(group, *member);
  }
  prepare_rebalance(group);
}

void ClassicMembership::session_expired(ClassicGroup& group, std::string member_id) {
  ClassicMember& member = *group.find(member_id);
  member.session_deadline.reset();
  // While a request of it is parked a member cannot say more; the answer starts the next session. Only a member that
  // was never in the group yet may run out of time parked.
  bool waits_for_us = member.parked_join || member.parked_sync;
  if (waits_for_us && !member.is_new) return;
  drop_member(group, member);
  if (!group.in(ClassicState::kPreparingRebalance)) {
    rebalance_or_complete(group);
  } else if (group.all_joined()) {
    complete_join(group);
  }
}

void ClassicMembership::pending_expired(ClassicGroup& group, std::string member_id) {
  group.remove(member_id);
  if (group.in(ClassicState::kPreparingRebalance) && group.all_joined()) complete_join(group);
}

void ClassicMembership::drop_member(ClassicGroup& group, ClassicMember& member) {
  if (auto parked = group.unpark_join(member)) {
    state_.reply(parked->token, join_error(parked->api_version, KafkaError::kUnknownMemberId, ""));
  }
  if (auto parked = std::exchange(member.parked_sync, std::nullopt)) {
    state_.reply(*parked, sync_error(KafkaError::kUnknownMemberId));
  }
  std::string id = member.id;
  group.remove(id);
}

void ClassicMembership::answer_syncs(ClassicGroup& group, KafkaError error) {
  for (const auto& [id, constant] : group.members()) {
    ClassicMember& member = *group.find(id);
    if (error != KafkaError::kNone) member.assignment.clear();
    auto parked = std::exchange(member.parked_sync, std::nullopt);
    if (!parked) continue;
    wire::SyncGroupResponse response = sync_error(error);
    if (error == KafkaError::kNone) {
      response.protocol_type = group.protocol_type();
      response.protocol_name = group.protocol_name();
      response.assignment = member.assignment;
    }
    // A session that ended while the member was parked was let pass.
    renew_session(group, member);
    state_.reply(*parked, std::move(response));
  }
}

void ClassicMembership::run_due(ClassicGroup& group) {
  enum class Kind { kPending, kSession, kSync, kJoin };
  while (true) {
    std::optional<MonotonicTime> earliest;
    Kind kind = Kind::kJoin;
    std::string member_id;
    auto consider = [&](std::optional<MonotonicTime> deadline, Kind of, const std::string& id) {
      if (!deadline || *deadline > now_.monotonic || (earliest && *deadline >= *earliest)) return;
      earliest = deadline, kind = of, member_id = id;
    };
    for (const auto& [id, deadline] : group.pending_members()) consider(deadline, Kind::kPending, id);
    for (const auto& [id, member] : group.members()) consider(member.session_deadline, Kind::kSession, id);
    consider(group.sync_deadline, Kind::kSync, "");
    if (group.join_timer) consider(group.join_timer->deadline, Kind::kJoin, "");
    if (!earliest) return;
    switch (kind) {
      case Kind::kPending:
        pending_expired(group, std::move(member_id));
        break;
      case Kind::kSession:
        session_expired(group, std::move(member_id));
        break;
      case Kind::kSync:
        sync_timed_out(group);
        break;
      case Kind::kJoin:
        join_timer_fired(group);
        break;
    }
  }
}

void ClassicMembership::loaded(ClassicGroup& group) {
  if (group.members().empty()) return;
  for (const auto& [id, member] : group.members()) renew_session(group, *group.find(id));
  if (group.members().size() > static_cast<size_t>(std::max(state_.config.group_max_size, 0))) {
    prepare_rebalance(group);
  }
}

wire::JoinGroupResponse ClassicMembership::joined(const ClassicGroup& group, const ClassicMember& member,
                                                  int16_t api_version, bool with_members) const {
  wire::JoinGroupResponse response = join_error(api_version, KafkaError::kNone, member.id);
  response.generation_id = group.generation();
  response.protocol_type = group.protocol_type();
  if (group.protocol_name() && !group.protocol_name()->empty()) response.protocol_name = group.protocol_name();
  response.leader = group.leader().value_or("");
  if (!with_members) return response;
  for (const auto& [id, row] : group.members()) {
    auto& listed = response.members.emplace_back();
    listed.member_id = id;
    listed.group_instance_id = row.instance_id;
    if (group.protocol_name()) listed.metadata = to_buffer(row.metadata(*group.protocol_name()));
  }
  return response;
}

}  // namespace barnabas::group
