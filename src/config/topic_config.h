// TopicConfig: the effective settings of one topic's logs, typed. Immutable; shared by pointer and replaced as a whole
// when a topic override or a broker default changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/layers.h"

namespace barnabas::config {

enum class TimestampType { kCreateTime = 0, kLogAppendTime = 1 };

// Numbers of the codecs are those in a batch's attributes.
enum class CompressionType : int8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4, kProducer = 100 };

struct TopicConfig {
  bool cleanup_delete = true;
  bool cleanup_compact = false;  // both, one or none of them

  int64_t retention_ms = 604800000;  // -1: no limit
  int64_t retention_bytes = -1;      // -1: no limit
  int64_t local_retention_ms = -2;   // -2: as retention_ms
  int64_t local_retention_bytes = -2;
  int64_t segment_bytes = 1073741824;  // internal.segment.bytes already applied
  int64_t segment_ms = 604800000;
  int64_t segment_jitter_ms = 0;
  int32_t segment_index_bytes = 10485760;
  int32_t index_interval_bytes = 4096;
  int64_t file_delete_delay_ms = 60000;
  bool preallocate = false;

  int32_t max_message_bytes = 1048588;
  TimestampType message_timestamp_type = TimestampType::kCreateTime;
  int64_t message_timestamp_before_max_ms = INT64_MAX;
  int64_t message_timestamp_after_max_ms = 3600000;
  CompressionType compression_type = CompressionType::kProducer;
  int32_t compression_gzip_level = -1;
  int32_t compression_lz4_level = 9;
  int32_t compression_zstd_level = 3;

  int64_t flush_messages = INT64_MAX;
  int64_t flush_ms = INT64_MAX;

  int64_t delete_retention_ms = 86400000;
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = INT64_MAX;
  double min_cleanable_dirty_ratio = 0.5;

  int32_t min_insync_replicas = 1;
  bool unclean_leader_election_enable = false;
  bool remote_storage_enable = false;
  bool remote_log_copy_disable = false;
  bool remote_log_delete_on_disable = false;

  bool operator==(const TopicConfig&) const = default;
};

using TopicConfigPtr = std::shared_ptr<const TopicConfig>;

// Broker values (all layers, synonyms, units) below `overrides` of the topic. An override that is unknown or does not
// check out is passed over: it can only come from another program's metadata log.
TopicConfig resolve_topic_config(const BrokerLayers& broker, const Overrides& overrides);
TopicConfigPtr share_topic_config(const BrokerLayers& broker, const Overrides& overrides);

// The effective canonical value of one topic key, as DescribeConfigs shows it; nullopt is null.
std::optional<std::string> topic_value(const BrokerLayers& broker, const Overrides& overrides, std::string_view name);

}  // namespace barnabas::config
