// The life of a registered broker: fenced until it has caught up, then serving, then shutting down in good order.
#include <algorithm>

#include "controller/controller.h"
#include "controller/partition_change.h"
#include "metadata/features.h"
#include "wire/messages/broker_heartbeat_request.h"
#include "wire/messages/broker_heartbeat_response.h"

namespace barnabas::controller {

namespace {

using metadata::Broker;
using metadata::Image;
using wire::BrokerHeartbeatRequest;

enum class State { kFenced, kUnfenced, kControlledShutdown, kShutDownNow };

wire::BrokerRegistrationChangeRecord change_of(const Broker& broker) {
  wire::BrokerRegistrationChangeRecord record;
  record.broker_id = broker.id.value;
  record.broker_epoch = broker.epoch.value;
  return record;
}

bool leads_anything(const Image& image, BrokerId broker) {
  bool leads = false;
  image.for_each_topic([&](const metadata::Topic& topic) {
    if (leads) return;
    leads = std::ranges::any_of(topic.partitions, [&](const auto& p) { return p && p->leader == broker; });
  });
  return leads;
}

// How far every broker that stays has applied the log; the maximum when nobody stays.
Offset lowest_applied(const Image& image, const Sessions& sessions) {
  Offset lowest{INT64_MAX};
  for (const auto& [id, broker] : image.brokers()) {
    if (broker.active()) lowest = std::min(lowest, sessions.metadata_offset(id).value_or(Offset(-1)));
  }
  return lowest;
}

State next_state(const Image& image, const Sessions& sessions, const Broker& broker,
                 const BrokerHeartbeatRequest& request) {
  if (broker.fenced) {
    if (request.want_shut_down) return State::kShutDownNow;
    bool caught_up = request.current_metadata_offset >= broker.epoch.value;
    return request.want_fence || !caught_up ? State::kFenced : State::kUnfenced;
  }
  if (request.want_fence) return request.want_shut_down ? State::kShutDownNow : State::kFenced;
  if (!broker.in_controlled_shutdown) {
    if (!request.want_shut_down) return State::kUnfenced;
    return leads_anything(image, broker.id) ? State::kControlledShutdown : State::kShutDownNow;
  }
  if (leads_anything(image, broker.id)) return State::kControlledShutdown;
  // The others must know that it is gone before it is.
  Offset announced = sessions.shutdown_offset(broker.id).value_or(Offset(-1));
  return announced <= lowest_applied(image, sessions) ? State::kShutDownNow : State::kControlledShutdown;
}

// Those of the broker's directories that it now says are bad.
std::vector<Uuid> newly_lost(const Broker& broker, const std::vector<Uuid>& offline) {
  std::vector<Uuid> lost;
  for (const Uuid& directory : broker.log_dirs) {
    if (std::ranges::find(offline, directory) != offline.end()) lost.push_back(directory);
  }
  return lost;
}

// What lay in directories that went bad is out of sync and led by others.
void append_lost_replicas(const Image& image, const Broker& broker, const std::vector<Uuid>& lost,
                          std::vector<MetadataRecord>& records) {
  for (const metadata::TopicPtr& topic : image.topics()) {
    for (int32_t i = 0; i < topic->partition_count(); ++i) {
      const metadata::Partition* partition = topic->partition(i);
      if (!partition || !partition->in_isr(broker.id)) continue;
      if (std::ranges::find(lost, partition->directory_of(broker.id)) == lost.end()) continue;
      std::vector<BrokerId> isr = partition->isr;
      std::erase(isr, broker.id);
      PartitionChange change(
          *topic, i, [&](BrokerId other) { return can_lead(image, *partition, other, {.leaving = broker.id}); },
          image.metadata_version());
      if (unclean_election_enabled(image, topic->name)) change.elect(Election::kUnclean);
      if (auto record = change.set_isr(std::move(isr)).build()) records.emplace_back(std::move(*record));
    }
  }
}

void append_remaining_dirs(const Broker& broker, const std::vector<Uuid>& lost, std::vector<MetadataRecord>& records) {
  wire::BrokerRegistrationChangeRecord change = change_of(broker);
  for (const Uuid& directory : broker.log_dirs) {
    if (std::ranges::find(lost, directory) == lost.end()) change.log_dirs.push_back(directory);
  }
  // Of the last one the record cannot tell: no directories means no change.
  if (!change.log_dirs.empty()) records.emplace_back(std::move(change));
}

}  // namespace

void Controller::observe_heartbeat(const BrokerHeartbeatRequest& request, MonotonicTime now) {
  const Broker* broker = image().broker(BrokerId(request.broker_id));
  if (!active_ || !broker || broker->epoch.value != request.broker_epoch) return;
  sessions_.touch(broker->id, now, Offset(request.current_metadata_offset));
}

Decision<wire::BrokerHeartbeatResponse> Controller::heartbeat(const BrokerHeartbeatRequest& request) const {
  Decision<wire::BrokerHeartbeatResponse> decision;
  const Broker* broker = image().broker(BrokerId(request.broker_id));
  if (!broker || broker->epoch.value != request.broker_epoch) {
    decision.response.error_code = KafkaError::kStaleBrokerEpoch;
    return decision;
  }
  const int16_t level = image().metadata_version();
  if (level >= metadata::kMvCordonedDirs && request.cordoned_log_dirs &&
      request.cordoned_log_dirs != broker->cordoned_log_dirs) {
    wire::BrokerRegistrationChangeRecord change = change_of(*broker);
    change.cordoned_log_dirs = request.cordoned_log_dirs;
    decision.records.emplace_back(std::move(change));
  }
  State next = next_state(image(), sessions_, *broker, request);
  std::vector<Uuid> lost;
  if (level >= metadata::kMvDirectories) lost = newly_lost(*broker, request.offline_log_dirs);
  switch (next) {
    case State::kFenced:
    case State::kShutDownNow:
      if (!broker->fenced) {
        std::vector<MetadataRecord> records = fence(*broker);
        decision.records.insert(decision.records.end(), records.begin(), records.end());
      }
      break;
    case State::kUnfenced:
      if (broker->fenced) {
        wire::BrokerRegistrationChangeRecord change = change_of(*broker);
        change.fenced = -1;
        decision.records.emplace_back(std::move(change));
        append_changes(image(), {.joining = broker->id, .lost = lost}, decision.records);
      } else {
        append_lost_replicas(image(), *broker, lost, decision.records);
      }
      break;
    case State::kControlledShutdown:
      if (!broker->in_controlled_shutdown) {
        wire::BrokerRegistrationChangeRecord change = change_of(*broker);
        change.in_controlled_shutdown = 1;
        decision.records.emplace_back(std::move(change));
        append_changes(image(), {.leaving = broker->id}, decision.records);
      }
      break;
  }
  if (!lost.empty()) append_remaining_dirs(*broker, lost, decision.records);
  decision.response.is_caught_up = request.current_metadata_offset >= broker->epoch.value;
  decision.response.is_fenced = next == State::kFenced || next == State::kShutDownNow;
  decision.response.should_shut_down = next == State::kShutDownNow;
  return decision;
}

}  // namespace barnabas::controller
