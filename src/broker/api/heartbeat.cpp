// Heartbeat: a member is alive, and hears whether its group rebalances.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"

namespace barnabas::broker {

using wire::HeartbeatRequest;
using wire::HeartbeatResponse;

runtime::Task<HeartbeatResponse> handle(Caller& caller, HeartbeatRequest request, Broker& broker) {
  auto decide = [&request](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.heartbeat(who, now, request);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::heartbeat_error(reply.error());
  co_return std::get<HeartbeatResponse>(std::move(*reply));
}

BARNABAS_API(Heartbeat)

}  // namespace barnabas::broker
