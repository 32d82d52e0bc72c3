// DeleteRecords: the start of a log moves up. Segments that fall off go to the disk, so it runs on a worker.

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "runtime/sleep.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"

namespace barnabas::broker {

using wire::DeleteRecordsRequest;
using wire::DeleteRecordsResponse;
using wire::KafkaError;

namespace {

Partition::DeleteAnswer delete_one(Broker& broker, const metadata::Image& image, const std::string& topic,
                                   const DeleteRecordsRequest::DeleteRecordsPartition& asked) {
  HostedPartition hosted = hosted_partition(broker, image, topic, asked.partition_index);
  bool exists = hosted.error != KafkaError::kUnknownTopicOrPartition;
  if (exists && metadata::is_internal_topic(topic)) return {.error = KafkaError::kInvalidTopicException};
  if (!hosted.partition) return {.error = hosted.error};
  return hosted.partition->delete_records(asked.offset, broker.wall_time());
}

DeleteRecordsResponse delete_all(Broker& broker, const DeleteRecordsRequest& request) {
  metadata::ImagePtr image = broker.image();
  DeleteRecordsResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_response = response.topics.emplace_back();
    topic_response.name = topic.name;
    for (const auto& asked : topic.partitions) {
      auto answer = delete_one(broker, *image, topic.name, asked);
      auto& row = topic_response.partitions.emplace_back();
      row.partition_index = asked.partition_index;
      row.error_code = answer.error;
      row.low_watermark = answer.low_watermark;
    }
  }
  // Kafka forgets a deletion that a crash follows within a minute; what is acknowledged here is on disk.
  broker.replicas().checkpoint_log_starts();
  return response;
}

}  // namespace

runtime::Task<DeleteRecordsResponse> handle(Caller& caller, DeleteRecordsRequest request, Broker& broker) {
  auto work = [&broker, &request] { return delete_all(broker, request); };
  auto response = co_await runtime::run_blocking(broker.world().workers, caller.loop, work);
  co_return response;
}

BARNABAS_API(DeleteRecords)

}  // namespace barnabas::broker
