// The controller's view of configuration keys, on the tables of `config`: what an override may be, and what a new
// topic's settings look like in the answer.
#pragma once

#include "config/layers.h"
#include "controller/config_validator.h"

namespace barnabas::node {

class ConfigValidator : public controller::ConfigValidator {
 public:
  ConfigValidator(config::BrokerLayers layers, int32_t node_id) : layers_(std::move(layers)), node_id_(node_id) {}

  std::optional<controller::ConfigProblem> check(const metadata::ConfigResource& resource,
                                                 const metadata::ConfigMap& before,
                                                 const metadata::ConfigMap& after) const override;
  bool is_list(metadata::ResourceType type, std::string_view key) const override;
  std::optional<std::string> default_value(metadata::ResourceType type, std::string_view key) const override;
  std::vector<controller::DescribedConfig> describe_topic(const metadata::ConfigMap& overrides) const override;

  // The dynamic broker settings in force, of the newest image. On the controller's loop.
  void set_layers(config::BrokerLayers layers) { layers_ = std::move(layers); }

 private:
  config::BrokerLayers layers_;
  int32_t node_id_;
};

}  // namespace barnabas::node
