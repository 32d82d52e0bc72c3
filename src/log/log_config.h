// LogConfig: the settings one partition's log acts by. The broker fills it from config::TopicConfig; immutable, shared
// by all partitions of a topic and replaced as a whole.
#pragma once

#include <cstdint>

namespace barnabas::log {

struct LogConfig {
  int64_t segment_bytes = 1 << 30;
  int64_t segment_ms = 604800000;
  int64_t segment_jitter_ms = 0;
  int32_t segment_index_bytes = 10 << 20;
  int32_t index_interval_bytes = 4096;

  bool cleanup_delete = true;  // false: segments go only when the log start has passed them
  bool cleanup_compact = false;
  int64_t retention_ms = 604800000;  // -1: no limit
  int64_t retention_bytes = -1;      // -1: no limit
  int64_t file_delete_delay_ms = 60000;

  int64_t producer_id_expiration_ms = 86400000;  // a broker setting

  bool operator==(const LogConfig&) const = default;
};

}  // namespace barnabas::log
