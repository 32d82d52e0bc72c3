#include "config/topic_config.h"

#include <algorithm>

#include "base/check.h"
#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

CompressionType compression_type(const std::string& name) {
  if (name == "uncompressed") return CompressionType::kNone;
  if (name == "gzip") return CompressionType::kGzip;
  if (name == "snappy") return CompressionType::kSnappy;
  if (name == "lz4") return CompressionType::kLz4;
  if (name == "zstd") return CompressionType::kZstd;
  return CompressionType::kProducer;
}

// Typed reads of topic_value().
struct Reader {
  const BrokerLayers& broker;
  const Overrides& overrides;

  std::string text(std::string_view name) const { return topic_value(broker, overrides, name).value_or(""); }
  int64_t number(std::string_view name) const {
    const auto parsed = parse_long(text(name));
    CHECK(parsed.has_value(), "number() of a topic key that is no number");
    return *parsed;
  }
  int32_t number32(std::string_view name) const { return static_cast<int32_t>(number(name)); }
  double real(std::string_view name) const {
    const auto parsed = parse_double(text(name));
    CHECK(parsed.has_value(), "real() of a topic key that is no number");
    return *parsed;
  }
  bool boolean(std::string_view name) const { return is_true(text(name)); }
};

}  // namespace

std::optional<std::string> topic_value(const BrokerLayers& broker, const Overrides& overrides, std::string_view name) {
  const KeyInfo* key = topic_keys().find(name);
  CHECK(key != nullptr, "a value of a topic key that is in no table");
  if (const auto entry = overrides.find(name); entry != overrides.end())
    if (auto canonical = check_value(*key, entry->second)) return *std::move(canonical);
  for (const KeySynonym& synonym : key->synonyms) {
    auto value = broker.value(synonym.name);
    if (!value) continue;
    if (key->name == "retention.ms") {
      // Any negative number of hours, minutes or milliseconds is "no limit".
      const int64_t ms = parse_long(*value).value_or(0) * synonym.factor;
      return std::to_string(std::max<int64_t>(ms, -1));
    }
    if (synonym.factor == 1) return value;
    return std::to_string(parse_long(*value).value_or(0) * synonym.factor);
  }
  if (!key->default_value) return std::nullopt;
  return std::string(*key->default_value);
}

TopicConfig resolve_topic_config(const BrokerLayers& broker, const Overrides& overrides) {
  const Reader read{broker, overrides};
  TopicConfig config;
  const std::vector<std::string> policies = split_list(read.text("cleanup.policy"));
  config.cleanup_delete = std::ranges::find(policies, "delete") != policies.end();
  config.cleanup_compact = std::ranges::find(policies, "compact") != policies.end();

  config.retention_ms = read.number("retention.ms");
  config.retention_bytes = read.number("retention.bytes");
  config.local_retention_ms = read.number("local.retention.ms");
  config.local_retention_bytes = read.number("local.retention.bytes");
  config.segment_bytes = read.number("segment.bytes");
  if (const auto internal = topic_value(broker, overrides, "internal.segment.bytes"))
    if (const int64_t bytes = parse_long(*internal).value_or(0); bytes > 0) config.segment_bytes = bytes;
  config.segment_ms = read.number("segment.ms");
  config.segment_jitter_ms = read.number("segment.jitter.ms");
  config.segment_index_bytes = read.number32("segment.index.bytes");
  config.index_interval_bytes = read.number32("index.interval.bytes");
  config.file_delete_delay_ms = read.number("file.delete.delay.ms");
  config.preallocate = read.boolean("preallocate");

  config.max_message_bytes = read.number32("max.message.bytes");
  config.message_timestamp_type = read.text("message.timestamp.type") == "LogAppendTime" ? TimestampType::kLogAppendTime
                                                                                         : TimestampType::kCreateTime;
  config.message_timestamp_before_max_ms = read.number("message.timestamp.before.max.ms");
  config.message_timestamp_after_max_ms = read.number("message.timestamp.after.max.ms");
  config.compression_type = compression_type(read.text("compression.type"));
  config.compression_gzip_level = read.number32("compression.gzip.level");
  config.compression_lz4_level = read.number32("compression.lz4.level");
  config.compression_zstd_level = read.number32("compression.zstd.level");

  config.flush_messages = read.number("flush.messages");
  config.flush_ms = read.number("flush.ms");

  config.delete_retention_ms = read.number("delete.retention.ms");
  config.min_compaction_lag_ms = read.number("min.compaction.lag.ms");
  config.max_compaction_lag_ms = read.number("max.compaction.lag.ms");
  config.min_cleanable_dirty_ratio = read.real("min.cleanable.dirty.ratio");

  config.min_insync_replicas = read.number32("min.insync.replicas");
  config.unclean_leader_election_enable = read.boolean("unclean.leader.election.enable");
  config.remote_storage_enable = read.boolean("remote.storage.enable");
  config.remote_log_copy_disable = read.boolean("remote.log.copy.disable");
  config.remote_log_delete_on_disable = read.boolean("remote.log.delete.on.disable");
  return config;
}

TopicConfigPtr share_topic_config(const BrokerLayers& broker, const Overrides& overrides) {
  return std::make_shared<const TopicConfig>(resolve_topic_config(broker, overrides));
}

}  // namespace barnabas::config
