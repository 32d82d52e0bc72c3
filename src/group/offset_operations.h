// OffsetOperations: commit, fetch, delete and expiry of offsets, and the deletion of groups. Made for one call of
// GroupShard, like ClassicMembership.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "group/shard_state.h"
#include "group/topic_lookup.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_delete_request.h"

namespace barnabas::group {

class OffsetOperations {
 public:
  OffsetOperations(ShardState& state, Now now) : state_(state), now_(now) {}

  void commit(const Caller& caller, const wire::OffsetCommitRequest& request, const TopicLookup& topics);
  void remove(const Caller& caller, const wire::OffsetDeleteRequest& request, const TopicLookup& topics);
  void delete_groups(const Caller& caller, const std::vector<std::string>& group_ids);
  void expire();
  void topic_deleted(std::string_view name, const Uuid& id);

 private:
  // Records of one append, put into the offset store when it has its sequence.
  struct Batch;
  // Appends the batch; false if there was nothing to append, and `replies` went out at once.
  bool append(Batch batch, std::vector<Reply> replies);

  // kNone if this member may commit; makes the group of a simple consumer (then `created`).
  wire::KafkaError authorize_commit(const Caller& caller, const wire::OffsetCommitRequest& request, bool& created);
  wire::KafkaError deletable(std::string_view group_id) const;
  void expire_group(std::string_view group_id);

  ShardState& state_;
  Now now_;
};

}  // namespace barnabas::group
