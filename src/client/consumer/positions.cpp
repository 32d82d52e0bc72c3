#include "client/consumer/positions.h"

#include <algorithm>

#include "client/consumer/offset_lookup.h"

namespace barnabas::client {

namespace {

constexpr int64_t kIdleMs = 30000;

int64_t reset_time(const ConsumerContext& context, OffsetReset reset) {
  switch (reset) {
    case OffsetReset::kEarliest:
      return kEarliestTime;
    case OffsetReset::kByDuration:
      return std::max<int64_t>(0, context.world.clock.wall_time() - context.settings.offset_reset_duration_ms);
    case OffsetReset::kLatest:
    case OffsetReset::kNone:
      break;
  }
  return kLatestTime;
}

std::string name_of(const TopicPartition& at) {
  return at.topic + "-" + std::to_string(at.partition);
}

}  // namespace

struct Positions::Due {
  std::vector<TopicPartition> committed;
  std::map<TopicPartition, int64_t> resets;
  std::map<TopicPartition, int64_t> resets_by_duration;
  std::map<int32_t, std::vector<EpochQuestion>> validations;
  MonotonicTime next = kFarAway;
  bool empty() const {
    return committed.empty() && resets.empty() && resets_by_duration.empty() && validations.empty();
  }
};

Positions::Due Positions::collect() {
  Due due;
  MonotonicTime now = context_.now();
  std::lock_guard lock(context_.state.mutex);
  due.next = now + milliseconds(kIdleMs);
  for (const auto& [at, partition] : context_.state.assigned) {
    if (partition->phase == PositionPhase::kFetching || partition->held) continue;
    if (partition->retry_at > now) {
      due.next = std::min(due.next, partition->retry_at);
      continue;
    }
    switch (partition->phase) {
      case PositionPhase::kNeedsCommitted:
        due.committed.push_back(at);
        break;
      case PositionPhase::kNeedsReset:
        if (partition->reset == OffsetReset::kNone) {
          report_missing(*partition);
          partition->retry_at = kFarAway;
        } else if (partition->reset == OffsetReset::kByDuration) {
          due.resets_by_duration[at] = reset_time(context_, partition->reset);
        } else {
          due.resets[at] = reset_time(context_, partition->reset);
        }
        break;
      case PositionPhase::kNeedsValidation:
        if (partition->leader >= 0) {
          due.validations[partition->leader].push_back(
              {at, partition->leader, partition->leader_epoch, partition->position_epoch});
        }
        break;
      case PositionPhase::kFetching:
        break;
    }
  }
  return due;
}

// Under the lock.
void Positions::report_missing(const PartitionState& partition) {
  context_.state.errors.push_back(
      {.kind = Error::Kind::kBroker,
       .code = client::ErrorCode::kOffsetOutOfRange,
       .message = "no valid offset to read " + name_of(partition.at) +
                  " from, and auto.offset.reset=none: seek, or choose another reset policy"});
}

runtime::Task<> Positions::run() {
  auto token = context_.scope.token();
  while (!token.requested()) {
    Due due = collect();
    context_.notify();
    if (due.empty()) {
      co_await context_.positions_due.wait(due.next, token);
      continue;
    }
    if (!due.committed.empty()) {
      co_await read_committed_offsets(std::move(due.committed));
    }
    if (!due.resets.empty()) {
      co_await reset(std::move(due.resets), false);
    }
    if (!due.resets_by_duration.empty()) {
      co_await reset(std::move(due.resets_by_duration), true);
    }
    for (auto& [leader, questions] : due.validations) {
      co_await validate(leader, std::move(questions));
    }
    context_.fetch();
  }
}

void Positions::postpone(const std::vector<TopicPartition>& partitions) {
  MonotonicTime later = context_.in_ms(context_.settings.retry_backoff_ms);
  std::lock_guard lock(context_.state.mutex);
  for (const auto& at : partitions) {
    if (auto partition = context_.state.find(at)) partition->retry_at = later;
  }
}

runtime::Task<> Positions::read_committed_offsets(std::vector<TopicPartition> partitions) {
  auto deadline = context_.in_ms(context_.settings.request_timeout_ms);
  auto committed = co_await offsets_.committed(partitions, deadline);
  if (!committed) {
    if (!context_.scope.token().requested() && !committed.error().retriable) context_.report(committed.error());
    postpone(partitions);
    co_return;
  }
  auto known = context_.cluster.metadata();
  std::lock_guard lock(context_.state.mutex);
  for (const auto& [at, offset] : *committed) {
    auto partition = context_.state.find(at);
    if (!partition || partition->phase != PositionPhase::kNeedsCommitted) continue;
    if (!offset) {
      partition->phase = PositionPhase::kNeedsReset;
      continue;
    }
    context_.state.move(*partition, offset->offset, offset->leader_epoch.value_or(-1));
    if (partition->position_epoch >= 0 && partition->leader_epoch >= 0)
      partition->phase = PositionPhase::kNeedsValidation;
  }
}

runtime::Task<> Positions::reset(std::map<TopicPartition, int64_t> times, bool by_duration) {
  std::map<TopicPartition, uint64_t> versions;
  std::vector<TopicPartition> partitions;
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& [at, time] : times) {
      partitions.push_back(at);
      if (auto partition = context_.state.find(at)) versions[at] = partition->version;
    }
  }
  auto deadline = context_.in_ms(context_.settings.request_timeout_ms);
  auto found = co_await find_offsets(context_, times, deadline);
  std::map<TopicPartition, int64_t> at_end;
  if (found) {
    for (const auto& [at, offset] : *found) {
      if (offset.offset >= 0) {
        settle_reset(versions, at, offset.offset, offset.leader_epoch);
      } else if (by_duration) {
        at_end[at] = kLatestTime;  // nothing is that young
      }
    }
  }
  if (found && !at_end.empty()) {
    found = co_await find_offsets(context_, at_end, deadline);
    if (found) {
      for (const auto& [at, offset] : *found) settle_reset(versions, at, offset.offset, offset.leader_epoch);
    }
  }
  if (found) co_return;
  if (!context_.scope.token().requested() && !found.error().retriable) context_.report(found.error());
  postpone(partitions);
}

void Positions::settle_reset(const std::map<TopicPartition, uint64_t>& versions, const TopicPartition& at,
                             int64_t offset, int32_t epoch) {
  std::lock_guard lock(context_.state.mutex);
  auto partition = context_.state.find(at);
  auto asked = versions.find(at);
  if (!partition || asked == versions.end() || asked->second != partition->version) return;
  if (partition->phase != PositionPhase::kNeedsReset) return;
  context_.state.move(*partition, offset, epoch);
}

runtime::Task<> Positions::validate(int32_t leader, std::vector<EpochQuestion> questions) {
  std::vector<TopicPartition> partitions;
  for (const auto& question : questions) partitions.push_back(question.at);
  auto deadline = context_.in_ms(context_.settings.request_timeout_ms);
  auto answers = co_await find_epoch_ends(context_, leader, questions, deadline);
  if (!answers) {
    context_.cluster.request_refresh();
    postpone(partitions);
    co_return;
  }
  bool refresh = false;
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& question : questions) {
      auto partition = context_.state.find(question.at);
      if (!partition || partition->phase != PositionPhase::kNeedsValidation) continue;
      if (partition->position_epoch != question.epoch || partition->leader_epoch != question.leader_epoch) continue;
      EpochAnswer answer{.epoch = question.epoch, .end_offset = partition->position};
      if (*answers) {
        auto found = (*answers)->find(question.at);
        if (found == (*answers)->end()) continue;
        answer = found->second;
      }
      refresh |= answer.error != wire::KafkaError::kNone;
      settle_validation(*partition, question, answer.error, answer.epoch, answer.end_offset);
    }
  }
  if (refresh) context_.cluster.request_refresh();
}

// Under the lock.
void Positions::settle_validation(PartitionState& partition, const EpochQuestion& question, wire::KafkaError error,
                                  int32_t epoch, int64_t end_offset) {
  ConsumerState& state = context_.state;
  if (error != wire::KafkaError::kNone) {
    if (!is_retriable(error)) state.errors.push_back(broker_error(error, "position of " + name_of(question.at)));
    partition.retry_at = context_.in_ms(context_.settings.retry_backoff_ms);
    return;
  }
  bool unknown = epoch < 0 || end_offset < 0;
  if (!unknown && end_offset >= partition.position) {
    partition.phase = PositionPhase::kFetching;
    return;
  }
  // Records that were read are gone: the log was cut while its leader changed.
  if (context_.settings.offset_reset == OffsetReset::kNone) {
    state.errors.push_back({.kind = Error::Kind::kBroker,
                            .code = client::ErrorCode::kOffsetOutOfRange,
                            .message = "the log of " + name_of(question.at) + " was truncated to offset " +
                                       std::to_string(end_offset) + ", before what was read; seek to go on"});
    state.request_reset(partition, OffsetReset::kNone);
    partition.retry_at = kFarAway;
  } else if (unknown) {
    state.request_reset(partition, context_.settings.offset_reset);
  } else {
    state.move(partition, end_offset, epoch);
  }
}

void Positions::learn(const ClusterMetadata& known) {
  bool due = false;
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& [at, partition] : context_.state.assigned) {
      const auto* metadata = known.partition(at.topic, at.partition);
      if (!metadata) continue;
      if (partition->leader == metadata->leader && partition->leader_epoch == metadata->leader_epoch) continue;
      bool newer = metadata->leader_epoch > partition->leader_epoch;
      bool first = partition->leader < 0 && partition->leader_epoch < 0;
      partition->leader = metadata->leader;
      partition->leader_epoch = metadata->leader_epoch;
      partition->preferred = -1;
      if (partition->phase != PositionPhase::kNeedsReset) partition->retry_at = {};
      if (first && partition->phase == PositionPhase::kFetching && partition->position_epoch < 0) continue;
      if (!newer || partition->phase != PositionPhase::kFetching || partition->position_epoch < 0) continue;
      context_.state.move(*partition, partition->position, partition->position_epoch);
      partition->phase = PositionPhase::kNeedsValidation;
      due = true;
    }
  }
  if (due) context_.positions_due.ring();
  context_.fetch();
}

}  // namespace barnabas::client
