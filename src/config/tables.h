// The tables of configuration keys, one per kind of resource. Constant, generated from schema/config/*.cfg.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/key.h"

namespace barnabas::config {

// Rows stand in the order in which DescribeConfigs lists them; `find` is a binary search.
class KeyTable {
 public:
  constexpr KeyTable(std::span<const KeyInfo> rows, std::span<const uint16_t> by_name)
      : rows_(rows), by_name_(by_name) {}

  std::span<const KeyInfo> rows() const { return rows_; }
  const KeyInfo* find(std::string_view name) const;  // nullptr if there is no such key

 private:
  std::span<const KeyInfo> rows_;
  std::span<const uint16_t> by_name_;  // indices of rows_, sorted by name
};

const KeyTable& broker_keys();          // Kafka's 360
const KeyTable& topic_keys();           // Kafka's 34
const KeyTable& group_keys();           // per consumer, share or streams group
const KeyTable& client_metrics_keys();  // per client metrics subscription
const KeyTable& own_keys();             // barnabas.*
const KeyTable& extra_keys();           // Kafka knows them, but not in its broker table: super.users, throttle rates

// What may stand in server.properties: a key of broker_keys(), own_keys() or extra_keys(), or one of them behind
// "listener.name.<listener>." or "listener.name.<listener>.<mechanism>.". nullptr if unknown.
const KeyInfo* find_node_key(std::string_view name);

// "retention.ms" out of "listener.name.x.retention.ms"; `name` itself if it has no such prefix. A mechanism before
// one of Kafka's five per-mechanism keys is removed too.
std::string_view without_listener_prefix(std::string_view name);

// "listener.name.<listener in lower case>.<name>".
std::string listener_key(std::string_view listener, std::string_view name);
// Whether Kafka reads this key per listener; behind a listener's prefix it leaves all others aside.
bool is_read_per_listener(std::string_view name);

// The known key of `table` that looks most like `name`; "" if none is near.
std::string_view nearest_key(const KeyTable& table, std::string_view name);

}  // namespace barnabas::config
