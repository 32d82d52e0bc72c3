// OffsetDelete: a group forgets partitions nobody of it reads any more.

#include "broker/api/api.h"
#include "broker/api/image_topic_lookup.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"

namespace barnabas::broker {

using wire::OffsetDeleteRequest;
using wire::OffsetDeleteResponse;

runtime::Task<OffsetDeleteResponse> handle(Caller& caller, OffsetDeleteRequest request, Broker& broker) {
  ImageTopicLookup topics(broker.image());
  auto decide = [&request, &topics](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.delete_offsets(who, now, request, topics);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::offset_delete_error(reply.error());
  co_return std::get<OffsetDeleteResponse>(std::move(*reply));
}

BARNABAS_API(OffsetDelete)

}  // namespace barnabas::broker
