#include "group/error_responses.h"

namespace barnabas::group {

using wire::KafkaError;

namespace {
constexpr int16_t kNullableProtocolNameFrom = 7;  // of JoinGroup
}

wire::JoinGroupResponse join_error(int16_t api_version, KafkaError error, std::string_view member_id) {
  wire::JoinGroupResponse response;
  response.error_code = error;
  response.generation_id = -1;
  response.protocol_type = std::nullopt;
  response.protocol_name = std::nullopt;
  if (api_version < kNullableProtocolNameFrom) response.protocol_name = "";
  response.member_id = member_id;
  return response;
}

wire::SyncGroupResponse sync_error(KafkaError error) {
  wire::SyncGroupResponse response;
  response.error_code = error;
  return response;
}

wire::HeartbeatResponse heartbeat_error(KafkaError error) {
  wire::HeartbeatResponse response;
  response.error_code = error;
  return response;
}

wire::LeaveGroupResponse leave_error(KafkaError error) {
  wire::LeaveGroupResponse response;
  response.error_code = error;
  return response;
}

wire::OffsetCommitResponse commit_error(const wire::OffsetCommitRequest& request, KafkaError error) {
  wire::OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& result = answered.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      result.error_code = error;
    }
  }
  return response;
}

wire::OffsetDeleteResponse offset_delete_error(KafkaError error) {
  wire::OffsetDeleteResponse response;
  response.error_code = error;
  return response;
}

wire::DeleteGroupsResponse delete_groups_error(const std::vector<std::string>& group_ids, KafkaError error) {
  wire::DeleteGroupsResponse response;
  for (const std::string& id : group_ids) {
    auto& result = response.results.emplace_back();
    result.group_id = id;
    result.error_code = error;
  }
  return response;
}

wire::DescribeGroupsResponse::DescribedGroup describe_error(std::string_view group_id, KafkaError error) {
  wire::DescribeGroupsResponse::DescribedGroup group;
  group.group_id = group_id;
  group.error_code = error;
  return group;
}

KafkaError client_error_of_append(KafkaError append_error) {
  switch (append_error) {
    case KafkaError::kUnknownTopicOrPartition:
    case KafkaError::kNotEnoughReplicas:
    case KafkaError::kRequestTimedOut:
      return KafkaError::kCoordinatorNotAvailable;
    case KafkaError::kNotLeaderOrFollower:
    case KafkaError::kKafkaStorageError:
      return KafkaError::kNotCoordinator;
    case KafkaError::kMessageTooLarge:
    case KafkaError::kRecordListTooLarge:
    case KafkaError::kInvalidFetchSize:
      return KafkaError::kUnknownServerError;
    default:
      return append_error;
  }
}

}  // namespace barnabas::group
