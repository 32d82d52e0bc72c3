// ListGroups: the groups this broker coordinates. While one of their partitions is still being read, the list would be
// short of some, and the whole answer is COORDINATOR_LOAD_IN_PROGRESS.

#include <algorithm>
#include <iterator>

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"

namespace barnabas::broker {

using wire::KafkaError;
using wire::ListGroupsRequest;
using wire::ListGroupsResponse;

runtime::Task<ListGroupsResponse> handle(Caller& caller, ListGroupsRequest request, Broker& broker) {
  ListGroupsResponse response;
  co_await broker.groups().settled(caller, std::nullopt);
  response.error_code = broker.groups().read_all([&](const group::GroupShard& shard) {
    auto groups = shard.list(request);
    std::ranges::move(groups, std::back_inserter(response.groups));
  });
  if (response.error_code != KafkaError::kNone) response.groups.clear();
  co_return response;
}

BARNABAS_API(ListGroups)

}  // namespace barnabas::broker
