#include "client/consumer/consumer_state.h"

#include <algorithm>

namespace barnabas::client {

void ConsumerState::add(const std::vector<TopicPartition>& partitions, bool committed_first, OffsetReset policy) {
  for (const auto& at : partitions) {
    auto& entry = assigned[at];
    if (entry) continue;
    entry = std::make_shared<PartitionState>();
    entry->at = at;
    entry->topic = std::make_shared<const std::string>(at.topic);
    entry->phase = committed_first ? PositionPhase::kNeedsCommitted : PositionPhase::kNeedsReset;
    entry->reset = policy;
  }
}

void ConsumerState::remove(const std::vector<TopicPartition>& partitions) {
  for (const auto& at : partitions) {
    auto found = assigned.find(at);
    if (found == assigned.end()) continue;
    drop_ready(*found->second);
    ++found->second->version;
    assigned.erase(found);
  }
}

void ConsumerState::move(PartitionState& partition, int64_t offset, int32_t epoch) {
  drop_ready(partition);
  ++partition.version;
  partition.position = partition.fetch_from = offset;
  partition.position_epoch = epoch;
  partition.phase = PositionPhase::kFetching;
  partition.retry_at = {};
}

void ConsumerState::request_reset(PartitionState& partition, OffsetReset to) {
  drop_ready(partition);
  ++partition.version;
  partition.position = partition.fetch_from = -1;
  partition.position_epoch = -1;
  partition.preferred = -1;
  partition.phase = PositionPhase::kNeedsReset;
  partition.reset = to;
  partition.retry_at = {};
}

void ConsumerState::drop_ready(const PartitionState& partition) {
  std::erase_if(ready, [&](const ReadyRecords& entry) {
    if (entry.partition.get() != &partition) return false;
    ready_bytes[entry.broker] -= entry.records.size();
    return true;
  });
}

bool ConsumerState::any_ready() const {
  if (hold) return false;
  return std::ranges::any_of(ready,
                             [](const auto& entry) { return !entry.partition->paused && !entry.partition->held; });
}

Result<size_t> ConsumerState::take(size_t most, ConsumerRecords::Parts& to) {
  size_t taken = 0;
  for (auto entry = ready.begin(); entry != ready.end() && taken < most;) {
    PartitionState& partition = *entry->partition;
    bool stale = entry->version != partition.version;
    if (!stale && (partition.paused || partition.held)) {
      ++entry;
      continue;
    }
    Result<size_t> got = 0;
    if (!stale) {
      got = entry->records.take(most - taken, to);
      if (entry->records.position() > partition.position) partition.position = entry->records.position();
      if (entry->records.epoch() >= 0) partition.position_epoch = entry->records.epoch();
    }
    if (stale || !got || entry->records.at_end()) {
      ready_bytes[entry->broker] -= entry->records.size();
      entry = ready.erase(entry);
    }
    if (!got) {
      drop_ready(partition);
      ++partition.version;
      partition.fetch_from = partition.position;
      if (taken == 0 && to.records.empty()) return got;
      errors.push_back(got.error());
      return to.records.size();
    }
    taken += *got;
  }
  return taken;
}

std::map<TopicPartition, OffsetAndMetadata> ConsumerState::positions() const {
  std::map<TopicPartition, OffsetAndMetadata> known;
  for (const auto& [at, partition] : assigned) {
    if (partition->position < 0) continue;
    OffsetAndMetadata offset{.offset = partition->position};
    if (partition->position_epoch >= 0) offset.leader_epoch = partition->position_epoch;
    known.emplace(at, std::move(offset));
  }
  return known;
}

std::vector<TopicPartition> ConsumerState::partitions() const {
  std::vector<TopicPartition> all;
  for (const auto& [at, partition] : assigned) all.push_back(at);
  return all;
}

}  // namespace barnabas::client
