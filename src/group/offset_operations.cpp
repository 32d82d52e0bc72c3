#include "group/offset_operations.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "group/classic_membership.h"
#include "group/error_responses.h"
#include "group/group_partition.h"
#include "group/group_records.h"

namespace barnabas::group {

using wire::KafkaError;

namespace {

// Timestamps and retentions come from clients and disks: their sums and differences must not overflow.
TimestampMs moved(TimestampMs time, int64_t by_ms) {
  TimestampMs sum = 0;
  if (!__builtin_add_overflow(time, by_ms, &sum)) return sum;
  return by_ms > 0 ? std::numeric_limits<TimestampMs>::max() : std::numeric_limits<TimestampMs>::min();
}

}  // namespace

struct OffsetOperations::Batch {
  struct Change {
    std::string group;
    std::string topic;
    int32_t partition = 0;
    std::optional<StoredOffset> value;
    int32_t index = 0;
  };
  std::vector<CoordinatorRecord> records;
  std::vector<Change> changes;
  std::vector<AppendEffect> effects;

  void set(const OffsetKey& key, StoredOffset value) {
    records.push_back(offset_record(key, value));
    note(key, std::move(value));
  }
  void erase(const OffsetKey& key) {
    records.push_back(offset_tombstone(key));
    note(key, std::nullopt);
  }
  void note(const OffsetKey& key, std::optional<StoredOffset> value) {
    auto index = static_cast<int32_t>(records.size()) - 1;
    changes.push_back({std::string(key.group), std::string(key.topic), key.partition, std::move(value), index});
  }
};

bool OffsetOperations::append(Batch batch, std::vector<Reply> replies) {
  if (batch.records.empty()) {
    for (Reply& reply : replies) state_.output.replies.push_back(std::move(reply));
    return false;
  }
  AppendSequence sequence = state_.append(std::move(batch.records), std::move(replies));
  for (AppendEffect& effect : batch.effects) state_.ledger.attach(sequence, std::move(effect));
  for (Batch::Change& change : batch.changes) {
    state_.offsets.put(sequence, change.index, {change.group, change.topic, change.partition}, std::move(change.value));
  }
  return true;
}

KafkaError OffsetOperations::authorize_commit(const Caller& caller, const wire::OffsetCommitRequest& request,
                                              bool& created) {
  constexpr int16_t kGroupIdNotFoundFrom = 9;
  int32_t generation = request.generation_id_or_member_epoch;
  ClassicGroup* group = state_.find(request.group_id);
  if (group == nullptr) {
    if (generation >= 0) {
      return caller.api_version >= kGroupIdNotFoundFrom ? KafkaError::kGroupIdNotFound : KafkaError::kIllegalGeneration;
    }
    state_.create(request.group_id, now_.wall_ms);
    created = true;
    return KafkaError::kNone;
  }
  // No generation: a tool, or a consumer that assigns partitions to itself. It may while nobody else does.
  if (generation < 0 && group->in(ClassicState::kEmpty)) return KafkaError::kNone;
  if (generation < 0 && request.member_id.empty() && !request.group_instance_id) return KafkaError::kUnknownMemberId;
  KafkaError error = group->validate(request.member_id, request.group_instance_id);
  if (error != KafkaError::kNone) return error;
  if (generation != group->generation()) return KafkaError::kIllegalGeneration;
  // The member has its generation but not its partitions yet: whatever it commits was another's.
  if (group->in(ClassicState::kCompletingRebalance)) return KafkaError::kRebalanceInProgress;
  if (ClassicMember* member = group->find(request.member_id)) {
    ClassicMembership(state_, now_).renew_session(*group, *member);
  }
  return KafkaError::kNone;
}

void OffsetOperations::commit(const Caller& caller, const wire::OffsetCommitRequest& request,
                              const TopicLookup& topics) {
  constexpr int16_t kTopicIdsFrom = 10;
  bool created = false;
  KafkaError group_error = authorize_commit(caller, request, created);
  wire::OffsetCommitResponse response;
  Batch batch;
  for (const auto& topic : request.topics) {
    bool by_id = caller.api_version >= kTopicIdsFrom;
    std::optional<TopicInfo> info = by_id ? topics.by_id(topic.topic_id) : topics.by_name(topic.name);
    KafkaError topic_error = KafkaError::kNone;
    if (!info) topic_error = by_id ? KafkaError::kUnknownTopicId : KafkaError::kUnknownTopicOrPartition;
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      KafkaError error = topic_error;
      if (error == KafkaError::kNone &&
          (partition.partition_index < 0 || partition.partition_index >= info->partitions)) {
        error = KafkaError::kUnknownTopicOrPartition;
      }
      if (error == KafkaError::kNone) error = group_error;
      std::string metadata = partition.committed_metadata.value_or("");
      if (error == KafkaError::kNone && utf16_length(metadata) > state_.config.offset_metadata_max_bytes) {
        error = KafkaError::kOffsetMetadataTooLarge;
      }
      if (error == KafkaError::kNone) {
        StoredOffset value{.offset = partition.committed_offset,
                           .leader_epoch = partition.committed_leader_epoch,
                           .metadata = std::move(metadata),
                           .commit_timestamp = now_.wall_ms,
                           .topic_id = info->id};
        if (request.retention_time_ms != -1) value.expire_timestamp = moved(now_.wall_ms, request.retention_time_ms);
        batch.set({request.group_id, info->name, partition.partition_index}, std::move(value));
      }
      auto& row = answered.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.error_code = error;
    }
  }
  if (created && batch.records.empty()) {
    state_.take_out(*state_.find(request.group_id));
  } else if (created) {
    batch.effects.emplace_back(GroupCreated{request.group_id});
  }
  std::vector<Reply> replies;
  replies.push_back({caller.token, std::move(response)});
  bool appended = append(std::move(batch), std::move(replies));
  if (created && appended) state_.find(request.group_id)->created_by = state_.ledger.uncommitted().back().sequence;
}

void OffsetOperations::remove(const Caller& caller, const wire::OffsetDeleteRequest& request,
                              const TopicLookup& topics) {
  auto refuse = [&](KafkaError error) { state_.reply(caller.token, offset_delete_error(error)); };
  // The group without a name may commit, but not this.
  if (request.group_id.empty()) return refuse(KafkaError::kInvalidGroupId);
  const ClassicGroup* group = state_.find(request.group_id);
  if (group == nullptr) return refuse(KafkaError::kGroupIdNotFound);
  // Of members that are no consumers nobody here knows what they read.
  if (!group->in(ClassicState::kEmpty) && !group->uses_consumer_protocol()) return refuse(KafkaError::kNonEmptyGroup);

  wire::OffsetDeleteResponse response = offset_delete_error(KafkaError::kNone);
  Batch batch;
  for (const auto& topic : request.topics) {
    std::optional<TopicInfo> info = topics.by_name(topic.name);
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& row = answered.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      OffsetKey key{request.group_id, topic.name, partition.partition_index};
      if (!info || key.partition < 0 || key.partition >= info->partitions) {
        row.error_code = KafkaError::kUnknownTopicOrPartition;
      } else if (group->is_subscribed(topic.name)) {
        row.error_code = KafkaError::kGroupSubscribedToTopic;
      } else if (state_.offsets.latest(key) != nullptr) {
        batch.erase(key);
      }
    }
  }
  std::vector<Reply> replies;
  replies.push_back({caller.token, std::move(response)});
  append(std::move(batch), std::move(replies));
}

KafkaError OffsetOperations::deletable(std::string_view group_id) const {
  if (state_.foreign.contains(group_id)) return KafkaError::kNonEmptyGroup;
  const ClassicGroup* group = state_.find(group_id);
  if (group == nullptr) return KafkaError::kGroupIdNotFound;
  return group->in(ClassicState::kEmpty) ? KafkaError::kNone : KafkaError::kNonEmptyGroup;
}

void OffsetOperations::delete_groups(const Caller& caller, const std::vector<std::string>& group_ids) {
  wire::DeleteGroupsResponse response = delete_groups_error(group_ids, KafkaError::kNone);
  Batch batch;
  for (auto& result : response.results) {
    const std::string& id = result.group_id;
    result.error_code = deletable(id);
    if (result.error_code != KafkaError::kNone) continue;
    state_.offsets.each_latest(id, [&](std::string_view topic, int32_t partition, const StoredOffset&) {
      batch.erase({id, topic, partition});
    });
    batch.records.push_back(group_tombstone(id));
    batch.effects.emplace_back(GroupDeleted{state_.take_out(*state_.find(id))});
  }
  std::vector<Reply> replies;
  replies.push_back({caller.token, std::move(response)});
  append(std::move(batch), std::move(replies));
}

namespace {

// Since when `value` is unused, if it may expire at all in the present state of its group.
std::optional<TimestampMs> unused_since(const ClassicGroup& group, const StoredOffset& value) {
  if (!group.protocol_type()) return value.commit_timestamp;  // a simple consumer
  if (group.in(ClassicState::kEmpty)) return group.state_timestamp().value_or(value.commit_timestamp);
  bool knows_what_is_read = group.uses_consumer_protocol() && group.knows_subscription();
  if (group.in(ClassicState::kStable) && knows_what_is_read) return value.commit_timestamp;
  return std::nullopt;
}

}  // namespace

void OffsetOperations::expire_group(std::string_view group_id) {
  // One record too many in a batch would refuse them all; a large group goes in pieces.
  constexpr size_t kRecordsPerAppend = 1000;
  ClassicGroup& group = *state_.find(group_id);
  TimestampMs retention_ms = std::chrono::milliseconds(state_.config.offsets_retention_minutes).count();
  bool all_expired = true;
  std::vector<Batch> batches(1);
  state_.offsets.each_latest(group_id, [&](std::string_view topic, int32_t partition, const StoredOffset& value) {
    OffsetKey key{group_id, topic, partition};
    std::optional<TimestampMs> since = unused_since(group, value);
    bool expired = since && !group.is_subscribed(topic) && !state_.offsets.has_pending_transaction(key);
    if (expired && value.expire_timestamp != kNoTimestamp) {
      expired = now_.wall_ms >= value.expire_timestamp;
    } else if (expired) {
      expired = now_.wall_ms >= moved(*since, retention_ms);
    }
    all_expired = all_expired && expired;
    if (!expired) return;
    if (batches.back().records.size() >= kRecordsPerAppend) batches.emplace_back();
    batches.back().erase(key);
  });
  bool unused = group.in(ClassicState::kEmpty) && group.pending_members().empty();
  if (all_expired && unused && !state_.offsets.group_has_pending_transaction(group_id)) {
    batches.back().records.push_back(group_tombstone(group_id));
    batches.back().effects.emplace_back(GroupDeleted{state_.take_out(group)});
  }
  for (Batch& batch : batches) append(std::move(batch), {});
}

void OffsetOperations::expire() {
  std::vector<std::string> ids;
  for (const auto& [id, group] : state_.groups) {
    if (!state_.foreign.contains(id)) ids.push_back(id);
  }
  for (const std::string& id : ids) expire_group(id);
}

void OffsetOperations::topic_deleted(std::string_view name, const Uuid& id) {
  for (const std::string& group_id : state_.offsets.groups()) {
    Batch batch;
    state_.offsets.each_latest(group_id, [&](std::string_view topic, int32_t partition, const StoredOffset& value) {
      bool of_this_topic = value.topic_id.is_zero() || value.topic_id == id;
      if (topic == name && of_this_topic) batch.erase({group_id, topic, partition});
    });
    append(std::move(batch), {});
  }
}

}  // namespace barnabas::group
