// DescribeTopicPartitions: topics page by page, sorted by name. The cursor of an answer says where the next page
// begins.

#include <algorithm>
#include <set>
#include <string>

#include "broker/api/api.h"
#include "broker/api/authorized_operations.h"
#include "broker/api/cluster_view.h"
#include "broker/broker.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"

namespace barnabas::broker {

using wire::DescribeTopicPartitionsRequest;
using wire::DescribeTopicPartitionsResponse;
using wire::KafkaError;

namespace {

using Topic = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using Row = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition;

DescribeTopicPartitionsResponse refuse(const DescribeTopicPartitionsRequest& request, KafkaError error) {
  DescribeTopicPartitionsResponse response;
  for (const auto& asked : request.topics) {
    Topic& topic = response.topics.emplace_back();
    topic.name = asked.name;
    topic.error_code = error;
  }
  return response;
}

class Page {
 public:
  Page(const metadata::Image& image, std::string_view listener, int32_t room)
      : image_(image), listener_(listener), room_(room) {}

  // False when the page is full; the cursor then says what comes next.
  bool add(const metadata::Topic& topic, int32_t from) {
    if (!has_room(topic.name)) return false;
    Topic& answered = begin_row(topic.name);
    answered.topic_id = topic.id;
    int32_t end = std::min<int64_t>(topic.partition_count(), int64_t{from} + room_);
    for (int32_t index = from; index < end; ++index) {
      if (const metadata::Partition* partition = topic.partition(index)) add_partition(answered, index, *partition);
    }
    room_ -= std::max(end - from, 0);
    if (end >= topic.partition_count()) return true;
    stop_at(topic.name, end);
    return false;
  }
  bool add_missing(const std::string& name) {
    if (!has_room(name)) return false;
    begin_row(name).error_code = missing_topic_error(name);
    return true;
  }

  DescribeTopicPartitionsResponse response;

 private:
  bool has_room(const std::string& next) {
    if (room_ > 0) return true;
    stop_at(next, 0);
    return false;
  }
  void stop_at(const std::string& topic, int32_t partition) {
    auto& cursor = response.next_cursor.emplace();
    cursor.topic_name = topic;
    cursor.partition_index = partition;
  }
  Topic& begin_row(const std::string& name) {
    Topic& row = response.topics.emplace_back();
    row.name = name;
    row.is_internal = metadata::is_internal_topic(name);
    row.topic_authorized_operations = kTopicOperations;
    return row;
  }
  void add_partition(Topic& topic, int32_t index, const metadata::Partition& partition) {
    PartitionView view = view_partition(image_, listener_, partition, {.listener_not_found = true});
    Row& row = topic.partitions.emplace_back();
    row.error_code = view.error;
    row.partition_index = index;
    row.leader_id = view.leader_id;
    row.leader_epoch = partition.leader_epoch.value;
    row.replica_nodes = std::move(view.replicas);
    row.isr_nodes = std::move(view.isr);
    row.eligible_leader_replicas = raw_ids(partition.elr);
    row.last_known_elr = raw_ids(partition.last_known_elr);
    row.offline_replicas = std::move(view.offline);
  }

  const metadata::Image& image_;
  const std::string_view listener_;
  int32_t room_;
};

}  // namespace

runtime::Task<DescribeTopicPartitionsResponse> handle(Caller& caller, DescribeTopicPartitionsRequest request,
                                                      Broker& broker) {
  metadata::ImagePtr image = broker.image();
  std::string first = request.cursor ? request.cursor->topic_name : std::string();
  int32_t first_partition = request.cursor ? request.cursor->partition_index : 0;
  bool all = request.topics.empty();
  std::set<std::string> names;
  for (auto& topic : request.topics) names.insert(topic.name);
  bool lost = request.cursor && !all && !names.contains(first);
  if (lost || first_partition < 0) co_return refuse(request, KafkaError::kInvalidRequest);

  if (all) image->for_each_topic([&names](const metadata::Topic& topic) { names.insert(topic.name); });
  int32_t limit = broker.settings()->broker.max_request_partition_size_limit;
  Page page(*image, caller.connection.listener, std::max(std::min(limit, request.response_partition_limit), 1));
  for (auto name = names.lower_bound(first); name != names.end(); ++name) {
    const metadata::Topic* topic = image->topic(*name);
    bool more = topic ? page.add(*topic, *name == first ? first_partition : 0) : page.add_missing(*name);
    if (!more) break;
  }
  co_return std::move(page.response);
}

BARNABAS_API(DescribeTopicPartitions)

}  // namespace barnabas::broker
