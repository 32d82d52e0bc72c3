// ListOffsets: the offset at a time, or at one of the special places of a log.

#include <array>
#include <set>
#include <utility>

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"

namespace barnabas::broker {

using wire::KafkaError;
using wire::ListOffsetsRequest;
using wire::ListOffsetsResponse;

namespace {

constexpr int32_t kConsumer = -1;
constexpr int8_t kReadUncommittedOnWire = 0;
constexpr int8_t kReadCommittedOnWire = 1;

using TopicPartition = std::pair<std::string_view, int32_t>;

std::set<TopicPartition> named_twice(const ListOffsetsRequest& request) {
  std::set<TopicPartition> seen;
  std::set<TopicPartition> twice;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      TopicPartition name(topic.name, partition.partition_index);
      if (!seen.insert(name).second) twice.insert(name);
    }
  }
  return twice;
}

// Special places (negative timestamps) came with versions; judged before the topic is looked for.
bool is_known(TimestampMs timestamp, int16_t version) {
  constexpr std::array<int16_t, 6> kSince{1, 1, 7, 8, 9, 11};  // latest, earliest, greatest timestamp, ...
  if (timestamp >= 0) return true;
  return timestamp >= -static_cast<int64_t>(kSince.size()) && version >= kSince[static_cast<size_t>(-(timestamp + 1))];
}

// Only consumers are kept from what is not committed yet.
Isolation isolation_of(const ListOffsetsRequest& request) {
  if (request.replica_id != kConsumer) return Isolation::kLogEnd;
  return request.isolation_level == kReadCommittedOnWire ? Isolation::kReadCommitted : Isolation::kReadUncommitted;
}

}  // namespace

runtime::Task<ListOffsetsResponse> handle(Caller& caller, ListOffsetsRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  bool known_isolation =
      request.isolation_level == kReadUncommittedOnWire || request.isolation_level == kReadCommittedOnWire;
  const std::set<TopicPartition> twice = named_twice(request);
  std::set<TopicPartition> refused;
  ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_response = response.topics.emplace_back();
    topic_response.name = topic.name;
    for (const auto& asked : topic.partitions) {
      TopicPartition name(topic.name, asked.partition_index);
      bool duplicate = twice.contains(name);
      if (duplicate && !refused.insert(name).second) continue;
      auto& row = topic_response.partitions.emplace_back();
      row.partition_index = asked.partition_index;
      if (duplicate || !known_isolation) {
        row.error_code = duplicate ? KafkaError::kInvalidRequest : KafkaError::kUnknownServerError;
        continue;
      }
      if (!is_known(asked.timestamp, caller.api_version)) {
        row.error_code = KafkaError::kUnsupportedVersion;
        continue;
      }
      HostedPartition hosted = hosted_partition(broker, *image, topic.name, asked.partition_index);
      row.error_code = hosted.error;
      if (!hosted.partition) continue;
      auto answer = hosted.partition->list_offset(asked.timestamp, isolation_of(request), asked.current_leader_epoch,
                                                  caller.api_version);
      row.error_code = answer.error;
      row.timestamp = answer.timestamp;
      row.offset = answer.offset;
      if (caller.api_version >= 4) row.leader_epoch = answer.leader_epoch;
    }
  }
  co_return response;
}

BARNABAS_API(ListOffsets)

}  // namespace barnabas::broker
