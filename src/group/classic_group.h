// ClassicGroup: one group of the classic (JoinGroup/SyncGroup) protocol: its members, the generation they are in, who
// leads, which requests are parked. It keeps the books and their invariants; the rules of who may do what when are in
// ClassicMembership. All of it is soft state but what record_of() writes: members and assignment of the last completed
// generation. Owned by GroupShard.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "group/types.h"
#include "wire/kafka_error.h"

namespace barnabas::group {

enum class ClassicState { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };

// Kafka's name: "PreparingRebalance". (A group that is gone is "Dead" to a reader; it has no object.)
std::string_view state_name(ClassicState state);

struct ClassicProtocol {
  std::string name;
  Buffer metadata;

  bool operator==(const ClassicProtocol&) const = default;
};
using ClassicProtocols = std::vector<ClassicProtocol>;  // most wanted first

struct ParkedJoin {
  RequestToken token = 0;
  int16_t api_version = 0;
};

struct ClassicMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  int32_t rebalance_timeout_ms = 0;
  int32_t session_timeout_ms = 0;
  ClassicProtocols protocols;
  Buffer assignment;

  uint64_t join_order = 0;  // the lowest one leads
  bool is_new = false;      // has not had a JoinGroup answer yet
  std::optional<ParkedJoin> parked_join;
  std::optional<RequestToken> parked_sync;
  std::optional<MonotonicTime> session_deadline;

  bool is_static() const { return instance_id.has_value(); }
  BytesView metadata(std::string_view protocol) const;  // empty when it does not speak it
};

class ClassicGroup {
 public:
  ClassicGroup(std::string id, uint64_t incarnation, TimestampMs state_timestamp);

  // Names this object: another group of the same id, after a deletion, has another number.
  uint64_t incarnation() const { return incarnation_; }
  const std::string& id() const { return id_; }
  ClassicState state() const { return state_; }
  ClassicState previous_state() const { return previous_state_; }
  bool in(ClassicState state) const { return state_ == state; }
  void transition(ClassicState next, TimestampMs now_ms);
  // When the state was entered; none in a group loaded from an old record.
  std::optional<TimestampMs> state_timestamp() const { return state_timestamp_; }

  int32_t generation() const { return generation_; }
  const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol_name() const { return protocol_name_; }
  const std::optional<std::string>& leader() const { return leader_; }
  bool is_leader(std::string_view member_id) const { return leader_ && *leader_ == member_id; }

  // --- Members
  using Members = std::map<std::string, ClassicMember, std::less<>>;
  const Members& members() const { return members_; }
  ClassicMember* find(std::string_view member_id);
  const ClassicMember* find(std::string_view member_id) const;
  const std::string* static_member(std::string_view instance_id) const;  // its member id
  // What is wrong with a request of this member: kNone, kUnknownMemberId or kFencedInstanceId.
  wire::KafkaError validate(std::string_view member_id, const std::optional<std::string>& instance_id) const;

  // The first member decides the protocol type.
  ClassicMember& add(ClassicMember member, std::string_view protocol_type);
  // Also forgets a pending member of that id. Parked requests must have been answered.
  void remove(std::string_view member_id);
  void set_protocols(ClassicMember& member, ClassicProtocols protocols);
  // The member behind `old_id` goes on as `new_id`, with its assignment and leadership. Parked requests must have been
  // answered.
  ClassicMember& replace_static(std::string_view instance_id, std::string_view old_id, std::string new_id);
  int32_t rebalance_timeout_ms() const;  // the longest of its members

  // --- Members told to come back with an id (MEMBER_ID_REQUIRED)
  using PendingMembers = std::map<std::string, MonotonicTime, std::less<>>;
  const PendingMembers& pending_members() const { return pending_members_; }
  bool is_pending(std::string_view member_id) const { return pending_members_.contains(member_id); }
  void add_pending(std::string member_id, MonotonicTime deadline) {
    pending_members_.insert_or_assign(std::move(member_id), deadline);
  }

  // --- Parked requests
  // Parks, and returns the request it pushes out, which must be answered.
  std::optional<ParkedJoin> park_join(ClassicMember& member, ParkedJoin join);
  std::optional<ParkedJoin> unpark_join(ClassicMember& member);
  size_t parked_joins() const { return parked_joins_; }
  bool all_joined() const { return parked_joins_ == members_.size() && pending_members_.empty(); }

  // Members of this generation whose SyncGroup has not come.
  std::set<std::string, std::less<>> awaited_syncs;

  // --- Generations
  bool accepts_protocols(std::string_view type, const ClassicProtocols& protocols) const;
  // The protocol all members speak that most of them prefer; equal votes: the first by name. Needs a member.
  std::string select_protocol() const;
  // Keeps a leader that has joined, or takes the earliest member that has; false if none has.
  bool elect_joined_leader();
  void next_generation(TimestampMs now_ms);

  // Whether offsets of `topic` are in use by members. A consumer group whose subscriptions we cannot read uses all.
  bool is_subscribed(std::string_view topic) const;
  bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
  bool knows_subscription() const { return subscribed_topics_.has_value(); }

  // --- Deadlines (soft)
  struct JoinTimer {
    MonotonicTime deadline;
    // Of an initial delay: how long the present step is and how much may still be added. None: the rebalance timeout.
    struct InitialDelay {
      int64_t step_ms = 0;
      int64_t remaining_ms = 0;
    };
    std::optional<InitialDelay> initial;
  };
  std::optional<JoinTimer> join_timer;
  std::optional<MonotonicTime> sync_deadline;
  bool new_member_added = false;       // during an initial delay, since its last step
  std::optional<MonotonicTime> armed;  // when the shard will look at this group; not later than any deadline above
  std::optional<MonotonicTime> next_deadline() const;

  // The append that created the group (0: loaded); readers do not see it before that is committed.
  AppendSequence created_by = 0;

  // For loading: everything a GroupMetadata record says.
  struct Loaded {
    std::string protocol_type;
    int32_t generation = 0;
    std::optional<std::string> protocol_name;
    std::optional<std::string> leader;
    std::optional<TimestampMs> state_timestamp;
    std::vector<ClassicMember> members;
  };
  static ClassicGroup from(std::string id, uint64_t incarnation, Loaded loaded);

 private:
  void count_protocols(const ClassicProtocols& protocols, int change);
  void read_subscriptions();

  std::string id_;
  uint64_t incarnation_;
  ClassicState state_ = ClassicState::kEmpty;
  ClassicState previous_state_ = ClassicState::kEmpty;
  std::optional<TimestampMs> state_timestamp_;
  int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_name_;
  std::optional<std::string> leader_;
  Members members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member id
  PendingMembers pending_members_;
  std::map<std::string, size_t, std::less<>> protocol_counts_;  // protocol -> how many members speak it
  size_t parked_joins_ = 0;
  uint64_t next_join_order_ = 1;
  std::optional<std::set<std::string, std::less<>>> subscribed_topics_;
};

}  // namespace barnabas::group
