#include "group/offset_fetch.h"

#include <utility>

#include "base/check.h"

namespace barnabas::group {
namespace {

constexpr int16_t kManyGroupsFrom = 8;
constexpr int16_t kTopLevelErrorFrom = 2;

}  // namespace

std::vector<wire::OffsetFetchRequest::OffsetFetchRequestGroup> split_offset_fetch(
    const wire::OffsetFetchRequest& request, int16_t api_version) {
  if (api_version >= kManyGroupsFrom) return request.groups;
  wire::OffsetFetchRequest::OffsetFetchRequestGroup group;
  group.group_id = request.group_id;
  group.topics = std::nullopt;
  if (request.topics) {
    group.topics.emplace();
    for (const auto& topic : *request.topics) {
      auto& added = group.topics->emplace_back();
      added.name = topic.name;
      added.partition_indexes = topic.partition_indexes;
    }
  }
  return {std::move(group)};
}

wire::OffsetFetchResponse join_offset_fetch(std::vector<wire::OffsetFetchResponse::OffsetFetchResponseGroup> groups,
                                            int16_t api_version) {
  wire::OffsetFetchResponse response;
  if (api_version >= kManyGroupsFrom) {
    response.groups = std::move(groups);
    return response;
  }
  CHECK(groups.size() == 1);
  auto& group = groups.front();
  response.error_code = group.error_code;
  for (auto& topic : group.topics) {
    auto& added = response.topics.emplace_back();
    added.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      auto& row = added.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.committed_offset = partition.committed_offset;
      row.committed_leader_epoch = partition.committed_leader_epoch;
      row.metadata = std::move(partition.metadata);
      row.error_code = partition.error_code;
    }
  }
  return response;
}

wire::OffsetFetchResponse::OffsetFetchResponseGroup offset_fetch_error(
    const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group, int16_t api_version, wire::KafkaError error) {
  wire::OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = group.group_id;
  response.error_code = error;
  if (api_version >= kTopLevelErrorFrom || !group.topics) return response;
  for (const auto& topic : *group.topics) {
    auto& added = response.topics.emplace_back();
    added.name = topic.name;
    for (int32_t index : topic.partition_indexes) {
      auto& row = added.partitions.emplace_back();
      row.partition_index = index;
      row.committed_offset = -1;
      row.committed_leader_epoch = -1;
      row.metadata = "";
      row.error_code = error;
    }
  }
  return response;
}

}  // namespace barnabas::group
