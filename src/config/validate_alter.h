// The rules of changing configuration at run time: what IncrementalAlterConfigs, AlterConfigs and CreateTopics accept,
// and Kafka's error code and sentence for what they do not. Pure: current overrides in, new overrides out.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/layers.h"

namespace barnabas::config {

// ConfigResource types on the wire.
enum class ResourceType : int8_t {
  kUnknown = 0,
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

enum class AlterOp : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct Change {
  std::string name;
  int8_t op = 0;  // AlterOp as received; anything else is refused
  std::optional<std::string> value;
};

struct Refusal {
  int16_t error_code = 0;  // Kafka's
  std::string message;

  bool operator==(const Refusal&) const = default;
};

struct AlterContext {
  ResourceType type = ResourceType::kTopic;
  std::string_view resource_name;        // "" is the cluster default of BROKER
  int32_t broker_id = -1;                // who answers: another broker's resource is refused; -1: a controller, any
  const BrokerLayers* broker = nullptr;  // effective defaults, current thread counts, group bounds; never null
  bool elr_enabled = false;              // feature eligible.leader.replicas.version >= 1
};

// Rules of any request, whatever the resource: no key twice, a value for all but DELETE.
std::optional<Refusal> check_changes(std::span<const Change> changes);

// SET, DELETE, APPEND and SUBTRACT as they are meant, whether or not the outcome may be.
std::expected<Overrides, Refusal> apply_changes(ResourceType type, const Overrides& current,
                                                std::span<const Change> changes);

// The resource's overrides after `changes`. Existence of the topic is the caller's business.
std::expected<Overrides, Refusal> alter_incrementally(const AlterContext& context, const Overrides& current,
                                                      std::span<const Change> changes);

// Legacy AlterConfigs: `wanted` replaces everything. A null value is refused.
struct WantedConfig {
  std::string name;
  std::optional<std::string> value;
};
std::expected<Overrides, Refusal> replace_all(const AlterContext& context, const Overrides& current,
                                              std::span<const WantedConfig> wanted);

// Configs of a topic about to be created.
std::expected<Overrides, Refusal> check_new_topic(const BrokerLayers& broker, std::span<const WantedConfig> wanted);

}  // namespace barnabas::config
