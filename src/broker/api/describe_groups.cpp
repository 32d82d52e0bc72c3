// DescribeGroups: state, protocol and members of groups.

#include "broker/api/api.h"
#include "broker/api/authorized_operations.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"

namespace barnabas::broker {

using wire::DescribeGroupsRequest;
using wire::DescribeGroupsResponse;
using wire::KafkaError;

runtime::Task<DescribeGroupsResponse> handle(Caller& caller, DescribeGroupsRequest request, Broker& broker) {
  DescribeGroupsResponse response;
  for (const std::string& id : request.groups) {
    co_await broker.groups().settled(caller, id);
    auto& row = response.groups.emplace_back();
    KafkaError error =
        broker.groups().read(id, [&](const group::GroupShard& shard) { row = shard.describe(id, caller.api_version); });
    if (error != KafkaError::kNone) row = group::describe_error(id, error);
    if (request.include_authorized_operations && row.error_code == KafkaError::kNone) {
      row.authorized_operations = kGroupOperations;
    }
  }
  co_return response;
}

BARNABAS_API(DescribeGroups)

}  // namespace barnabas::broker
