// SyncGroup: what a member of the generation is assigned. Followers wait for the leader's plan.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"

namespace barnabas::broker {

using wire::SyncGroupRequest;
using wire::SyncGroupResponse;

runtime::Task<SyncGroupResponse> handle(Caller& caller, SyncGroupRequest request, Broker& broker) {
  auto decide = [&request](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.sync(who, now, request);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::sync_error(reply.error());
  co_return std::get<SyncGroupResponse>(std::move(*reply));
}

BARNABAS_API(SyncGroup)

}  // namespace barnabas::broker
