#include "client/consumer/offset_lookup.h"

#include <algorithm>

#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"

namespace barnabas::client {

namespace {

using Times = std::map<TopicPartition, int64_t>;
using Found = std::map<TopicPartition, FoundOffset>;

wire::ListOffsetsRequest list_request(const ConsumerContext& context, const Times& times, const ClusterMetadata& known,
                                      MonotonicTime deadline) {
  wire::ListOffsetsRequest request;
  request.replica_id = -1;
  request.isolation_level = context.settings.read_committed ? 1 : 0;
  request.timeout_ms = static_cast<int32_t>(
      std::clamp<int64_t>((deadline - context.now()).count() / 1000000, 0, context.settings.request_timeout_ms));
  for (const auto& [at, time] : times) {
    if (request.topics.empty() || request.topics.back().name != at.topic) request.topics.emplace_back().name = at.topic;
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = at.partition;
    partition.timestamp = time;
    if (const auto* metadata = known.partition(at.topic, at.partition)) {
      partition.current_leader_epoch = metadata->leader_epoch;
    }
  }
  return request;
}

// Moves what was answered from `left` to `found`. The last retriable error, or a final one.
Result<> settle(const wire::ListOffsetsResponse& answer, Times& left, Found& found, std::optional<Error>& why) {
  for (const auto& topic : answer.topics) {
    for (const auto& partition : topic.partitions) {
      TopicPartition at{topic.name, partition.partition_index};
      if (!left.contains(at)) continue;
      auto error = partition.error_code;
      if (error == wire::KafkaError::kNone) {
        found[at] = {partition.offset, partition.timestamp, partition.leader_epoch};
        left.erase(at);
        continue;
      }
      // The old message format knew no times: as if there were none.
      if (error == wire::KafkaError::kUnsupportedForMessageFormat) {
        found[at] = {};
        left.erase(at);
        continue;
      }
      why = broker_error(error, "offsets of " + at.topic + "-" + std::to_string(at.partition));
      if (!is_retriable(error)) return std::unexpected(*why);
    }
  }
  return {};
}

}  // namespace

runtime::Task<Result<Found>> find_offsets(ConsumerContext& context, Times left, MonotonicTime deadline) {
  Found found;
  Cluster& cluster = context.cluster;
  std::optional<Error> why;
  for (int attempt = 0; !left.empty(); ++attempt) {
    if (attempt > 0) {
      cluster.request_refresh();
      auto slept = co_await cluster.back_off(attempt - 1, deadline);
      if (!slept) {
        if (!why)
          why = Error{.kind = Error::Kind::kTimedOut, .message = "no offsets were found in time", .retriable = true};
        co_return std::unexpected(*why);
      }
    }
    for (const auto& at : std::map(left)) {
      auto known = cluster.metadata();
      if (known && known->partition(at.first.topic, at.first.partition)) continue;
      auto topic = co_await cluster.topic(at.first.topic, deadline);
      if (!topic) co_return std::unexpected(topic.error());
    }
    auto known = cluster.metadata();
    std::map<int32_t, Times> by_leader;
    for (const auto& [at, time] : left) {
      const auto* partition = known->partition(at.topic, at.partition);
      if (partition && partition->leader >= 0) by_leader[partition->leader][at] = time;
    }
    for (const auto& [leader, times] : by_leader) {
      auto answer = co_await cluster.call<wire::ListOffsetsResponse>(
          Target::of(leader), list_request(context, times, *known, deadline), deadline);
      if (!answer) {
        why = answer.error();
        if (!why->retriable) co_return std::unexpected(*why);
        continue;
      }
      auto settled = settle(answer->message, left, found, why);
      if (!settled) co_return std::unexpected(settled.error());
    }
  }
  co_return found;
}

runtime::Task<Result<std::optional<std::map<TopicPartition, EpochAnswer>>>> find_epoch_ends(
    ConsumerContext& context, int32_t leader, std::vector<EpochQuestion> questions, MonotonicTime deadline) {
  using Answers = std::map<TopicPartition, EpochAnswer>;
  auto connection = co_await context.cluster.connection(Target::of(leader), deadline);
  if (!connection) co_return std::unexpected(connection.error());
  auto version = (*connection)->version_of<wire::OffsetForLeaderEpochRequest>();
  if (!version || *version < 3) co_return std::optional<Answers>();
  wire::OffsetForLeaderEpochRequest request;
  request.replica_id = -1;
  for (const auto& question : questions) {
    auto& topics = request.topics;
    if (topics.empty() || topics.back().topic != question.at.topic) topics.emplace_back().topic = question.at.topic;
    auto& partition = topics.back().partitions.emplace_back();
    partition.partition = question.at.partition;
    partition.current_leader_epoch = question.leader_epoch;
    partition.leader_epoch = question.epoch;
  }
  auto answer = co_await (*connection)
                    ->call<wire::OffsetForLeaderEpochResponse>(request, *version, context.cluster.left_until(deadline));
  if (!answer) co_return std::unexpected(answer.error());
  Answers answers;
  for (const auto& topic : answer->message.topics) {
    for (const auto& partition : topic.partitions) {
      answers[{topic.topic, partition.partition}] = {partition.error_code, partition.leader_epoch,
                                                     partition.end_offset};
    }
  }
  co_return std::optional<Answers>(std::move(answers));
}

}  // namespace barnabas::client
