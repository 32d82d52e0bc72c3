// ClassicMembership: the rules of the classic group protocol: who may join, when a rebalance ends, who leads, what each
// request is answered. Made for one call of GroupShard: it works on the shard's state at one moment and leaves replies
// and appends in its output.
//
//                      first member               timer, or all joined           leader's assignment durable
//      [Empty] ─────────────────▶ [PreparingRebalance] ─────────▶ [CompletingRebalance] ─────────▶ [Stable]
//         ▲                        │  ▲   JoinGroups are parked     SyncGroups are parked            │
//         └──── nobody left ───────┘  └──────────── join, leave, session or sync timeout ────────────┘
#pragma once

#include <optional>
#include <string_view>

#include "group/shard_state.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/sync_group_request.h"

namespace barnabas::group {

class ClassicMembership {
 public:
  ClassicMembership(ShardState& state, Now now) : state_(state), now_(now) {}

  void join(const Caller& caller, const wire::JoinGroupRequest& request);
  void sync(const Caller& caller, const wire::SyncGroupRequest& request);
  void heartbeat(const Caller& caller, const wire::HeartbeatRequest& request);
  void leave(const Caller& caller, const wire::LeaveGroupRequest& request);

  // A sign of life of `member`.
  void renew_session(ClassicGroup& group, ClassicMember& member);

  // Everything of `group` that is due.
  void run_due(ClassicGroup& group);
  // A group just read from the log: sessions start; a group over group.max.size rebalances.
  void loaded(ClassicGroup& group);

  void committed(AssignmentStored& effect);
  void committed(StaticMemberReplaced& effect);
  void failed(AssignmentStored& effect, wire::KafkaError error);
  void failed(StaticMemberReplaced& effect, wire::KafkaError error);
  // Answers every parked request of the group with `error`.
  void answer_parked(ClassicGroup& group, wire::KafkaError error);

 private:
  struct Joining;  // one JoinGroup request, as the steps below need it

  // classic_join.cpp
  bool accepts_one_more(const ClassicGroup& group, std::string_view member_id) const;
  void join_new(ClassicGroup& group, const Joining& joining);
  void join_known(ClassicGroup& group, const Joining& joining);
  void add_member(ClassicGroup& group, const Joining& joining, std::string member_id);
  void update_member(ClassicGroup& group, ClassicMember& member, const Joining& joining);
  void replace_static_member(ClassicGroup& group, const Joining& joining, std::string old_id, std::string new_id);
  void park(ClassicGroup& group, ClassicMember& member, const Joining& joining);

  // classic_rebalance.cpp
  void rebalance_or_complete(ClassicGroup& group);
  void prepare_rebalance(ClassicGroup& group);
  void complete_join_if_all_joined(ClassicGroup& group);
  void complete_join(ClassicGroup& group);
  void start_join_timer(ClassicGroup& group, std::chrono::milliseconds delay,
                        std::optional<ClassicGroup::JoinTimer::InitialDelay> initial);
  void join_timer_fired(ClassicGroup& group);
  void sync_timed_out(ClassicGroup& group);
  void session_expired(ClassicGroup& group, std::string member_id);
  void pending_expired(ClassicGroup& group, std::string member_id);
  // Sends each parked SyncGroup its member's assignment, or `error`.
  void answer_syncs(ClassicGroup& group, wire::KafkaError error);
  void drop_member(ClassicGroup& group, ClassicMember& member);

  wire::JoinGroupResponse joined(const ClassicGroup& group, const ClassicMember& member, int16_t api_version,
                                 bool with_members) const;
  MonotonicTime after(int64_t milliseconds) const;
  void set_session(ClassicGroup& group, ClassicMember& member, int64_t timeout_ms);

  ShardState& state_;
  Now now_;
  std::optional<Reply> reply_with_append_;  // goes out with the next append of this call, if there is one
};

// Java's UUID.toString() of a random (version 4) id.
std::string random_uuid_text(const Uuid& random);

}  // namespace barnabas::group
