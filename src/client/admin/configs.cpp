// Configurations of topics, brokers, groups and client metrics subscriptions.
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"

#include <charconv>

namespace barnabas::client {

namespace admin {
namespace {

std::string describe(const ConfigResource& resource) {
  switch (resource.type) {
    case ConfigResource::Type::kTopic:
      return "topic " + resource.name;
    case ConfigResource::Type::kBroker:
      return resource.name.empty() ? "the brokers' default" : "broker " + resource.name;
    case ConfigResource::Type::kBrokerLogger:
      return "loggers of broker " + resource.name;
    case ConfigResource::Type::kClientMetrics:
      return "client metrics subscription " + resource.name;
    case ConfigResource::Type::kGroup:
      return "group " + resource.name;
  }
  return resource.name;
}

// What one broker knows about itself is asked of that broker; the rest of any (key -1).
Result<int32_t> who_answers(const ConfigResource& resource) {
  bool own = resource.type == ConfigResource::Type::kBrokerLogger ||
             (resource.type == ConfigResource::Type::kBroker && !resource.name.empty());
  if (!own) return -1;
  int32_t id = -1;
  const char* end = resource.name.data() + resource.name.size();
  auto [stopped, failed] = std::from_chars(resource.name.data(), end, id);
  if (failed != std::errc{} || stopped != end || id < 0) {
    return std::unexpected(
        Error{.message = "a broker's configuration is named by its id, not '" + resource.name + "'"});
  }
  return id;
}

std::map<int32_t, std::vector<ConfigResource>> by_broker(const std::vector<ConfigResource>& resources,
                                                         std::map<ConfigResource, Error>& wrong) {
  std::map<int32_t, std::vector<ConfigResource>> groups;
  for (const auto& resource : resources) {
    auto broker = who_answers(resource);
    if (broker) {
      groups[*broker].push_back(resource);
    } else {
      wrong.emplace(resource, broker.error());
    }
  }
  return groups;
}

ConfigEntry entry_of(wire::DescribeConfigsResponse::DescribeConfigsResourceResult& told) {
  ConfigEntry entry{.name = std::move(told.name),
                    .value = std::move(told.value),
                    .source = static_cast<ConfigEntry::Source>(told.config_source),
                    .read_only = told.read_only,
                    .sensitive = told.is_sensitive,
                    .type = told.config_type,
                    .documentation = std::move(told.documentation)};
  for (auto& synonym : told.synonyms) {
    entry.synonyms.push_back({.name = std::move(synonym.name),
                              .value = std::move(synonym.value),
                              .source = static_cast<ConfigEntry::Source>(synonym.source)});
  }
  return entry;
}

using Described = Outcomes<ConfigResource, std::vector<ConfigEntry>>;

runtime::Task<Result<Described>> describe_configs(Cluster& cluster, std::vector<ConfigResource> resources,
                                                  DescribeConfigsOptions options) {
  auto deadline = api_deadline(cluster);
  Described done;
  std::map<ConfigResource, Error> wrong;
  auto groups = by_broker(resources, wrong);
  for (auto& [resource, error] : wrong) done.emplace(resource, std::unexpected(error));
  for (const auto& [broker, mine] : groups) {
    wire::DescribeConfigsRequest request;
    request.include_synonyms = options.with_synonyms;
    request.include_documentation = options.with_documentation;
    for (const auto& resource : mine) {
      auto& asked = request.resources.emplace_back();
      asked.resource_type = static_cast<int8_t>(resource.type);
      asked.resource_name = resource.name;
      asked.configuration_keys = options.keys;
    }
    Target target = broker < 0 ? Target::any() : Target::of(broker);
    auto answer = co_await cluster.call<wire::DescribeConfigsResponse>(target, std::move(request), deadline);
    if (!answer) {
      for (const auto& resource : mine) done.insert_or_assign(resource, std::unexpected(answer.error()));
      continue;
    }
    for (auto& result : answer->message.results) {
      ConfigResource resource{static_cast<ConfigResource::Type>(result.resource_type), result.resource_name};
      std::vector<ConfigEntry> entries;
      for (auto& told : result.configs) entries.push_back(entry_of(told));
      done.insert_or_assign(resource,
                            outcome(result.error_code, describe(resource), result.error_message, std::move(entries)));
    }
  }
  co_return done;
}

runtime::Task<Result<Outcomes<ConfigResource, void>>> alter_configs(
    Cluster& cluster, std::map<ConfigResource, std::vector<ConfigChange>> changes, bool validate_only) {
  auto deadline = api_deadline(cluster);
  Outcomes<ConfigResource, void> done;
  std::map<ConfigResource, Error> wrong;
  std::vector<ConfigResource> resources;
  for (const auto& [resource, change] : changes) resources.push_back(resource);
  auto groups = by_broker(resources, wrong);
  for (auto& [resource, error] : wrong) done.emplace(resource, std::unexpected(error));
  for (const auto& [broker, mine] : groups) {
    wire::IncrementalAlterConfigsRequest request;
    request.validate_only = validate_only;
    for (const auto& resource : mine) {
      auto& asked = request.resources.emplace_back();
      asked.resource_type = static_cast<int8_t>(resource.type);
      asked.resource_name = resource.name;
      for (const auto& change : changes.at(resource)) {
        asked.configs.push_back({change.name, static_cast<int8_t>(change.op), change.value, {}});
      }
    }
    Target target = broker < 0 ? Target::controller() : Target::of(broker);
    auto answer = co_await cluster.call<wire::IncrementalAlterConfigsResponse>(target, std::move(request), deadline);
    if (!answer) {
      for (const auto& resource : mine) done.insert_or_assign(resource, std::unexpected(answer.error()));
      continue;
    }
    for (const auto& result : answer->message.responses) {
      ConfigResource resource{static_cast<ConfigResource::Type>(result.resource_type), result.resource_name};
      done.insert_or_assign(resource, outcome(result.error_code, describe(resource), result.error_message));
    }
  }
  co_return done;
}

runtime::Task<Result<std::vector<ConfigResource>>> list_config_resources(Cluster& cluster,
                                                                         std::set<ConfigResource::Type> types) {
  auto deadline = api_deadline(cluster);
  auto peer = co_await cluster.connection(Target::any(), deadline);
  if (!peer) co_return std::unexpected(peer.error());
  auto version = (*peer)->version_of<wire::ListConfigResourcesRequest>();
  if (!version) co_return std::unexpected(version.error());
  wire::ListConfigResourcesRequest request;
  if (*version >= 1) {
    for (auto type : types) request.resource_types.push_back(static_cast<int8_t>(type));
  }
  auto answer =
      co_await cluster.call<wire::ListConfigResourcesResponse>(Target::any(), std::move(request), deadline, *version);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != wire::KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "configuration resources"));
  }
  std::vector<ConfigResource> resources;
  for (auto& told : answer->message.config_resources) {
    resources.push_back({static_cast<ConfigResource::Type>(told.resource_type), std::move(told.resource_name)});
  }
  co_return resources;
}

}  // namespace
}  // namespace admin

Admin::Each<ConfigResource, std::vector<ConfigEntry>> Admin::describe_configs(std::vector<ConfigResource> resources,
                                                                              DescribeConfigsOptions options) {
  return core_->start(admin::describe_configs(core_->cluster(), std::move(resources), std::move(options)));
}
Admin::Each<ConfigResource> Admin::incremental_alter_configs(
    std::map<ConfigResource, std::vector<ConfigChange>> changes, bool validate_only) {
  return core_->start(admin::alter_configs(core_->cluster(), std::move(changes), validate_only));
}
Future<std::vector<ConfigResource>> Admin::list_config_resources(std::set<ConfigResource::Type> types) {
  return core_->start(admin::list_config_resources(core_->cluster(), std::move(types)));
}

}  // namespace barnabas::client
