// What the members of sticky groups send in their subscription's user data, in the formats of Kafka's StickyAssignor
// (V0, V1) and CooperativeStickyAssignor (V0).
#pragma once

#include "base/bytes.h"
#include "client/consumer/sticky_input.h"

namespace barnabas::client {

Buffer encode_sticky_user_data(const std::vector<TopicPartition>& partitions, int32_t generation);
// Bytes that are neither format count as nothing owned.
MemberData decode_sticky_user_data(BytesView bytes);

Buffer encode_cooperative_user_data(int32_t generation);
int32_t decode_cooperative_user_data(BytesView bytes);

}  // namespace barnabas::client
