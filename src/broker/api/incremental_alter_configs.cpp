// IncrementalAlterConfigs: key by key. The broker checks what needs its own values and answers for its loggers; the
// controller decides the rest.

#include <vector>

#include "broker/api/alter_check.h"
#include "broker/api/api.h"
#include "broker/api/loggers.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"

namespace barnabas::broker {

using wire::IncrementalAlterConfigsRequest;
using wire::IncrementalAlterConfigsResponse;

namespace {

using Resource = IncrementalAlterConfigsRequest::AlterConfigsResource;

bool is_logger(const Resource& resource) {
  return static_cast<config::ResourceType>(resource.resource_type) == config::ResourceType::kBrokerLogger;
}

// The loggers are changed here; for all else this says what the controller need not be asked.
std::optional<config::Refusal> check(Broker& broker, const Caller& caller, const Resource& resource,
                                     bool validate_only) {
  std::vector<config::Change> changes;
  for (const auto& change : resource.configs) {
    changes.push_back({.name = change.name, .op = change.config_operation, .value = change.value});
  }
  if (is_logger(resource)) return change_loggers(broker, resource.resource_name, changes, validate_only);
  return check_incremental(broker, caller, {resource.resource_type, resource.resource_name}, changes);
}

}  // namespace

runtime::Task<IncrementalAlterConfigsResponse> handle(Caller& caller, IncrementalAlterConfigsRequest request,
                                                      Broker& broker) {
  IncrementalAlterConfigsResponse response;
  IncrementalAlterConfigsRequest forwarded;
  forwarded.validate_only = request.validate_only;
  std::vector<size_t> waiting;
  for (auto& resource : request.resources) {
    auto refusal = check(broker, caller, resource, request.validate_only);
    bool passes = !refusal && !is_logger(resource);
    auto& row = response.responses.emplace_back();
    fill_alter_row(row, {resource.resource_type, resource.resource_name}, std::move(refusal));
    if (!passes) continue;
    waiting.push_back(response.responses.size() - 1);
    forwarded.resources.push_back(std::move(resource));
  }
  if (waiting.empty()) co_return response;
  auto answer = co_await broker.controller().incremental_alter_configs(caller.loop, std::move(forwarded));
  merge_alter_rows(response.responses, waiting, answer.responses);
  co_return response;
}

BARNABAS_API(IncrementalAlterConfigs)

}  // namespace barnabas::broker
