#include "broker/api/cluster_view.h"

#include <algorithm>

#include "controller/topic_names.h"
#include "runtime/random.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {

bool reachable(const metadata::Image& image, std::string_view listener, BrokerId id) {
  const metadata::Broker* broker = image.broker(id);
  return broker && !broker->fenced && broker->endpoint(listener);
}

bool directory_online(const metadata::Broker& broker, const metadata::Partition& partition) {
  Uuid directory = partition.directory_of(broker.id);
  if (directory == kLostDirectory) return false;
  bool unknown = directory == kUnassignedDirectory || directory == kMigratingDirectory || broker.log_dirs.empty();
  return unknown || broker.has_log_dir(directory);
}

std::vector<int32_t> only_reachable(const metadata::Image& image, std::string_view listener,
                                    const std::vector<BrokerId>& ids) {
  std::vector<int32_t> kept;
  for (BrokerId id : ids) {
    if (reachable(image, listener, id)) kept.push_back(id.value);
  }
  return kept;
}

}  // namespace

std::vector<VisibleBroker> visible_brokers(const metadata::Image& image, std::string_view listener, bool fenced_too) {
  std::vector<VisibleBroker> brokers;
  for (const auto& [id, broker] : image.brokers()) {
    if (broker.fenced && !fenced_too) continue;
    const metadata::Endpoint* endpoint = broker.endpoint(listener);
    if (endpoint) brokers.push_back({&broker, endpoint});
  }
  return brokers;
}

int32_t random_alive_broker(const metadata::Image& image, runtime::Random& random) {
  std::vector<int32_t> alive;
  for (const auto& [id, broker] : image.brokers()) {
    if (!broker.fenced) alive.push_back(id.value);
  }
  return alive.empty() ? -1 : alive[random.below(alive.size())];
}

PartitionView view_partition(const metadata::Image& image, std::string_view listener,
                             const metadata::Partition& partition, PartitionViewOptions options) {
  PartitionView view;
  view.replicas =
      options.only_reachable ? only_reachable(image, listener, partition.replicas) : raw_ids(partition.replicas);
  view.isr = options.only_reachable ? only_reachable(image, listener, partition.isr) : raw_ids(partition.isr);
  for (BrokerId id : partition.replicas) {
    bool online = reachable(image, listener, id) && directory_online(*image.broker(id), partition);
    if (!online) view.offline.push_back(id.value);
  }
  const metadata::Broker* leader = image.broker(partition.leader);
  if (!leader || !leader->endpoint(listener)) {
    view.error = leader && options.listener_not_found ? KafkaError::kListenerNotFound : KafkaError::kLeaderNotAvailable;
    return view;
  }
  view.leader_id = partition.leader.value;
  bool all_there = view.replicas.size() == partition.replicas.size() && view.isr.size() == partition.isr.size();
  if (!all_there) view.error = KafkaError::kReplicaNotAvailable;
  return view;
}

std::vector<int32_t> raw_ids(const std::vector<BrokerId>& ids) {
  std::vector<int32_t> raw(ids.size());
  std::ranges::transform(ids, raw.begin(), &BrokerId::value);
  return raw;
}

KafkaError missing_topic_error(std::string_view name) {
  return controller::topic_name_problem(name) ? KafkaError::kInvalidTopicException
                                              : KafkaError::kUnknownTopicOrPartition;
}

}  // namespace barnabas::broker
