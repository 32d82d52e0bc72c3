// DescribeConfigs: every key of a topic, broker, group or client-metrics subscription with its value and where that
// comes from. config/ knows the keys; here is only which resources exist, and the shape of the answer.

#include <charconv>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/loggers.h"
#include "broker/broker.h"
#include "config/resolved.h"
#include "controller/topic_names.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"

namespace barnabas::broker {

using metadata::ResourceType;
using wire::DescribeConfigsRequest;
using wire::DescribeConfigsResponse;
using wire::KafkaError;

namespace {

using Row = DescribeConfigsResponse::DescribeConfigsResourceResult;

struct Refusal {
  KafkaError error{};
  std::string message;
};
using Described = std::expected<std::vector<config::DescribedConfig>, Refusal>;

std::unexpected<Refusal> refuse(std::string message) {
  return std::unexpected(Refusal{KafkaError::kInvalidRequest, std::move(message)});
}

std::expected<int32_t, Refusal> broker_id(const std::string& name) {
  int32_t id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error == std::errc() && end == name.data() + name.size()) return id;
  return refuse("Broker id must be an integer, but it is: " + name);
}

Described describe_this_broker(const std::string& name, Broker& broker, const config::KeyFilter& keys,
                               bool empty_allowed) {
  auto id = broker_id(name);
  if (!id) return std::unexpected(id.error());
  if (*id != broker.id().value) {
    return refuse("Unexpected broker id, expected " + std::to_string(broker.id().value) +
                  (empty_allowed ? " or empty string" : "") + ", but received " + name);
  }
  return config::describe_broker(broker.settings()->layers, keys);
}

Described describe(const DescribeConfigsRequest::DescribeConfigsResource& resource, Broker& broker,
                   const metadata::Image& image) {
  const config::KeyFilter keys = resource.configuration_keys.value_or(config::KeyFilter());
  const std::string& name = resource.resource_name;
  const auto settings = broker.settings();
  auto type = static_cast<ResourceType>(resource.resource_type);
  const metadata::ConfigMap& overrides = image.config({type, name});
  switch (type) {
    case ResourceType::kTopic:
      if (auto problem = controller::topic_name_problem(name)) {
        return std::unexpected(Refusal{KafkaError::kInvalidTopicException, std::move(*problem)});
      }
      if (!image.topic(name)) return std::unexpected(Refusal{KafkaError::kUnknownTopicOrPartition, ""});
      return config::describe_topic(overrides, settings->layers, keys);
    case ResourceType::kBroker:
      if (name.empty()) return config::describe_cluster_default(settings->layers, keys);
      return describe_this_broker(name, broker, keys, true);
    case ResourceType::kBrokerLogger: {
      if (name.empty()) return refuse("Broker id must not be empty");
      auto checked = describe_this_broker(name, broker, {"node.id"}, false);
      if (!checked) return checked;
      return describe_loggers(broker, keys);
    }
    case ResourceType::kClientMetrics:
      if (name.empty()) return refuse("Client metrics subscription name must not be empty");
      return config::describe_client_metrics(overrides, keys);
    case ResourceType::kGroup:
      if (name.empty()) return refuse("Group name must not be empty");
      return config::describe_group(overrides, settings->layers, keys);
  }
  return refuse("Unsupported resource type: " + std::to_string(resource.resource_type));
}

Row shape(config::DescribedConfig& config, const DescribeConfigsRequest& request) {
  Row row;
  row.name = std::move(config.name);
  row.value = std::move(config.value);
  row.read_only = config.read_only;
  row.config_source = static_cast<int8_t>(config.source);
  row.is_sensitive = config.sensitive;
  row.config_type = static_cast<int8_t>(config.type);
  row.documentation.reset();
  if (request.include_documentation && !config.documentation.empty()) row.documentation = config.documentation;
  if (!request.include_synonyms) return row;
  for (config::DescribedSynonym& synonym : config.synonyms) {
    auto& shaped = row.synonyms.emplace_back();
    shaped.name = std::move(synonym.name);
    shaped.value = std::move(synonym.value);
    shaped.source = static_cast<int8_t>(synonym.source);
  }
  return row;
}

}  // namespace

runtime::Task<DescribeConfigsResponse> handle(Caller&, DescribeConfigsRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    auto described = describe(resource, broker, *image);
    if (!described) {
      result.error_code = described.error().error;
      result.error_message = std::move(described.error().message);
      continue;
    }
    for (config::DescribedConfig& config : *described) result.configs.push_back(shape(config, request));
  }
  co_return response;
}

BARNABAS_API(DescribeConfigs)

}  // namespace barnabas::broker
