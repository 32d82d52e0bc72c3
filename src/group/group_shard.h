// GroupShard: the group coordinator of one partition of __consumer_offsets, as a pure state machine. The driver
// (src/broker) owns it, creates it when this node becomes leader of the partition, drops it when it stops being that,
// and holds one lock around each call; the shard itself knows no clock, log, socket or thread.
//
// Life:
// - GroupShard shard(config);
// - replay() each record of the partition and replay_marker() each transaction marker, oldest first;
// - finish_load(); until here the driver answers COORDINATOR_LOAD_IN_PROGRESS (14) itself;
// - operations, tick(), appended(), on_high_watermark() as they come;
// - resign() answers everything still parked with NOT_COORDINATOR (16); then drop the shard.
//
// After every call that returns an Output the driver, still holding the lock:
//   1. appends each Append to the partition's log as one batch (Kafka's timestamps: create time = wall clock) and says
//      appended(sequence, base offset); or, if the log refuses it, append_failed(sequence, error) and handles ITS
//      output the same way (its next_timer is the valid one). append_failed undoes that append and every later one that
//      was not yet reported committed: nothing the shard has appended after the failed one may reach the log.
//   2. sends `replies`;
//   3. arms its one timer of this shard for `next_timer` (none: disarms it) and calls tick(now) then.
// Whenever the partition's high watermark moves (in fsync durability: when the batch is on disk), the driver calls
// on_high_watermark(offset); its output holds the replies that waited. A log that dies after it accepted an append
// (fsync error, lost leadership) is resign(), not append_failed; a log that cut an append off again and lives on (disk
// full) is append_failed of the oldest one cut.
//
// What is decided when: decisions see everything appended so far (speculative state); readers (fetch_offsets, describe,
// list) see only what is below the high watermark. JoinGroup, SyncGroup of followers and Heartbeat change only soft
// state, which is not in the log: parked requests, timers, and the rebalance under way. A new leader of the partition
// starts from the last completed generation, as in Kafka.
//
// Authorization, FindCoordinator, throttle_time_ms (left 0) and topics a caller may not see are the driver's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "group/group_config.h"
#include "group/topic_lookup.h"
#include "group/types.h"
#include "wire/kafka_error.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"
#include "wire/messages/sync_group_request.h"

namespace barnabas::group {

class GroupShard {
 public:
  explicit GroupShard(GroupConfig config);
  ~GroupShard();
  GroupShard(GroupShard&&) noexcept;
  GroupShard& operator=(GroupShard&&) noexcept;

  // For a dynamic configuration change; takes effect with the next decision.
  void set_config(GroupConfig config);

  // --- Loading -------------------------------------------------------------------------------------------------------

  // One record of the log. `producer_id` is kNoProducerId outside transactions. Unknown record types are skipped; an
  // ill-formed one is an error that names it, and the state is as if the record were not there (the driver logs it).
  struct LoggedRecord {
    Offset offset;
    ProducerId producer_id = kNoProducerId;  // of a transactional batch
    BytesView key;
    std::optional<BytesView> value;
  };
  Result<> replay(const LoggedRecord& record);
  // A transaction marker of `producer_id` at this place of the log: its pending offsets become visible, or vanish.
  void replay_marker(ProducerId producer_id, bool committed);
  // The log is read; all of it counts as committed. Starts session timers.
  Output finish_load(Now now);

  // --- What became of the appends ------------------------------------------------------------------------------------

  void appended(AppendSequence sequence, Offset base_offset);
  Output append_failed(Now now, AppendSequence sequence, wire::KafkaError error);
  Output on_high_watermark(Now now, Offset high_watermark);
  Output resign();

  // --- Membership (each request gets exactly one Reply, now or later)
  // -------------------------------------------------

  Output join(const Caller& caller, Now now, const wire::JoinGroupRequest& request);
  Output sync(const Caller& caller, Now now, const wire::SyncGroupRequest& request);
  Output heartbeat(const Caller& caller, Now now, const wire::HeartbeatRequest& request);
  Output leave(const Caller& caller, Now now, const wire::LeaveGroupRequest& request);

  // --- Offsets -------------------------------------------------------------------------------------------------------

  // Partitions of topics that `topics` does not know are refused one by one (3; 100 by id), the others are committed.
  Output commit_offsets(const Caller& caller, Now now, const wire::OffsetCommitRequest& request,
                        const TopicLookup& topics);
  Output delete_offsets(const Caller& caller, Now now, const wire::OffsetDeleteRequest& request,
                        const TopicLookup& topics);

  // One group of an OffsetFetch; offset_fetch.h splits a request of any version into groups and joins the answers.
  struct FetchOptions {
    int16_t api_version = 0;
    bool require_stable = false;
  };
  wire::OffsetFetchResponse::OffsetFetchResponseGroup fetch_offsets(
      const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group, FetchOptions options,
      const TopicLookup& topics) const;

  // --- Administration ------------------------------------------------------------------------------------------------

  wire::DescribeGroupsResponse::DescribedGroup describe(std::string_view group_id, int16_t api_version) const;
  // The groups of this shard that pass the filters (empty filter: all), sorted by id.
  std::vector<wire::ListGroupsResponse::ListedGroup> list(const wire::ListGroupsRequest& request) const;
  // Of one DeleteGroups request, the group ids that live here; the driver joins the results of several shards.
  Output delete_groups(const Caller& caller, Now now, const std::vector<std::string>& group_ids);

  // --- Time and metadata ---------------------------------------------------------------------------------------------

  // Everything due at `now`: sessions, rebalance and sync timeouts, initial delays, members that never came back.
  Output tick(Now now);
  // Drops expired offsets and groups that have nothing left; the driver calls it each
  // offsets.retention.check.interval.ms.
  Output expire_offsets(Now now);
  // A topic was deleted: its offsets go, except those stored for another topic of the same name.
  Output topic_deleted(Now now, std::string_view name, const Uuid& id);

  // For metrics and tests.
  size_t group_count() const;
  size_t parked_requests() const;  // requests taken whose Reply has not come out

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace barnabas::group
