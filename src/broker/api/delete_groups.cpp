// DeleteGroups: groups without members go, with all their offsets. The groups of one partition are deleted by one
// batch.

#include <map>
#include <string>
#include <vector>

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"

namespace barnabas::broker {

using wire::DeleteGroupsRequest;
using wire::DeleteGroupsResponse;

runtime::Task<DeleteGroupsResponse> handle(Caller& caller, DeleteGroupsRequest request, Broker& broker) {
  std::map<int32_t, std::vector<std::string>> by_partition;
  for (std::string& name : request.groups_names) {
    by_partition[broker.groups().partition_of(name)].push_back(std::move(name));
  }
  DeleteGroupsResponse response;
  for (const auto& [partition, names] : by_partition) {
    auto decide = [&names](group::GroupShard& shard, const group::Caller& who, group::Now now) {
      return shard.delete_groups(who, now, names);
    };
    auto reply = co_await broker.groups().ask(caller, names.front(), decide);
    auto part =
        reply ? std::get<DeleteGroupsResponse>(std::move(*reply)) : group::delete_groups_error(names, reply.error());
    for (auto& row : part.results) response.results.push_back(std::move(row));
  }
  co_return response;
}

BARNABAS_API(DeleteGroups)

}  // namespace barnabas::broker
