#include "config/alter_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "config/listener.h"
#include "config/tables.h"
#include "config/topic_config.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

// Kafka lets these change only per listener, since a certificate belongs to one.
constexpr std::string_view kOnlyPerListener[] = {
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
};

constexpr std::string_view kClusterWideListenerKeys[] = {"max.connection.creation.rate", "max.connections",
                                                         "num.network.threads"};

constexpr std::string_view kThreadKeys[] = {"num.io.threads", "num.replica.fetchers",
                                            "num.recovery.threads.per.data.dir", "background.threads",
                                            "num.network.threads"};

template <class Range>
bool contains(const Range& range, std::string_view item) {
  return std::ranges::find(range, item) != std::end(range);
}

std::optional<Refusal> refuse_keys(std::string_view sentence, const std::vector<std::string_view>& keys) {
  if (keys.empty()) return std::nullopt;
  return refuse(kInvalidRequest, fmt::format("{}: [{}]", sentence, fmt::join(keys, ", ")));
}

std::optional<Refusal> check_broker_scopes(const Overrides& next, bool per_broker) {
  std::vector<std::string_view> read_only, without_prefix, one_broker_only;
  for (const auto& [name, value] : next) {
    const KeyInfo* key = broker_keys().find(name);
    if (key != nullptr && key->update_mode == UpdateMode::kReadOnly) read_only.push_back(name);
    if (own_keys().find(name) != nullptr) read_only.push_back(name);
    if (contains(kOnlyPerListener, name)) without_prefix.push_back(name);
    const std::string_view base = without_listener_prefix(name);
    const bool of_listener = base != name && !contains(kClusterWideListenerKeys, base);
    if (of_listener || (key != nullptr && key->update_mode == UpdateMode::kPerBroker)) one_broker_only.push_back(name);
  }
  if (auto refusal = refuse_keys("Cannot update these configs dynamically", read_only)) return refusal;
  if (auto refusal =
          refuse_keys("These security configs can be dynamically updated only per-listener using the listener "
                      "prefix",
                      without_prefix))
    return refusal;
  if (per_broker) return std::nullopt;
  return refuse_keys("Cannot update these configs at default cluster level, broker id must be specified",
                     one_broker_only);
}

std::optional<Refusal> check_threads(const BrokerLayers& now, const BrokerLayers& later) {
  for (const std::string_view name : kThreadKeys) {
    const int64_t current = now.number(name);
    const int64_t wanted = later.number(name);
    const auto wrong = [&](const std::string& what) {
      return refuse(kInvalidRequest,
                    fmt::format("Dynamic thread count update validation failed for {}={}, {}", name, wanted, what));
    };
    if (wanted == current) continue;
    if (wanted < current / 2) return wrong(fmt::format("value should be at least half the current value {}", current));
    if (wanted > current * 2)
      return wrong(fmt::format("value should not be greater than double the current value {}", current));
  }
  return std::nullopt;
}

// Rules of a node's whole configuration that dynamic keys can break.
std::optional<Refusal> check_later(const BrokerLayers& later, const Overrides& next) {
  if (next.contains("log.retention.ms") && later.number_with_synonyms("log.retention.ms") == 0)
    return refuse(kInvalidRequest,
                  "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
  const int64_t cleaner_threads = std::max<int64_t>(later.number("log.cleaner.threads"), 1);
  if (later.number("log.cleaner.dedupe.buffer.size") / cleaner_threads <= 1024 * 1024)
    return refuse(kInvalidRequest,
                  "requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.");
  const auto protocols = parse_protocol_map(later.text("listener.security.protocol.map"));
  if (!protocols)
    return refuse(kInvalidRequest, fmt::format("Error parsing configuration property "
                                               "'listener.security.protocol.map': {}",
                                               protocols.error().message));
  if (!next.contains("listeners")) return std::nullopt;
  const auto listeners = parse_listeners("listeners", later.text("listeners"), *protocols, true);
  if (!listeners) return refuse(kInvalidRequest, listeners.error().message);
  return std::nullopt;
}

std::optional<Refusal> check_cordoned(const BrokerLayers& later) {
  const auto dirs = later.value("log.dirs");
  const std::vector<std::string> present = dirs ? split_list(*dirs) : later.list("log.dir");
  std::vector<std::string> missing = later.list("cordoned.log.dirs");
  std::erase_if(missing, [&](const std::string& dir) { return dir == "*" || contains(present, dir); });
  if (missing.empty()) return std::nullopt;
  return refuse(kInvalidRequest, fmt::format("requirement failed: All entries in cordoned.log.dirs must be present in "
                                             "log.dirs or log.dir. Missing entries : {}",
                                             fmt::join(missing, ", ")));
}

// "consumer.session.timeout.ms" -> "group.consumer.min.session.timeout.ms"
std::string bound_name(std::string_view key, std::string_view bound) {
  const size_t dot = key.find('.');
  return fmt::format("group.{}.{}.{}", key.substr(0, dot), bound,
                     key.substr(dot + 1).starts_with("num.") ? key.substr(dot + 5) : key.substr(dot + 1));
}

std::optional<Refusal> check_group_bound(const BrokerLayers& broker, std::string_view key, int64_t value) {
  const std::string low = bound_name(key, "min");
  const std::string high = bound_name(key, "max");
  if (broker_keys().find(low) != nullptr && value < broker.number(low))
    return refuse(kInvalidConfig, fmt::format("{} must be greater than or equal to {}", key, low));
  if (broker_keys().find(high) != nullptr && value > broker.number(high))
    return refuse(kInvalidConfig, fmt::format("{} must be less than or equal to {}", key, high));
  return std::nullopt;
}

// Whether `pattern` can be a regular expression at all: brackets close, nothing is escaped at the end, no quantifier
// stands without something to repeat. What passes is compiled where clients are matched.
bool is_plausible_regex(std::string_view pattern) {
  int depth = 0;
  bool in_class = false;
  bool repeatable = false;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      if (++at == pattern.size()) return false;
      repeatable = true;
      continue;
    }
    if (in_class) {
      in_class = c != ']';
      repeatable = true;
      continue;
    }
    if ((c == '*' || c == '+' || c == '?') && !repeatable && !(at > 0 && c == '?' && pattern[at - 1] == '('))
      return false;
    in_class = c == '[';
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth < 0) return false;
    repeatable = c != '(' && c != '|';
  }
  return depth == 0 && !in_class;
}

std::optional<Refusal> check_match(const std::string& patterns) {
  constexpr std::string_view kParameters[] = {"client_instance_id",    "client_id",
                                              "client_software_name",  "client_software_version",
                                              "client_source_address", "client_source_port"};
  for (const std::string& pattern : split_list(patterns)) {
    const size_t equals = pattern.find('=');
    const bool one = equals != std::string::npos && pattern.find('=', equals + 1) == std::string::npos;
    const std::string_view expression = one ? trim(std::string_view(pattern).substr(equals + 1)) : "";
    if (!one || expression.empty() || !is_plausible_regex(expression) ||
        !contains(kParameters, trim(std::string_view(pattern).substr(0, equals))))
      return refuse(kInvalidConfig, fmt::format("Illegal client matching pattern: {}", pattern));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_topic_overrides(const BrokerLayers& broker, const Overrides& next) {
  for (const auto& [name, value] : next)
    if (topic_keys().find(name) == nullptr)
      return refuse(kInvalidConfig, fmt::format("Unknown topic config name: {}", name));
  for (const auto& [name, value] : next)
    if (const auto canonical = check_value(*topic_keys().find(name), value); !canonical)
      return refuse(kInvalidConfig, canonical.error().message);
  const TopicConfig config = resolve_topic_config(broker, next);
  if (config.min_compaction_lag_ms > config.max_compaction_lag_ms)
    return refuse(kInvalidConfig,
                  fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                              config.min_compaction_lag_ms, config.max_compaction_lag_ms));
  if (config.remote_storage_enable)
    return refuse(kInvalidConfig,
                  "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log "
                  "storage.");
  return std::nullopt;
}

std::optional<Refusal> check_broker_overrides(const AlterContext& context, const Overrides& next) {
  const bool per_broker = !context.resource_name.empty();
  if (auto refusal = check_broker_scopes(next, per_broker)) return refusal;
  for (const auto& [name, value] : next) {
    const KeyInfo* key = find_node_key(name);  // an unknown one is stored as it is
    if (key == nullptr) continue;
    if (const auto canonical = check_value(*key, value); !canonical)
      return refuse(kInvalidRequest, canonical.error().message);
  }
  BrokerLayers later = *context.broker;
  (per_broker ? later.this_broker : later.cluster_default) = next;
  if (auto refusal = check_threads(*context.broker, later)) return refusal;
  if (auto refusal = check_cordoned(later)) return refusal;
  return check_later(later, next);
}

std::optional<Refusal> check_group_overrides(const BrokerLayers& broker, const Overrides& next) {
  for (const auto& [name, value] : next) {
    const KeyInfo* key = group_keys().find(name);
    if (key == nullptr) return refuse(kInvalidConfig, fmt::format("Unknown group config name: {}", name));
    const auto canonical = check_value(*key, value);
    if (!canonical) return refuse(kInvalidConfig, canonical.error().message);
    if (key->type != KeyType::kInt) continue;
    if (auto refusal = check_group_bound(broker, name, parse_long(*canonical).value_or(0))) return refusal;
  }
  const auto effective = [&](const std::string& name) {
    const auto entry = next.find(name);
    return entry != next.end() ? parse_long(trim(entry->second)).value_or(0) : broker.number("group." + name);
  };
  for (const std::string_view kind : {"consumer", "share", "streams"}) {
    const std::string session = fmt::format("{}.session.timeout.ms", kind);
    const std::string heartbeat = fmt::format("{}.heartbeat.interval.ms", kind);
    if (effective(session) <= effective(heartbeat))
      return refuse(kInvalidConfig, fmt::format("{} must be greater than {}", session, heartbeat));
  }
  return std::nullopt;
}

std::optional<Refusal> check_client_metrics_overrides(const Overrides& next) {
  constexpr int64_t kShortestMs = 100;
  constexpr int64_t kLongestMs = 3600000;
  for (const auto& [name, value] : next) {
    const KeyInfo* key = client_metrics_keys().find(name);
    if (key == nullptr) return refuse(kInvalidRequest, fmt::format("Unknown client metrics configuration: {}", name));
    const auto canonical = check_value(*key, value);
    if (!canonical) return refuse(kInvalidConfig, canonical.error().message);
    const int64_t interval_ms = parse_long(*canonical).value_or(0);
    if (name == "interval.ms" && (interval_ms < kShortestMs || interval_ms > kLongestMs))
      return refuse(kInvalidRequest, fmt::format("Invalid value {} for interval.ms, interval must be between 100 and "
                                                 "3600000 (1 hour)",
                                                 interval_ms));
    if (name != "match") continue;
    if (auto refusal = check_match(*canonical)) return refusal;
  }
  return std::nullopt;
}

}  // namespace barnabas::config
