// QuorumConfig: settings of the metadata quorum and the metadata log, typed. Static: resolved once at start.
#pragma once

#include <cstdint>

#include "config/layers.h"

namespace barnabas::config {

struct QuorumConfig {
  int32_t election_timeout_ms = 1000;
  int32_t election_backoff_max_ms = 1000;
  int32_t fetch_timeout_ms = 2000;
  int32_t request_timeout_ms = 2000;
  int32_t retry_backoff_ms = 20;
  int32_t append_linger_ms = 25;
  int32_t fetch_max_bytes = 1048576;
  int32_t fetch_snapshot_max_bytes = 1048576;
  bool auto_join_enable = false;

  int64_t log_segment_bytes = 1073741824;  // internal.metadata.log.segment.bytes already applied
  int64_t log_segment_ms = 604800000;
  int64_t max_record_bytes_between_snapshots = 20971520;
  int64_t max_snapshot_interval_ms = 3600000;
  int64_t max_retention_bytes = 104857600;
  int64_t max_retention_ms = 604800000;
  int32_t max_idle_interval_ms = 500;
  int32_t max_batch_size_bytes = 8388608;
  int64_t delete_delay_ms = 60000;

  int32_t broker_heartbeat_interval_ms = 2000;
  int32_t broker_session_timeout_ms = 9000;
  int32_t initial_broker_registration_timeout_ms = 60000;
  int64_t leader_imbalance_check_interval_s = 300;
  bool auto_leader_rebalance_enable = true;

  bool operator==(const QuorumConfig&) const = default;
};

QuorumConfig resolve_quorum_config(const BrokerLayers& layers);

}  // namespace barnabas::config
