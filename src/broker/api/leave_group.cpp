// LeaveGroup: members go, one or (from version 3) several.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"

namespace barnabas::broker {

using wire::LeaveGroupRequest;
using wire::LeaveGroupResponse;

runtime::Task<LeaveGroupResponse> handle(Caller& caller, LeaveGroupRequest request, Broker& broker) {
  auto decide = [&request](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.leave(who, now, request);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::leave_error(reply.error());
  co_return std::get<LeaveGroupResponse>(std::move(*reply));
}

BARNABAS_API(LeaveGroup)

}  // namespace barnabas::broker
