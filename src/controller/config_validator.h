// ConfigValidator: what the controller must know about configuration keys, and no more, so that it does not depend on
// how keys are described. Implemented by whoever wires the node; pure, called from deciding methods.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metadata/image.h"
#include "wire/kafka_error.h"

namespace barnabas::controller {

struct ConfigProblem {
  wire::KafkaError error{};  // INVALID_CONFIG, INVALID_REQUEST, ...
  std::string message;
};

// One row of a CreateTopics answer.
struct DescribedConfig {
  std::string name;
  std::optional<std::string> value;
  bool read_only = false;
  int8_t source = 5;  // 1 topic, 2 broker, 3 cluster default, 4 static, 5 default
  bool sensitive = false;
};

class ConfigValidator {
 public:
  virtual ~ConfigValidator() = default;

  // Whether the overrides of `resource` may become `after`. `before` is what they are (empty for a new topic).
  virtual std::optional<ConfigProblem> check(const metadata::ConfigResource& resource,
                                             const metadata::ConfigMap& before,
                                             const metadata::ConfigMap& after) const = 0;
  // All configs of a topic with these overrides, sorted by name.
  virtual std::vector<DescribedConfig> describe_topic(const metadata::ConfigMap& overrides) const = 0;
};

}  // namespace barnabas::controller
