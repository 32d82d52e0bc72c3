// GroupConfig: the broker settings that decide what group coordinators answer, named as in server.properties. A plain
// value: the driver hands a shard a new one whenever a dynamic key changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace barnabas::group {

struct GroupConfig {
  std::chrono::milliseconds group_min_session_timeout_ms{6'000};
  std::chrono::milliseconds group_max_session_timeout_ms{1'800'000};
  std::chrono::milliseconds group_initial_rebalance_delay_ms{3'000};
  int32_t group_max_size = std::numeric_limits<int32_t>::max();
  int32_t offset_metadata_max_bytes = 4096;  // compared, as in Kafka, with the length in UTF-16 units
  std::chrono::minutes offsets_retention_minutes{10'080};
  // Not a key: how long a JoinGroup of a member that was never in the group may stay parked (Kafka: 5 minutes).
  std::chrono::milliseconds new_member_join_timeout{300'000};
};

}  // namespace barnabas::group
