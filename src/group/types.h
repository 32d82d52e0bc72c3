// What goes into and comes out of a group core: who asks and when, the records to append, the replies to send. Plain
// values without behaviour; the core that makes them is GroupShard, the driver that obeys them is src/broker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/uuid.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/sync_group_response.h"

namespace barnabas::group {

// Both clocks of one moment: records carry wall time, timers run on monotonic time.
struct Now {
  TimestampMs wall_ms = 0;
  MonotonicTime monotonic;
};

// Names one request until its Reply comes out. The driver chooses it; it must be unique among unanswered requests.
using RequestToken = uint64_t;

// Who asks.
struct Caller {
  RequestToken token = 0;
  int16_t api_version = 0;
  std::string client_id;    // "" when the header had none
  std::string client_host;  // as Kafka writes it: "/127.0.0.1"
  Uuid fresh_uuid;          // random; used (at most once) when the request needs a new member id
};

// A record of __consumer_offsets. No value is a tombstone.
struct CoordinatorRecord {
  Buffer key;
  std::optional<Buffer> value;

  bool operator==(const CoordinatorRecord&) const = default;
};

// Orders the appends of one shard: 1, 2, 3, …
using AppendSequence = uint64_t;

// Records to append to the partition's log as ONE batch.
struct Append {
  AppendSequence sequence = 0;
  std::vector<CoordinatorRecord> records;  // never empty
};

using ReplyBody =
    std::variant<wire::JoinGroupResponse, wire::SyncGroupResponse, wire::HeartbeatResponse, wire::LeaveGroupResponse,
                 wire::OffsetCommitResponse, wire::OffsetDeleteResponse, wire::DeleteGroupsResponse>;

struct Reply {
  RequestToken token = 0;
  ReplyBody body;
};

// What one call asks of the driver. Replies here may be sent at once; a reply that must wait for the disk is kept in
// the shard and comes out of on_high_watermark(), so it cannot be sent early by mistake.
struct Output {
  std::vector<Append> appends;  // in this order; usually none or one
  std::vector<Reply> replies;   // in this order
  std::optional<MonotonicTime>
      next_timer;  // call tick() then, or when a later Output names another time; set by every call
};

}  // namespace barnabas::group
