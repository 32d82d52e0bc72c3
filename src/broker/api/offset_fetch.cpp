// OffsetFetch: how far groups have come. Read at once, from what is on disk.

#include "group/offset_fetch.h"

#include <vector>

#include "broker/api/api.h"
#include "broker/api/image_topic_lookup.h"
#include "broker/broker.h"
#include "broker/group_coordinator.h"

namespace barnabas::broker {

using wire::KafkaError;
using wire::OffsetFetchRequest;
using wire::OffsetFetchResponse;

runtime::Task<OffsetFetchResponse> handle(Caller& caller, OffsetFetchRequest request, Broker& broker) {
  ImageTopicLookup topics(broker.image());
  group::GroupShard::FetchOptions options{.api_version = caller.api_version, .require_stable = request.require_stable};
  std::vector<OffsetFetchResponse::OffsetFetchResponseGroup> answers;
  for (const auto& asked : group::split_offset_fetch(request, caller.api_version)) {
    auto& answer = answers.emplace_back();
    KafkaError error = broker.groups().read(
        asked.group_id, [&](const group::GroupShard& shard) { answer = shard.fetch_offsets(asked, options, topics); });
    if (error != KafkaError::kNone) answer = group::offset_fetch_error(asked, caller.api_version, error);
  }
  co_return group::join_offset_fetch(std::move(answers), caller.api_version);
}

BARNABAS_API(OffsetFetch)

}  // namespace barnabas::broker
