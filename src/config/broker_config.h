// BrokerConfig: the broker-wide settings this build acts on, typed. Immutable; resolved again and replaced as a whole
// when a dynamic key changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "config/layers.h"

namespace barnabas::config {

// Of one listener, from listener.name.<listener>.* or else from the node's.
struct ListenerConfig {
  int32_t max_connections = INT32_MAX;
  int32_t max_connection_creation_rate = INT32_MAX;

  bool operator==(const ListenerConfig&) const = default;
};

struct SocketConfig {
  int32_t send_buffer_bytes = 102400;  // -1: the system's default
  int32_t receive_buffer_bytes = 102400;
  int32_t request_max_bytes = 104857600;
  std::optional<int32_t>
      listen_backlog_size;                   // as set in the file; Kafka's default of 50 is lost in a burst of clients
  int64_t connections_max_idle_ms = 600000;  // negative: never
  int32_t max_connections = INT32_MAX;
  int32_t max_connections_per_ip = INT32_MAX;
  std::map<std::string, int32_t> max_connections_per_ip_overrides;  // by address; names are not looked up
  int32_t max_connection_creation_rate = INT32_MAX;
  std::map<std::string, ListenerConfig, std::less<>> listeners = {{"PLAINTEXT", {}}};  // by name, upper case
  int64_t request_memory_bytes = 268435456;  // what unanswered requests may hold before sockets are muted

  bool operator==(const SocketConfig&) const = default;
};

struct GroupCoordinatorConfig {
  int32_t offsets_topic_num_partitions = 50;
  int16_t offsets_topic_replication_factor = 3;  // as configured; a small cluster gets fewer
  int32_t offsets_topic_segment_bytes = 104857600;
  int32_t offsets_topic_compression_codec = 0;
  int64_t offsets_retention_ms = 604800000;
  int64_t offsets_retention_check_interval_ms = 600000;
  int32_t offset_metadata_max_bytes = 4096;
  int32_t offsets_commit_timeout_ms = 5000;
  int32_t offsets_load_buffer_size = 5242880;
  int32_t group_min_session_timeout_ms = 6000;
  int32_t group_max_session_timeout_ms = 1800000;
  int32_t group_initial_rebalance_delay_ms = 3000;
  int32_t group_max_size = INT32_MAX;

  bool operator==(const GroupCoordinatorConfig&) const = default;
};

struct LogManagerConfig {
  int64_t retention_check_interval_ms = 300000;
  int64_t flush_scheduler_interval_ms = INT64_MAX;
  int32_t flush_offset_checkpoint_interval_ms = 60000;
  int32_t flush_start_offset_checkpoint_interval_ms = 60000;
  int64_t initial_task_delay_ms = 30000;
  int32_t recovery_threads_per_data_dir = 2;
  bool cleaner_enable = true;
  int32_t cleaner_threads = 1;
  int64_t cleaner_dedupe_buffer_size = 134217728;
  int32_t cleaner_io_buffer_size = 524288;
  double cleaner_io_buffer_load_factor = 0.9;
  double cleaner_io_max_bytes_per_second = 1.7976931348623157e308;
  int64_t cleaner_backoff_ms = 15000;
  int32_t producer_id_expiration_ms = 86400000;
  int32_t producer_id_expiration_check_interval_ms = 600000;
  int64_t high_watermark_checkpoint_interval_ms = 5000;

  bool operator==(const LogManagerConfig&) const = default;
};

struct BrokerConfig {
  SocketConfig sockets;
  GroupCoordinatorConfig groups;
  LogManagerConfig logs;

  int32_t event_loops = 0;  // 0: one per core
  int32_t num_partitions = 1;
  int32_t default_replication_factor = 1;
  bool auto_create_topics_enable = true;
  bool delete_topic_enable = true;
  int32_t fetch_max_bytes = 57671680;
  int32_t max_incremental_fetch_session_cache_slots = 1000;
  int32_t max_request_partition_size_limit = 2000;
  int32_t request_timeout_ms = 30000;
  int32_t min_insync_replicas = 1;

  bool operator==(const BrokerConfig&) const = default;
};

using BrokerConfigPtr = std::shared_ptr<const BrokerConfig>;

BrokerConfig resolve_broker_config(const BrokerLayers& layers);

}  // namespace barnabas::config
