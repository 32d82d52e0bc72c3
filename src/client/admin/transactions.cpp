// Transactions, as an operator sees them (KIP-664).
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/describe_transactions_request.h"
#include "wire/messages/describe_transactions_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/list_transactions_request.h"
#include "wire/messages/list_transactions_response.h"
#include "wire/messages/write_txn_markers_request.h"
#include "wire/messages/write_txn_markers_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;

runtime::Task<Result<std::vector<TransactionListing>>> list_transactions(Cluster& cluster,
                                                                         ListTransactionsOptions options) {
  auto deadline = api_deadline(cluster);
  auto metadata = co_await cluster.refresh(deadline);
  if (!metadata) co_return std::unexpected(metadata.error());
  std::vector<TransactionListing> listed;
  for (const auto& [broker, node] : (*metadata)->brokers) {
    wire::ListTransactionsRequest request;
    request.state_filters.assign(options.states.begin(), options.states.end());
    request.producer_id_filters.assign(options.producer_ids.begin(), options.producer_ids.end());
    request.duration_filter = options.duration_ms_min.value_or(-1);
    request.transactional_id_pattern = options.id_pattern;
    for (int attempt = 0;; ++attempt) {
      auto answer = co_await cluster.call<wire::ListTransactionsResponse>(Target::of(broker), request, deadline);
      if (!answer) co_return std::unexpected(answer.error());
      KafkaError code = answer->message.error_code;
      bool slept = false;
      if (code != KafkaError::kNone && wire::is_retriable(code)) {
        slept = co_await cluster.back_off(attempt, deadline);
      }
      if (slept) continue;
      if (code != KafkaError::kNone) {
        co_return std::unexpected(broker_error(code, "transactions of broker " + std::to_string(broker)));
      }
      for (auto& told : answer->message.transaction_states) {
        listed.push_back({.transactional_id = std::move(told.transactional_id),
                          .producer_id = told.producer_id,
                          .state = std::move(told.transaction_state),
                          .coordinator = broker});
      }
      break;
    }
  }
  co_return listed;
}

struct DescribeTransactions {
  runtime::Task<Result<Outcomes<std::string, TransactionDescription>>> operator()(Cluster& cluster, int32_t broker,
                                                                                  std::vector<std::string> ids,
                                                                                  MonotonicTime deadline) const {
    wire::DescribeTransactionsRequest request;
    request.transactional_ids = ids;
    auto answer =
        co_await cluster.call<wire::DescribeTransactionsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<std::string, TransactionDescription> done;
    for (const auto& told : answer->message.transaction_states) {
      TransactionDescription description{.coordinator = broker,
                                         .state = told.transaction_state,
                                         .producer_id = told.producer_id,
                                         .producer_epoch = told.producer_epoch,
                                         .timeout_ms = told.transaction_timeout_ms};
      if (told.transaction_start_time_ms >= 0) description.started = told.transaction_start_time_ms;
      for (const auto& topic : told.topics) {
        for (int32_t partition : topic.partitions) description.partitions.push_back({topic.topic, partition});
      }
      done.insert_or_assign(told.transactional_id, outcome(told.error_code, "transactional id " + told.transactional_id,
                                                           {}, std::move(description)));
    }
    co_return done;
  }
};

// A marker written by the partition's leader itself, for a transaction whose coordinator forgot it.
struct AbortMarker {
  int64_t producer_id;
  int16_t producer_epoch;
  int32_t coordinator_epoch;

  runtime::Task<Result<Outcomes<TopicPartition, bool>>> operator()(Cluster& cluster, int32_t broker,
                                                                   std::vector<TopicPartition> partitions,
                                                                   MonotonicTime deadline) const {
    wire::WriteTxnMarkersRequest request;
    auto& marker = request.markers.emplace_back();
    marker.producer_id = producer_id;
    marker.producer_epoch = producer_epoch;
    marker.coordinator_epoch = coordinator_epoch;
    marker.transaction_result = false;
    for (const auto& [topic, numbers] : by_topic(partitions)) marker.topics.push_back({topic, numbers, {}});
    auto answer =
        co_await cluster.call<wire::WriteTxnMarkersResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<TopicPartition, bool> done;
    for (const auto& written : answer->message.markers) {
      for (const auto& topic : written.topics) {
        for (const auto& partition : topic.partitions) {
          TopicPartition key{topic.name, partition.partition_index};
          done.insert_or_assign(key, outcome(partition.error_code, name_of(key), {}, true));
        }
      }
    }
    co_return done;
  }
};

runtime::Task<Result<>> abort_transaction(Cluster& cluster, TopicPartition partition, AbortMarker marker) {
  auto done = co_await ask_leaders<bool>(cluster, {partition}, api_deadline(cluster), marker);
  if (!done) co_return std::unexpected(done.error());
  auto written = done->find(partition);
  if (written == done->end()) {
    co_return std::unexpected(
        Error{.kind = Error::Kind::kBadAnswer, .message = "the broker said nothing of " + name_of(partition)});
  }
  if (!written->second) co_return std::unexpected(written->second.error());
  co_return Result<>{};
}

// Asking for a producer id with the transactional id bumps its epoch, and so fences who had it.
struct Fence {
  runtime::Task<Result<Outcomes<std::string, void>>> operator()(Cluster& cluster, int32_t broker,
                                                                std::vector<std::string> ids,
                                                                MonotonicTime deadline) const {
    Outcomes<std::string, void> done;
    for (const auto& id : ids) {
      wire::InitProducerIdRequest request;
      request.transactional_id = id;
      request.transaction_timeout_ms = request_timeout_ms(cluster);
      auto answer = co_await cluster.call<wire::InitProducerIdResponse>(Target::of(broker, kPurposeCoordinator),
                                                                        std::move(request), deadline, 5);
      if (!answer) {
        done.insert_or_assign(id, std::unexpected(answer.error()));
        continue;
      }
      Result<> fenced = outcome(answer->message.error_code, "transactional id " + id);
      if (answer->message.error_code == KafkaError::kConcurrentTransactions && !fenced) fenced.error().retriable = true;
      done.insert_or_assign(id, std::move(fenced));
    }
    co_return done;
  }
};

}  // namespace
}  // namespace admin

Future<std::vector<TransactionListing>> Admin::list_transactions(ListTransactionsOptions options) {
  return core_->start(admin::list_transactions(core_->cluster(), std::move(options)));
}
Admin::Each<std::string, TransactionDescription> Admin::describe_transactions(
    std::vector<std::string> transactional_ids) {
  Cluster& cluster = core_->cluster();
  return core_->start(admin::ask_coordinators<TransactionDescription>(
      cluster, CoordinatorType::kTransaction, std::move(transactional_ids), admin::api_deadline(cluster),
      admin::DescribeTransactions{}));
}
Future<> Admin::abort_transaction(TopicPartition partition, int64_t producer_id, int16_t producer_epoch,
                                  int32_t coordinator_epoch) {
  return core_->start(admin::abort_transaction(core_->cluster(), std::move(partition),
                                               {producer_id, producer_epoch, coordinator_epoch}));
}
Admin::Each<std::string> Admin::fence_producers(std::vector<std::string> transactional_ids) {
  Cluster& cluster = core_->cluster();
  return core_->start(admin::ask_coordinators<void>(cluster, CoordinatorType::kTransaction,
                                                    std::move(transactional_ids), admin::api_deadline(cluster),
                                                    admin::Fence{}));
}

}  // namespace barnabas::client
