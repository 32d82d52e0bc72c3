// Fetch: sessions, long polls and reads. The partitions are read in the order of the session until the byte budget is
// spent; if there is not enough yet and the client can wait, the request parks on all of them and looks again when one
// moves.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "broker/api/leader_hints.h"
#include "broker/broker.h"
#include "broker/fetch_session.h"
#include "broker/partition.h"
#include "broker/replicas.h"
#include "broker/waiter.h"
#include "runtime/random.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"

namespace barnabas::broker {

using wire::FetchRequest;
using wire::FetchResponse;
using wire::KafkaError;

namespace {

constexpr int16_t kTopicIdsFrom = 13;
constexpr int16_t kLeaderHintsFrom = 16;
constexpr int32_t kDebuggingReplica = -2;

struct Read {
  std::shared_ptr<Partition> partition;
  ReadAnswer answer;
  bool known = true;  // the topic and partition exist; an unknown one does not cut the wait of the others
};

struct Pass {
  std::vector<Read> reads;
  uint64_t bytes = 0;
  bool complete = false;  // an error or a divergence is answered at once
  bool any_known = false;
};

FetchSessionRequest session_request(const FetchRequest& request, int16_t version, const metadata::Image& image) {
  FetchSessionRequest session{.session_id = request.session_id,
                              .session_epoch = request.session_epoch,
                              .uses_topic_ids = version >= kTopicIdsFrom};
  for (const auto& topic : request.topics) {
    // By id the name is only carried for logs; a session stays with what it was told.
    const metadata::Topic* known = session.uses_topic_ids ? image.topic(topic.topic_id) : nullptr;
    std::string name = known ? known->name : std::string(topic.topic);
    for (const auto& partition : topic.partitions) {
      session.partitions.push_back(
          {.target = {session.uses_topic_ids ? std::string() : name, topic.topic_id, partition.partition},
           .fetch_offset = partition.fetch_offset,
           .max_bytes = partition.partition_max_bytes,
           .current_leader_epoch = partition.current_leader_epoch,
           .last_fetched_epoch = partition.last_fetched_epoch,
           .follower_log_start_offset = partition.log_start_offset});
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (int32_t partition : topic.partitions) {
      session.forgotten.push_back(
          {session.uses_topic_ids ? std::string() : std::string(topic.topic), topic.topic_id, partition});
    }
  }
  return session;
}

Read locate(Broker& broker, const metadata::Image& image, const FetchTarget& target, bool by_id) {
  HostedPartition hosted = by_id ? hosted_partition(broker, image, target.topic_id, target.partition)
                                 : hosted_partition(broker, image, target.topic, target.partition);
  bool known = hosted.error != KafkaError::kUnknownTopicId && hosted.error != KafkaError::kUnknownTopicOrPartition;
  return {.partition = std::move(hosted.partition), .answer = {.error = hosted.error}, .known = known};
}

Pass read_all(Broker& broker, const FetchContext& context, const FetchRequest& request, int16_t version,
              uint64_t bytes_max) {
  Pass pass;
  pass.reads.reserve(context.partitions.size());
  metadata::ImagePtr image = broker.image();
  bool by_id = version >= kTopicIdsFrom;
  bool committed_only = request.isolation_level == 1;
  uint64_t budget = bytes_max;
  bool first = true;
  for (size_t i = 0; i < context.partitions.size(); ++i) {
    const FetchPosition& position = context.partitions[i];
    Read read = locate(broker, *image, position.target, by_id);
    if (read.partition && broker.stopping()) {
      read.answer.error = KafkaError::kNotLeaderOrFollower;
    } else if (read.partition) {
      uint64_t limit = std::min<uint64_t>(budget, static_cast<uint64_t>(std::max(position.max_bytes, 0)));
      read.answer =
          read.partition->read({.from = Offset(position.fetch_offset),
                                .current_leader_epoch = position.current_leader_epoch,
                                .last_fetched_epoch = position.last_fetched_epoch,
                                .isolation = committed_only ? Isolation::kReadCommitted : Isolation::kReadUncommitted,
                                .max_bytes = static_cast<uint32_t>(std::min<uint64_t>(limit, UINT32_MAX)),
                                .at_least_one_batch = first});
    }
    if (committed_only && !read.answer.aborted) read.answer.aborted.emplace();
    pass.any_known |= read.known;
    pass.complete |= read.known && (read.answer.error != KafkaError::kNone || read.answer.diverging_epoch);
    uint64_t bytes = read.answer.records.size();
    if (bytes > 0) first = false;
    pass.bytes += bytes;
    budget -= std::min(budget, bytes);
    pass.reads.push_back(std::move(read));
  }
  return pass;
}

FetchOutcome outcome_of(const ReadAnswer& answer) {
  return {.has_records = answer.records.size() > 0,
          .has_error = answer.error != KafkaError::kNone,
          .diverging = answer.diverging_epoch.has_value(),
          .high_watermark = answer.high_watermark,
          .log_start_offset = answer.log_start_offset};
}

FetchResponse::PartitionData partition_data(const FetchPosition& position, Read& read) {
  FetchResponse::PartitionData data;
  data.partition_index = position.target.partition;
  data.error_code = read.answer.error;
  data.high_watermark = read.answer.high_watermark;
  data.last_stable_offset = read.answer.last_stable_offset;
  data.log_start_offset = read.answer.log_start_offset;
  if (read.answer.diverging_epoch) {
    data.diverging_epoch.epoch = read.answer.diverging_epoch->first;
    data.diverging_epoch.end_offset = read.answer.diverging_epoch->second;
  }
  data.aborted_transactions.reset();  // null, which is not the same as none
  if (read.answer.aborted || !read.known) {
    auto& rows = data.aborted_transactions.emplace();
    if (read.answer.aborted) {
      for (const AbortedRange& range : *read.answer.aborted) {
        auto& row = rows.emplace_back();
        row.producer_id = range.producer_id;
        row.first_offset = range.first_offset;
      }
    }
  }
  data.records = std::move(read.answer.records);
  return data;
}

// Parks until a partition moves. False when one has moved already since it was read.
bool park(const Pass& pass, const std::shared_ptr<Waiter>& waiter) {
  for (const Read& read : pass.reads) {
    if (read.partition && !read.partition->wait_for_progress(read.answer.progress, waiter)) return false;
  }
  return true;
}

FetchResponse top_level_error(KafkaError error) {
  FetchResponse response;
  response.error_code = error;
  return response;
}

}  // namespace

runtime::Task<FetchResponse> handle(Caller& caller, FetchRequest request, Broker& broker) {
  int16_t version = caller.api_version;
  int32_t replica = version >= 15 ? request.replica_state.replica_id : request.replica_id;
  FetchSessionRequest wanted = session_request(request, version, *broker.image());
  if (request.isolation_level != 0 && request.isolation_level != 1) {
    co_return top_level_error(KafkaError::kUnknownServerError);
  }
  FetchContext context = broker.fetch_sessions().begin(std::move(wanted), broker.now(), broker.world().random.next());
  if (context.error != KafkaError::kNone) co_return top_level_error(context.error);

  uint64_t limit = static_cast<uint64_t>(broker.settings()->broker.fetch_max_bytes);
  uint64_t bytes_max = std::min<uint64_t>(limit, static_cast<uint64_t>(std::max(request.max_bytes, 0)));
  uint64_t bytes_min = std::min<uint64_t>(bytes_max, static_cast<uint64_t>(std::max(request.min_bytes, 0)));
  MonotonicTime deadline = broker.now() + milliseconds(std::max(request.max_wait_ms, 0));

  Pass pass;
  while (true) {
    pass = read_all(broker, context, request, version, bytes_max);
    bool satisfied = pass.complete || pass.bytes >= bytes_min || !pass.any_known;
    bool too_late = broker.now() >= deadline || caller.token.requested();
    if (satisfied || too_late) break;
    auto waiter = std::make_shared<Waiter>();
    if (!park(pass, waiter)) continue;
    co_await Waiter::wait(waiter, caller.loop, deadline, caller.token);
  }
  // No replica follows us here yet: whoever says it is one, is not in the partition's replica list.
  if (replica >= 0) {
    for (Read& read : pass.reads) {
      if (read.known) read.answer = ReadAnswer{.error = KafkaError::kNotLeaderOrFollower};
    }
  }
  if (request.max_bytes < 0 && replica != kDebuggingReplica) {
    for (Read& read : pass.reads) {
      if (read.known) read.answer = ReadAnswer{.error = KafkaError::kUnknownServerError};
    }
  }

  std::vector<FetchOutcome> outcomes;
  outcomes.reserve(pass.reads.size());
  for (const Read& read : pass.reads) outcomes.push_back(outcome_of(read.answer));
  std::vector<bool> included = broker.fetch_sessions().finish(context, outcomes, broker.now());

  FetchResponse response;
  response.session_id = context.session_id;
  for (size_t i = 0; i < pass.reads.size(); ++i) {
    if (!included[i]) continue;
    const FetchTarget& target = context.partitions[i].target;
    // Neighbours of one topic share a row; a topic named twice gets two, as it was asked.
    bool same = !response.responses.empty() && response.responses.back().topic == target.topic &&
                response.responses.back().topic_id == target.topic_id;
    if (!same) {
      auto& topic = response.responses.emplace_back();
      topic.topic = target.topic;
      topic.topic_id = target.topic_id;
    }
    response.responses.back().partitions.push_back(partition_data(context.partitions[i], pass.reads[i]));
  }
  if (version >= kLeaderHintsFrom) add_leader_hints(*broker.image(), caller, response);
  co_return response;
}

BARNABAS_API(Fetch)

}  // namespace barnabas::broker
