#include "client/producer/transactions.h"

#include <algorithm>

#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/sleep.h"
#include "wire/messages/add_offsets_to_txn_request.h"
#include "wire/messages/add_offsets_to_txn_response.h"
#include "wire/messages/add_partitions_to_txn_request.h"
#include "wire/messages/add_partitions_to_txn_response.h"
#include "wire/messages/end_txn_request.h"
#include "wire/messages/end_txn_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/txn_offset_commit_request.h"
#include "wire/messages/txn_offset_commit_response.h"

namespace barnabas::client::producer {

using wire::KafkaError;

namespace {

Error wrong_state(std::string message) {
  return {.kind = Error::Kind::kInvalidArgument, .message = std::move(message)};
}

Error timed_out(std::string_view what) {
  return {.kind = Error::Kind::kTimedOut,
          .message = std::string(what) + " took longer than max.block.ms; the same call goes on with it",
          .retriable = true};
}

}  // namespace

Transactions::Transactions(Cluster& cluster, const ProducerSettings& settings, Sequencer& sequencer,
                           runtime::Scope& scope)
    : cluster_(cluster), settings_(settings), sequencer_(sequencer), scope_(scope) {}

// The states.

Result<> Transactions::refused(std::string_view call) const {
  switch (state()) {
    case State::kAbortableError:
    case State::kFatalError: {
      std::lock_guard lock(mutex_);
      return std::unexpected(error_);
    }
    case State::kUninitialized:
    case State::kInitializing:
      return std::unexpected(wrong_state("init_transactions() must end before " + std::string(call)));
    case State::kReady:
      return std::unexpected(wrong_state("begin_transaction() must come before " + std::string(call)));
    case State::kInTransaction:
      return std::unexpected(wrong_state(std::string(call) + " while a transaction is open"));
    default:
      return std::unexpected(wrong_state(std::string(call) + " while a transaction is being ended"));
  }
}

Result<> Transactions::may_send() const {
  if (state() == State::kInTransaction) [[likely]]
    return {};
  return refused("send()");
}

Result<> Transactions::may_add_offsets() const {
  if (state() == State::kInTransaction) return {};
  return refused("send_offsets_to_transaction()");
}

Result<> Transactions::move(State from, State also_from, State to, std::string_view call) {
  {
    std::lock_guard lock(mutex_);
    State now = state_.load();
    if (now == from || now == also_from || now == to) {
      state_ = to;
      return {};
    }
  }
  return refused(call);
}

Result<> Transactions::begin() {
  if (state() == State::kInTransaction) return refused("begin_transaction()");
  return move(State::kReady, State::kReady, State::kInTransaction, "begin_transaction()");
}

Result<> Transactions::enter_initializing() {
  if (state() == State::kReady) return std::unexpected(wrong_state("init_transactions() was called before"));
  return move(State::kUninitialized, State::kUninitialized, State::kInitializing, "init_transactions()");
}

Result<> Transactions::enter_committing() {
  return move(State::kInTransaction, State::kInTransaction, State::kCommitting, "commit_transaction()");
}

Result<> Transactions::enter_aborting() {
  return move(State::kInTransaction, State::kAbortableError, State::kAborting, "abort_transaction()");
}

void Transactions::send_failed(const Error& error) {
  std::lock_guard lock(mutex_);
  if (state_ != State::kInTransaction) return;
  state_ = State::kAbortableError;
  error_ = error;
}

Error Transactions::to_abortable(Error error) {
  {
    std::lock_guard lock(mutex_);
    State now = state_;
    if (now == State::kAborting || now == State::kFatalError || now == State::kAbortableError) return error;
    state_ = State::kAbortableError;
    error_ = error;
  }
  sender_->fail_queued(error, false);
  return error;
}

Error Transactions::to_fatal(Error error) {
  error.fatal = true;
  error.retriable = false;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kFatalError) return error_;
    state_ = State::kFatalError;
    error_ = error;
  }
  sender_->stop(error);
  return error;
}

// KIP-360: with the first protocol the client itself asks for the next epoch.
void Transactions::bump_from_here() {
  if (!second_) bump_needed_ = true;
}

Transactions::Next Transactions::next_after(KafkaError code) {
  switch (code) {
    case KafkaError::kNone:
      return Next::kDone;
    case KafkaError::kTransactionAbortable:
    case KafkaError::kGroupAuthorizationFailed:
      return Next::kAbortable;
    case KafkaError::kUnknownProducerId:
      bump_from_here();
      return Next::kAbortable;
    default:
      return wire::is_retriable(code) ? Next::kAgain : Next::kFatal;
  }
}

Error Transactions::settle(KafkaError code, std::string_view what, Next next) {
  // Older coordinators say of a producer that is fenced that its epoch is invalid.
  if (code == KafkaError::kInvalidProducerEpoch) code = KafkaError::kProducerFenced;
  Error error = broker_error(code, what);
  return next == Next::kFatal ? to_fatal(std::move(error)) : to_abortable(std::move(error));
}

// What the sender tells.

bool Transactions::admits(Partition& partition) {
  if (state() == State::kFatalError) return false;
  if (partition.in_transaction) return true;
  if (second_) {
    partition.in_transaction = true;
    started_ = true;
    members_.push_back(&partition);
    return true;
  }
  if (!partition.being_added) {
    partition.being_added = true;
    to_add_.push_back(&partition);
  }
  if (!adding_) {
    adding_ = true;
    scope_.spawn(add_partitions());
  }
  return false;
}

void Transactions::batch_failed(const Error& error, KafkaError code) {
  switch (code) {
    case KafkaError::kNone:  // our own doing
      return;
    case KafkaError::kClusterAuthorizationFailed:
    case KafkaError::kTransactionalIdAuthorizationFailed:
    case KafkaError::kProducerFenced:
    case KafkaError::kUnsupportedVersion:
    case KafkaError::kInvalidProducerIdMapping:
      to_fatal(error);
      return;
    default:
      break;
  }
  if (state() == State::kInTransaction) bump_from_here();
  Error abortable = error;
  abortable.retriable = false;  // the transaction as a whole may be tried again, the record may not
  to_abortable(std::move(abortable));
}

void Transactions::sequences_lost() {
  bump_from_here();
  to_abortable({.kind = Error::Kind::kTimedOut,
                .message = "records sent before were not acknowledged in time and may be lost: abort the transaction"});
}

// Requests.

template <class Response, class Request>
runtime::Task<Result<Answer<Response>>> Transactions::ask(CoordinatorType type, std::string key, Request request,
                                                          MonotonicTime deadline, int16_t limit) {
  for (int attempt = 0;; ++attempt) {
    auto broker = co_await cluster_.coordinator(type, key, deadline);
    if (!broker) co_return std::unexpected(broker.error());
    Error failed;
    MonotonicTime soon = std::min(deadline, cluster_.deadline_in(settings_.request_timeout_ms));
    auto connection = co_await cluster_.connection(Target::of(*broker, kPurposeCoordinator), soon);
    if (connection) {
      if (type == CoordinatorType::kTransaction) {
        cluster_has_second_ = (*connection)->feature("transaction.version").value_or(0) >= 2;
      }
      auto version = (*connection)->template version_of<Request>(limit);
      if (!version) co_return std::unexpected(version.error());
      auto answer = co_await (*connection)->template call<Response>(request, *version, cluster_.left_until(deadline));
      if (answer) co_return answer;
      failed = answer.error();
    } else {
      failed = connection.error();
    }
    cluster_.forget_coordinator(type, key);
    if (!cluster_.may_retry(failed, deadline)) co_return std::unexpected(failed);
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(failed);
  }
}

runtime::Task<Result<>> Transactions::ask_for_identity(ProducerIdentity known, MonotonicTime deadline) {
  wire::InitProducerIdRequest request;
  request.transactional_id = *settings_.transactional_id;
  request.transaction_timeout_ms = static_cast<int32_t>(settings_.transaction_timeout_ms);
  request.producer_id = known.id;
  request.producer_epoch = known.epoch;
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await ask<wire::InitProducerIdResponse>(CoordinatorType::kTransaction, *settings_.transactional_id,
                                                             request, deadline, 5);
    if (!answer) co_return std::unexpected(answer.error());
    KafkaError code = answer->message.error_code;
    Next next = next_after(code);
    if (next == Next::kDone) {
      sequencer_.set_identity({answer->message.producer_id, answer->message.producer_epoch});
      co_return Result<>{};
    }
    if (code == KafkaError::kTransactionalIdAuthorizationFailed || code == KafkaError::kClusterAuthorizationFailed) {
      co_return std::unexpected(broker_error(code, "InitProducerId"));
    }
    if (next != Next::kAgain) co_return std::unexpected(settle(code, "InitProducerId", next));
    if (code == KafkaError::kNotCoordinator || code == KafkaError::kCoordinatorNotAvailable) {
      cluster_.forget_coordinator(CoordinatorType::kTransaction, *settings_.transactional_id);
    }
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(timed_out("init_transactions()"));
  }
}

runtime::Task<Result<>> Transactions::initialize() {
  auto identity = co_await ask_for_identity({}, cluster_.deadline_in(settings_.max_block_ms));
  std::lock_guard lock(mutex_);
  if (identity) {
    second_ = cluster_has_second_;
    state_ = State::kReady;
  } else if (state_ == State::kInitializing || state_ == State::kAbortableError) {
    state_ = State::kUninitialized;
  }
  co_return identity;
}

runtime::Task<> Transactions::add_partitions() {
  for (int attempt = 0; !to_add_.empty() && !cluster_.token().requested();) {
    std::vector<Partition*> asked = to_add_;
    wire::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = *settings_.transactional_id;
    request.v3_and_below_producer_id = sequencer_.identity().id;
    request.v3_and_below_producer_epoch = sequencer_.identity().epoch;
    for (Partition* partition : asked) {
      auto& topics = request.v3_and_below_topics;
      auto at = std::ranges::find_if(topics, [&](const auto& topic) { return topic.name == partition->topic.name; });
      if (at == topics.end()) {
        topics.emplace_back().name = partition->topic.name;
        at = topics.end() - 1;
      }
      at->partitions.push_back(partition->index);
    }
    MonotonicTime deadline = cluster_.deadline_in(settings_.delivery_timeout_ms);
    auto answer = co_await ask<wire::AddPartitionsToTxnResponse>(CoordinatorType::kTransaction,
                                                                 *settings_.transactional_id, request, deadline, 3);
    if (!answer) {
      if (cluster_.token().requested()) break;
      if (!answer.error().retriable) {
        to_abortable(answer.error());
        break;
      }
      continue;  // the batches that wait for it expire in their time
    }
    KafkaError worst = KafkaError::kNone;
    Next next = Next::kDone;
    for (const auto& topic : answer->message.results_by_topic_v3_and_below) {
      for (const auto& partition : topic.results_by_partition) {
        KafkaError code = partition.partition_error_code;
        // The others were not tried because of one that says why.
        if (code == KafkaError::kNone || (code == KafkaError::kOperationNotAttempted && next != Next::kDone)) continue;
        Next here = next_after(code);
        if (code == KafkaError::kTopicAuthorizationFailed || code == KafkaError::kOperationNotAttempted) {
          here = Next::kAbortable;
        }
        if (next == Next::kDone || worst == KafkaError::kOperationNotAttempted || here == Next::kFatal) {
          next = here;
          worst = code;
        }
      }
    }
    if (next == Next::kAgain) {
      if (worst == KafkaError::kNotCoordinator || worst == KafkaError::kCoordinatorNotAvailable) {
        cluster_.forget_coordinator(CoordinatorType::kTransaction, *settings_.transactional_id);
      }
      // The transaction before is just being ended: that takes some milliseconds.
      bool soon = worst == KafkaError::kConcurrentTransactions && members_.empty();
      bool slept = true;
      if (soon) {
        slept = co_await runtime::sleep_for(cluster_.loop(), milliseconds(20), cluster_.token());
      } else {
        slept = co_await cluster_.back_off(attempt++, deadline);
      }
      if (!slept) break;
      continue;
    }
    std::erase_if(to_add_, [&](Partition* one) { return std::ranges::find(asked, one) != asked.end(); });
    for (Partition* partition : asked) partition->being_added = false;
    if (next != Next::kDone) {
      settle(worst, "AddPartitionsToTxn", next);
      continue;
    }
    started_ = true;
    for (Partition* partition : asked) {
      partition->in_transaction = true;
      members_.push_back(partition);
      sender_->look_at(*partition);
    }
    sender_->run_soon();
  }
  for (Partition* partition : to_add_) partition->being_added = false;
  to_add_.clear();
  adding_ = false;
}

runtime::Task<Result<>> Transactions::flush(MonotonicTime deadline) {
  runtime::Completion<bool> done;
  Promise<> flushed;
  flushed.future().then([done](Result<>) { done.set(true); });
  sender_->flush(std::move(flushed));
  // The wait ends with the deadline; what was to be flushed then reports to nobody.
  runtime::CancelSource late;
  runtime::CancelCallback closing(cluster_.token(), [&late] { late.request(); });
  runtime::Executor& loop = cluster_.loop();
  auto timer = loop.schedule(deadline, [&late] { late.request(); });
  auto ended = co_await done.wait(loop, late.token());
  loop.cancel(timer);
  if (!ended) co_return std::unexpected(timed_out("flushing the transaction's records"));
  co_return Result<>{};
}

void Transactions::completed() {
  for (Partition* partition : members_) partition->in_transaction = false;
  members_.clear();
  started_ = false;
  std::lock_guard lock(mutex_);
  if (state_ != State::kFatalError) state_ = State::kReady;
}

runtime::Task<Result<>> Transactions::end(bool commit, MonotonicTime deadline) {
  std::string_view what = commit ? "commit_transaction()" : "abort_transaction()";
  wire::EndTxnRequest request;
  request.transactional_id = *settings_.transactional_id;
  request.producer_id = sequencer_.identity().id;
  request.producer_epoch = sequencer_.identity().epoch;
  request.committed = commit;
  for (int attempt = 0; started_; ++attempt) {
    auto answer = co_await ask<wire::EndTxnResponse>(CoordinatorType::kTransaction, *settings_.transactional_id,
                                                     request, deadline, second_ ? int16_t{5} : int16_t{4});
    if (!answer) co_return std::unexpected(answer.error());
    KafkaError code = answer->message.error_code;
    Next next = next_after(code);
    if (next == Next::kDone) {
      // Each transaction has its own epoch (KIP-890).
      if (answer->message.producer_id >= 0) {
        sequencer_.set_identity({answer->message.producer_id, answer->message.producer_epoch});
      }
      break;
    }
    if (next != Next::kAgain) co_return std::unexpected(settle(code, "EndTxn", next));
    if (code == KafkaError::kNotCoordinator || code == KafkaError::kCoordinatorNotAvailable) {
      cluster_.forget_coordinator(CoordinatorType::kTransaction, *settings_.transactional_id);
    }
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(timed_out(what));
  }
  started_ = false;
  // A cluster that was upgraded: the next transaction must not be taken for one of the first protocol's.
  if (!second_ && cluster_has_second_) bump_needed_ = true;
  if (bump_needed_) {
    auto bumped = co_await ask_for_identity(sequencer_.identity(), deadline);
    if (!bumped) co_return bumped;
    bump_needed_ = false;
  }
  second_ = cluster_has_second_;
  completed();
  co_return Result<>{};
}

runtime::Task<Result<>> Transactions::commit() {
  MonotonicTime deadline = cluster_.deadline_in(settings_.max_block_ms);
  auto flushed = co_await flush(deadline);
  if (!flushed) co_return flushed;
  if (state() != State::kCommitting) co_return refused("commit_transaction()");
  auto ended = co_await end(true, deadline);
  co_return ended;
}

runtime::Task<Result<>> Transactions::abort() {
  MonotonicTime deadline = cluster_.deadline_in(settings_.max_block_ms);
  sender_->fail_queued({.kind = Error::Kind::kCancelled, .message = "the transaction was aborted"}, false);
  auto flushed = co_await flush(deadline);
  if (!flushed) co_return flushed;
  if (state() != State::kAborting) co_return refused("abort_transaction()");
  auto ended = co_await end(false, deadline);
  co_return ended;
}

runtime::Task<Result<>> Transactions::add_offsets(std::string group, MonotonicTime deadline) {
  wire::AddOffsetsToTxnRequest request;
  request.transactional_id = *settings_.transactional_id;
  request.producer_id = sequencer_.identity().id;
  request.producer_epoch = sequencer_.identity().epoch;
  request.group_id = group;
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await ask<wire::AddOffsetsToTxnResponse>(CoordinatorType::kTransaction,
                                                              *settings_.transactional_id, request, deadline, 4);
    if (!answer) co_return std::unexpected(answer.error());
    KafkaError code = answer->message.error_code;
    Next next = next_after(code);
    if (next == Next::kDone) co_return Result<>{};
    if (next != Next::kAgain) co_return std::unexpected(settle(code, "AddOffsetsToTxn", next));
    if (code == KafkaError::kNotCoordinator || code == KafkaError::kCoordinatorNotAvailable) {
      cluster_.forget_coordinator(CoordinatorType::kTransaction, *settings_.transactional_id);
    }
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(timed_out("send_offsets_to_transaction()"));
  }
}

runtime::Task<Result<>> Transactions::send_offsets(std::map<TopicPartition, OffsetAndMetadata> offsets,
                                                   ConsumerGroupMetadata group) {
  MonotonicTime deadline = cluster_.deadline_in(settings_.max_block_ms);
  if (offsets.empty()) co_return Result<>{};
  if (!second_) {
    auto added = co_await add_offsets(group.group_id, deadline);
    if (!added) co_return added;
  }
  started_ = true;
  for (int attempt = 0; !offsets.empty(); ++attempt) {
    wire::TxnOffsetCommitRequest request;
    request.transactional_id = *settings_.transactional_id;
    request.group_id = group.group_id;
    request.producer_id = sequencer_.identity().id;
    request.producer_epoch = sequencer_.identity().epoch;
    request.generation_id_or_member_epoch = group.generation_id;
    request.member_id = group.member_id;
    request.group_instance_id = group.group_instance_id;
    for (const auto& [partition, offset] : offsets) {
      if (request.topics.empty() || request.topics.back().name != partition.topic) {
        request.topics.emplace_back().name = partition.topic;
      }
      auto& entry = request.topics.back().partitions.emplace_back();
      entry.partition_index = partition.partition;
      entry.committed_offset = offset.offset;
      entry.committed_leader_epoch = offset.leader_epoch.value_or(-1);
      entry.committed_metadata = offset.metadata;
    }
    auto answer = co_await ask<wire::TxnOffsetCommitResponse>(CoordinatorType::kGroup, group.group_id, request,
                                                              deadline, second_ ? int16_t{5} : int16_t{4});
    if (!answer) co_return std::unexpected(answer.error());
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        KafkaError code = partition.error_code;
        Next next = next_after(code);
        if (code == KafkaError::kFencedInstanceId || code == KafkaError::kUnknownMemberId ||
            code == KafkaError::kIllegalGeneration || code == KafkaError::kStaleMemberEpoch) {
          next = Next::kAbortable;
        }
        if (code == KafkaError::kNotCoordinator || code == KafkaError::kCoordinatorNotAvailable ||
            code == KafkaError::kRequestTimedOut) {
          cluster_.forget_coordinator(CoordinatorType::kGroup, group.group_id);
        }
        if (next == Next::kDone) offsets.erase({topic.name, partition.partition_index});
        if (next == Next::kAbortable || next == Next::kFatal) {
          co_return std::unexpected(settle(code, "TxnOffsetCommit", next));
        }
      }
    }
    if (offsets.empty()) break;
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) co_return std::unexpected(timed_out("send_offsets_to_transaction()"));
  }
  co_return Result<>{};
}

}  // namespace barnabas::client::producer
