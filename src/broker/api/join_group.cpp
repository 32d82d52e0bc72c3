// JoinGroup: into a group, or into its next generation. Answered when the generation is complete.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"

namespace barnabas::broker {

using wire::JoinGroupRequest;
using wire::JoinGroupResponse;

runtime::Task<JoinGroupResponse> handle(Caller& caller, JoinGroupRequest request, Broker& broker) {
  auto decide = [&request](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.join(who, now, request);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::join_error(caller.api_version, reply.error(), request.member_id);
  co_return std::get<JoinGroupResponse>(std::move(*reply));
}

BARNABAS_API(JoinGroup)

}  // namespace barnabas::broker
