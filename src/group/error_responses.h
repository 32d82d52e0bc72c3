// Whole responses that carry one error, as Kafka shapes them: for the driver when there is no shard to ask (14, 15,
// 16), when a principal may not (30), and for the core itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/kafka_error.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/sync_group_response.h"

namespace barnabas::group {

// protocol_type null; protocol_name null since version 7 and "" before; generation -1.
wire::JoinGroupResponse join_error(int16_t api_version, wire::KafkaError error, std::string_view member_id);
wire::SyncGroupResponse sync_error(wire::KafkaError error);
wire::HeartbeatResponse heartbeat_error(wire::KafkaError error);
wire::LeaveGroupResponse leave_error(wire::KafkaError error);
// Each partition of `request` with `error`.
wire::OffsetCommitResponse commit_error(const wire::OffsetCommitRequest& request, wire::KafkaError error);
wire::OffsetDeleteResponse offset_delete_error(wire::KafkaError error);
wire::DeleteGroupsResponse delete_groups_error(const std::vector<std::string>& group_ids, wire::KafkaError error);
wire::DescribeGroupsResponse::DescribedGroup describe_error(std::string_view group_id, wire::KafkaError error);

// What a client of the group hears when the log refused an append: COORDINATOR_NOT_AVAILABLE for what may pass,
// NOT_COORDINATOR when the log is gone, UNKNOWN_SERVER_ERROR for a batch that is too large.
wire::KafkaError client_error_of_append(wire::KafkaError append_error);

}  // namespace barnabas::group
