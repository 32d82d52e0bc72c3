// DescribeProducers: the producers a partition remembers.

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"

namespace barnabas::broker {

using wire::DescribeProducersRequest;
using wire::DescribeProducersResponse;

runtime::Task<DescribeProducersResponse> handle(Caller&, DescribeProducersRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  DescribeProducersResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_response = response.topics.emplace_back();
    topic_response.name = topic.name;
    for (int32_t index : topic.partition_indexes) {
      auto& row = topic_response.partitions.emplace_back();
      row.partition_index = index;
      HostedPartition hosted = hosted_partition(broker, *image, topic.name, index);
      row.error_code = hosted.error;
      if (!hosted.partition) continue;
      for (const Partition::ProducerInfo& producer : hosted.partition->producers()) {
        auto& state = row.active_producers.emplace_back();
        state.producer_id = producer.producer_id;
        state.producer_epoch = producer.producer_epoch;
        state.last_sequence = producer.last_sequence;
        state.last_timestamp = producer.last_timestamp;
        state.coordinator_epoch = producer.coordinator_epoch;
        state.current_txn_start_offset = producer.current_txn_start_offset;
      }
    }
  }
  co_return response;
}

BARNABAS_API(DescribeProducers)

}  // namespace barnabas::broker
