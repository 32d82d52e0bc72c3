#include "config/node_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

namespace barnabas::config {
namespace {

std::vector<std::string> names_of(const std::vector<Listener>& listeners) {
  std::vector<std::string> names;
  for (const Listener& listener : listeners) names.push_back(listener.name);
  return names;
}

bool is_voter(const NodeConfig& node) {
  return std::ranges::find(node.quorum_voters, node.node_id, &Voter::id) != node.quorum_voters.end();
}

Result<> check_controller_role(const NodeConfig& node, const NodeValues& values) {
  if (!node.quorum_voters.empty() && !is_voter(node))
    return values.wrong("controller.quorum.voters",
                        fmt::format("If process.roles contains the 'controller' role, the node id {} must be included "
                                    "in the set of voters controller.quorum.voters",
                                    node.node_id));
  for (const std::string& name : node.controller_listener_names)
    if (node.find_listener(name) == nullptr)
      return values.wrong("controller.listener.names",
                          fmt::format("controller.listener.names must only contain values appearing in the 'listeners' "
                                      "configuration when running the KRaft controller role; {} is not there: add "
                                      "{}://host:port to listeners",
                                      name, name));
  if (node.controller_listener_names.empty())
    return values.wrong("controller.listener.names",
                        "controller.listener.names must contain at least one value appearing in the 'listeners' "
                        "configuration when running the KRaft controller role");
  if (node.is_broker) return {};
  for (const Listener& listener : node.listeners)
    if (!node.is_controller_listener(listener.name))
      return values.wrong("listeners",
                          fmt::format("The listeners config must only contain KRaft controller listeners from "
                                      "controller.listener.names when process.roles=controller; {} is none of them",
                                      listener.name));
  return {};
}

Result<> check_broker_only(const NodeConfig& node, const NodeValues& values) {
  if (is_voter(node))
    return values.wrong("controller.quorum.voters",
                        fmt::format("If process.roles contains just the 'broker' role, the node id {} must not be "
                                    "included in the set of voters controller.quorum.voters",
                                    node.node_id));
  if (node.controller_listener_names.empty())
    return values.wrong("controller.listener.names",
                        "controller.listener.names must contain at least one value when running KRaft with just the "
                        "broker role");
  for (const std::string& name : node.controller_listener_names) {
    if (node.find_listener(name) != nullptr)
      return values.wrong("listeners",
                          fmt::format("controller.listener.names must not contain a value appearing in the "
                                      "'listeners' configuration when running KRaft with just the broker "
                                      "role; take {} out of listeners",
                                      name));
    if (!node.protocols.contains(name))
      return values.wrong("controller.listener.names",
                          fmt::format("Controller listener with name {} defined in controller.listener.names not found "
                                      "in listener.security.protocol.map; add {}:PLAINTEXT (or another protocol) there",
                                      name, name));
  }
  return {};
}

Result<> check_broker_listeners(const NodeConfig& node, const NodeValues& values) {
  std::vector<std::string> advertised = names_of(node.advertised_listeners);
  std::erase_if(advertised, [&](const std::string& name) { return node.is_controller_listener(name); });
  if (advertised.empty())
    return values.wrong("listeners",
                        "There must be at least one broker advertised listener. Perhaps all listeners appear in "
                        "controller.listener.names?");
  if (std::ranges::find(advertised, node.inter_broker_listener_name) == advertised.end())
    return values.wrong("inter.broker.listener.name",
                        fmt::format("inter.broker.listener.name must be a listener name defined in "
                                    "advertised.listeners. The valid options based on currently configured listeners "
                                    "are {}",
                                    fmt::join(advertised, ",")));
  for (const std::string& name : advertised)
    if (node.find_listener(name) == nullptr)
      return values.wrong("advertised.listeners",
                          fmt::format("advertised.listeners listener names must be equal to or a subset of the ones "
                                      "defined in listeners. Found {}. The valid options based on the current "
                                      "configuration are {}",
                                      name, fmt::join(names_of(node.listeners), ",")));
  return {};
}

Result<> check_order(const NodeConfig& node, const NodeValues& values, std::string_view low, std::string_view high) {
  if (node.layers.number(low) <= node.layers.number(high)) return {};
  return values.wrong(values.has(high) ? high : low,
                      fmt::format("{} ({}) must be greater than or equal to {} ({})", high, node.layers.number(high),
                                  low, node.layers.number(low)));
}

// group.<kind>.min.<what> <= group.<kind>.<what> <= group.<kind>.max.<what>
Result<> check_group_bounds(const NodeConfig& node, const NodeValues& values) {
  constexpr std::string_view kBounded[][2] = {
      {"consumer", "session.timeout.ms"},      {"consumer", "heartbeat.interval.ms"},
      {"consumer", "assignment.interval.ms"},  {"share", "session.timeout.ms"},
      {"share", "heartbeat.interval.ms"},      {"share", "assignment.interval.ms"},
      {"share", "record.lock.duration.ms"},    {"share", "delivery.count.limit"},
      {"share", "partition.max.record.locks"}, {"streams", "session.timeout.ms"},
      {"streams", "heartbeat.interval.ms"},    {"streams", "assignment.interval.ms"},
  };
  for (const auto& [kind, what] : kBounded) {
    const std::string low = fmt::format("group.{}.min.{}", kind, what);
    const std::string high = fmt::format("group.{}.max.{}", kind, what);
    const std::string value = fmt::format("group.{}.{}", kind, what);
    TRY(check_order(node, values, low, high));
    TRY(check_order(node, values, low, value));
    TRY(check_order(node, values, value, high));
  }
  TRY(check_order(node, values, "group.streams.num.standby.replicas", "group.streams.max.standby.replicas"));
  for (const std::string_view kind : {"consumer", "share", "streams"}) {
    const std::string heartbeat = fmt::format("group.{}.heartbeat.interval.ms", kind);
    const std::string session = fmt::format("group.{}.session.timeout.ms", kind);
    if (node.layers.number(heartbeat) >= node.layers.number(session))
      return values.wrong(session, fmt::format("{} must be less than {}", heartbeat, session));
  }
  return check_order(node, values, "group.min.session.timeout.ms", "group.max.session.timeout.ms");
}

Result<> check_log_bounds(const NodeConfig& node, const NodeValues& values) {
  const auto number = [&](std::string_view key) { return node.layers.number(key); };
  const int64_t retention_ms = node.layers.number_with_synonyms("log.retention.ms");
  for (const std::string_view key : {"log.retention.ms", "log.retention.minutes", "log.retention.hours"})
    if (retention_ms == 0 && values.has(key))
      return values.wrong(key, "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
  if (node.layers.number_with_synonyms("log.roll.ms") < 1)
    return values.wrong("log.roll.ms", "log.roll.ms must be greater than or equal to 1");
  if (node.layers.number_with_synonyms("log.roll.jitter.ms") < 0)
    return values.wrong("log.roll.jitter.ms", "log.roll.jitter.ms must be greater than or equal to 0");
  const int64_t cleaner_threads = std::max<int64_t>(number("log.cleaner.threads"), 1);
  if (number("log.cleaner.dedupe.buffer.size") / cleaner_threads <= 1024 * 1024)
    return values.wrong("log.cleaner.dedupe.buffer.size",
                        "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.");
  if (number("log.cleaner.min.compaction.lag.ms") > number("log.cleaner.max.compaction.lag.ms"))
    return values.wrong(
        "log.cleaner.min.compaction.lag.ms",
        fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms "
                    "({})",
                    number("log.cleaner.min.compaction.lag.ms"), number("log.cleaner.max.compaction.lag.ms")));
  return {};
}

}  // namespace

Result<> check_roles(const NodeConfig& node, const NodeValues& values) {
  if (node.quorum_voters.empty() && node.quorum_bootstrap_servers.empty())
    return values.wrong("process.roles",
                        "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of "
                        "bootstrap controllers or controller.quorum.voters must contain a parseable set of "
                        "controllers.");
  if (node.is_controller) TRY(check_controller_role(node, values));
  if (!node.is_controller) TRY(check_broker_only(node, values));
  if (node.is_broker) TRY(check_broker_listeners(node, values));
  for (const Listener& listener : node.advertised_listeners)
    if (listener.address.host == "0.0.0.0")
      return values.wrong(values.has("advertised.listeners") ? "advertised.listeners" : "listeners",
                          fmt::format("advertised.listeners cannot use the nonroutable meta-address {}. Use a routable "
                                      "IP address.",
                                      listener.address.host));
  return {};
}

Result<> check_bounds(const NodeConfig& node, const NodeValues& values) {
  const auto number = [&](std::string_view key) { return node.layers.number(key); };
  TRY(check_log_bounds(node, values));
  TRY(check_group_bounds(node, values));
  if (number("replica.fetch.wait.max.ms") > number("replica.socket.timeout.ms"))
    return values.wrong("replica.fetch.wait.max.ms",
                        "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent "
                        "unnecessary socket timeouts");
  if (number("replica.fetch.wait.max.ms") > number("replica.lag.time.max.ms"))
    return values.wrong("replica.fetch.wait.max.ms",
                        "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to "
                        "prevent frequent changes in ISR");
  const int64_t queued_bytes = number("queued.max.request.bytes");
  if (queued_bytes > 0 && queued_bytes < number("socket.request.max.bytes"))
    return values.wrong("queued.max.request.bytes",
                        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
  if (number("max.connections.per.ip") == 0 && node.layers.text("max.connections.per.ip.overrides").empty())
    return values.wrong(
        "max.connections.per.ip",
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is "
        "set.");
  const int64_t idle_ms = number("connections.max.idle.ms");
  const int64_t delay_ms = number("connection.failed.authentication.delay.ms");
  if (idle_ms >= 0 && delay_ms >= idle_ms)
    return values.wrong("connections.max.idle.ms",
                        fmt::format("connection.failed.authentication.delay.ms={} should always be less than "
                                    "connections.max.idle.ms={} to prevent failed authentication responses from timing "
                                    "out",
                                    delay_ms, idle_ms));
  const int64_t codec = number("offsets.topic.compression.codec");
  if (codec < 0 || codec > 4)
    return values.wrong(
        "offsets.topic.compression.codec",
        fmt::format("Unknown compression type id: {} (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd)", codec));
  return {};
}

Result<> check_plug_ins(NodeConfig& node, const NodeValues& values) {
  constexpr std::string_view kAuthorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
  constexpr std::string_view kPrincipalBuilder =
      "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder";
  constexpr std::string_view kSelectors[] = {"org.apache.kafka.common.replica.LeaderSelector",
                                             "org.apache.kafka.common.replica.RackAwareReplicaSelector"};
  const auto text = [&](std::string_view key) { return node.layers.value(key).value_or(""); };

  const std::string authorizer = text("authorizer.class.name");
  if (!authorizer.empty() && authorizer != kAuthorizer)
    return values.wrong("authorizer.class.name",
                        fmt::format("authorizer.class.name={} is a Java class that cannot run here, and without it "
                                    "everybody could do everything; use {} or leave it empty",
                                    authorizer, kAuthorizer));
  if (!authorizer.empty())
    node.warnings.push_back("authorizer.class.name: this build does not check ACLs yet; everybody may do everything");
  if (text("principal.builder.class") != kPrincipalBuilder)
    return values.wrong("principal.builder.class",
                        fmt::format("principal.builder.class={} is a Java class that cannot run here; use {}",
                                    text("principal.builder.class"), kPrincipalBuilder));
  const std::string selector = text("replica.selector.class");
  if (!selector.empty() && std::ranges::find(kSelectors, selector) == std::end(kSelectors))
    return values.wrong("replica.selector.class",
                        fmt::format("replica.selector.class={} is a Java class that cannot run here; use one of {}",
                                    selector, fmt::join(kSelectors, ", ")));
  for (const std::string_view key : {"create.topic.policy.class.name", "alter.config.policy.class.name",
                                     "client.quota.callback.class", "ssl.engine.factory.class"})
    if (!text(key).empty())
      return values.wrong(key,
                          fmt::format("{}={} is a Java class that cannot run here; take the line out", key, text(key)));
  constexpr std::string_view kJmxReporter = "org.apache.kafka.common.metrics.JmxReporter";
  for (const std::string_view key : {"metric.reporters", "kafka.metrics.reporters", "security.providers"})
    if (!text(key).empty() && text(key) != kJmxReporter)
      node.warnings.push_back(fmt::format("{}: Java classes are not loaded; {} is ignored", key, text(key)));
  return {};
}

}  // namespace barnabas::config
