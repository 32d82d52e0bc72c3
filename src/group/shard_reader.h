// What readers are told: offsets, descriptions, listings, all below the high watermark. Free functions over a const
// ShardState.
#pragma once

#include <string_view>
#include <vector>

#include "group/group_shard.h"
#include "group/shard_state.h"

namespace barnabas::group {

wire::OffsetFetchResponse::OffsetFetchResponseGroup read_offsets(
    const ShardState& state, const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group,
    GroupShard::FetchOptions options, const TopicLookup& topics);

wire::DescribeGroupsResponse::DescribedGroup describe_group(const ShardState& state, std::string_view group_id,
                                                            int16_t api_version);

std::vector<wire::ListGroupsResponse::ListedGroup> list_groups(const ShardState& state,
                                                               const wire::ListGroupsRequest& request);

}  // namespace barnabas::group
