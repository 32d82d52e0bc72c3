// What DescribeConfigs (and the CreateTopics answer) says: every key with its value, source and synonyms, in Kafka's
// order and by Kafka's rules. Pure functions over overrides; no wire types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/key.h"
#include "config/layers.h"

namespace barnabas::config {

// ConfigSource ids on the wire.
enum class Source : int8_t {
  kUnknown = 0,
  kTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kDynamicBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

struct DescribedSynonym {
  std::string name;
  std::optional<std::string> value;
  Source source = Source::kDefault;

  bool operator==(const DescribedSynonym&) const = default;
};

struct DescribedConfig {
  std::string name;
  std::optional<std::string> value;  // nullopt: null, or sensitive
  Source source = Source::kDefault;
  bool read_only = false;
  bool sensitive = false;
  KeyType type = KeyType::kUnknown;
  std::vector<DescribedSynonym> synonyms;  // always filled; leave it out of the answer unless it was asked for
  std::string_view documentation;          // "" if unknown; static storage

  bool operator==(const DescribedConfig&) const = default;
};

// `names`: only these keys (unknown ones are dropped); empty: all, as Kafka answers an empty list.
using KeyFilter = std::vector<std::string>;

std::vector<DescribedConfig> describe_topic(const Overrides& topic, const BrokerLayers& broker,
                                            const KeyFilter& names = {});
std::vector<DescribedConfig> describe_broker(const BrokerLayers& broker, const KeyFilter& names = {});
// Resource BROKER "": only what is set dynamically for all brokers.
std::vector<DescribedConfig> describe_cluster_default(const BrokerLayers& broker, const KeyFilter& names = {});
std::vector<DescribedConfig> describe_group(const Overrides& group, const BrokerLayers& broker,
                                            const KeyFilter& names = {});
std::vector<DescribedConfig> describe_client_metrics(const Overrides& subscription, const KeyFilter& names = {});

}  // namespace barnabas::config
