// AppendLedger: what hangs on appends that are not committed yet: the replies to send when they are, what the group
// does then, and how to undo it when the log refuses them. In order of sequence. Owned by GroupShard.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "group/classic_group.h"
#include "group/types.h"

namespace barnabas::group {

// The append brings a group into being.
struct GroupCreated {
  std::string group_id;
};

// The append is the tombstone of `group`, which is out of the shard's map already.
struct GroupDeleted {
  std::unique_ptr<ClassicGroup> group;
};

// The leader's assignment: members get theirs, and the group is stable, when it is committed.
struct AssignmentStored {
  std::string group_id;
  uint64_t incarnation = 0;
  int32_t generation = 0;
  std::map<std::string, Buffer, std::less<>> assignments;  // by member id
};

// A static member came back to a stable group under a new member id (KIP-345).
struct StaticMemberReplaced {
  std::string group_id;
  uint64_t incarnation = 0;
  std::string instance_id;
  std::string old_member_id;
  std::string new_member_id;
  std::optional<std::string> old_leader;
  ClassicProtocols old_protocols;
  int32_t old_rebalance_timeout_ms = 0;
  int32_t old_session_timeout_ms = 0;
};

using AppendEffect = std::variant<GroupCreated, GroupDeleted, AssignmentStored, StaticMemberReplaced>;

struct UncommittedAppend {
  AppendSequence sequence = 0;
  int64_t record_count = 0;
  std::optional<Offset> base_offset;  // when the log has it
  std::vector<Reply> replies;         // as they read on success
  std::vector<AppendEffect> effects;
};

class AppendLedger {
 public:
  AppendSequence add(int64_t record_count, std::vector<Reply> replies);
  // To the newest append.
  void attach(AppendSequence sequence, AppendEffect effect);
  void appended(AppendSequence sequence, Offset base_offset);

  // The oldest append if it is wholly below `high_watermark`; it is out of the ledger then.
  std::optional<UncommittedAppend> take_committed(Offset high_watermark);
  // The newest append, if it is `from` or later.
  std::optional<UncommittedAppend> take_newest(AppendSequence from);
  // The replies of all of them; for a shard that ends.
  std::vector<Reply> take_all_replies();

  AppendSequence committed_sequence() const { return committed_; }
  const std::deque<UncommittedAppend>& uncommitted() const { return uncommitted_; }

 private:
  AppendSequence last_ = 0;
  AppendSequence committed_ = 0;
  std::deque<UncommittedAppend> uncommitted_;
};

}  // namespace barnabas::group
