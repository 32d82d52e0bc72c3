#include "config/broker_config.h"

#include <algorithm>
#include <cctype>

#include "config/value.h"

namespace barnabas::config {
namespace {

int32_t number32(const BrokerLayers& layers, std::string_view name) {
  return static_cast<int32_t>(layers.number(name));
}

int32_t listener_number(const BrokerLayers& layers, std::string_view listener, std::string_view name) {
  return static_cast<int32_t>(parse_long(layers.value_of_listener(listener, name).value_or("")).value_or(INT32_MAX));
}

SocketConfig resolve_sockets(const BrokerLayers& layers) {
  SocketConfig config;
  config.send_buffer_bytes = number32(layers, "socket.send.buffer.bytes");
  config.receive_buffer_bytes = number32(layers, "socket.receive.buffer.bytes");
  config.request_max_bytes = number32(layers, "socket.request.max.bytes");
  if (layers.file.contains("socket.listen.backlog.size"))
    config.listen_backlog_size = number32(layers, "socket.listen.backlog.size");
  config.connections_max_idle_ms = layers.number("connections.max.idle.ms");
  config.max_connections = number32(layers, "max.connections");
  config.max_connections_per_ip = number32(layers, "max.connections.per.ip");
  for (const std::string& item : split_list(layers.text("max.connections.per.ip.overrides"))) {
    const size_t colon = item.rfind(':');
    const auto count = parse_long(std::string_view(item).substr(colon == std::string::npos ? 0 : colon + 1));
    std::string host(trim(std::string_view(item).substr(0, colon)));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (count) config.max_connections_per_ip_overrides[host] = static_cast<int32_t>(*count);
  }
  config.max_connection_creation_rate = number32(layers, "max.connection.creation.rate");
  for (const std::string& listener : layers.list("listeners")) {
    std::string name = listener.substr(0, listener.find("://"));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    config.listeners[name] = {
        .max_connections = listener_number(layers, name, "max.connections"),
        .max_connection_creation_rate = listener_number(layers, name, "max.connection.creation.rate")};
  }
  const int64_t queued_bytes = layers.number("queued.max.request.bytes");
  config.request_memory_bytes = queued_bytes > 0 ? queued_bytes : layers.number("barnabas.request.memory.bytes");
  return config;
}

GroupCoordinatorConfig resolve_groups(const BrokerLayers& layers) {
  GroupCoordinatorConfig config;
  config.offsets_topic_num_partitions = number32(layers, "offsets.topic.num.partitions");
  config.offsets_topic_replication_factor = static_cast<int16_t>(layers.number("offsets.topic.replication.factor"));
  config.offsets_topic_segment_bytes = number32(layers, "offsets.topic.segment.bytes");
  config.offsets_topic_compression_codec = number32(layers, "offsets.topic.compression.codec");
  config.offsets_retention_ms = layers.number("offsets.retention.minutes") * 60000;
  config.offsets_retention_check_interval_ms = layers.number("offsets.retention.check.interval.ms");
  config.offset_metadata_max_bytes = number32(layers, "offset.metadata.max.bytes");
  config.offsets_commit_timeout_ms = number32(layers, "offsets.commit.timeout.ms");
  config.offsets_load_buffer_size = number32(layers, "offsets.load.buffer.size");
  config.group_min_session_timeout_ms = number32(layers, "group.min.session.timeout.ms");
  config.group_max_session_timeout_ms = number32(layers, "group.max.session.timeout.ms");
  config.group_initial_rebalance_delay_ms = number32(layers, "group.initial.rebalance.delay.ms");
  config.group_max_size = number32(layers, "group.max.size");
  return config;
}

LogManagerConfig resolve_logs(const BrokerLayers& layers) {
  LogManagerConfig config;
  config.retention_check_interval_ms = layers.number("log.retention.check.interval.ms");
  config.flush_scheduler_interval_ms = layers.number("log.flush.scheduler.interval.ms");
  config.flush_offset_checkpoint_interval_ms = number32(layers, "log.flush.offset.checkpoint.interval.ms");
  config.flush_start_offset_checkpoint_interval_ms = number32(layers, "log.flush.start.offset.checkpoint.interval.ms");
  config.initial_task_delay_ms = layers.number("log.initial.task.delay.ms");
  config.recovery_threads_per_data_dir = number32(layers, "num.recovery.threads.per.data.dir");
  config.cleaner_enable = layers.boolean("log.cleaner.enable");
  config.cleaner_threads = number32(layers, "log.cleaner.threads");
  config.cleaner_dedupe_buffer_size = layers.number("log.cleaner.dedupe.buffer.size");
  config.cleaner_io_buffer_size = number32(layers, "log.cleaner.io.buffer.size");
  config.cleaner_io_buffer_load_factor = layers.real("log.cleaner.io.buffer.load.factor");
  config.cleaner_io_max_bytes_per_second = layers.real("log.cleaner.io.max.bytes.per.second");
  config.cleaner_backoff_ms = layers.number("log.cleaner.backoff.ms");
  config.producer_id_expiration_ms = number32(layers, "producer.id.expiration.ms");
  config.producer_id_expiration_check_interval_ms = number32(layers, "producer.id.expiration.check.interval.ms");
  config.high_watermark_checkpoint_interval_ms = layers.number("replica.high.watermark.checkpoint.interval.ms");
  return config;
}

}  // namespace

BrokerConfig resolve_broker_config(const BrokerLayers& layers) {
  BrokerConfig config;
  config.sockets = resolve_sockets(layers);
  config.groups = resolve_groups(layers);
  config.logs = resolve_logs(layers);
  config.event_loops = number32(layers, "barnabas.event.loops");
  config.num_partitions = number32(layers, "num.partitions");
  config.default_replication_factor = number32(layers, "default.replication.factor");
  config.auto_create_topics_enable = layers.boolean("auto.create.topics.enable");
  config.delete_topic_enable = layers.boolean("delete.topic.enable");
  config.fetch_max_bytes = number32(layers, "fetch.max.bytes");
  config.max_incremental_fetch_session_cache_slots = number32(layers, "max.incremental.fetch.session.cache.slots");
  config.max_request_partition_size_limit = number32(layers, "max.request.partition.size.limit");
  config.request_timeout_ms = number32(layers, "request.timeout.ms");
  config.min_insync_replicas = number32(layers, "min.insync.replicas");
  return config;
}

}  // namespace barnabas::config
