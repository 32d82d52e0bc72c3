// Offsets and producers of partitions: answered by their leaders.
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"

namespace barnabas::client {

namespace admin {
namespace {

// The special timestamps of ListOffsets (KIP-79, KIP-734, KIP-405, KIP-1005, KIP-1023), and the version each came with.
struct SpecialTime {
  int64_t timestamp;
  int16_t since_version;
};

SpecialTime time_of(const OffsetSpec& spec) {
  switch (spec.kind) {
    case OffsetSpec::Kind::kLatest:
      return {-1, 1};
    case OffsetSpec::Kind::kEarliest:
      return {-2, 1};
    case OffsetSpec::Kind::kMaxTimestamp:
      return {-3, 7};
    case OffsetSpec::Kind::kEarliestLocal:
      return {-4, 8};
    case OffsetSpec::Kind::kLatestTiered:
      return {-5, 9};
    case OffsetSpec::Kind::kEarliestPendingUpload:
      return {-6, 11};
    case OffsetSpec::Kind::kTime:
      return {spec.time, 1};
  }
  return {-1, 1};
}

struct ListAt {
  std::map<TopicPartition, OffsetSpec> specs;
  bool read_committed;

  runtime::Task<Result<Outcomes<TopicPartition, ListedOffset>>> operator()(Cluster& cluster, int32_t broker,
                                                                           std::vector<TopicPartition> partitions,
                                                                           MonotonicTime deadline) const {
    auto peer = co_await cluster.connection(Target::of(broker), deadline);
    if (!peer) co_return std::unexpected(peer.error());
    auto version = (*peer)->version_of<wire::ListOffsetsRequest>();
    if (!version) co_return std::unexpected(version.error());
    wire::ListOffsetsRequest request;
    request.replica_id = -1;
    request.isolation_level = read_committed ? 1 : 0;
    if (*version >= 10) request.timeout_ms = request_timeout_ms(cluster);
    Outcomes<TopicPartition, ListedOffset> done;
    for (const auto& [topic, numbers] : by_topic(partitions)) {
      wire::ListOffsetsRequest::ListOffsetsTopic asked;
      asked.name = topic;
      for (int32_t number : numbers) {
        SpecialTime time = time_of(specs.at({topic, number}));
        if (*version < time.since_version) {
          done.emplace(TopicPartition{topic, number},
                       std::unexpected(Error{.kind = Error::Kind::kUnsupported,
                                             .code = ErrorCode::kUnsupportedVersion,
                                             .message = "the broker is too old for this kind of offset: it knows "
                                                        "ListOffsets up to version " +
                                                        std::to_string(*version)}));
          continue;
        }
        asked.partitions.push_back({.partition_index = number, .timestamp = time.timestamp});
      }
      if (!asked.partitions.empty()) request.topics.push_back(std::move(asked));
    }
    if (request.topics.empty()) co_return done;
    auto answer = co_await (*peer)->call<wire::ListOffsetsResponse>(request, *version, cluster.left_until(deadline));
    if (!answer) co_return std::unexpected(answer.error());
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        TopicPartition key{topic.name, partition.partition_index};
        ListedOffset listed{.offset = partition.offset, .timestamp = partition.timestamp};
        if (partition.leader_epoch >= 0) listed.leader_epoch = partition.leader_epoch;
        done.insert_or_assign(key, outcome(partition.error_code, name_of(key), {}, listed));
      }
    }
    co_return done;
  }
};

runtime::Task<Result<Outcomes<TopicPartition, ListedOffset>>> list_offsets(
    Cluster& cluster, std::map<TopicPartition, OffsetSpec> partitions, bool read_committed) {
  std::vector<TopicPartition> all;
  for (const auto& [partition, spec] : partitions) all.push_back(partition);
  auto done = co_await ask_leaders<ListedOffset>(cluster, std::move(all), api_deadline(cluster),
                                                 ListAt{std::move(partitions), read_committed});
  co_return done;
}

using Producers = std::vector<ProducerState>;

struct DescribeProducers {
  runtime::Task<Result<Outcomes<TopicPartition, Producers>>> operator()(Cluster& cluster, int32_t broker,
                                                                        std::vector<TopicPartition> partitions,
                                                                        MonotonicTime deadline) const {
    wire::DescribeProducersRequest request;
    for (auto& [topic, numbers] : by_topic(partitions)) request.topics.push_back({topic, numbers, {}});
    auto answer =
        co_await cluster.call<wire::DescribeProducersResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<TopicPartition, Producers> done;
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        TopicPartition key{topic.name, partition.partition_index};
        Producers producers;
        for (const auto& active : partition.active_producers) {
          auto& told = producers.emplace_back();
          told.producer_id = active.producer_id;
          told.producer_epoch = active.producer_epoch;
          told.last_sequence = active.last_sequence;
          told.last_timestamp = active.last_timestamp;
          told.coordinator_epoch = active.coordinator_epoch;
          if (active.current_txn_start_offset >= 0) {
            told.current_transaction_start_offset = active.current_txn_start_offset;
          }
        }
        done.insert_or_assign(
            key, outcome(partition.error_code, name_of(key), partition.error_message, std::move(producers)));
      }
    }
    co_return done;
  }
};

}  // namespace
}  // namespace admin

Admin::Each<TopicPartition, ListedOffset> Admin::list_offsets(std::map<TopicPartition, OffsetSpec> partitions,
                                                              bool read_committed) {
  return core_->start(admin::list_offsets(core_->cluster(), std::move(partitions), read_committed));
}
Admin::Each<TopicPartition, std::vector<ProducerState>> Admin::describe_producers(
    std::vector<TopicPartition> partitions) {
  Cluster& cluster = core_->cluster();
  return core_->start(admin::ask_leaders<admin::Producers>(cluster, std::move(partitions), admin::api_deadline(cluster),
                                                           admin::DescribeProducers{}));
}

}  // namespace barnabas::client
