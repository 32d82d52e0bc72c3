// Committed offsets of groups, and start offsets of share groups: answered by the groups' coordinators.
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/alter_share_group_offsets_request.h"
#include "wire/messages/alter_share_group_offsets_response.h"
#include "wire/messages/delete_share_group_offsets_request.h"
#include "wire/messages/delete_share_group_offsets_response.h"
#include "wire/messages/describe_share_group_offsets_request.h"
#include "wire/messages/describe_share_group_offsets_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;
using Committed = std::map<TopicPartition, std::optional<OffsetAndMetadata>>;

// Topics are named, not numbered, so that offsets of deleted topics can be seen and removed too.
constexpr int16_t kLastFetchByName = 9;
constexpr int16_t kLastCommitByName = 9;

template <class Partition>
void add_committed(Committed& committed, const std::string& topic, const Partition& partition) {
  std::optional<OffsetAndMetadata> offset;
  if (partition.committed_offset >= 0) {
    offset.emplace();
    offset->offset = partition.committed_offset;
    if (partition.committed_leader_epoch >= 0) offset->leader_epoch = partition.committed_leader_epoch;
    offset->metadata = partition.metadata.value_or("");
  }
  committed.insert_or_assign({topic, partition.partition_index}, std::move(offset));
}

template <class Topics>
Result<Committed> committed_of(const std::string& group, KafkaError code, const Topics& topics) {
  if (code != KafkaError::kNone) return std::unexpected(broker_error(code, "group " + group));
  Committed committed;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != KafkaError::kNone) {
        TopicPartition key{topic.name, partition.partition_index};
        return std::unexpected(broker_error(partition.error_code, "group " + group + ", " + name_of(key)));
      }
      add_committed(committed, topic.name, partition);
    }
  }
  return committed;
}

struct FetchOffsets {
  std::map<std::string, std::optional<std::vector<TopicPartition>>> groups;
  bool require_stable;

  runtime::Task<Result<Outcomes<std::string, Committed>>> operator()(Cluster& cluster, int32_t broker,
                                                                     std::vector<std::string> mine,
                                                                     MonotonicTime deadline) const {
    auto peer = co_await cluster.connection(Target::of(broker, kPurposeCoordinator), deadline);
    if (!peer) co_return std::unexpected(peer.error());
    auto version = (*peer)->version_of<wire::OffsetFetchRequest>(kLastFetchByName);
    if (!version) co_return std::unexpected(version.error());
    Outcomes<std::string, Committed> done;
    size_t at_once = *version >= 8 ? mine.size() : 1;
    for (size_t first = 0; first < mine.size(); first += at_once) {
      wire::OffsetFetchRequest request;
      request.require_stable = *version >= 7 && require_stable;
      for (size_t i = first; i < first + at_once; ++i) {
        const auto& partitions = groups.at(mine[i]);
        if (*version < 8) {
          request.group_id = mine[i];
          request.topics.reset();
          if (!partitions) continue;
          request.topics.emplace();
          for (auto& [topic, numbers] : by_topic(*partitions)) request.topics->push_back({topic, numbers, {}});
          continue;
        }
        auto& asked = request.groups.emplace_back();
        asked.group_id = mine[i];
        asked.topics.reset();
        if (!partitions) continue;
        asked.topics.emplace();
        for (auto& [topic, numbers] : by_topic(*partitions)) {
          asked.topics->push_back({.name = topic, .partition_indexes = numbers});
        }
      }
      auto answer = co_await (*peer)->call<wire::OffsetFetchResponse>(request, *version, cluster.left_until(deadline));
      if (!answer) co_return std::unexpected(answer.error());
      if (*version < 8) {
        done.insert_or_assign(mine[first],
                              committed_of(mine[first], answer->message.error_code, answer->message.topics));
        continue;
      }
      for (const auto& group : answer->message.groups) {
        done.insert_or_assign(group.group_id, committed_of(group.group_id, group.error_code, group.topics));
      }
    }
    co_return done;
  }
};

runtime::Task<Result<Outcomes<std::string, Committed>>> list_group_offsets(
    Cluster& cluster, std::map<std::string, std::optional<std::vector<TopicPartition>>> groups, bool require_stable) {
  std::vector<std::string> names;
  for (const auto& [name, partitions] : groups) names.push_back(name);
  auto done =
      co_await ask_coordinators<Committed>(cluster, CoordinatorType::kGroup, std::move(names), api_deadline(cluster),
                                           FetchOffsets{std::move(groups), require_stable});
  co_return done;
}

// One request to the coordinator of one group, again while it moves or loads. `ask(cluster, broker, deadline)` answers
// with the code of the group as a whole beside what it has to say.
template <class T>
struct FromGroup {
  KafkaError code = KafkaError::kNone;
  std::optional<std::string> message;
  T value;
};

template <class T, class Ask>
runtime::Task<Result<T>> ask_group(Cluster& cluster, std::string group, Ask ask) {
  auto deadline = api_deadline(cluster);
  for (int attempt = 0;; ++attempt) {
    auto broker = co_await cluster.coordinator(CoordinatorType::kGroup, group, deadline);
    if (!broker) co_return std::unexpected(broker.error());
    Result<FromGroup<T>> answer = co_await ask(cluster, *broker, deadline);
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->code == KafkaError::kNone) co_return std::move(answer->value);
    cluster.forget_coordinator(CoordinatorType::kGroup, group);
    bool slept = false;
    if (wire::is_retriable(answer->code)) {
      slept = co_await cluster.back_off(attempt, deadline);
    }
    if (!slept) co_return std::unexpected(broker_error(answer->code, "group " + group, answer->message));
  }
}

using EachPartition = Outcomes<TopicPartition, void>;

// The codes that say "ask another coordinator" come with every partition.
template <class Topics>
KafkaError coordinator_code(const Topics& topics) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      KafkaError code = partition.error_code;
      bool elsewhere = code == KafkaError::kNotCoordinator || code == KafkaError::kCoordinatorNotAvailable ||
                       code == KafkaError::kCoordinatorLoadInProgress;
      if (elsewhere) return code;
    }
  }
  return KafkaError::kNone;
}

template <class Topics>
EachPartition outcomes_of(const std::string& group, const Topics& topics) {
  EachPartition outcomes;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      TopicPartition key{topic.name, partition.partition_index};
      outcomes.insert_or_assign(key, outcome(partition.error_code, "group " + group + ", " + name_of(key)));
    }
  }
  return outcomes;
}

struct CommitOffsets {
  std::string group;
  std::map<TopicPartition, OffsetAndMetadata> offsets;

  runtime::Task<Result<FromGroup<EachPartition>>> operator()(Cluster& cluster, int32_t broker,
                                                             MonotonicTime deadline) const {
    wire::OffsetCommitRequest request;
    request.group_id = group;
    for (const auto& [partition, offset] : offsets) {
      if (request.topics.empty() || request.topics.back().name != partition.topic) {
        request.topics.emplace_back().name = partition.topic;
      }
      auto& asked = request.topics.back().partitions.emplace_back();
      asked.partition_index = partition.partition;
      asked.committed_offset = offset.offset;
      asked.committed_leader_epoch = offset.leader_epoch.value_or(-1);
      asked.committed_metadata = offset.metadata;
    }
    auto answer = co_await cluster.call<wire::OffsetCommitResponse>(Target::of(broker, kPurposeCoordinator),
                                                                    std::move(request), deadline, kLastCommitByName);
    if (!answer) co_return std::unexpected(answer.error());
    FromGroup<EachPartition> told;
    told.code = coordinator_code(answer->message.topics);
    told.value = outcomes_of(group, answer->message.topics);
    co_return told;
  }
};

struct DeleteOffsets {
  std::string group;
  std::vector<TopicPartition> partitions;

  runtime::Task<Result<FromGroup<EachPartition>>> operator()(Cluster& cluster, int32_t broker,
                                                             MonotonicTime deadline) const {
    wire::OffsetDeleteRequest request;
    request.group_id = group;
    for (const auto& [topic, numbers] : by_topic(partitions)) {
      auto& asked = request.topics.emplace_back();
      asked.name = topic;
      for (int32_t number : numbers) asked.partitions.push_back({.partition_index = number});
    }
    auto answer = co_await cluster.call<wire::OffsetDeleteResponse>(Target::of(broker, kPurposeCoordinator),
                                                                    std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    FromGroup<EachPartition> told;
    told.code = answer->message.error_code;
    told.value = outcomes_of(group, answer->message.topics);
    co_return told;
  }
};

using ShareOffsets = std::map<TopicPartition, std::optional<int64_t>>;

struct DescribeShareOffsets {
  runtime::Task<Result<Outcomes<std::string, ShareOffsets>>> operator()(Cluster& cluster, int32_t broker,
                                                                        std::vector<std::string> groups,
                                                                        MonotonicTime deadline) const {
    wire::DescribeShareGroupOffsetsRequest request;
    for (const auto& group : groups) {
      auto& asked = request.groups.emplace_back();
      asked.group_id = group;
      asked.topics.reset();
    }
    auto answer = co_await cluster.call<wire::DescribeShareGroupOffsetsResponse>(
        Target::of(broker, kPurposeCoordinator), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<std::string, ShareOffsets> done;
    for (const auto& group : answer->message.groups) {
      ShareOffsets offsets;
      for (const auto& topic : group.topics) {
        for (const auto& partition : topic.partitions) {
          std::optional<int64_t> start;
          if (partition.start_offset >= 0) start = partition.start_offset;
          offsets.insert_or_assign({topic.topic_name, partition.partition_index}, start);
        }
      }
      done.insert_or_assign(group.group_id, outcome(group.error_code, "group " + group.group_id, group.error_message,
                                                    std::move(offsets)));
    }
    co_return done;
  }
};

struct AlterShareOffsets {
  std::string group;
  std::map<TopicPartition, int64_t> offsets;

  runtime::Task<Result<FromGroup<EachPartition>>> operator()(Cluster& cluster, int32_t broker,
                                                             MonotonicTime deadline) const {
    wire::AlterShareGroupOffsetsRequest request;
    request.group_id = group;
    for (const auto& [partition, offset] : offsets) {
      if (request.topics.empty() || request.topics.back().topic_name != partition.topic) {
        request.topics.emplace_back().topic_name = partition.topic;
      }
      request.topics.back().partitions.push_back({.partition_index = partition.partition, .start_offset = offset});
    }
    auto answer = co_await cluster.call<wire::AlterShareGroupOffsetsResponse>(Target::of(broker, kPurposeCoordinator),
                                                                              std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    FromGroup<EachPartition> told{
        .code = answer->message.error_code, .message = answer->message.error_message, .value = {}};
    for (const auto& topic : answer->message.responses) {
      for (const auto& partition : topic.partitions) {
        TopicPartition key{topic.topic_name, partition.partition_index};
        told.value.insert_or_assign(
            key, outcome(partition.error_code, "group " + group + ", " + name_of(key), partition.error_message));
      }
    }
    co_return told;
  }
};

using EachTopic = Outcomes<std::string, void>;

struct DeleteShareOffsets {
  std::string group;
  std::vector<std::string> topics;

  runtime::Task<Result<FromGroup<EachTopic>>> operator()(Cluster& cluster, int32_t broker,
                                                         MonotonicTime deadline) const {
    wire::DeleteShareGroupOffsetsRequest request;
    request.group_id = group;
    for (const auto& topic : topics) request.topics.push_back({.topic_name = topic});
    auto answer = co_await cluster.call<wire::DeleteShareGroupOffsetsResponse>(Target::of(broker, kPurposeCoordinator),
                                                                               std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    FromGroup<EachTopic> told{
        .code = answer->message.error_code, .message = answer->message.error_message, .value = {}};
    for (const auto& topic : answer->message.responses) {
      told.value.insert_or_assign(
          topic.topic_name,
          outcome(topic.error_code, "group " + group + ", topic " + topic.topic_name, topic.error_message));
    }
    co_return told;
  }
};

}  // namespace
}  // namespace admin

Admin::Each<std::string, std::map<TopicPartition, std::optional<OffsetAndMetadata>>> Admin::list_group_offsets(
    std::map<std::string, std::optional<std::vector<TopicPartition>>> groups, bool require_stable) {
  return core_->start(admin::list_group_offsets(core_->cluster(), std::move(groups), require_stable));
}
Admin::Each<TopicPartition> Admin::alter_group_offsets(std::string group,
                                                       std::map<TopicPartition, OffsetAndMetadata> offsets) {
  admin::CommitOffsets ask{group, std::move(offsets)};
  return core_->start(admin::ask_group<admin::EachPartition>(core_->cluster(), std::move(group), std::move(ask)));
}
Admin::Each<TopicPartition> Admin::delete_group_offsets(std::string group, std::vector<TopicPartition> partitions) {
  admin::DeleteOffsets ask{group, std::move(partitions)};
  return core_->start(admin::ask_group<admin::EachPartition>(core_->cluster(), std::move(group), std::move(ask)));
}
Admin::Each<std::string, std::map<TopicPartition, std::optional<int64_t>>> Admin::list_share_group_offsets(
    std::vector<std::string> groups) {
  Cluster& cluster = core_->cluster();
  return core_->start(admin::ask_coordinators<admin::ShareOffsets>(cluster, CoordinatorType::kGroup, std::move(groups),
                                                                   admin::api_deadline(cluster),
                                                                   admin::DescribeShareOffsets{}));
}
Admin::Each<TopicPartition> Admin::alter_share_group_offsets(std::string group,
                                                             std::map<TopicPartition, int64_t> offsets) {
  admin::AlterShareOffsets ask{group, std::move(offsets)};
  return core_->start(admin::ask_group<admin::EachPartition>(core_->cluster(), std::move(group), std::move(ask)));
}
Admin::Each<std::string> Admin::delete_share_group_offsets(std::string group, std::vector<std::string> topics) {
  admin::DeleteShareOffsets ask{group, std::move(topics)};
  return core_->start(admin::ask_group<admin::EachTopic>(core_->cluster(), std::move(group), std::move(ask)));
}

}  // namespace barnabas::client
