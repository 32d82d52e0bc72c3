// OffsetForLeaderEpoch: where a leader epoch ended, so that whoever read in it can tell whether its records are still
// those of the log.

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"

namespace barnabas::broker {

using wire::OffsetForLeaderEpochRequest;
using wire::OffsetForLeaderEpochResponse;

runtime::Task<OffsetForLeaderEpochResponse> handle(Caller&, OffsetForLeaderEpochRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_response = response.topics.emplace_back();
    topic_response.topic = topic.topic;
    for (const auto& asked : topic.partitions) {
      auto& row = topic_response.partitions.emplace_back();
      row.partition = asked.partition;
      HostedPartition hosted = hosted_partition(broker, *image, topic.topic, asked.partition);
      row.error_code = hosted.error;
      if (!hosted.partition) continue;
      auto answer = hosted.partition->epoch_end(asked.leader_epoch, asked.current_leader_epoch);
      row.error_code = answer.error;
      row.leader_epoch = answer.epoch;
      row.end_offset = answer.end_offset;
    }
  }
  co_return response;
}

BARNABAS_API(OffsetForLeaderEpoch)

}  // namespace barnabas::broker
