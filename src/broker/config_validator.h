// The controller's view of configuration keys, on the tables of `config`: what an override may be, and what a new
// topic's settings look like in the answer.
#pragma once

#include "config/layers.h"
#include "controller/config_validator.h"

namespace barnabas::broker {

class ConfigValidator : public controller::ConfigValidator {
 public:
  explicit ConfigValidator(config::BrokerLayers layers) : layers_(std::move(layers)) {}

  std::optional<controller::ConfigProblem> check(const metadata::ConfigResource& resource,
                                                 const metadata::ConfigMap& before,
                                                 const metadata::ConfigMap& after) const override;
  std::vector<controller::DescribedConfig> describe_topic(const metadata::ConfigMap& overrides) const override;

 private:
  const config::BrokerLayers layers_;
};

}  // namespace barnabas::broker
