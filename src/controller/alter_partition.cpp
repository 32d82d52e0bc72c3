// What leaders and brokers report about replicas: changed in-sync sets, and which log directory holds what.
#include <algorithm>
#include <set>

#include "controller/controller.h"
#include "controller/partition_change.h"
#include "metadata/features.h"
#include "wire/messages/alter_partition_request.h"
#include "wire/messages/alter_partition_response.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"

namespace barnabas::controller {

namespace {

using metadata::Image;
using metadata::LeaderRecoveryState;
using metadata::Partition;
using wire::AlterPartitionRequest;
using Change = AlterPartitionRequest::PartitionData;

// Version 2 names brokers only, version 3 with their epochs.
std::vector<AlterPartitionRequest::BrokerState> wanted_isr(const Change& change) {
  if (!change.new_isr_with_epochs.empty()) return change.new_isr_with_epochs;
  std::vector<AlterPartitionRequest::BrokerState> isr;
  for (int32_t id : change.new_isr) isr.emplace_back().broker_id = id;
  return isr;
}

KafkaError problem_with(const Image& image, const AlterPartitionRequest& request, const Change& change,
                        const Partition& partition) {
  if (change.partition_epoch > partition.partition_epoch || change.leader_epoch > partition.leader_epoch.value) {
    return KafkaError::kNotController;  // the broker knows more than we do: it talks to an old controller
  }
  if (change.leader_epoch < partition.leader_epoch.value) return KafkaError::kFencedLeaderEpoch;
  if (partition.leader.value != request.broker_id) return KafkaError::kInvalidRequest;
  if (change.partition_epoch < partition.partition_epoch) return KafkaError::kInvalidUpdateVersion;
  auto isr = wanted_isr(change);
  std::set<int32_t> members;
  for (const auto& member : isr) {
    bool fits = partition.has_replica(BrokerId(member.broker_id)) && members.insert(member.broker_id).second;
    if (!fits) return KafkaError::kInvalidRequest;
  }
  if (!members.contains(request.broker_id)) return KafkaError::kInvalidRequest;
  if (change.leader_recovery_state != 0 && change.leader_recovery_state != 1) return KafkaError::kInvalidRequest;
  auto recovery = static_cast<LeaderRecoveryState>(change.leader_recovery_state);
  if (recovery == LeaderRecoveryState::kRecovering) {
    // Recovery ends once and does not come back; while it lasts the leader is alone.
    if (partition.recovery == LeaderRecoveryState::kRecovered || isr.size() > 1) return KafkaError::kInvalidRequest;
  }
  for (const auto& member : isr) {
    const metadata::Broker* broker = image.broker(BrokerId(member.broker_id));
    bool fits = broker && broker->active() && (member.broker_epoch == -1 || member.broker_epoch == broker->epoch.value);
    // A member that is already in sync and just went down is for fencing to remove.
    if (!fits) return KafkaError::kIneligibleReplica;
  }
  return KafkaError::kNone;
}

}  // namespace

Decision<wire::AlterPartitionResponse> Controller::alter_partition(const AlterPartitionRequest& request) const {
  Decision<wire::AlterPartitionResponse> decision;
  const metadata::Broker* broker = image().broker(BrokerId(request.broker_id));
  if (!broker || broker->epoch.value != request.broker_epoch) {
    decision.response.error_code = KafkaError::kStaleBrokerEpoch;
    return decision;
  }
  for (const auto& wanted : request.topics) {
    auto& answer = decision.response.topics.emplace_back();
    answer.topic_id = wanted.topic_id;
    const metadata::Topic* topic = image().topic(wanted.topic_id);
    for (const Change& change : wanted.partitions) {
      auto& row = answer.partitions.emplace_back();
      row.partition_index = change.partition_index;
      const Partition* partition = topic ? topic->partition(change.partition_index) : nullptr;
      if (!partition) {
        row.error_code = topic ? KafkaError::kUnknownTopicOrPartition : KafkaError::kUnknownTopicId;
        continue;
      }
      row.error_code = problem_with(image(), request, change, *partition);
      if (row.error_code != KafkaError::kNone) continue;
      std::vector<BrokerId> isr;
      for (const auto& member : wanted_isr(change)) isr.emplace_back(member.broker_id);
      auto recovery = static_cast<LeaderRecoveryState>(change.leader_recovery_state);
      PartitionChange next(
          *topic, change.partition_index, [&](BrokerId id) { return can_lead(image(), *partition, id); },
          image().metadata_version());
      next.set_isr(std::move(isr)).set_recovery(recovery);
      if (unclean_election_enabled(image(), topic->name)) next.elect(Election::kUnclean);
      auto record = next.build();
      bool moved = record && record->leader != kLeaderUnchanged;
      if (moved && record->leader != request.broker_id) {
        // What was asked for is done, but who asked leads no longer: it must look at the new metadata.
        row.error_code = KafkaError::kNewLeaderElected;
        decision.records.emplace_back(std::move(*record));
        continue;
      }
      row.leader_id = partition->leader.value;
      row.leader_epoch = partition->leader_epoch.value + (moved ? 1 : 0);
      row.leader_recovery_state = static_cast<int8_t>(recovery);
      row.partition_epoch = partition->partition_epoch + (record ? 1 : 0);
      if (record && record->isr) {
        row.isr = *record->isr;
      } else {
        for (BrokerId id : partition->isr) row.isr.push_back(id.value);
      }
      if (!record) continue;
      decision.records.emplace_back(std::move(*record));
    }
  }
  return decision;
}

Decision<wire::AssignReplicasToDirsResponse> Controller::assign_replicas_to_dirs(
    const wire::AssignReplicasToDirsRequest& request) const {
  Decision<wire::AssignReplicasToDirsResponse> decision;
  const BrokerId id(request.broker_id);
  const metadata::Broker* broker = image().broker(id);
  if (!broker || broker->epoch.value != request.broker_epoch) {
    decision.response.error_code = KafkaError::kStaleBrokerEpoch;
    return decision;
  }
  if (image().metadata_version() < metadata::kMvDirectories) {
    decision.response.error_code = KafkaError::kUnsupportedVersion;
    return decision;
  }
  for (const auto& directory : request.directories) {
    auto& directory_answer = decision.response.directories.emplace_back();
    directory_answer.id = directory.id;
    for (const auto& wanted : directory.topics) {
      auto& answer = directory_answer.topics.emplace_back();
      answer.topic_id = wanted.topic_id;
      const metadata::Topic* topic = image().topic(wanted.topic_id);
      for (const auto& assignment : wanted.partitions) {
        auto& row = answer.partitions.emplace_back();
        row.partition_index = assignment.partition_index;
        const Partition* partition = topic ? topic->partition(assignment.partition_index) : nullptr;
        if (!partition) {
          row.error_code = topic ? KafkaError::kUnknownTopicOrPartition : KafkaError::kUnknownTopicId;
          continue;
        }
        if (!partition->has_replica(id)) {
          row.error_code = KafkaError::kNotLeaderOrFollower;
          continue;
        }
        std::vector<Uuid> directories = partition->directories;
        directories.resize(partition->replicas.size(), kUnassignedDirectory);
        for (size_t i = 0; i < directories.size(); ++i) {
          if (partition->replicas[i] == id) directories[i] = directory.id;
        }
        // A directory the broker never registered counts as offline, and so does the replica in it.
        bool online = directory_online(*broker, directory.id);
        PartitionChange change(
            *topic, assignment.partition_index,
            [&](BrokerId other) {
              return other == id ? online && broker->active() : can_lead(image(), *partition, other);
            },
            image().metadata_version());
        change.set_directories(std::move(directories));
        if (!online) {
          std::vector<BrokerId> isr = partition->isr;
          std::erase(isr, id);
          change.set_isr(std::move(isr));
        }
        if (auto record = change.build()) decision.records.emplace_back(std::move(*record));
      }
    }
  }
  return decision;
}

}  // namespace barnabas::controller
