// OffsetCommit: how far a group has come. Answered when it is on disk.

#include "broker/api/api.h"
#include "broker/api/image_topic_lookup.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"
#include "group/error_responses.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"

namespace barnabas::broker {

using wire::OffsetCommitRequest;
using wire::OffsetCommitResponse;

runtime::Task<OffsetCommitResponse> handle(Caller& caller, OffsetCommitRequest request, Broker& broker) {
  ImageTopicLookup topics(broker.image());
  auto decide = [&request, &topics](group::GroupShard& shard, const group::Caller& who, group::Now now) {
    return shard.commit_offsets(who, now, request, topics);
  };
  auto reply = co_await broker.groups().ask(caller, request.group_id, decide);
  if (!reply) co_return group::commit_error(request, reply.error());
  co_return std::get<OffsetCommitResponse>(std::move(*reply));
}

BARNABAS_API(OffsetCommit)

}  // namespace barnabas::broker
