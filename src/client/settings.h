// Settings: what a Config means, typed and checked, for each kind of client. Durations are in milliseconds. The keys,
// defaults and ranges are Kafka 4.3's, said once in schema/config/{client,producer,consumer,admin}.cfg.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "runtime/stream.h"
#include "security/tls_engine.h"
#include "wire/compression.h"

namespace barnabas::client {

enum class SecurityProtocol { kPlaintext, kSsl, kSaslPlaintext, kSaslSsl };

struct SaslSettings {
  std::string mechanism;  // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
  std::string username;   // from sasl.jaas.config, or sasl.username (librdkafka's key)
  std::string password;
};

struct TlsSettings {
  // PEM text or files, PKCS12 or JKS-free: ssl.truststore.{type,location,password,certificates}, ssl.keystore.*,
  // ssl.key.password.
  std::string truststore_type, truststore_location, truststore_password, truststore_certificates;
  std::string keystore_type, keystore_location, keystore_password, keystore_certificate_chain, keystore_key;
  std::string key_password;
  std::vector<std::string> enabled_protocols;
  std::vector<std::string> cipher_suites;
  bool verify_host_name = true;  // ssl.endpoint.identification.algorithm=https
};

// What every kind of client has.
struct ClientSettings {
  std::vector<runtime::Endpoint> bootstrap;
  bool resolve_canonical_names = false;  // client.dns.lookup=resolve_canonical_bootstrap_servers_only
  std::string client_id;
  std::string client_rack;
  int64_t metadata_max_age_ms = 300000;
  int64_t metadata_recovery_rebootstrap_trigger_ms = 300000;
  bool rebootstrap = true;  // metadata.recovery.strategy
  int64_t connections_max_idle_ms = 540000;
  int64_t request_timeout_ms = 30000;
  int64_t default_api_timeout_ms = 60000;
  int64_t retry_backoff_ms = 100, retry_backoff_max_ms = 1000;
  int64_t reconnect_backoff_ms = 50, reconnect_backoff_max_ms = 1000;
  int64_t socket_connection_setup_timeout_ms = 10000, socket_connection_setup_timeout_max_ms = 30000;
  int32_t send_buffer_bytes = -1, receive_buffer_bytes = -1;
  SecurityProtocol security = SecurityProtocol::kPlaintext;
  SaslSettings sasl;
  TlsSettings tls;
};

struct ProducerSettings : ClientSettings {
  int16_t acks = -1;
  bool idempotence = true;
  wire::Compression compression{};
  int64_t linger_ms = 5;
  int32_t batch_bytes = 16384;
  int64_t buffer_memory_bytes = 33554432;
  int64_t max_block_ms = 60000;
  int32_t max_request_bytes = 1048576;
  int32_t max_in_flight = 5;
  int32_t retries = 2147483647;
  int64_t delivery_timeout_ms = 120000;
  bool partitioner_ignore_keys = false;
  bool partitioner_adaptive = true;
  int64_t partitioner_availability_timeout_ms = 0;
  bool round_robin_partitioner = false;  // partitioner.class=…RoundRobinPartitioner
  int64_t metadata_max_idle_ms = 300000;
  std::optional<std::string> transactional_id;
  int64_t transaction_timeout_ms = 60000;
};

enum class OffsetReset { kEarliest, kLatest, kNone, kByDuration };

struct ConsumerSettings : ClientSettings {
  std::optional<std::string> group_id;
  std::optional<std::string> group_instance_id;
  bool consumer_protocol = false;  // group.protocol=consumer (KIP-848)
  std::string group_remote_assignor;
  std::vector<std::string> assignors;  // range, roundrobin, sticky, cooperative-sticky; in the order of preference
  int64_t session_timeout_ms = 45000, heartbeat_interval_ms = 3000, max_poll_interval_ms = 300000;
  bool auto_commit = true;
  int64_t auto_commit_interval_ms = 5000;
  OffsetReset offset_reset = OffsetReset::kLatest;
  int64_t offset_reset_duration_ms = 0;
  int32_t fetch_min_bytes = 1, fetch_max_bytes = 52428800, max_partition_fetch_bytes = 1048576;
  int64_t fetch_max_wait_ms = 500;
  int32_t max_poll_records = 500;
  bool check_crcs = true;
  bool read_committed = false;
  bool allow_auto_create_topics = true;
  bool exclude_internal_topics = true;
  // Share consumer.
  bool share_explicit_acknowledgement = false;
  bool share_record_limit = false;  // share.acquire.mode=record_limit (KIP-1206)
};

struct AdminSettings : ClientSettings {
  bool bootstrap_is_controllers = false;  // `bootstrap` came from bootstrap.controllers (KIP-919)
  int32_t retries = 2147483647;
};

// kConfig names the key, what is wrong, and the nearest right name or value.
Result<ProducerSettings> producer_settings(const Config& config);
Result<ConsumerSettings> consumer_settings(const Config& config);
Result<ConsumerSettings> share_consumer_settings(const Config& config);
Result<AdminSettings> admin_settings(const Config& config);

// Reads the files that `tls` names. kConfig says which cannot be read.
Result<security::TlsFiles> read_tls_files(const TlsSettings& tls);

}  // namespace barnabas::client
