// BrokerLayers: the values of one broker by where they came from, and the effective value out of all of them. A plain
// value; the broker publishes a new one by pointer when a dynamic key changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace barnabas::config {

using Overrides = std::map<std::string, std::string, std::less<>>;

struct BrokerLayers {
  Overrides this_broker;      // dynamic, resource BROKER "<id>"
  Overrides cluster_default;  // dynamic, resource BROKER ""
  Overrides file;             // server.properties and --override, already checked

  // The effective canonical value: this_broker, else cluster_default, else file, else the key's default; nullopt is
  // null. A dynamic value that does not check out is passed over (Kafka logs and ignores it). `name` must be a key of
  // broker_keys(), own_keys() or extra_keys().
  std::optional<std::string> value(std::string_view name) const;

  // What counts for one listener: "listener.name.<listener>.<name>" in any layer, else value(name).
  std::optional<std::string> value_of_listener(std::string_view listener, std::string_view name) const;

  // As value(), for keys that are never null. Units are the key's own.
  int64_t number(std::string_view name) const;
  double real(std::string_view name) const;
  bool boolean(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;

  // With its synonyms and their units: duration of log.retention.ms out of .ms, .minutes or .hours.
  int64_t number_with_synonyms(std::string_view name) const;
};

}  // namespace barnabas::config
