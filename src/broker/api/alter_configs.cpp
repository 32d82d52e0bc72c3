// AlterConfigs, the older way to change configuration: what is given replaces everything that was set. The broker
// checks, the controller decides.

#include <vector>

#include "broker/api/alter_check.h"
#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"

namespace barnabas::broker {

using wire::AlterConfigsRequest;
using wire::AlterConfigsResponse;

namespace {

std::optional<config::Refusal> check(Broker& broker, const Caller& caller,
                                     const AlterConfigsRequest::AlterConfigsResource& resource) {
  std::vector<config::WantedConfig> wanted;
  for (const auto& config : resource.configs) wanted.push_back({.name = config.name, .value = config.value});
  return check_replacement(broker, caller, {resource.resource_type, resource.resource_name}, wanted);
}

}  // namespace

runtime::Task<AlterConfigsResponse> handle(Caller& caller, AlterConfigsRequest request, Broker& broker) {
  AlterConfigsResponse response;
  AlterConfigsRequest forwarded;
  forwarded.validate_only = request.validate_only;
  std::vector<size_t> waiting;
  for (auto& resource : request.resources) {
    auto refusal = check(broker, caller, resource);
    bool passes = !refusal;
    auto& row = response.responses.emplace_back();
    fill_alter_row(row, {resource.resource_type, resource.resource_name}, std::move(refusal));
    if (!passes) continue;
    waiting.push_back(response.responses.size() - 1);
    forwarded.resources.push_back(std::move(resource));
  }
  if (waiting.empty()) co_return response;
  auto answer = co_await broker.controller().alter_configs(caller.loop, std::move(forwarded));
  merge_alter_rows(response.responses, waiting, answer.responses);
  co_return response;
}

BARNABAS_API(AlterConfigs)

}  // namespace barnabas::broker
