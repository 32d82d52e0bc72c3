#include <algorithm>

#include "base/check.h"
#include "client/producer/sender.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/world.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/produce_request.h"

namespace barnabas::client::producer {

using wire::KafkaError;

namespace {

// Produce 13 has topic ids instead of names; 7 is the first that takes zstd (KIP-110).
constexpr int16_t kTopicIdsFrom = 13;
constexpr int16_t kZstdFrom = 7;

std::string describe(const Batch& batch) {
  return batch.partition().topic.name + "-" + std::to_string(batch.partition().index);
}

// The batches in the order of their topics' first appearance, as they lie in the request.
wire::ProduceRequest encode(std::vector<BatchPtr>& batches, const ProducerSettings& settings, bool transactional) {
  wire::ProduceRequest request;
  if (transactional) request.transactional_id = *settings.transactional_id;
  request.acks = settings.acks;
  request.timeout_ms = static_cast<int32_t>(std::min<int64_t>(settings.request_timeout_ms, INT32_MAX));
  std::vector<BatchPtr> ordered;
  ordered.reserve(batches.size());
  std::vector<std::vector<BatchPtr>> by_topic;
  for (BatchPtr& batch : batches) {
    Topic& topic = batch->partition().topic;
    if (topic.request_slot < 0) {
      topic.request_slot = static_cast<int>(by_topic.size());
      by_topic.emplace_back();
    }
    by_topic[static_cast<size_t>(topic.request_slot)].push_back(std::move(batch));
  }
  for (auto& of_topic : by_topic) {
    Topic& topic = of_topic.front()->partition().topic;
    topic.request_slot = -1;
    auto& data = request.topic_data.emplace_back();
    data.name = topic.name;
    data.topic_id = topic.id;
    for (BatchPtr& batch : of_topic) {
      auto& partition = data.partition_data.emplace_back();
      partition.index = batch->partition().index;
      partition.records = Payload{.bytes = batch->seal(settings.compression, transactional), .owner = batch};
      ordered.push_back(std::move(batch));
    }
  }
  batches = std::move(ordered);
  return request;
}

}  // namespace

runtime::Task<> Sender::exchange(Leader* leader, std::shared_ptr<Connection> connection, Request request) {
  bool transactional = gate_ != nullptr;
  wire::ProduceRequest message = encode(request.batches, settings_, transactional);
  int16_t limit = transactional ? gate_->produce_version_max() : kTopicIdsFrom;
  for (const auto& topic : message.topic_data) {
    if (topic.topic_id.is_zero()) limit = std::min<int16_t>(limit, kTopicIdsFrom - 1);
  }
  auto version = connection->version_of<wire::ProduceRequest>(limit);
  std::optional<Error> refused;
  if (!version) {
    refused = version.error();
  } else if (*version < kZstdFrom && settings_.compression.codec == wire::Codec::kZstd) {
    refused = Error{.kind = Error::Kind::kUnsupported, .message = "the broker is too old for compression.type=zstd"};
  }
  if (refused) {
    Outcome outcome{.code = KafkaError::kUnsupportedVersion, .transport = &*refused};
    settle_all(request, outcome);
  } else if (settings_.acks == 0) {
    auto sent = co_await connection->send(message, *version);
    Outcome outcome;
    if (!sent) outcome = {.code = KafkaError::kNetworkException, .transport = &sent.error()};
    settle_all(request, outcome);
  } else {
    auto timeout = Duration(milliseconds(settings_.request_timeout_ms));
    auto answer = co_await connection->call<wire::ProduceResponse>(message, *version, timeout);
    if (answer) {
      settle_answers(request, answer->message);
    } else {
      cluster_.request_refresh();
      Outcome outcome{.code = KafkaError::kNetworkException, .transport = &answer.error()};
      settle_all(request, outcome);
    }
  }
  --leader->in_flight;
  leader->busy = false;
  requests_in_flight_.fetch_sub(1, std::memory_order_relaxed);
  request.batches.clear();
  if (!cluster_.token().requested()) run_soon();
}

void Sender::settle_all(Request& request, const Outcome& outcome) {
  for (const BatchPtr& batch : request.batches) settle(batch, outcome);
}

void Sender::settle_answers(Request& request, const wire::ProduceResponse& answer) {
  // Answers come in the order of the request; a broker that has another one is looked through.
  std::vector<BatchPtr> unanswered = request.batches;
  size_t cursor = 0;
  for (const auto& topic : answer.responses) {
    for (const auto& partition : topic.partition_responses) {
      auto is_this = [&](const BatchPtr& batch) {
        if (!batch || batch->partition().index != partition.index) return false;
        const Topic& of = batch->partition().topic;
        return topic.name.empty() ? of.id == topic.topic_id : of.name == topic.name;
      };
      size_t at = cursor;
      if (at >= unanswered.size() || !is_this(unanswered[at])) {
        at = static_cast<size_t>(std::ranges::find_if(unanswered, is_this) - unanswered.begin());
      }
      if (at == unanswered.size()) continue;  // of a partition that was not asked for
      BatchPtr batch = std::move(unanswered[at]);
      cursor = at + 1;
      Outcome outcome{.code = partition.error_code,
                      .base_offset = partition.base_offset,
                      .log_append_time = partition.log_append_time_ms,
                      .log_start_offset = partition.log_start_offset};
      if (partition.error_message) outcome.message = *partition.error_message;
      for (const auto& record : partition.record_errors) {
        if (record.batch_index_error_message) outcome.message += " " + *record.batch_index_error_message;
      }
      if (partition.current_leader.leader_id >= 0) {
        std::vector<BrokerNode> endpoints;
        for (const auto& node : answer.node_endpoints) {
          endpoints.push_back({.id = node.node_id, .host = node.host, .port = node.port, .rack = node.rack});
        }
        cluster_.learn_leader(batch->partition().topic.name, partition.index, partition.current_leader.leader_id,
                              partition.current_leader.leader_epoch, std::move(endpoints));
        outcome.new_leader_named = true;
      }
      settle(batch, outcome);
    }
  }
  for (const BatchPtr& batch : unanswered) {
    if (batch)
      settle(batch, {.code = KafkaError::kUnknownServerError, .message = "the broker left it out of its answer"});
  }
}

void Sender::settle(const BatchPtr& batch, const Outcome& outcome) {
  Partition& partition = batch->partition();
  PartitionSequences& sequences = partition.sequences;
  batch->on_the_wire = false;
  look_at(partition);
  // It expired meanwhile, and everybody was told.
  if (batch->done()) return;
  KafkaError code = outcome.code;
  if (code == KafkaError::kNone || code == KafkaError::kDuplicateSequenceNumber) {
    int64_t offset = code == KafkaError::kNone ? outcome.base_offset : -1;
    if (sequencer_.idempotent()) sequences.acknowledged(*batch, offset);
    sequences.remove_in_flight(*batch);
    batches_sent_.fetch_add(1, std::memory_order_relaxed);
    records_sent_.fetch_add(static_cast<uint64_t>(batch->record_count()), std::memory_order_relaxed);
    bytes_sent_.fetch_add(batch->sealed_size(), std::memory_order_relaxed);
    report(*batch, {.base_offset = offset, .log_append_time = outcome.log_append_time});
    return;
  }
  if (wire::wants_fresh_metadata(code)) cluster_.request_refresh();
  if (code == KafkaError::kMessageTooLarge && batch->record_count() > 1) return split(batch);
  MonotonicTime now = loop_.clock().now();
  bool in_time = batch->created() + milliseconds(settings_.delivery_timeout_ms) > now;
  bool tries_left = batch->attempts <= settings_.retries;
  if (in_time && tries_left && sequencer_.may_retry(sequences, *batch, code, outcome.log_start_offset)) {
    return retry(batch, outcome.new_leader_named);
  }
  // After the last try it is not known whether an earlier one was taken, so the sequences stay.
  bool sequence_is_lost = code == KafkaError::kOutOfOrderSequenceNumber || code == KafkaError::kUnknownProducerId;
  fail(batch, refusal(*batch, outcome), code, tries_left || sequence_is_lost);
}

Error Sender::refusal(const Batch& batch, const Outcome& outcome) const {
  if (outcome.transport != nullptr) {
    Error error = *outcome.transport;
    error.message = describe(batch) + ": " + error.message;
    return error;
  }
  std::optional<std::string> message;
  if (!outcome.message.empty()) message = outcome.message;
  return broker_error(outcome.code, describe(batch), message);
}

void Sender::retry(const BatchPtr& batch, bool at_once) {
  MonotonicTime now = loop_.clock().now();
  batch->waits_for_retry = true;
  // KIP-580: doubles each time, with a fifth of chance.
  int64_t wait = settings_.retry_backoff_ms << std::min(batch->attempts - 1, 20);
  wait = std::min(wait, settings_.retry_backoff_max_ms);
  wait = wait * static_cast<int64_t>(80 + cluster_.world().random.below(41)) / 100;
  batch->retry_at = at_once ? now : now + milliseconds(wait);
  if (next_expiry_ > batch->created() + milliseconds(settings_.delivery_timeout_ms)) {
    next_expiry_ = batch->created() + milliseconds(settings_.delivery_timeout_ms);
  }
}

void Sender::split(const BatchPtr& batch) {
  accumulator_.forget_ratio();
  size_t half = batch->plain_size() / 2;
  auto parts = batch->split(std::min(half, static_cast<size_t>(settings_.batch_bytes)));
  for (const BatchPtr& part : parts) {
    part->waits_for_retry = true;
    part->retry_at = loop_.clock().now();
  }
  batch->partition().sequences.replace_in_flight(*batch, parts);
}

void Sender::fail(const BatchPtr& batch, const Error& error, KafkaError code, bool nothing_was_taken) {
  sequencer_.failed(batch->partition().sequences, *batch, nothing_was_taken);
  if (gate_ != nullptr) {
    gate_->batch_failed(error, code);
  } else if (code == KafkaError::kClusterAuthorizationFailed) {
    Error fatal = error;
    fatal.fatal = true;
    stop(fatal);
  }
  records_failed_.fetch_add(static_cast<uint64_t>(batch->record_count()), std::memory_order_relaxed);
  report(*batch, {.error = &error});
}

void Sender::report(Batch& batch, const Batch::Fate& fate) {
  batch.report(fate, batch.partition().topic.name, batch.partition().index, options_);
  for (auto& flush : std::exchange(batch.flushes, {})) {
    if (--flush->left == 0) flush->done.set({});
  }
}

void Sender::expire(MonotonicTime now) {
  MonotonicTime next{INT64_MAX};
  // Reports may make partitions active.
  std::vector<Partition*> active = active_;
  for (Partition* partition : active) expire_in(*partition, now, next);
  next_expiry_ = next;
}

void Sender::expire_in(Partition& partition, MonotonicTime now, MonotonicTime& next) {
  Duration timeout = milliseconds(settings_.delivery_timeout_ms);
  auto expired = [&](const Batch& batch) {
    MonotonicTime at = batch.created() + timeout;
    if (at <= now) return true;
    next = std::min(next, at);
    return false;
  };
  auto give_up = [&](const BatchPtr& batch) {
    Error error{.kind = Error::Kind::kTimedOut,
                .message = "expiring " + std::to_string(batch->record_count()) + " record(s) for " + describe(*batch) +
                           ": " + std::to_string(settings_.delivery_timeout_ms) +
                           " ms have passed since batch creation"};
    fail(batch, error, KafkaError::kRequestTimedOut, false);
  };
  std::vector<BatchPtr> tried(partition.sequences.in_flight().begin(), partition.sequences.in_flight().end());
  for (const BatchPtr& batch : tried) {
    if (!expired(*batch)) continue;
    if (sequencer_.idempotent() && batch->has_sequence()) {
      partition.sequences.mark_unresolved(*batch);
      unresolved_.push_back(&partition);
    }
    give_up(batch);
    look_at(partition);
  }
  if (partition.held && expired(*partition.held)) give_up(std::exchange(partition.held, nullptr));
  std::vector<BatchPtr> waiting;
  {
    std::lock_guard lock(partition.mutex);
    while (!partition.full.empty() && expired(*partition.full.front())) {
      waiting.push_back(std::move(partition.full.front()));
      partition.full.pop_front();
    }
    if (partition.full.empty() && partition.open && expired(*partition.open)) {
      waiting.push_back(std::move(partition.open));
    }
    partition.queued.fetch_sub(static_cast<int32_t>(waiting.size()), std::memory_order_relaxed);
  }
  for (const BatchPtr& batch : waiting) give_up(batch);
  if (!waiting.empty()) look_at(partition);
}

void Sender::resolve_sequences() {
  std::vector<Partition*> still;
  for (Partition* partition : unresolved_) {
    if (!partition->sequences.unresolved()) continue;
    bool whole = sequencer_.resolve(partition->sequences);
    if (!whole && gate_ != nullptr) gate_->sequences_lost();
    if (partition->sequences.unresolved()) still.push_back(partition);
    look_at(*partition);
  }
  unresolved_ = std::move(still);
}

void Sender::fail_queued(const Error& error, bool tried_too) {
  std::vector<Partition*> active = active_;
  for (Partition* partition : active) {
    if (tried_too) {
      std::vector<BatchPtr> tried(partition->sequences.in_flight().begin(), partition->sequences.in_flight().end());
      for (const BatchPtr& batch : tried) {
        if (batch->waits_for_retry) fail(batch, error, KafkaError::kNone, false);
      }
    }
    if (partition->held) fail(std::exchange(partition->held, nullptr), error, KafkaError::kNone, false);
    while (BatchPtr batch = accumulator_.pop(*partition, true)) fail(batch, error, KafkaError::kNone, false);
  }
}

void Sender::fail_all(const Error& error) {
  fail_queued(error, true);
  std::vector<Partition*> active = active_;
  for (Partition* partition : active) {
    std::vector<BatchPtr> tried(partition->sequences.in_flight().begin(), partition->sequences.in_flight().end());
    for (const BatchPtr& batch : tried) fail(batch, error, KafkaError::kNone, false);
  }
}

void Sender::stop(const Error& error) {
  {
    std::lock_guard lock(stop_mutex_);
    if (!stopped_) why_stopped_ = error;
    stopped_ = true;
  }
  run_soon();
}

std::optional<Error> Sender::why_stopped() const {
  if (!stopped_.load(std::memory_order_relaxed)) [[likely]]
    return std::nullopt;
  std::lock_guard lock(stop_mutex_);
  return why_stopped_;
}

void Sender::acquire_identity() {
  if (acquiring_ || gate_ != nullptr) return;
  acquiring_ = true;
  scope_.spawn(ask_for_identity());
}

runtime::Task<> Sender::ask_for_identity() {
  wire::InitProducerIdRequest request;
  request.transactional_id = std::nullopt;
  request.transaction_timeout_ms = INT32_MAX;
  for (int attempt = 0;; ++attempt) {
    MonotonicTime deadline = cluster_.deadline_in(settings_.request_timeout_ms);
    auto answer = co_await cluster_.call<wire::InitProducerIdResponse>(Target::any(), request, deadline, int16_t{5});
    if (cluster_.token().requested()) co_return;
    if (answer && answer->message.error_code == KafkaError::kNone) {
      sequencer_.set_identity({answer->message.producer_id, answer->message.producer_epoch});
      break;
    }
    Error error = answer ? broker_error(answer->message.error_code, "InitProducerId") : answer.error();
    bool hopeless = answer ? !error.retriable : error.kind == Error::Kind::kUnsupported;
    if (hopeless) {
      error.fatal = true;
      stop(error);
      break;
    }
    auto slept = co_await cluster_.back_off(attempt, MonotonicTime{INT64_MAX});
    if (!slept) co_return;
  }
  acquiring_ = false;
  for (Partition* partition : active_) look_at(*partition);
  run_soon();
}

}  // namespace barnabas::client::producer
