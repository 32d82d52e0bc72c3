#include "client/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "base/result.h"
#include "client/settings_security.h"
#include "client/settings_values.h"
#include "config/nearest.h"
#include "config/value.h"

namespace barnabas::client {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(config_error(std::move(message)));
}

// host:port, [::1]:port, ::1:port, with a SCHEME:// that does not matter: what Kafka takes.
Result<runtime::Endpoint> parse_address(std::string_view key, std::string_view text) {
  std::string_view address = text;
  if (const size_t scheme = address.find("://"); scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  const size_t colon = address.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : config::parse_long(address.substr(colon + 1));
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool valid_host = !host.empty() && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == '%' || c == ':';
  });
  if (!port || !valid_host)
    return wrong(
        fmt::format("Invalid url in {}: {}: write it as host:port{}", key, text,
                    valid_host && colon == std::string_view::npos ? fmt::format(", such as {}:9092", host) : ""));
  if (*port < 0 || *port > std::numeric_limits<uint16_t>::max())
    return wrong(fmt::format("Invalid port in {}: {}: it must be 1 to 65535", key, text));
  return runtime::Endpoint{.host = std::string(host), .port = static_cast<uint16_t>(*port)};
}

Result<std::vector<runtime::Endpoint>> parse_addresses(const Values& values, std::string_view key) {
  std::vector<runtime::Endpoint> addresses;
  for (const std::string& item : values.list(key)) {
    TRY_ASSIGN(addresses.emplace_back(), parse_address(key, item));
  }
  return addresses;
}

Result<> read_bootstrap(const Values& values, ClientSettings& into) {
  if (!values.has("bootstrap.servers") || values.list("bootstrap.servers").empty())
    return wrong("bootstrap.servers is missing: set it to the address of one or more brokers, host:port,host:port");
  TRY_ASSIGN(into.bootstrap, parse_addresses(values, "bootstrap.servers"));
  return {};
}

Result<> read_common(const Values& values, ClientSettings& into, std::string default_client_id) {
  into.resolve_canonical_names = values.text("client.dns.lookup") == "resolve_canonical_bootstrap_servers_only";
  into.client_id = values.text("client.id");
  if (into.client_id.empty()) into.client_id = std::move(default_client_id);
  into.metadata_max_age_ms = values.number("metadata.max.age.ms");
  into.metadata_recovery_rebootstrap_trigger_ms = values.number("metadata.recovery.rebootstrap.trigger.ms");
  const std::string strategy = values.text("metadata.recovery.strategy");
  into.rebootstrap = strategy.starts_with('r') || strategy.starts_with('R');
  into.connections_max_idle_ms = values.number("connections.max.idle.ms");
  into.request_timeout_ms = values.number("request.timeout.ms");
  into.retry_backoff_ms = values.number("retry.backoff.ms");
  into.retry_backoff_max_ms = values.number("retry.backoff.max.ms");
  into.reconnect_backoff_ms = values.number("reconnect.backoff.ms");
  into.reconnect_backoff_max_ms = values.number("reconnect.backoff.max.ms");
  if (values.has("reconnect.backoff.ms") && !values.has("reconnect.backoff.max.ms"))
    into.reconnect_backoff_max_ms = into.reconnect_backoff_ms;
  into.socket_connection_setup_timeout_ms = values.number("socket.connection.setup.timeout.ms");
  into.socket_connection_setup_timeout_max_ms = values.number("socket.connection.setup.timeout.max.ms");
  into.send_buffer_bytes = values.number32("send.buffer.bytes");
  into.receive_buffer_bytes = values.number32("receive.buffer.bytes");
  return read_security(values, into);
}

wire::Compression read_compression(const Values& values) {
  const std::string type = values.text("compression.type");
  wire::Compression compression{.codec = wire::codec_named(type).value_or(wire::Codec::kNone), .level = {}};
  const bool has_level = type == "gzip" || type == "lz4" || type == "zstd";
  if (has_level) compression.level = values.number32(fmt::format("compression.{}.level", type));
  return compression;
}

// Idempotence as asked for, or on by default unless something that was asked for rules it out: as Java decides.
Result<> read_idempotence(const Values& values, ProducerSettings& into) {
  const bool asked = values.has("enable.idempotence");
  into.idempotence = values.boolean("enable.idempotence");
  if (into.idempotence && into.retries == 0) {
    if (asked) return wrong("Must set retries to non-zero when using the idempotent producer.");
    into.idempotence = false;
  }
  if (into.idempotence && into.acks != -1) {
    if (asked)
      return wrong(
          "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.");
    into.idempotence = false;
  }
  constexpr int kMostInFlight = 5;
  if (into.idempotence && into.max_in_flight > kMostInFlight)
    return wrong(
        fmt::format("To use the idempotent producer, max.in.flight.requests.per.connection must be set to at "
                    "most {}. Current value is {}.",
                    kMostInFlight, into.max_in_flight));
  if (into.transactional_id && !into.idempotence)
    return wrong("Cannot set a transactional.id without also enabling idempotence.");
  return {};
}

Result<> read_delivery_timeout(const Values& values, ProducerSettings& into) {
  into.delivery_timeout_ms = values.number("delivery.timeout.ms");
  const int64_t least =
      std::min<int64_t>(into.linger_ms + std::min<int64_t>(into.request_timeout_ms, INT32_MAX), INT32_MAX);
  if (into.delivery_timeout_ms >= least) return {};
  if (values.has("delivery.timeout.ms"))
    return wrong(
        fmt::format("delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms: "
                    "set it to {} or more, or request.timeout.ms to less",
                    least));
  into.delivery_timeout_ms = least;
  return {};
}

Result<> read_partitioner(const Values& values, ProducerSettings& into) {
  into.partitioner_ignore_keys = values.boolean("partitioner.ignore.keys");
  into.partitioner_adaptive = values.boolean("partitioner.adaptive.partitioning.enable");
  into.partitioner_availability_timeout_ms = values.number("partitioner.availability.timeout.ms");
  const std::string name = values.text("partitioner.class");
  into.round_robin_partitioner = name == "org.apache.kafka.clients.producer.RoundRobinPartitioner" ||
                                 name == "RoundRobinPartitioner" || name == "round-robin";
  if (into.round_robin_partitioner || name.empty()) return {};
  return wrong(
      fmt::format("partitioner.class {} is a Java class, which cannot run here: "
                  "org.apache.kafka.clients.producer.RoundRobinPartitioner works, others are given as "
                  "ProducerOptions::partitioner",
                  name));
}

struct AssignorName {
  std::string_view name, java;
};
constexpr AssignorName kAssignors[] = {
    {"range", "org.apache.kafka.clients.consumer.RangeAssignor"},
    {"roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor"},
    {"sticky", "org.apache.kafka.clients.consumer.StickyAssignor"},
    {"cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}};

Result<> read_assignors(const Values& values, ConsumerSettings& into) {
  for (const std::string& item : values.list("partition.assignment.strategy")) {
    const auto known = std::ranges::find_if(kAssignors, [&](const AssignorName& assignor) {
      return item == assignor.name || item == assignor.java ||
             item == assignor.java.substr(assignor.java.rfind('.') + 1);
    });
    if (known == std::end(kAssignors)) {
      std::vector<std::string_view> names;
      for (const AssignorName& assignor : kAssignors)
        names.push_back(item.find('.') == std::string::npos ? assignor.name : assignor.java);
      const std::string_view near = config::nearest_word(names, item);
      return wrong(fmt::format("Invalid value {} for configuration partition.assignment.strategy: {}", item,
                               near.empty() ? "it must be range, roundrobin, sticky or cooperative-sticky"
                                            : fmt::format("did you mean '{}'?", near)));
    }
    into.assignors.emplace_back(known->name);
  }
  if (into.assignors.empty()) return wrong("partition.assignment.strategy is empty: name range or cooperative-sticky");
  return {};
}

Result<> read_offset_reset(const Values& values, ConsumerSettings& into) {
  const std::string reset = values.text("auto.offset.reset");
  constexpr std::string_view kByDuration = "by_duration:";
  if (reset == "earliest") into.offset_reset = OffsetReset::kEarliest;
  if (reset == "latest") into.offset_reset = OffsetReset::kLatest;
  if (reset == "none") into.offset_reset = OffsetReset::kNone;
  if (reset.starts_with(kByDuration)) {
    into.offset_reset = OffsetReset::kByDuration;
    into.offset_reset_duration_ms =
        config::parse_duration_ms(std::string_view(reset).substr(kByDuration.size())).value_or(0);
  }
  return {};
}

// Java allows letters, digits, '.', '_' and '-', at most 249 of them, and neither "." nor "..".
bool is_valid_instance_id(std::string_view id) {
  constexpr size_t kLongest = 249;
  return id.size() <= kLongest && id != "." && id != ".." && std::ranges::all_of(id, [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) || c == '.' || c == '_' || c == '-');
         });
}

Result<> read_group(const Values& values, ConsumerSettings& into) {
  into.group_id = values.find("group.id");
  if (into.group_id && config::trim(*into.group_id).empty())
    return wrong("The configured group.id should not be an empty string or whitespace.");
  into.group_instance_id = values.find("group.instance.id");
  if (into.group_instance_id && !is_valid_instance_id(*into.group_instance_id))
    return wrong(fmt::format("Group instance id is invalid: '{}' must be at most 249 letters, digits, '.', '_' or '-'",
                             *into.group_instance_id));
  const std::string protocol = values.text("group.protocol");
  into.consumer_protocol = protocol.starts_with("co") || protocol.starts_with("CO") || protocol.starts_with("Co");
  if (into.consumer_protocol) {
    for (const char* key : {"heartbeat.interval.ms", "session.timeout.ms", "partition.assignment.strategy"})
      if (values.has(key))
        return wrong(fmt::format("{} cannot be set when group.protocol=CONSUMER{}", key,
                                 key == std::string_view("partition.assignment.strategy")
                                     ? ": see group.remote.assignor"
                                     : ": the broker decides it"));
  } else if (values.has("group.remote.assignor")) {
    return wrong("group.remote.assignor cannot be set when group.protocol=CLASSIC: see partition.assignment.strategy");
  }
  into.group_remote_assignor = values.text("group.remote.assignor");
  into.session_timeout_ms = values.number("session.timeout.ms");
  into.heartbeat_interval_ms = values.number("heartbeat.interval.ms");
  if (!into.consumer_protocol && into.heartbeat_interval_ms >= into.session_timeout_ms)
    return wrong("heartbeat.interval.ms must be lower than session.timeout.ms");
  into.auto_commit = into.group_id.has_value() && values.boolean("enable.auto.commit");
  if (!into.group_id && values.has("enable.auto.commit") && values.boolean("enable.auto.commit"))
    return wrong("enable.auto.commit cannot be set to true without a group.id");
  return {};
}

Result<> read_fetching(const Values& values, ConsumerSettings& into) {
  into.client_rack = values.text("client.rack");
  into.default_api_timeout_ms = values.number("default.api.timeout.ms");
  into.max_poll_interval_ms = values.number("max.poll.interval.ms");
  into.max_poll_records = values.number32("max.poll.records");
  into.auto_commit_interval_ms = values.number("auto.commit.interval.ms");
  into.fetch_min_bytes = values.number32("fetch.min.bytes");
  into.fetch_max_bytes = values.number32("fetch.max.bytes");
  into.fetch_max_wait_ms = values.number("fetch.max.wait.ms");
  into.max_partition_fetch_bytes = values.number32("max.partition.fetch.bytes");
  into.check_crcs = values.boolean("check.crcs");
  into.read_committed = values.text("isolation.level") == "read_committed";
  into.allow_auto_create_topics = values.boolean("allow.auto.create.topics");
  into.exclude_internal_topics = values.boolean("exclude.internal.topics");
  return read_offset_reset(values, into);
}

// What `step` says about `values`, or its error.
template <class Settings>
Result<Settings> read_all(const Config& config, ClientKind kind, Result<> (*step)(const Values&, Settings&)) {
  TRY_ASSIGN(const Values values, Values::read(config, kind));
  Settings settings;
  TRY(step(values, settings));
  return settings;
}

Result<> read_producer(const Values& values, ProducerSettings& into) {
  into.transactional_id = values.find("transactional.id");
  TRY(read_bootstrap(values, into));
  TRY(read_common(values, into, into.transactional_id ? "producer-" + *into.transactional_id : "barnabas-producer"));
  const std::string acks = values.text("acks");
  into.acks = acks == "0" ? 0 : acks == "1" ? 1 : -1;
  into.retries = values.number32("retries");
  into.max_in_flight = values.number32("max.in.flight.requests.per.connection");
  TRY(read_idempotence(values, into));
  into.compression = read_compression(values);
  into.linger_ms = values.number("linger.ms");
  into.batch_bytes = values.number32("batch.size");
  into.buffer_memory_bytes = values.number("buffer.memory");
  into.max_block_ms = values.number("max.block.ms");
  into.max_request_bytes = values.number32("max.request.size");
  into.metadata_max_idle_ms = values.number("metadata.max.idle.ms");
  into.transaction_timeout_ms = values.number("transaction.timeout.ms");
  if (values.boolean("transaction.two.phase.commit.enable"))
    return wrong("transaction.two.phase.commit.enable=true is not supported");
  TRY(read_delivery_timeout(values, into));
  return read_partitioner(values, into);
}

Result<> read_consumer(const Values& values, ConsumerSettings& into) {
  TRY(read_bootstrap(values, into));
  TRY(read_group(values, into));
  std::string client_id = "barnabas-consumer";
  if (into.group_id && into.group_instance_id)
    client_id = fmt::format("consumer-{}-{}", *into.group_id, *into.group_instance_id);
  TRY(read_common(values, into, std::move(client_id)));
  TRY(read_assignors(values, into));
  return read_fetching(values, into);
}

Result<> read_share_consumer(const Values& values, ConsumerSettings& into) {
  for (const char* key : {"auto.offset.reset", "enable.auto.commit", "group.instance.id", "isolation.level",
                          "partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms",
                          "group.protocol", "group.remote.assignor"})
    if (values.has(key)) return wrong(fmt::format("{} cannot be set when using a share group.", key));
  TRY(read_bootstrap(values, into));
  into.group_id = values.find("group.id");
  if (!into.group_id || config::trim(*into.group_id).empty()) return wrong("a share consumer needs a group.id");
  TRY(read_common(values, into, "barnabas-share-consumer"));
  TRY(read_fetching(values, into));
  into.auto_commit = false;
  into.share_explicit_acknowledgement = values.text("share.acknowledgement.mode") == "explicit";
  const std::string acquire = values.text("share.acquire.mode");
  into.share_record_limit = acquire.starts_with('r') || acquire.starts_with('R');
  return {};
}

Result<> read_admin(const Values& values, AdminSettings& into) {
  const bool controllers = !values.list("bootstrap.controllers").empty();
  if (controllers && values.has("bootstrap.servers"))
    return wrong("You cannot set both bootstrap.servers and bootstrap.controllers");
  if (controllers) {
    into.bootstrap_is_controllers = true;
    TRY_ASSIGN(into.bootstrap, parse_addresses(values, "bootstrap.controllers"));
  } else {
    TRY(read_bootstrap(values, into));
  }
  TRY(read_common(values, into, "barnabas-admin"));
  into.retries = values.number32("retries");
  into.default_api_timeout_ms = values.number("default.api.timeout.ms");
  if (into.default_api_timeout_ms >= into.request_timeout_ms) return {};
  if (values.has("default.api.timeout.ms"))
    return wrong(fmt::format("default.api.timeout.ms must be no smaller than request.timeout.ms, which is {}",
                             into.request_timeout_ms));
  into.default_api_timeout_ms = into.request_timeout_ms;
  return {};
}

}  // namespace

Result<ProducerSettings> producer_settings(const Config& config) {
  return read_all<ProducerSettings>(config, ClientKind::kProducer, read_producer);
}

Result<ConsumerSettings> consumer_settings(const Config& config) {
  return read_all<ConsumerSettings>(config, ClientKind::kConsumer, read_consumer);
}

Result<ConsumerSettings> share_consumer_settings(const Config& config) {
  return read_all<ConsumerSettings>(config, ClientKind::kShareConsumer, read_share_consumer);
}

Result<AdminSettings> admin_settings(const Config& config) {
  return read_all<AdminSettings>(config, ClientKind::kAdmin, read_admin);
}

}  // namespace barnabas::client
