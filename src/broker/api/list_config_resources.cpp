// ListConfigResources: the names of what can be configured. Version 0 knew client-metrics subscriptions only.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/cluster_view.h"
#include "broker/broker.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"

namespace barnabas::broker {

using metadata::ResourceType;
using wire::KafkaError;
using wire::ListConfigResourcesRequest;
using wire::ListConfigResourcesResponse;

namespace {

constexpr int16_t kTypesFrom = 1;
constexpr std::array kAllTypes{ResourceType::kTopic, ResourceType::kBroker, ResourceType::kBrokerLogger,
                               ResourceType::kClientMetrics, ResourceType::kGroup};

std::vector<std::string> names_of(ResourceType type, const metadata::Image& image, std::string_view listener) {
  std::vector<std::string> names;
  switch (type) {
    case ResourceType::kTopic:
      for (const metadata::TopicPtr& topic : image.topics()) names.push_back(topic->name);
      break;
    case ResourceType::kBroker:
    case ResourceType::kBrokerLogger:
      for (const VisibleBroker& visible : visible_brokers(image, listener, true)) {
        names.push_back(std::to_string(visible.broker->id.value));
      }
      break;
    case ResourceType::kClientMetrics:
    case ResourceType::kGroup:
      for (const metadata::ResourceConfigPtr& config : image.configs()) {
        if (config->resource.type == type && !config->values.empty()) names.push_back(config->resource.name);
      }
      break;
  }
  return names;
}

}  // namespace

runtime::Task<ListConfigResourcesResponse> handle(Caller& caller, ListConfigResourcesRequest request, Broker& broker) {
  std::vector<ResourceType> types;
  for (int8_t type : request.resource_types) types.push_back(static_cast<ResourceType>(type));
  if (caller.api_version < kTypesFrom) {
    types = {ResourceType::kClientMetrics};
  } else if (types.empty()) {
    types.assign(kAllTypes.begin(), kAllTypes.end());
  }
  ListConfigResourcesResponse response;
  bool known = std::ranges::all_of(types, [](ResourceType type) { return std::ranges::count(kAllTypes, type) > 0; });
  if (!known) {
    response.error_code = KafkaError::kUnsupportedVersion;
    co_return response;
  }
  metadata::ImagePtr image = broker.image();
  for (ResourceType type : types) {
    for (std::string& name : names_of(type, *image, caller.connection.listener)) {
      auto& row = response.config_resources.emplace_back();
      row.resource_name = std::move(name);
      row.resource_type = static_cast<int8_t>(type);
    }
  }
  co_return response;
}

BARNABAS_API(ListConfigResources)

}  // namespace barnabas::broker
