#include "controller/partition_change.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "metadata/features.h"

namespace barnabas::controller {

namespace {

using metadata::Image;
using metadata::kNoLeader;
using metadata::LeaderRecoveryState;
using metadata::Partition;
using metadata::Topic;

bool contains(const std::vector<BrokerId>& ids, BrokerId id) {
  return std::ranges::find(ids, id) != ids.end();
}

std::vector<int32_t> raw_ids(const std::vector<BrokerId>& ids) {
  std::vector<int32_t> raw;
  for (BrokerId id : ids) raw.push_back(id.value);
  return raw;
}

constexpr int8_t kRecoveryUnchanged = -1;

}  // namespace

PartitionChange::PartitionChange(const Topic& topic, int32_t index, std::function<bool(BrokerId)> can_lead,
                                 int16_t metadata_version)
    : topic_(&topic),
      index_(index),
      before_(topic.partition(index)),
      can_lead_(std::move(can_lead)),
      metadata_version_(metadata_version) {
  CHECK(before_ != nullptr);
  isr_ = before_->isr;
  recovery_ = before_->recovery;
  replicas_ = before_->replicas;
  directories_ = before_->directories;
}

PartitionChange& PartitionChange::elect(Election how) {
  election_ = how;
  return *this;
}

PartitionChange& PartitionChange::set_isr(std::vector<BrokerId> isr) {
  isr_ = std::move(isr);
  return *this;
}

PartitionChange& PartitionChange::set_recovery(LeaderRecoveryState state) {
  recovery_ = state;
  return *this;
}

PartitionChange& PartitionChange::set_directories(std::vector<Uuid> directories) {
  directories_ = std::move(directories);
  return *this;
}

bool PartitionChange::may_lead(BrokerId broker) const {
  return contains(isr_, broker) && can_lead_(broker);
}

PartitionChange::Outcome PartitionChange::elected() const {
  const std::vector<BrokerId>& replicas = replicas_;
  if (election_ == Election::kPreferred && !replicas.empty() && may_lead(replicas.front())) return {replicas.front()};
  if (may_lead(before_->leader)) return {before_->leader};
  for (BrokerId replica : replicas) {
    if (may_lead(replica)) return {replica};
  }
  if (election_ == Election::kUnclean) {
    for (BrokerId replica : replicas) {
      if (can_lead_(replica)) return {replica, true};
    }
  }
  return {kNoLeader};
}

void PartitionChange::complete_reassignment() {
  const std::vector<BrokerId>& removing = before_->removing_replicas;
  if (removing.empty() && before_->adding_replicas.empty()) return;
  auto stays = [&](BrokerId id) { return !contains(removing, id); };
  std::vector<BrokerId> replicas;
  std::ranges::copy_if(before_->replicas, std::back_inserter(replicas), stays);
  std::vector<BrokerId> isr;
  std::ranges::copy_if(isr_, std::back_inserter(isr), stays);
  bool complete = !replicas.empty() && std::ranges::all_of(replicas, [&](BrokerId id) { return contains(isr, id); });
  if (!complete) return;
  std::vector<Uuid> directories;
  for (size_t i = 0; i < directories_.size(); ++i) {
    if (stays(before_->replicas[i])) directories.push_back(directories_[i]);
  }
  replicas_ = std::move(replicas);
  isr_ = std::move(isr);
  directories_ = std::move(directories);
  reassigned_ = true;
}

std::optional<wire::PartitionChangeRecord> PartitionChange::build() {
  wire::PartitionChangeRecord record;
  record.partition_id = index_;
  record.topic_id = topic_->id;

  complete_reassignment();
  Outcome outcome = elected();
  LeaderRecoveryState recovery = recovery_;
  std::vector<BrokerId> isr = isr_;
  if (outcome.leader != before_->leader) record.leader = outcome.leader.value;
  if (outcome.unclean) {
    // It alone decides now what the partition holds.
    isr = {outcome.leader};
    recovery = LeaderRecoveryState::kRecovering;
  }
  // The last in-sync replica stays listed even when it is down: only it has everything.
  if (!isr.empty() && isr != before_->isr) record.isr = raw_ids(isr);
  bool shrunk = record.isr && std::ranges::any_of(before_->isr, [&](BrokerId id) { return !contains(isr, id); });
  if (shrunk && metadata_version_ < metadata::kMvNoEpochBumpOnShrink && record.leader == kLeaderUnchanged) {
    record.leader = before_->leader.value;
  }
  if (replicas_ != before_->replicas) {
    // Who is no longer a replica must notice: the leader epoch rises, by naming the leader.
    record.replicas = raw_ids(replicas_);
    if (record.leader == kLeaderUnchanged) record.leader = before_->leader.value;
  }
  if (reassigned_) {
    if (!before_->removing_replicas.empty()) record.removing_replicas.emplace();
    if (!before_->adding_replicas.empty()) record.adding_replicas.emplace();
  }
  if (recovery != before_->recovery) record.leader_recovery_state = static_cast<int8_t>(recovery);
  if (directories_ != before_->directories) record.directories = directories_;

  bool nothing = !reassigned_ && !record.isr && record.leader == kLeaderUnchanged && !record.directories &&
                 record.leader_recovery_state == kRecoveryUnchanged;
  if (nothing) return std::nullopt;
  return record;
}

bool can_lead(const Image& image, const Partition& partition, BrokerId broker, const BrokerMove& move) {
  if (broker == move.leaving) return false;
  const metadata::Broker* registered = image.broker(broker);
  if (registered == nullptr) return false;
  if (broker != move.joining && !registered->active()) return false;
  Uuid directory = partition.directory_of(broker);
  bool just_lost = broker == move.joining && std::ranges::find(move.lost, directory) != move.lost.end();
  return !just_lost && directory_online(*registered, directory);
}

bool directory_online(const metadata::Broker& broker, const Uuid& directory) {
  if (directory == kUnassignedDirectory || directory == kMigratingDirectory) return true;
  return directory != kLostDirectory && broker.has_log_dir(directory);
}

void append_changes(const Image& image, const BrokerMove& move, std::vector<wire::MetadataRecord>& records) {
  for (const metadata::TopicPtr& topic : image.topics()) {
    for (int32_t i = 0; i < topic->partition_count(); ++i) {
      const Partition* partition = topic->partition(i);
      if (partition == nullptr) continue;
      bool leaves = move.leaving && (partition->in_isr(*move.leaving) || partition->leader == *move.leaving);
      bool orphaned = move.joining && partition->leader == kNoLeader && partition->has_replica(*move.joining);
      if (!leaves && !orphaned) continue;
      PartitionChange change(
          *topic, i, [&](BrokerId broker) { return can_lead(image, *partition, broker, move); },
          image.metadata_version());
      if (leaves) {
        std::vector<BrokerId> isr = partition->isr;
        std::erase(isr, *move.leaving);
        change.set_isr(std::move(isr));
      }
      if (unclean_election_enabled(image, topic->name)) change.elect(Election::kUnclean);
      if (auto record = change.build()) records.emplace_back(std::move(*record));
    }
  }
}

bool unclean_election_enabled(const Image& image, std::string_view topic) {
  constexpr std::string_view kKey = "unclean.leader.election.enable";
  const metadata::ConfigMap& own = image.topic_config(topic);
  auto found = own.find(kKey);
  if (found != own.end()) return found->second == "true";
  const metadata::ConfigMap& cluster = image.config({metadata::ResourceType::kBroker, ""});
  found = cluster.find(kKey);
  return found != cluster.end() && found->second == "true";
}

}  // namespace barnabas::controller
