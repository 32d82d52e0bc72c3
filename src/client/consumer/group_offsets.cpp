#include <algorithm>

#include "client/consumer/group_offsets.h"

#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace barnabas::client {

namespace {

// From these versions on topics go by id. Names do for us: a member's partitions are names here.
constexpr int16_t kLastCommitByName = 9;
constexpr int16_t kLastFetchByName = 9;

using wire::KafkaError;

bool moves_coordinator(KafkaError error) {
  return error == KafkaError::kNotCoordinator || error == KafkaError::kCoordinatorNotAvailable ||
         error == KafkaError::kRequestTimedOut;
}

bool concerns_member(KafkaError error) {
  return error == KafkaError::kUnknownMemberId || error == KafkaError::kIllegalGeneration ||
         error == KafkaError::kFencedInstanceId || error == KafkaError::kRebalanceInProgress ||
         error == KafkaError::kStaleMemberEpoch || error == KafkaError::kFencedMemberEpoch;
}

wire::OffsetCommitRequest commit_request(const ConsumerGroupMetadata& member, const Offsets& offsets) {
  wire::OffsetCommitRequest request;
  request.group_id = member.group_id;
  request.generation_id_or_member_epoch = member.generation_id;
  request.member_id = member.member_id;
  request.group_instance_id = member.group_instance_id;
  for (const auto& [at, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != at.topic) request.topics.emplace_back().name = at.topic;
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = at.partition;
    partition.committed_offset = offset.offset;
    partition.committed_leader_epoch = offset.leader_epoch.value_or(-1);
    partition.committed_metadata = offset.metadata;
  }
  return request;
}

wire::OffsetFetchRequest fetch_request(const ConsumerGroupMetadata& member, bool with_epoch,
                                       const std::vector<TopicPartition>& partitions, int16_t version) {
  wire::OffsetFetchRequest request;
  request.require_stable = version >= 7;
  std::map<std::string, std::vector<int32_t>> by_topic;
  for (const auto& at : partitions) by_topic[at.topic].push_back(at.partition);
  if (version < 8) {
    request.group_id = member.group_id;
    for (auto& [topic, numbers] : by_topic) {
      auto& entry = request.topics->emplace_back();
      entry.name = topic;
      entry.partition_indexes = std::move(numbers);
    }
    return request;
  }
  auto& group = request.groups.emplace_back();
  group.group_id = member.group_id;
  if (version >= 9 && with_epoch) {
    group.member_id = member.member_id;
    group.member_epoch = member.generation_id;
  }
  for (auto& [topic, numbers] : by_topic) {
    auto& entry = group.topics->emplace_back();
    entry.name = topic;
    entry.partition_indexes = std::move(numbers);
  }
  return request;
}

struct FetchOutcome {
  CommittedOffsets offsets;
  KafkaError error = KafkaError::kNone;
  std::string about;
};

template <class Topics>
void read_topics(const Topics& topics, FetchOutcome& outcome) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != KafkaError::kNone) {
        outcome.error = partition.error_code;
        outcome.about = "committed offset of " + topic.name + "-" + std::to_string(partition.partition_index);
        continue;
      }
      auto& entry = outcome.offsets[{topic.name, partition.partition_index}];
      if (partition.committed_offset < 0) continue;
      entry = OffsetAndMetadata{.offset = partition.committed_offset, .metadata = partition.metadata.value_or("")};
      if (partition.committed_leader_epoch >= 0) entry->leader_epoch = partition.committed_leader_epoch;
    }
  }
}

FetchOutcome read_answer(const Answer<wire::OffsetFetchResponse>& answer, const std::string& group) {
  FetchOutcome outcome;
  outcome.about = "group " + group;
  if (answer.version < 8) {
    read_topics(answer.message.topics, outcome);
    if (answer.message.error_code != KafkaError::kNone) outcome.error = answer.message.error_code;
    return outcome;
  }
  for (const auto& entry : answer.message.groups) {
    if (entry.group_id != group) continue;
    read_topics(entry.topics, outcome);
    if (entry.error_code != KafkaError::kNone) outcome.error = entry.error_code;
  }
  return outcome;
}

Error no_group() {
  return {.kind = Error::Kind::kInvalidArgument,
          .code = client::ErrorCode::kInvalidGroupId,
          .message = "offsets are committed for a group: set group.id"};
}

}  // namespace

Result<ConsumerGroupMetadata> GroupOffsets::member() const {
  if (!context_.settings.group_id || context_.settings.group_id->empty()) return std::unexpected(no_group());
  std::lock_guard lock(context_.state.mutex);
  ConsumerGroupMetadata member = context_.state.group;
  member.group_id = *context_.settings.group_id;
  auto mode = context_.state.mode;
  bool subscribed = mode == SubscriptionMode::kTopics || mode == SubscriptionMode::kPattern;
  if (!subscribed) return ConsumerGroupMetadata{.group_id = member.group_id};
  return member;
}

// A coordinator that does not answer in the time of one request may not be it any more: it is looked for again.
MonotonicTime GroupOffsets::one_try(MonotonicTime deadline) const {
  return std::min(deadline, context_.in_ms(context_.settings.request_timeout_ms));
}

void GroupOffsets::forget_coordinator() {
  context_.cluster.forget_coordinator(CoordinatorType::kGroup, *context_.settings.group_id);
}

runtime::Task<> GroupOffsets::take_turn() {
  if (committing_) {
    runtime::Completion<bool> turn;
    queue_.push_back(turn);
    co_await turn.wait(context_.loop);
  }
  committing_ = true;
}

void GroupOffsets::pass_turn() {
  if (queue_.empty()) {
    committing_ = false;
    return;
  }
  auto next = queue_.front();
  queue_.pop_front();
  next.set(true);
}

runtime::Task<Result<>> GroupOffsets::commit(Offsets offsets, MonotonicTime deadline) {
  if (offsets.empty()) co_return Result<>();
  co_await take_turn();
  auto result = co_await commit_now(std::move(offsets), deadline);
  pass_turn();
  co_return result;
}

runtime::Task<> GroupOffsets::idle() {
  if (!committing_) co_return;
  co_await take_turn();
  pass_turn();
}

runtime::Task<Result<>> GroupOffsets::commit_now(Offsets offsets, MonotonicTime deadline) {
  Cluster& cluster = context_.cluster;
  for (int attempt = 0;; ++attempt) {
    auto who = member();
    if (!who) co_return std::unexpected(who.error());
    bool subscribed = false;
    {
      std::lock_guard lock(context_.state.mutex);
      subscribed =
          context_.state.mode == SubscriptionMode::kTopics || context_.state.mode == SubscriptionMode::kPattern;
    }
    if (subscribed && who->generation_id < 0) {
      co_return std::unexpected(Error{.kind = Error::Kind::kBroker,
                                      .code = client::ErrorCode::kUnknownMemberId,
                                      .message = "cannot commit: this consumer is not a member of group " +
                                                 who->group_id +
                                                 " at the moment; its partitions may be read by others"});
    }
    std::optional<Error> why;
    auto coordinator = co_await cluster.coordinator(CoordinatorType::kGroup, who->group_id, deadline);
    if (!coordinator) co_return std::unexpected(coordinator.error());
    auto answer = co_await cluster.call<wire::OffsetCommitResponse>(
        Target::of(*coordinator), commit_request(*who, offsets), one_try(deadline), kLastCommitByName);
    if (!answer) {
      why = answer.error();
      forget_coordinator();
    } else {
      for (const auto& topic : answer->message.topics) {
        for (const auto& partition : topic.partitions) {
          if (partition.error_code == KafkaError::kNone) continue;
          why = broker_error(partition.error_code,
                             "commit of " + topic.name + "-" + std::to_string(partition.partition_index));
          if (moves_coordinator(partition.error_code)) forget_coordinator();
          if (concerns_member(partition.error_code)) {
            if (member_error_) member_error_(partition.error_code);
            // A KIP-848 member only needs its new epoch, which the next heartbeat brings.
            if (partition.error_code != KafkaError::kStaleMemberEpoch) co_return std::unexpected(*why);
            why->retriable = true;
          }
        }
      }
      if (!why) co_return Result<>();
    }
    if (!why->retriable) co_return std::unexpected(*why);
    auto slept = co_await cluster.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(*why);
  }
}

runtime::Task<Result<CommittedOffsets>> GroupOffsets::committed(std::vector<TopicPartition> partitions,
                                                                MonotonicTime deadline) {
  Cluster& cluster = context_.cluster;
  for (int attempt = 0;; ++attempt) {
    auto who = member();
    if (!who) co_return std::unexpected(who.error());
    std::optional<Error> why;
    auto coordinator = co_await cluster.coordinator(CoordinatorType::kGroup, who->group_id, deadline);
    if (!coordinator) co_return std::unexpected(coordinator.error());
    auto connection = co_await cluster.connection(Target::of(*coordinator), one_try(deadline));
    if (!connection) {
      why = connection.error();
    } else {
      auto version = (*connection)->version_of<wire::OffsetFetchRequest>(kLastFetchByName);
      if (!version) co_return std::unexpected(version.error());
      bool with_epoch = context_.settings.consumer_protocol && who->generation_id >= 0;
      wire::OffsetFetchRequest request = fetch_request(*who, with_epoch, partitions, *version);
      auto answer =
          co_await (*connection)->call<wire::OffsetFetchResponse>(request, *version, cluster.left_until(deadline));
      if (!answer) {
        why = answer.error();
      } else {
        auto outcome = read_answer(*answer, who->group_id);
        if (outcome.error == KafkaError::kNone) co_return std::move(outcome.offsets);
        why = broker_error(outcome.error, outcome.about);
        if (outcome.error == KafkaError::kUnstableOffsetCommit) why->retriable = true;
        if (outcome.error == KafkaError::kStaleMemberEpoch) why->retriable = true;
        if (!why->retriable) co_return std::unexpected(*why);
        if (outcome.error != KafkaError::kNotCoordinator && outcome.error != KafkaError::kCoordinatorNotAvailable) {
          auto slept = co_await cluster.back_off(attempt, deadline);
          if (!slept) co_return std::unexpected(*why);
          continue;
        }
      }
    }
    if (!why->retriable) co_return std::unexpected(*why);
    forget_coordinator();
    auto slept = co_await cluster.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(*why);
  }
}

}  // namespace barnabas::client
