#include "client/consumer/share_session.h"

#include <algorithm>

#include "runtime/sleep.h"
#include "wire/messages/share_acknowledge_request.h"
#include "wire/messages/share_acknowledge_response.h"
#include "wire/messages/share_fetch_request.h"
#include "wire/messages/share_fetch_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;
using ByPartition = std::map<TopicPartition, Acknowledgements>;

constexpr int32_t kClosingEpoch = -1;
constexpr int64_t kBusyCheckMs = 2;

template <class Partition>
void add_acknowledgements(Partition& partition, const Acknowledgements& acknowledgements) {
  for (const auto& run : runs_of(acknowledgements)) {
    partition.acknowledgement_batches.push_back(
        {.first_offset = run.first, .last_offset = run.last, .acknowledge_types = {run.type}});
  }
}

template <class Topic>
auto& partition_of(std::vector<Topic>& topics, const Uuid& id, int32_t number) {
  auto topic = std::ranges::find(topics, id, &Topic::topic_id);
  if (topic == topics.end()) {
    topics.emplace_back().topic_id = id;
    topic = std::prev(topics.end());
  }
  for (auto& partition : topic->partitions) {
    if (partition.partition_index == number) return partition;
  }
  auto& partition = topic->partitions.emplace_back();
  partition.partition_index = number;
  return partition;
}

int32_t next_epoch(int32_t epoch) {
  return epoch == INT32_MAX ? 1 : epoch + 1;
}

bool ends_session(KafkaError error) {
  return error == KafkaError::kShareSessionNotFound || error == KafkaError::kInvalidShareSessionEpoch ||
         error == KafkaError::kShareSessionLimitReached;
}

// Takes what is to be said about partitions that `broker` gave records of.
ByPartition take_for(int32_t broker, ByPartition& all, const std::map<TopicPartition, int32_t>& holders) {
  ByPartition mine;
  for (auto entry = all.begin(); entry != all.end();) {
    auto holder = holders.find(entry->first);
    if (holder != holders.end() && holder->second == broker) {
      mine.insert(all.extract(entry++));
    } else {
      ++entry;
    }
  }
  return mine;
}

}  // namespace

runtime::Task<> ShareConsumer::Core::serve(std::shared_ptr<Session> session) {
  auto token = scope_.token();
  while (!token.requested() && !shut_) {
    bool fetches = false;
    {
      std::lock_guard lock(mutex_);
      bool waiting = std::ranges::any_of(ready_, [&](const Ready& ready) { return ready.broker == session->id; });
      fetches = wanted_ && !waiting && !session->hurry && (!session->wanted.empty() || !session->known.empty());
    }
    if (!fetches || session->busy) {
      co_await session->bell.wait(in_ms(1000), token);
      continue;
    }
    session->busy = true;
    co_await fetch(session);
    session->busy = false;
    if (session->failures > 0 && !shut_)
      co_await runtime::sleep_for(loop_, milliseconds(settings_.retry_backoff_ms), token);
  }
}

runtime::Task<> ShareConsumer::Core::fetch(std::shared_ptr<Session> session) {
  auto deadline = in_ms(settings_.request_timeout_ms);
  auto known = cluster_.metadata();
  wire::ShareFetchRequest request;
  request.group_id = settings_.group_id;
  request.member_id = member_id_;
  request.share_session_epoch = session->epoch;
  request.max_wait_ms = static_cast<int32_t>(settings_.fetch_max_wait_ms);
  request.min_bytes = settings_.fetch_min_bytes;
  request.max_bytes = settings_.fetch_max_bytes;
  request.max_records = settings_.max_poll_records;
  request.batch_size = settings_.max_poll_records;
  if (session->epoch == 0) session->known.clear();
  for (const auto& [id, number] : session->wanted) {
    if (!session->known.contains({id, number})) partition_of(request.topics, id, number);
  }
  ByPartition sent;
  if (session->epoch > 0) {  // the first request of a session may not acknowledge
    std::lock_guard lock(mutex_);
    sent = take_for(session->id, acknowledged_, holder_);
  }
  for (const auto& [at, acknowledgements] : sent) {
    const auto* topic = known->topic(at.topic);
    if (topic) add_acknowledgements(partition_of(request.topics, topic->id, at.partition), acknowledgements);
  }
  for (const auto& [id, number] : session->known) {
    if (session->wanted.contains({id, number})) continue;
    auto topic =
        std::ranges::find(request.forgotten_topics_data, id, &wire::ShareFetchRequest::ForgottenTopic::topic_id);
    if (topic == request.forgotten_topics_data.end()) {
      request.forgotten_topics_data.emplace_back().topic_id = id;
      topic = std::prev(request.forgotten_topics_data.end());
    }
    topic->partitions.push_back(number);
  }
  auto asked = session->wanted;
  auto connection = co_await cluster_.connection(Target::of(session->id, kPurposeFetch), deadline);
  Result<Answer<wire::ShareFetchResponse>> answer = std::unexpected(Error{});
  if (!connection) {
    answer = std::unexpected(connection.error());
  } else if (auto version = (*connection)->version_of<wire::ShareFetchRequest>(); !version) {
    answer = std::unexpected(version.error());
    failed_ = true;
    report(version.error());
  } else {
    auto limit = milliseconds(settings_.fetch_max_wait_ms + settings_.request_timeout_ms);
    answer = co_await (*connection)->call<wire::ShareFetchResponse>(request, *version, limit);
  }
  if (!answer || answer->message.error_code != KafkaError::kNone) {
    Error why = answer ? broker_error(answer->message.error_code, "share fetch", answer->message.error_message)
                       : answer.error();
    session->epoch = 0;
    bool session_only = answer && ends_session(answer->message.error_code);
    if (!session_only) {
      ++session->failures;
      cluster_.request_refresh();
    }
    settle_lost(*session, std::move(sent), why);
    co_return;
  }
  session->failures = 0;
  session->epoch = next_epoch(session->epoch);
  session->known = std::move(asked);
  Ready ready{.parts = std::make_shared<ConsumerRecords::Parts>(), .given = {}, .broker = session->id};
  bool stale = false;
  for (auto& [at, acknowledgements] : sent) outcomes_[at] = {};
  for (const auto& topic : answer->message.responses) {
    auto named = known->names.find(topic.topic_id);
    if (named == known->names.end()) continue;
    auto name = std::make_shared<const std::string>(named->second);
    for (const auto& data : topic.partitions) {
      TopicPartition at{*name, data.partition_index};
      if (data.acknowledge_error_code != KafkaError::kNone) {
        outcomes_[at] =
            std::unexpected(broker_error(data.acknowledge_error_code, "acknowledging", data.acknowledge_error_message));
      }
      if (data.error_code != KafkaError::kNone) {
        stale = true;
        if (!is_retriable(data.error_code)) report(broker_error(data.error_code, "topic " + *name, data.error_message));
        continue;
      }
      if (data.acquired_records.empty()) continue;
      std::vector<AcquiredRange> ranges;
      for (const auto& range : data.acquired_records) {
        ranges.push_back({range.first_offset, range.last_offset, range.delivery_count});
      }
      FetchedRecords records(name, data.partition_index, answer->frame, data.records.bytes, {}, ranges.front().first,
                             {.check_crcs = settings_.check_crcs});
      std::vector<int64_t> gaps;
      auto taken = take_acquired(records, ranges, *ready.parts, ready.given[at], gaps);
      holder_[at] = session->id;
      // What cannot be read is rejected, so that it does not come again and again.
      auto type = taken ? kAcknowledgeGap : static_cast<int8_t>(Acknowledgement::kReject);
      std::lock_guard lock(mutex_);
      for (int64_t offset : gaps) acknowledged_[at][offset] = type;
      if (!taken) errors_.push_back(taken.error());
    }
  }
  if (stale) cluster_.request_refresh();
  {
    std::lock_guard lock(mutex_);
    if (!ready.parts->records.empty()) ready_.push_back(std::move(ready));
  }
  changed_.notify_all();
}

// The broker gives the records to others, or to us once more.
void ShareConsumer::Core::settle_lost(Session& session, ByPartition sent, const Error& why) {
  (void)session;
  for (auto& [at, acknowledgements] : sent) outcomes_[at] = std::unexpected(why);
}

runtime::Task<> ShareConsumer::Core::send_acknowledgements(std::shared_ptr<Session> session, MonotonicTime deadline,
                                                           bool last) {
  session->hurry = true;
  while (session->busy && runtime_->world().clock.now() < deadline) {
    co_await runtime::sleep_for(loop_, milliseconds(kBusyCheckMs));
  }
  session->busy = true;
  auto known = cluster_.metadata();
  ByPartition sent;
  {
    std::lock_guard lock(mutex_);
    sent = take_for(session->id, acknowledged_, holder_);
  }
  wire::ShareAcknowledgeRequest request;
  request.group_id = settings_.group_id;
  request.member_id = member_id_;
  for (const auto& [at, acknowledgements] : sent) {
    const auto* topic = known->topic(at.topic);
    if (topic) add_acknowledgements(partition_of(request.topics, topic->id, at.partition), acknowledgements);
  }
  bool nothing = session->epoch == 0 || (sent.empty() && !last);
  if (session->epoch == 0) {
    settle_lost(*session, std::move(sent),
                broker_error(KafkaError::kShareSessionNotFound, "the session with the broker was lost"));
  }
  if (!nothing) {
    // Closing a session gives back what is still locked.
    request.share_session_epoch = last ? kClosingEpoch : session->epoch;
    auto answer = co_await cluster_.call<wire::ShareAcknowledgeResponse>(Target::of(session->id, kPurposeFetch),
                                                                         request, deadline);
    if (!answer || answer->message.error_code != KafkaError::kNone) {
      Error why = answer ? broker_error(answer->message.error_code, "acknowledging", answer->message.error_message)
                         : answer.error();
      session->epoch = 0;
      settle_lost(*session, std::move(sent), why);
    } else {
      session->epoch = last ? 0 : next_epoch(session->epoch);
      for (auto& [at, acknowledgements] : sent) outcomes_[at] = {};
      for (const auto& topic : answer->message.responses) {
        auto name = known->names.find(topic.topic_id);
        for (const auto& data : topic.partitions) {
          if (name == known->names.end() || data.error_code == KafkaError::kNone) continue;
          outcomes_[{name->second, data.partition_index}] =
              std::unexpected(broker_error(data.error_code, "acknowledging", data.error_message));
        }
      }
    }
  }
  session->busy = false;
  session->hurry = false;
  session->bell.ring();
}

runtime::Task<Result<std::map<TopicPartition, Result<>>>> ShareConsumer::Core::commit_all(MonotonicTime deadline) {
  for (auto& [id, session] : std::map(sessions_)) {
    co_await send_acknowledgements(session, deadline, false);
  }
  co_return std::exchange(outcomes_, {});
}

}  // namespace barnabas::client
