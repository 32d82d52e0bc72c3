// OffsetFetch speaks of one group up to version 7 and of many since version 8; a GroupShard answers one group at a
// time. These two functions hide the difference from the driver.
#pragma once

#include <vector>

#include "wire/kafka_error.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace barnabas::group {

// The groups a request of `api_version` asks for, in order.
std::vector<wire::OffsetFetchRequest::OffsetFetchRequestGroup> split_offset_fetch(
    const wire::OffsetFetchRequest& request, int16_t api_version);

// The response in the shape of `api_version`; `groups` in the order of split_offset_fetch().
wire::OffsetFetchResponse join_offset_fetch(std::vector<wire::OffsetFetchResponse::OffsetFetchResponseGroup> groups,
                                            int16_t api_version);

// The answer of `api_version` for a group that could not be asked at all (14, 15, 16, 30, …): before version 2, which
// has no top-level error, each partition carries it.
wire::OffsetFetchResponse::OffsetFetchResponseGroup offset_fetch_error(
    const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group, int16_t api_version, wire::KafkaError error);

}  // namespace barnabas::group
