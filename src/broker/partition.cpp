#include "broker/partition.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "broker/waiter.h"
#include "log/log.h"
#include "metadata/topic.h"
#include "runtime/clock.h"

namespace barnabas::broker {

using wire::KafkaError;

std::shared_ptr<const log::LogConfig> log_config_of(const config::TopicConfig& topic,
                                                    int64_t producer_id_expiration_ms) {
  auto log = std::make_shared<log::LogConfig>();
  log->producer_id_expiration_ms = producer_id_expiration_ms;
  log->segment_bytes = topic.segment_bytes;
  log->segment_ms = topic.segment_ms;
  // What is active cannot be compacted.
  if (topic.cleanup_compact && topic.max_compaction_lag_ms > 0) {
    log->segment_ms = std::min(topic.segment_ms, topic.max_compaction_lag_ms);
  }
  log->segment_jitter_ms = topic.segment_jitter_ms;
  log->segment_index_bytes = topic.segment_index_bytes;
  log->index_interval_bytes = topic.index_interval_bytes;
  log->cleanup_delete = topic.cleanup_delete;
  log->cleanup_compact = topic.cleanup_compact;
  log->retention_ms = topic.retention_ms;
  log->retention_bytes = topic.retention_bytes;
  log->file_delete_delay_ms = topic.file_delete_delay_ms;
  return log;
}

namespace {

constexpr Duration kSyncRetryAfter = milliseconds(100);

wire::BatchPolicy policy_of(const config::TopicConfig& topic, wire::Strictness strictness) {
  wire::BatchPolicy policy;
  switch (topic.compression_type) {
    case config::CompressionType::kProducer:
      break;
    case config::CompressionType::kNone:
      policy.compression = wire::Compression{};
      break;
    case config::CompressionType::kGzip:
      policy.compression = wire::Compression{wire::Codec::kGzip, topic.compression_gzip_level};
      break;
    case config::CompressionType::kSnappy:
      policy.compression = wire::Compression{wire::Codec::kSnappy, {}};
      break;
    case config::CompressionType::kLz4:
      policy.compression = wire::Compression{wire::Codec::kLz4, topic.compression_lz4_level};
      break;
    case config::CompressionType::kZstd:
      policy.compression = wire::Compression{wire::Codec::kZstd, topic.compression_zstd_level};
      break;
  }
  policy.timestamp_type = topic.message_timestamp_type == config::TimestampType::kLogAppendTime
                              ? wire::TimestampType::kLogAppendTime
                              : wire::TimestampType::kCreateTime;
  policy.timestamp_before_max_ms = topic.message_timestamp_before_max_ms;
  policy.timestamp_after_max_ms = topic.message_timestamp_after_max_ms;
  policy.compacted = topic.cleanup_compact;
  policy.max_message_bytes = topic.max_message_bytes;
  policy.segment_bytes = static_cast<int32_t>(std::min<int64_t>(topic.segment_bytes, INT32_MAX));
  policy.strictness = strictness;
  return policy;
}

}  // namespace

std::string PartitionName::to_string() const {
  return topic + "-" + std::to_string(index);
}

void Partition::Wakeups::take(std::vector<CommitWaiter>& waiters, Offset end) {
  auto after = std::ranges::upper_bound(waiters, end, {}, &CommitWaiter::end);
  for (auto at = waiters.begin(); at != after; ++at) arrived.push_back(std::move(at->waiter));
  waiters.erase(waiters.begin(), after);
}

void Partition::Wakeups::run() {
  for (auto& waiter : arrived) waiter->arrived();
  for (auto& waiter : fired) waiter->fire();
}

Partition::Partition(PartitionName name, Options options, std::unique_ptr<log::Log> log, config::TopicConfigPtr config,
                     Offset checkpointed_high_watermark)
    : name_(std::move(name)), options_(std::move(options)), log_(std::move(log)), core_(options_.self) {
  contract_end_ = log_->log_end_offset();
  core_.restore_high_watermark(
      std::clamp(checkpointed_high_watermark, log_->log_start_offset(), log_->log_end_offset()));
  set_config(std::move(config), options_.producer_id_expiration_ms);
}

Partition::~Partition() = default;

bool Partition::is_internal() const {
  return metadata::is_internal_topic(name_.topic);
}

void Partition::apply(const replication::PartitionRegistration& registration) {
  Wakeups wakeups;
  {
    std::lock_guard lock(mutex_);
    if (failed_ || closed_) return;
    LeaderEpoch before = core_.leader_epoch();
    bool led = core_.is_leader();
    if (!core_.apply(registration, contract_end_)) return;
    if (core_.is_leader() && (!led || before != core_.leader_epoch())) log_->assign_epoch(core_.leader_epoch());
    if (led && !core_.is_leader()) wake_all_locked(wakeups);
    committed_moved_locked(wakeups);
    progress_locked(wakeups);
  }
  wakeups.run();
}

void Partition::set_config(config::TopicConfigPtr config, int64_t producer_id_expiration_ms) {
  std::lock_guard lock(mutex_);
  config_ = std::move(config);
  policy_ = policy_of(*config_, options_.strictness);
  log_->set_config(log_config_of(*config_, producer_id_expiration_ms));
}

config::TopicConfigPtr Partition::config() const {
  std::lock_guard lock(mutex_);
  return config_;
}

KafkaError Partition::unavailable_locked() const {
  if (failed_) return KafkaError::kKafkaStorageError;
  if (closed_ || !core_.is_leader()) return KafkaError::kNotLeaderOrFollower;
  return KafkaError::kNone;
}

KafkaError Partition::refusal_locked(int32_t current_leader_epoch) const {
  if (KafkaError error = unavailable_locked(); error != KafkaError::kNone) return error;
  switch (core_.check_epoch(current_leader_epoch)) {
    case replication::EpochCheck::kFenced:
      return KafkaError::kFencedLeaderEpoch;
    case replication::EpochCheck::kUnknown:
      return KafkaError::kUnknownLeaderEpoch;
    case replication::EpochCheck::kOk:
      return KafkaError::kNone;
  }
  return KafkaError::kNone;
}

// ---- produce --------------------------------------------------------------------------------------------------------

AppendAnswer Partition::append(const AppendRequest& request) {
  AppendAnswer answer;
  wire::BatchPolicy policy;
  {
    std::lock_guard lock(mutex_);
    answer.error = unavailable_locked();
    if (answer.error != KafkaError::kNone) return answer;
    if (request.acks == -1 && !core_.enough_in_sync(config_->min_insync_replicas)) {
      answer.error = KafkaError::kNotEnoughReplicas;
      return answer;
    }
    policy = policy_;
  }

  MutableBytes batch = request.records;
  std::shared_ptr<const void> owner = request.owner;
  wire::BatchHeader header;
  bool log_append_time = false;
  if (request.from_client) {
    // Outside the lock: it reads every byte.
    auto verdict =
        wire::validate_batch(request.records, policy, {.now = request.now, .api_version = request.api_version});
    if (!verdict.accepted()) {
      answer.error = verdict.error;
      answer.error_message = std::move(verdict.error_message);
      answer.record_errors = std::move(verdict.record_errors);
      if (!verdict.refused_before_log) answer.log_start_offset = status().log_start.value;
      return answer;
    }
    if (verdict.header.is_transactional() && !request.transactional_allowed) {
      answer.error = KafkaError::kTransactionalIdAuthorizationFailed;
      return answer;
    }
    header = verdict.header;
    log_append_time = header.timestamp_type() == wire::TimestampType::kLogAppendTime;
    if (!verdict.rebuilt.empty()) {
      auto rebuilt = std::make_shared<Buffer>(std::move(verdict.rebuilt));
      batch = MutableBytes(*rebuilt);
      owner = std::move(rebuilt);
    } else {
      batch = request.records.first(verdict.original.size());
      if (verdict.rewrite != wire::HeaderRewrite::kNone) verdict.stamp(batch, Offset(0), kNoEpoch);
    }
  } else {
    auto decoded = wire::BatchHeader::decode(batch);
    CHECK(decoded.has_value(), "a coordinator's batch is well-formed");
    header = *decoded;
  }

  std::optional<Error> failure;
  Wakeups wakeups;
  {
    std::lock_guard lock(mutex_);
    answer.error = unavailable_locked();
    if (answer.error != KafkaError::kNone) return answer;
    answer.log_start_offset = log_->log_start_offset().value;
    answer.leader_epoch = core_.leader_epoch();
    if (header.has_producer_id() && !header.is_control()) {
      auto origin = request.from_client ? replication::AppendOrigin::kClient : replication::AppendOrigin::kCoordinator;
      auto verdict = log_->check_producer(header, origin);
      if (!verdict) {
        answer.error = storage_error_locked(verdict.error(), wakeups, failure);
        answer.error_message = verdict.error().message;
      } else if (verdict->kind == replication::ProducerVerdict::Kind::kDuplicate) {
        answer.base_offset = verdict->base_offset.value;
        answer.log_append_time = verdict->timestamp;
        answer.end = verdict->base_offset + header.last_offset_delta + 1;
        return answer;
      } else if (!verdict->accepted()) {
        answer.error = verdict->error;
        answer.error_message = verdict->reason;
        return answer;
      } else if (header.is_transactional() && request.from_client) {
        // No coordinator of this build has opened a transaction.
        answer.error = KafkaError::kInvalidTxnState;
        answer.error_message = "this broker does not coordinate transactions";
        return answer;
      }
    }
    if (answer.error == KafkaError::kNone) {
      auto appended = log_->append(batch, std::move(owner), core_.leader_epoch(), request.now);
      if (appended) {
        answer.base_offset = appended->first_offset.value;
        answer.end = appended->last_offset + 1;
        if (log_append_time) answer.log_append_time = header.max_timestamp;
      } else {
        answer.error = storage_error_locked(appended.error(), wakeups, failure);
        answer.error_message = appended.error().message;
      }
    }
  }
  wakeups.run();
  if (failure) report(*failure);
  return answer;
}

void Partition::write_staged(runtime::Executor& home) {
  Wakeups wakeups;
  std::optional<Error> failure;
  {
    std::lock_guard lock(mutex_);
    if (failed_ || closed_) return;
    write_locked(home, wakeups, failure);
  }
  wakeups.run();
  if (failure) report(*failure);
}

void Partition::write_locked(runtime::Executor& home, Wakeups& wakeups, std::optional<Error>& failure) {
  auto written = log_->write_ready();
  if (!written && log::may_pass(written.error())) {
    // Taken back by the log: whoever waits for more than was written learns it now.
    wake_all_locked(wakeups);
  } else if (!written) {
    fail_locked(written.error(), wakeups);
    failure = written.error();
    return;
  }
  if (options_.durability == config::Durability::kPageCache) {
    contract_holds_locked(log_->written_end(), wakeups);
    return;
  }
  // What is still staged waits for the segment before it to be synced.
  bool due = log_->written_end() > contract_end_ || log_->has_staged();
  if (sync_under_way_ || !due) return;
  start_sync_locked(home);
  if (!failed_) return;
  failure = log_->failed();
  wake_all_locked(wakeups);
}

void Partition::start_sync_locked(runtime::Executor& home) {
  auto plan = log_->sync_plan();
  if (!plan && log::may_pass(plan.error())) {
    retry_sync_locked(home);
    return;
  }
  if (!plan) {
    Wakeups none;
    fail_locked(plan.error(), none);
    return;
  }
  sync_under_way_ = true;
  sync_plan_ = std::make_unique<log::SyncPlan>(*plan);
  syncs_missing_ = std::max<size_t>(1, plan->files.size());
  sync_error_.reset();
  auto self = shared_from_this();
  if (plan->files.empty()) {
    home.post([self, &home] { self->synced({}, home); });
    return;
  }
  for (auto& file : plan->files) {
    file->sync_async(home, [self, &home](Result<> result) { self->synced(std::move(result), home); });
  }
}

// Nothing was synced, so nothing failed to be: who waits goes on waiting, as long as it likes.
void Partition::retry_sync_locked(runtime::Executor& home) {
  sync_under_way_ = true;
  auto again = [self = shared_from_this(), &home] {
    {
      std::lock_guard lock(self->mutex_);
      self->sync_under_way_ = false;
    }
    self->write_staged(home);
  };
  home.schedule(home.clock().now() + kSyncRetryAfter, std::move(again));
}

void Partition::synced(Result<> result, runtime::Executor& home) {
  Wakeups wakeups;
  std::optional<Error> failure;
  {
    std::lock_guard lock(mutex_);
    if (!result && !sync_error_) sync_error_ = result.error();
    if (--syncs_missing_ > 0) return;
    sync_under_way_ = false;
    if (closed_ || failed_) return;
    if (sync_error_) {
      // Nothing is known about unsynced bytes now, and a later success would say nothing about them.
      fail_locked(*sync_error_, wakeups);
      failure = *sync_error_;
    } else {
      log_->mark_durable(*sync_plan_);
      contract_holds_locked(std::min(sync_plan_->end, log_->durable_end()), wakeups);
      write_locked(home, wakeups, failure);
    }
  }
  wakeups.run();
  if (failure) report(*failure);
}

void Partition::contract_holds_locked(Offset end, Wakeups& wakeups) {
  if (end <= contract_end_) return;
  contract_end_ = end;
  wakeups.take(local_waiters_, end);
  if (core_.local_advanced(end)) committed_moved_locked(wakeups);
}

void Partition::committed_moved_locked(Wakeups& wakeups) {
  Offset committed = core_.high_watermark();
  log_->settle_transactions(committed);
  wakeups.take(commit_waiters_, committed);
  progress_locked(wakeups);
}

void Partition::progress_locked(Wakeups& wakeups) {
  ++progress_;
  for (auto& weak : progress_waiters_) {
    if (auto waiter = weak.lock()) wakeups.fired.push_back(std::move(waiter));
  }
  progress_waiters_.clear();
}

void Partition::wake_all_locked(Wakeups& wakeups) {
  for (auto* waiters : {&commit_waiters_, &local_waiters_}) {
    for (auto& waiting : *waiters) wakeups.arrived.push_back(std::move(waiting.waiter));
    waiters->clear();
  }
  progress_locked(wakeups);
}

bool Partition::wait_for_commit(Offset end, int16_t acks, std::shared_ptr<Waiter> waiter) {
  std::lock_guard lock(mutex_);
  bool all = acks == -1;
  bool done = all ? core_.replicated(end) : contract_end_ >= end;
  if (done || failed_ || closed_ || !core_.is_leader() || end > log_->log_end_offset()) return false;
  auto& waiters = all ? commit_waiters_ : local_waiters_;
  auto after = std::ranges::upper_bound(waiters, end, {}, &CommitWaiter::end);
  waiters.insert(after, CommitWaiter{end, std::move(waiter)});
  return true;
}

KafkaError Partition::commit_outcome(Offset end, LeaderEpoch epoch, int16_t acks) const {
  std::lock_guard lock(mutex_);
  if (failed_) return KafkaError::kKafkaStorageError;
  if (acks == -1 ? core_.replicated(end) : contract_end_ >= end) {
    bool enough = acks != -1 || core_.enough_in_sync(config_->min_insync_replicas);
    return enough ? KafkaError::kNone : KafkaError::kNotEnoughReplicasAfterAppend;
  }
  if (closed_ || !core_.is_leader() || core_.leader_epoch() != epoch) return KafkaError::kNotLeaderOrFollower;
  if (end > log_->log_end_offset()) return KafkaError::kKafkaStorageError;  // taken back: the disk was full
  return KafkaError::kRequestTimedOut;
}

// ---- read -----------------------------------------------------------------------------------------------------------

Offset Partition::last_stable_offset_locked() const {
  Offset committed = core_.high_watermark();
  auto producers = log_->producers();
  if (!producers) return committed;
  auto unstable = (*producers)->first_unstable_offset();
  return unstable ? std::min(*unstable, committed) : committed;
}

Offset Partition::visible_end_locked(Isolation isolation) const {
  switch (isolation) {
    case Isolation::kReadUncommitted:
      return core_.high_watermark();
    case Isolation::kReadCommitted:
      return last_stable_offset_locked();
    case Isolation::kLogEnd:
      return log_->written_end();
  }
  return core_.high_watermark();
}

ReadAnswer Partition::read(const ReadRequest& request) {
  ReadAnswer answer;
  std::optional<Error> failure;
  Wakeups wakeups;
  {
    std::lock_guard lock(mutex_);
    answer.progress = progress_;
    answer.leader_epoch = core_.leader_epoch().value;
    answer.error = refusal_locked(request.current_leader_epoch);
    if (answer.error != KafkaError::kNone) return answer;
    Offset log_end = log_->log_end_offset();
    if (request.from < log_->log_start_offset() || request.from > log_end) {
      answer.error = KafkaError::kOffsetOutOfRange;
      return answer;
    }
    answer.high_watermark = core_.high_watermark().value;
    answer.last_stable_offset = last_stable_offset_locked().value;
    answer.log_start_offset = log_->log_start_offset().value;
    if (request.last_fetched_epoch >= 0) {
      auto end = log_->epochs().end_offset_of(LeaderEpoch(request.last_fetched_epoch), log_end);
      if (end.epoch == kNoEpoch || end.end_offset == kNoOffset) {
        return ReadAnswer{
            .error = KafkaError::kOffsetOutOfRange, .leader_epoch = answer.leader_epoch, .progress = answer.progress};
      }
      if (end.epoch.value < request.last_fetched_epoch || end.end_offset < request.from) {
        answer.diverging_epoch.emplace(end.epoch.value, end.end_offset.value);
        return answer;
      }
    }
    Offset upper = visible_end_locked(request.isolation);
    bool committed_only = request.isolation == Isolation::kReadCommitted;
    if (committed_only) answer.aborted.emplace();
    if (request.from >= upper || (request.max_bytes == 0 && !request.at_least_one_batch)) return answer;
    auto plan = log_->plan_read(request.from, upper, request.max_bytes, request.at_least_one_batch);
    bool return_records = true;
    if (plan) {
      if (committed_only && !plan->empty()) {
        auto aborted = log_->aborted_transactions(request.from, plan->upper_bound);
        if (!aborted) {
          answer.error = storage_error_locked(aborted.error(), wakeups, failure);
          return_records = false;
        } else {
          for (const auto& one : *aborted) {
            answer.aborted->push_back({one.producer_id.value, one.first_offset.value});
          }
        }
      }
      if (return_records) answer.records = std::move(plan->payload);
    } else if (plan.error().code == ErrorCode::kCorrupt) {
      answer.error = KafkaError::kCorruptMessage;
    } else {
      answer.error = storage_error_locked(plan.error(), wakeups, failure);
    }
  }
  wakeups.run();
  if (failure) report(*failure);
  return answer;
}

bool Partition::wait_for_progress(uint64_t seen, const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard lock(mutex_);
  if (progress_ != seen) return false;
  if (progress_waiters_.size() >= progress_sweep_at_) {
    std::erase_if(progress_waiters_, [](const auto& weak) { return weak.expired(); });
    progress_sweep_at_ = std::max<size_t>(16, 2 * progress_waiters_.size());
  }
  progress_waiters_.push_back(waiter);
  return true;
}

// ---- offsets --------------------------------------------------------------------------------------------------------

Partition::OffsetAnswer Partition::list_offset(TimestampMs timestamp, Isolation isolation, int32_t current_leader_epoch,
                                               int16_t version) {
  constexpr TimestampMs kLatest = -1, kEarliest = -2, kMaxTimestamp = -3, kEarliestLocal = -4, kLatestTiered = -5,
                        kEarliestPendingUpload = -6;
  OffsetAnswer answer;
  std::unique_lock lock(mutex_);
  answer.error = refusal_locked(current_leader_epoch);
  if (answer.error != KafkaError::kNone) return answer;
  bool known = timestamp >= kEarliest || (timestamp == kMaxTimestamp && version >= 7) ||
               (timestamp == kEarliestLocal && version >= 8) || (timestamp == kLatestTiered && version >= 9) ||
               (timestamp == kEarliestPendingUpload && version >= 11);
  if (!known) {
    answer.error = KafkaError::kUnsupportedVersion;
    return answer;
  }
  if (timestamp == kLatestTiered || timestamp == kEarliestPendingUpload) return answer;
  if (timestamp == kEarliest || timestamp == kEarliestLocal) {
    answer.offset = log_->log_start_offset().value;
    answer.leader_epoch = log_->epochs().epoch_of(log_->log_start_offset()).value;
    return answer;
  }
  // Just elected, and not yet sure of what is committed: an older "latest" would look like lost records (KIP-207).
  bool uncertain = isolation != Isolation::kLogEnd && core_.high_watermark() < core_.epoch_start();
  if (uncertain) {
    answer.error = version >= 5 ? KafkaError::kOffsetNotAvailable : KafkaError::kLeaderNotAvailable;
    return answer;
  }
  Offset end = visible_end_locked(isolation);
  if (timestamp == kLatest) {
    answer.offset = end.value;
    answer.leader_epoch = core_.leader_epoch().value;
    return answer;
  }
  auto found = timestamp == kMaxTimestamp ? log_->offset_of_max_timestamp() : log_->offset_for_timestamp(timestamp);
  if (!found && found.error().code == ErrorCode::kCorrupt) {
    answer.error = KafkaError::kCorruptMessage;
    return answer;
  }
  if (!found) {
    Wakeups wakeups;
    std::optional<Error> failure;
    answer.error = storage_error_locked(found.error(), wakeups, failure);
    lock.unlock();
    wakeups.run();
    if (failure) report(*failure);
    return answer;
  }
  if (!*found || (*found)->offset >= end) return answer;
  answer.timestamp = (*found)->timestamp;
  answer.offset = (*found)->offset.value;
  answer.leader_epoch = (*found)->epoch.value;
  return answer;
}

Partition::EpochAnswer Partition::epoch_end(int32_t epoch, int32_t current_leader_epoch) {
  EpochAnswer answer;
  std::lock_guard lock(mutex_);
  answer.error = refusal_locked(current_leader_epoch);
  if (answer.error != KafkaError::kNone) return answer;
  if (epoch < 0) return answer;
  auto end = log_->epochs().end_offset_of(LeaderEpoch(epoch), log_->log_end_offset());
  answer.epoch = end.epoch.value;
  answer.end_offset = end.end_offset.value;
  return answer;
}

// ---- administration -------------------------------------------------------------------------------------------------

Partition::DeleteAnswer Partition::delete_records(int64_t offset, TimestampMs now) {
  DeleteAnswer answer;
  Wakeups wakeups;
  std::optional<Error> failure;
  {
    std::lock_guard lock(mutex_);
    answer.error = unavailable_locked();
    if (answer.error != KafkaError::kNone) return answer;
    if (!config_->cleanup_delete) {
      answer.error = KafkaError::kPolicyViolation;
      return answer;
    }
    Offset wanted = offset == -1 ? core_.high_watermark() : Offset(offset);
    if (wanted.value < 0 || wanted > core_.high_watermark()) {
      answer.error = KafkaError::kOffsetOutOfRange;
      return answer;
    }
    if (log_->advance_log_start(wanted)) {
      auto removed = log_->apply_retention(now, core_.high_watermark());
      // Files that could not go now go with the next round of retention.
      if (!removed && !log::may_pass(removed.error())) {
        answer.error = storage_error_locked(removed.error(), wakeups, failure);
      }
      progress_locked(wakeups);
    }
    answer.low_watermark = log_->log_start_offset().value;
  }
  wakeups.run();
  if (failure) report(*failure);
  return answer;
}

std::vector<Partition::ProducerInfo> Partition::producers() const {
  std::vector<ProducerInfo> all;
  std::lock_guard lock(mutex_);
  auto state = log_->producers();
  if (!state) return all;
  for (const auto& [id, producer] : (*state)->producers()) {
    all.push_back(
        {.producer_id = id.value,
         .producer_epoch = producer.epoch,
         .last_sequence = producer.last_sequence(),
         .last_timestamp = producer.last_timestamp,
         .coordinator_epoch = producer.coordinator_epoch,
         .current_txn_start_offset = producer.transaction_start ? producer.transaction_start->value : int64_t{-1}});
  }
  return all;
}

Partition::Status Partition::status() const {
  std::lock_guard lock(mutex_);
  return {.leader = core_.is_leader(),
          .leader_epoch = core_.leader_epoch(),
          .log_start = log_->log_start_offset(),
          .log_end = log_->log_end_offset(),
          .high_watermark = core_.high_watermark(),
          .recovery_point = log_->durable_end(),
          .size_bytes = log_->size_bytes(),
          .progress = progress_,
          .failed = failed_};
}

void Partition::maintain(TimestampMs now) {
  Wakeups wakeups;
  std::optional<Error> failure;
  {
    std::lock_guard lock(mutex_);
    if (failed_ || closed_) return;
    Offset start = log_->log_start_offset();
    auto removed = log_->apply_retention(now, core_.high_watermark());
    auto due = log_->remove_due(now);
    auto rested = log_->rest();
    if (!removed) failure = removed.error();
    if (!due && !failure) failure = due.error();
    if (!rested && !failure) failure = rested.error();
    // A full disk is no reason to give up: removing is what makes room.
    if (failure && log::may_pass(*failure)) failure.reset();
    if (failure) fail_locked(*failure, wakeups);
    if (log_->log_start_offset() != start) progress_locked(wakeups);
  }
  wakeups.run();
  if (failure) report(*failure);
}

void Partition::expire_producers(TimestampMs now) {
  std::lock_guard lock(mutex_);
  if (!failed_ && !closed_) log_->expire_producers(now);
}

void Partition::with_log(const std::function<void(log::Log& log)>& work) {
  std::lock_guard lock(mutex_);
  if (!closed_) work(*log_);
}

void Partition::fail_locked(const Error&, Wakeups& wakeups) {
  failed_ = true;
  core_.resign();
  wake_all_locked(wakeups);
}

KafkaError Partition::storage_error_locked(const Error& error, Wakeups& wakeups, std::optional<Error>& failure) {
  if (!log::may_pass(error)) {
    fail_locked(error, wakeups);
    failure = error;
  }
  return KafkaError::kKafkaStorageError;
}

void Partition::report(const Error& error) const {
  if (options_.on_storage_failure) options_.on_storage_failure(name_.to_string() + ": " + error.message);
}

Result<> Partition::close(TimestampMs) {
  Wakeups wakeups;
  Result<> result;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return {};
    closed_ = true;
    core_.resign();
    wake_all_locked(wakeups);
    if (!failed_) {
      auto closed = log_->close();
      if (!closed) result = std::unexpected(closed.error());
    }
  }
  wakeups.run();
  return result;
}

void Partition::abandon(const std::string&) {
  Wakeups wakeups;
  {
    std::lock_guard lock(mutex_);
    failed_ = true;
    closed_ = true;
    core_.resign();
    wake_all_locked(wakeups);
  }
  wakeups.run();
}

}  // namespace barnabas::broker
