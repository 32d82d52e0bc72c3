#include "config/quorum_config.h"

#include "config/value.h"

namespace barnabas::config {

QuorumConfig resolve_quorum_config(const BrokerLayers& layers) {
  const auto number32 = [&](std::string_view name) { return static_cast<int32_t>(layers.number(name)); };
  QuorumConfig config;
  config.election_timeout_ms = number32("controller.quorum.election.timeout.ms");
  config.election_backoff_max_ms = number32("controller.quorum.election.backoff.max.ms");
  config.fetch_timeout_ms = number32("controller.quorum.fetch.timeout.ms");
  config.request_timeout_ms = number32("controller.quorum.request.timeout.ms");
  config.retry_backoff_ms = number32("controller.quorum.retry.backoff.ms");
  config.append_linger_ms = number32("controller.quorum.append.linger.ms");
  config.fetch_max_bytes = number32("controller.quorum.fetch.max.bytes");
  config.fetch_snapshot_max_bytes = number32("controller.quorum.fetch.snapshot.max.bytes");
  config.auto_join_enable = layers.boolean("controller.quorum.auto.join.enable");

  config.log_segment_bytes = layers.number("metadata.log.segment.bytes");
  if (const auto internal = layers.value("internal.metadata.log.segment.bytes"))
    if (const int64_t bytes = parse_long(*internal).value_or(0); bytes > 0) config.log_segment_bytes = bytes;
  config.log_segment_ms = layers.number("metadata.log.segment.ms");
  config.max_record_bytes_between_snapshots = layers.number("metadata.log.max.record.bytes.between.snapshots");
  config.max_snapshot_interval_ms = layers.number("metadata.log.max.snapshot.interval.ms");
  config.max_retention_bytes = layers.number("metadata.max.retention.bytes");
  config.max_retention_ms = layers.number("metadata.max.retention.ms");
  config.max_idle_interval_ms = number32("metadata.max.idle.interval.ms");
  config.max_batch_size_bytes = number32("internal.metadata.max.batch.size.in.bytes");
  config.delete_delay_ms = layers.number("internal.metadata.delete.delay.millis");

  config.broker_heartbeat_interval_ms = number32("broker.heartbeat.interval.ms");
  config.broker_session_timeout_ms = number32("broker.session.timeout.ms");
  config.initial_broker_registration_timeout_ms = number32("initial.broker.registration.timeout.ms");
  config.leader_imbalance_check_interval_s = layers.number("leader.imbalance.check.interval.seconds");
  config.auto_leader_rebalance_enable = layers.boolean("auto.leader.rebalance.enable");
  return config;
}

}  // namespace barnabas::config
