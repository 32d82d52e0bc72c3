// Produce: batches to their partitions. acks=0 is never answered, and an error closes the connection instead; acks=1
// waits for this broker's durability contract, acks=all for the high watermark.

#include <algorithm>
#include <memory>
#include <vector>

#include "broker/api/api.h"
#include "broker/api/hosted_partition.h"
#include "broker/api/leader_hints.h"
#include "broker/broker.h"
#include "broker/partition.h"
#include "broker/pass_writer.h"
#include "broker/replicas.h"
#include "broker/waiter.h"
#include "runtime/sleep.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace barnabas::broker {

using wire::KafkaError;
using wire::ProduceRequest;
using wire::ProduceResponse;

namespace {

constexpr int16_t kTopicIdsFrom = 13;
constexpr std::string_view kAdminClient = "__admin_client";
// How long a request waits for a partition that this broker is about to lead, and how often it looks.
constexpr Duration kHoldAtMost = seconds(1);
constexpr Duration kHoldStep = milliseconds(1);

// One partition of the request, on its way.
struct Pending {
  ProduceResponse::PartitionProduceResponse* response = nullptr;
  std::shared_ptr<Partition> partition;
  AppendAnswer answer;
};

HostedPartition find_target(Broker& broker, const metadata::Image& image, const Caller& caller,
                            const ProduceRequest::TopicProduceData& topic, int32_t index) {
  bool by_id = caller.api_version >= kTopicIdsFrom;
  const metadata::Topic* known = by_id ? image.topic(topic.topic_id) : image.topic(topic.name);
  if (known && metadata::is_internal_topic(known->name) && caller.client_id != kAdminClient) {
    return {KafkaError::kInvalidTopicException, nullptr};
  }
  return by_id ? hosted_partition(broker, image, topic.topic_id, index)
               : hosted_partition(broker, image, topic.name, index);
}

void fill(ProduceResponse::PartitionProduceResponse& response, AppendAnswer& answer) {
  response.error_code = answer.error;
  response.base_offset = answer.error == KafkaError::kNone ? answer.base_offset : -1;
  response.log_append_time_ms = answer.error == KafkaError::kNone ? answer.log_append_time : kNoTimestamp;
  response.log_start_offset = answer.log_start_offset;
  response.error_message = std::move(answer.error_message);
  for (auto& error : answer.record_errors) {
    auto& row = response.record_errors.emplace_back();
    row.batch_index = error.batch_index;
    row.batch_index_error_message = std::move(error.message);
  }
}

// Whether a partition of the request is not led here yet, although it is this broker's to lead: it is still opening, or
// the broker was not let in yet. So it is for a moment after a start, when clients come back with what they have in
// flight. Refusing the first of their batches and taking the second, a moment later, would make a gap in a producer's
// sequence; librdkafka then begins a new epoch and sends again what other partitions have already.
bool about_to_lead(Broker& broker, const metadata::Image& image, const Caller& caller, const ProduceRequest& request) {
  const metadata::Broker* self = image.broker(broker.id());
  bool let_in = self && !self->fenced;
  if (let_in && broker.replicas().all_open()) return false;
  for (const auto& topic : request.topic_data) {
    const metadata::Topic* known =
        caller.api_version >= kTopicIdsFrom ? image.topic(topic.topic_id) : image.topic(topic.name);
    if (!known) continue;
    for (const auto& data : topic.partition_data) {
      const metadata::Partition* partition = known->partition(data.index);
      if (!partition || !partition->in_isr(broker.id())) continue;
      if (partition->leader == metadata::kNoLeader && !let_in) return true;
      bool opening = partition->leader == broker.id() && broker.replicas().opening(known->id, data.index);
      if (opening) return true;
    }
  }
  return false;
}

AppendAnswer append_one(Broker& broker, const metadata::Image& image, const Caller& caller,
                        const ProduceRequest& request, const ProduceRequest::TopicProduceData& topic,
                        const ProduceRequest::PartitionProduceData& data, Pending& pending) {
  if (request.acks < -1 || request.acks > 1) return {.error = KafkaError::kInvalidRequiredAcks};
  HostedPartition target = find_target(broker, image, caller, topic, data.index);
  if (target.error != KafkaError::kNone) return {.error = target.error};
  if (broker.stopping()) return {.error = KafkaError::kNotLeaderOrFollower};
  // Kafka never answers a null record set; it is as wrong as an empty one.
  if (!data.records) return {.error = KafkaError::kInvalidRecord, .error_message = "a partition without records"};
  pending.partition = target.partition;
  // The frame was received into writable memory of ours; the decoder only shows it read-only.
  auto* bytes = const_cast<std::byte*>(data.records->bytes.data());
  AppendRequest append{.records = {bytes, data.records->bytes.size()},
                       .owner = caller.frame_owner,
                       .acks = request.acks,
                       .api_version = caller.api_version,
                       .now = broker.wall_time(),
                       .transactional_allowed = request.transactional_id.has_value()};
  return target.partition->append(append);
}

}  // namespace

runtime::Task<net::Answer> serve_Produce(Caller caller, wire::Reader body, int32_t correlation_id, Broker& broker) {
  auto decoded = ProduceRequest::decode(body, caller.api_version);
  if (!decoded) co_return close_connection(decoded.error().message);
  const ProduceRequest request = std::move(*decoded);
  metadata::ImagePtr image = broker.image();
  PassWriter& writer = broker.writer_of(caller.loop);

  if (about_to_lead(broker, *image, caller, request)) {
    ++caller.connection.holding;  // what comes behind waits too, or it would overtake
    MonotonicTime give_up =
        broker.now() + std::min(kHoldAtMost, Duration(milliseconds(std::max(request.timeout_ms, 0))));
    while (about_to_lead(broker, *image, caller, request) && broker.now() < give_up && !caller.token.requested()) {
      co_await runtime::sleep_for(caller.loop, kHoldStep, caller.token);
      image = broker.image();
    }
    --caller.connection.holding;
  }

  ProduceResponse response;
  std::vector<Pending> pending;
  for (const auto& topic : request.topic_data) {
    auto& topic_response = response.responses.emplace_back();
    topic_response.name = topic.name;
    topic_response.topic_id = topic.topic_id;
    topic_response.partition_responses.resize(topic.partition_data.size());
  }
  for (size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    for (size_t p = 0; p < topic.partition_data.size(); ++p) {
      Pending one{.response = &response.responses[t].partition_responses[p]};
      one.response->index = topic.partition_data[p].index;
      one.answer = append_one(broker, *image, caller, request, topic, topic.partition_data[p], one);
      if (one.answer.error == KafkaError::kNone) writer.dirty(one.partition);
      pending.push_back(std::move(one));
    }
  }

  if (request.acks != 0) {
    auto waiter = std::make_shared<Waiter>(static_cast<int>(pending.size()) + 1);
    bool waits = false;
    for (const Pending& one : pending) {
      bool parked =
          one.answer.error == KafkaError::kNone && one.partition->wait_for_commit(one.answer.end, request.acks, waiter);
      if (parked) {
        waits = true;
      } else {
        waiter->arrived();
      }
    }
    waiter->arrived();
    if (waits) {
      MonotonicTime deadline = broker.now() + milliseconds(std::max(request.timeout_ms, 0));
      co_await Waiter::wait(waiter, caller.loop, deadline, caller.token);
    }
  }

  bool any_error = false;
  for (Pending& one : pending) {
    if (one.answer.error == KafkaError::kNone && request.acks != 0) {
      one.answer.error = one.partition->commit_outcome(one.answer.end, one.answer.leader_epoch, request.acks);
    }
    any_error |= one.answer.error != KafkaError::kNone;
    fill(*one.response, one.answer);
  }
  if (request.acks == 0) {
    if (any_error) co_return close_connection("a produce with acks=0 failed, and closing is the only way to say so");
    co_return net::Answer{};
  }
  if (any_error && caller.api_version >= 10) add_leader_hints(*image, caller, request, response);
  wire::Writer out;
  auto encoded = wire::encode_response(out, ProduceRequest::kApiKey, caller.api_version, correlation_id, response);
  if (!encoded) co_return close_connection(encoded.error().message);
  net::Answer answer;
  answer.segments = out.take();
  co_return answer;
}

}  // namespace barnabas::broker
