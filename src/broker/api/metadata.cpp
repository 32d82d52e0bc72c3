// Metadata: brokers, topics and leaders as a client of this listener sees them. Asking for a topic that is not there
// may create it; whoever asked hears UNKNOWN_TOPIC_OR_PARTITION and asks again.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/authorized_operations.h"
#include "broker/api/cluster_view.h"
#include "broker/broker.h"
#include "broker/topic_creator.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::broker {

using wire::KafkaError;
using wire::MetadataRequest;
using wire::MetadataResponse;

namespace {

constexpr int16_t kEmptyListIsNoneFrom = 1;
constexpr int16_t kListenerNotFoundFrom = 6;
constexpr int16_t kIdsAndNullNamesFrom = 12;

bool wants_all_topics(const MetadataRequest& request, int16_t version) {
  if (!request.topics) return true;
  return version < kEmptyListIsNoneFrom && request.topics->empty();
}

// A request that makes no sense is answered with its topics, and nothing of the cluster.
MetadataResponse refuse(const MetadataRequest& request, KafkaError error) {
  MetadataResponse response;
  for (const auto& asked : *request.topics) {
    auto& row = response.topics.emplace_back();
    row.error_code = error;
    row.name = asked.name.value_or("");
    row.topic_id = asked.topic_id;
  }
  return response;
}

KafkaError shape_error(const MetadataRequest& request, int16_t version) {
  bool by_id = false;
  bool null_name = false;
  for (const auto& topic : *request.topics) {
    by_id |= !topic.topic_id.is_zero();
    null_name |= !topic.name;
  }
  if (version < kIdsAndNullNamesFrom) return by_id || null_name ? KafkaError::kInvalidRequest : KafkaError::kNone;
  return null_name && !by_id ? KafkaError::kUnknownServerError : KafkaError::kNone;
}

class Answer {
 public:
  Answer(const metadata::Image& image, const Caller& caller, bool operations)
      : image_(image), listener_(caller.connection.listener), version_(caller.api_version), operations_(operations) {}

  void add(const metadata::Topic& topic) {
    auto& row = begin_row(topic.name);
    row.topic_id = topic.id;
    PartitionViewOptions options{.only_reachable = version_ == 0,
                                 .listener_not_found = version_ >= kListenerNotFoundFrom};
    for (int32_t index = 0; index < topic.partition_count(); ++index) {
      const metadata::Partition* partition = topic.partition(index);
      if (!partition) continue;
      PartitionView view = view_partition(image_, listener_, *partition, options);
      auto& answered = row.partitions.emplace_back();
      answered.error_code = view.error;
      answered.partition_index = index;
      answered.leader_id = view.leader_id;
      answered.leader_epoch = partition->leader_epoch.value;
      answered.replica_nodes = std::move(view.replicas);
      answered.isr_nodes = std::move(view.isr);
      answered.offline_replicas = std::move(view.offline);
    }
  }
  void add_missing(const std::string& name) { begin_row(name).error_code = missing_topic_error(name); }
  void add_unknown_id(const Uuid& id) {
    auto& row = response.topics.emplace_back();
    row.error_code = KafkaError::kUnknownTopicId;
    row.name.reset();
    row.topic_id = id;
  }

  MetadataResponse response;

 private:
  MetadataResponse::MetadataResponseTopic& begin_row(const std::string& name) {
    auto& row = response.topics.emplace_back();
    row.name = name;
    row.is_internal = metadata::is_internal_topic(name);
    if (operations_) row.topic_authorized_operations = kTopicOperations;
    return row;
  }

  const metadata::Image& image_;
  const std::string& listener_;
  const int16_t version_;
  const bool operations_;
};

// By id when the request has ids; names beside them are not looked at, as in Kafka.
void add_by_id(Answer& answer, const MetadataRequest& request, const metadata::Image& image) {
  std::set<Uuid> seen;
  for (const auto& asked : *request.topics) {
    if (asked.topic_id.is_zero() || !seen.insert(asked.topic_id).second) continue;
    const metadata::Topic* topic = image.topic(asked.topic_id);
    if (topic) {
      answer.add(*topic);
    } else {
      answer.add_unknown_id(asked.topic_id);
    }
  }
}

// Returns the names that are not there and could be.
std::vector<std::string> add_by_name(Answer& answer, const MetadataRequest& request, const metadata::Image& image) {
  std::set<std::string_view> seen;
  std::vector<std::string> creatable;
  for (const auto& asked : *request.topics) {
    if (!asked.name || !seen.insert(*asked.name).second) continue;
    const metadata::Topic* topic = image.topic(*asked.name);
    if (topic) {
      answer.add(*topic);
      continue;
    }
    answer.add_missing(*asked.name);
    bool possible = answer.response.topics.back().error_code == KafkaError::kUnknownTopicOrPartition &&
                    *asked.name != metadata::kClusterMetadataTopic;
    if (possible) creatable.push_back(*asked.name);
  }
  return creatable;
}

}  // namespace

runtime::Task<MetadataResponse> handle(Caller& caller, MetadataRequest request, Broker& broker) {
  metadata::ImagePtr image = broker.image();
  Answer answer(*image, caller, request.include_topic_authorized_operations);
  if (wants_all_topics(request, caller.api_version)) {
    image->for_each_topic([&answer](const metadata::Topic& topic) { answer.add(topic); });
  } else {
    KafkaError error = shape_error(request, caller.api_version);
    if (error != KafkaError::kNone) co_return refuse(request, error);
    bool by_id = std::ranges::any_of(*request.topics, [](const auto& topic) { return !topic.topic_id.is_zero(); });
    if (by_id) {
      add_by_id(answer, request, *image);
    } else {
      std::vector<std::string> creatable = add_by_name(answer, request, *image);
      bool create = request.allow_auto_topic_creation && broker.settings()->broker.auto_create_topics_enable;
      if (create && !creatable.empty()) broker.topic_creator().create(std::move(creatable));
    }
  }
  MetadataResponse response = std::move(answer.response);
  for (const VisibleBroker& visible : visible_brokers(*image, caller.connection.listener)) {
    auto& row = response.brokers.emplace_back();
    row.node_id = visible.broker->id.value;
    row.host = visible.endpoint->host;
    row.port = visible.endpoint->port;
    row.rack = visible.broker->rack;
  }
  response.cluster_id = broker.cluster_id();
  response.controller_id = random_alive_broker(*image, broker.world().random);
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  co_return response;
}

BARNABAS_API(Metadata)

}  // namespace barnabas::broker
