#include <fmt/format.h>

#include "metadata/replay.h"

namespace barnabas::metadata {

namespace {

// Kafka creates at most 10,000 partitions at once; a million in one topic is beyond any cluster, and no damaged record
// may make us allocate more than a vector of that many null pointers.
constexpr int32_t kMaxPartitionId = 1'000'000;

std::vector<BrokerId> broker_ids(const std::vector<int32_t>& raw) {
  std::vector<BrokerId> ids;
  ids.reserve(raw.size());
  for (int32_t id : raw) ids.emplace_back(id);
  return ids;
}

constexpr int32_t kLeaderUnchanged = -2;
constexpr int8_t kRecoveryUnchanged = -1;

}  // namespace

Topic* ImageBuilder::Replay::edit_topic(const Uuid& id) {
  auto owned = owned_topics_.find(id);
  if (owned != owned_topics_.end()) return owned->second.get();
  const Topic* shared = image_.topic(id);
  if (shared == nullptr) return nullptr;
  auto copy = std::make_shared<Topic>(*shared);
  Topic* raw = copy.get();
  put_topic(std::move(copy));
  return raw;
}

void ImageBuilder::Replay::put_topic(std::shared_ptr<Topic> topic) {
  image_.by_name_.put(topic);
  image_.by_id_.put(topic);
  owned_topics_.insert_or_assign(topic->id, topic);
}

TopicChange& ImageBuilder::Replay::touch(const Topic& topic) {
  return delta_.topics.try_emplace(topic.id, TopicChange{TopicChange::Kind::kChanged, topic.name, {}}).first->second;
}

Result<> ImageBuilder::Replay::operator()(const wire::TopicRecord& record) {
  if (image_.topic(record.name) != nullptr) {
    return fail(ErrorCode::kCorrupt, fmt::format("Topic: '{}' exists already", record.name));
  }
  if (image_.topic(record.topic_id) != nullptr) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("Topic: id {} of '{}' exists already", record.topic_id.to_string(), record.name));
  }
  auto topic = std::make_shared<Topic>(Topic{record.name, record.topic_id, {}});
  delta_.topics.insert_or_assign(topic->id, TopicChange{TopicChange::Kind::kCreated, topic->name, {}});
  put_topic(std::move(topic));
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::RemoveTopicRecord& record) {
  TopicPtr topic = image_.topic_ptr(record.topic_id);
  if (!topic) {
    return fail(ErrorCode::kCorrupt, fmt::format("RemoveTopic: no topic has id {}", record.topic_id.to_string()));
  }
  for (const auto& partition : topic->partitions) image_.partition_count_ -= partition ? 1 : 0;
  image_.by_name_.erase(std::string_view(topic->name));
  image_.by_id_.erase(topic->id);
  owned_topics_.erase(topic->id);
  // Its configuration goes with it, without records of its own.
  ConfigResource resource{ResourceType::kTopic, topic->name};
  if (image_.configs_.erase(resource)) delta_.configs.insert(resource);
  auto change = delta_.topics.find(topic->id);
  if (change != delta_.topics.end() && change->second.kind == TopicChange::Kind::kCreated) {
    delta_.topics.erase(change);  // nobody ever saw it
  } else {
    delta_.topics.insert_or_assign(topic->id, TopicChange{TopicChange::Kind::kDeleted, topic->name, {}});
  }
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::PartitionRecord& record) {
  Topic* topic = edit_topic(record.topic_id);
  if (topic == nullptr) {
    return fail(ErrorCode::kCorrupt, fmt::format("Partition: no topic has id {}", record.topic_id.to_string()));
  }
  if (record.partition_id < 0 || record.partition_id > kMaxPartitionId) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("Partition: '{}' cannot have a partition {}", topic->name, record.partition_id));
  }
  if (!record.directories.empty() && record.directories.size() != record.replicas.size()) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("Partition: {}-{} has {} replicas but {} directories", topic->name, record.partition_id,
                            record.replicas.size(), record.directories.size()));
  }
  auto index = static_cast<size_t>(record.partition_id);
  if (index >= topic->partitions.size()) topic->partitions.resize(index + 1);
  if (!topic->partitions[index]) ++image_.partition_count_;
  topic->partitions[index] = std::make_shared<const Partition>(Partition{
      .replicas = broker_ids(record.replicas),
      .directories = record.directories,
      .isr = broker_ids(record.isr),
      .elr = broker_ids(record.eligible_leader_replicas.value_or(std::vector<int32_t>{})),
      .last_known_elr = broker_ids(record.last_known_elr.value_or(std::vector<int32_t>{})),
      .adding_replicas = broker_ids(record.adding_replicas),
      .removing_replicas = broker_ids(record.removing_replicas),
      .leader = BrokerId(record.leader),
      .leader_epoch = LeaderEpoch(record.leader_epoch),
      .partition_epoch = record.partition_epoch,
      .recovery = static_cast<LeaderRecoveryState>(record.leader_recovery_state),
  });
  touch(*topic).partitions.insert(record.partition_id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::PartitionChangeRecord& record) {
  Topic* topic = edit_topic(record.topic_id);
  if (topic == nullptr) {
    return fail(ErrorCode::kCorrupt, fmt::format("PartitionChange: no topic has id {}", record.topic_id.to_string()));
  }
  const Partition* before = topic->partition(record.partition_id);
  if (before == nullptr) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("PartitionChange: '{}' has no partition {}", topic->name, record.partition_id));
  }
  Partition after = *before;
  if (record.isr) after.isr = broker_ids(*record.isr);
  if (record.replicas) after.replicas = broker_ids(*record.replicas);
  if (record.removing_replicas) after.removing_replicas = broker_ids(*record.removing_replicas);
  if (record.adding_replicas) after.adding_replicas = broker_ids(*record.adding_replicas);
  if (record.directories) after.directories = *record.directories;
  if (record.eligible_leader_replicas) after.elr = broker_ids(*record.eligible_leader_replicas);
  if (record.last_known_elr) after.last_known_elr = broker_ids(*record.last_known_elr);
  if (record.leader != kLeaderUnchanged) {
    // A record that names the leader starts a leader epoch, even when it names the same one.
    after.leader = BrokerId(record.leader);
    after.leader_epoch = after.leader_epoch.next();
  }
  if (record.leader_recovery_state != kRecoveryUnchanged) {
    after.recovery = static_cast<LeaderRecoveryState>(record.leader_recovery_state);
  }
  ++after.partition_epoch;
  topic->partitions[static_cast<size_t>(record.partition_id)] = std::make_shared<const Partition>(std::move(after));
  touch(*topic).partitions.insert(record.partition_id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::ClearElrRecord& record) {
  std::vector<Uuid> ids;
  if (record.topic_name.empty()) {
    image_.for_each_topic([&](const Topic& topic) { ids.push_back(topic.id); });
  } else {
    const Topic* topic = image_.topic(record.topic_name);
    if (topic == nullptr) {
      return fail(ErrorCode::kCorrupt, fmt::format("ClearElr: no topic is called '{}'", record.topic_name));
    }
    ids.push_back(topic->id);
  }
  for (const Uuid& id : ids) {
    const Topic* shared = image_.topic(id);
    for (int32_t i = 0; i < shared->partition_count(); ++i) {
      const Partition* before = shared->partition(i);
      if (!before || (before->elr.empty() && before->last_known_elr.empty())) continue;
      Partition after = *before;
      after.elr.clear();
      after.last_known_elr.clear();
      Topic* topic = edit_topic(id);
      topic->partitions[static_cast<size_t>(i)] = std::make_shared<const Partition>(std::move(after));
      touch(*topic).partitions.insert(i);
      shared = topic;
    }
  }
  return {};
}

}  // namespace barnabas::metadata
