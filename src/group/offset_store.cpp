#include "group/offset_store.h"

#include <utility>

#include "base/check.h"

namespace barnabas::group {

const StoredOffset* OffsetStore::Slot::latest() const {
  const std::optional<StoredOffset>& value = later.empty() ? committed : later.back().value;
  return value ? &*value : nullptr;
}

const OffsetStore::Slot* OffsetStore::find(const OffsetKey& key) const {
  auto group = groups_.find(key.group);
  if (group == groups_.end()) return nullptr;
  auto topic = group->second.find(key.topic);
  if (topic == group->second.end()) return nullptr;
  auto partition = topic->second.find(key.partition);
  return partition == topic->second.end() ? nullptr : &partition->second;
}

OffsetStore::Slot& OffsetStore::slot(const OffsetKey& key) {
  auto group = groups_.find(key.group);
  if (group == groups_.end()) group = groups_.emplace(std::string(key.group), Topics{}).first;
  auto topic = group->second.find(key.topic);
  if (topic == group->second.end()) topic = group->second.emplace(std::string(key.topic), Partitions{}).first;
  return topic->second[key.partition];
}

void OffsetStore::drop_if_empty(const OffsetKey& key) {
  auto group = groups_.find(key.group);
  if (group == groups_.end()) return;
  auto topic = group->second.find(key.topic);
  if (topic == group->second.end()) return;
  auto partition = topic->second.find(key.partition);
  if (partition == topic->second.end() || !partition->second.empty()) return;
  topic->second.erase(partition);
  if (topic->second.empty()) group->second.erase(topic);
  if (group->second.empty()) groups_.erase(group);
}

void OffsetStore::load(const OffsetKey& key, std::optional<StoredOffset> value) {
  bool tombstone = !value;
  slot(key).committed = std::move(value);
  if (tombstone) drop_if_empty(key);
}

void OffsetStore::load_transactional(ProducerId producer_id, const OffsetKey& key, std::optional<StoredOffset> value) {
  OwnedKey owned{std::string(key.group), std::string(key.topic), key.partition};
  auto [at, added] = transactions_[producer_id].insert_or_assign(owned, std::move(value));
  if (added) ++transactional_[std::move(owned)];
}

void OffsetStore::end_transaction(ProducerId producer_id, bool committed) {
  auto node = transactions_.extract(producer_id);
  if (node.empty()) return;
  for (auto& [key, value] : node.mapped()) {
    auto count = transactional_.find(key);
    if (--count->second == 0) transactional_.erase(count);
    if (!committed) continue;
    const Slot* present = find(key.view());
    bool newer_exists =
        present != nullptr && present->committed && value && present->committed->record_offset > value->record_offset;
    if (!newer_exists) load(key.view(), std::move(value));
  }
}

void OffsetStore::put(AppendSequence sequence, int32_t index, const OffsetKey& key, std::optional<StoredOffset> value) {
  slot(key).later.push_back(Later{sequence, index, std::move(value)});
  touched_[sequence].push_back(OwnedKey{std::string(key.group), std::string(key.topic), key.partition});
}

void OffsetStore::commit(AppendSequence sequence, Offset base_offset) {
  auto node = touched_.extract(sequence);
  if (node.empty()) return;
  for (const OwnedKey& key : node.mapped()) {
    Slot& changed = slot(key.view());
    CHECK(!changed.later.empty() && changed.later.front().sequence == sequence, "appends are committed in order");
    Later first = std::move(changed.later.front());
    changed.later.erase(changed.later.begin());
    changed.committed = std::move(first.value);
    if (changed.committed) changed.committed->record_offset = base_offset + first.index;
    drop_if_empty(key.view());
  }
}

void OffsetStore::revert(AppendSequence sequence) {
  auto node = touched_.extract(sequence);
  if (node.empty()) return;
  for (auto key = node.mapped().rbegin(); key != node.mapped().rend(); ++key) {
    Slot& changed = slot(key->view());
    CHECK(!changed.later.empty() && changed.later.back().sequence == sequence, "appends are undone newest first");
    changed.later.pop_back();
    drop_if_empty(key->view());
  }
}

const StoredOffset* OffsetStore::committed(const OffsetKey& key) const {
  const Slot* found = find(key);
  return found != nullptr && found->committed ? &*found->committed : nullptr;
}

const StoredOffset* OffsetStore::latest(const OffsetKey& key) const {
  const Slot* found = find(key);
  return found == nullptr ? nullptr : found->latest();
}

bool OffsetStore::has_pending_transaction(const OffsetKey& key) const {
  if (transactional_.empty()) return false;
  return transactional_.contains(OwnedKey{std::string(key.group), std::string(key.topic), key.partition});
}

bool OffsetStore::group_has_pending_transaction(std::string_view group) const {
  auto first = transactional_.lower_bound(OwnedKey{std::string(group), "", INT32_MIN});
  return first != transactional_.end() && first->first.group == group;
}

std::vector<std::pair<std::string, int32_t>> OffsetStore::pending_transaction_partitions(std::string_view group) const {
  std::vector<std::pair<std::string, int32_t>> partitions;
  for (auto at = transactional_.lower_bound(OwnedKey{std::string(group), "", INT32_MIN});
       at != transactional_.end() && at->first.group == group; ++at) {
    partitions.emplace_back(at->first.topic, at->first.partition);
  }
  return partitions;
}

void OffsetStore::each_committed(std::string_view group, const Visit& visit) const {
  auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const auto& [topic, partitions] : found->second) {
    for (const auto& [partition, slot] : partitions) {
      if (slot.committed) visit(topic, partition, *slot.committed);
    }
  }
}

void OffsetStore::each_latest(std::string_view group, const Visit& visit) const {
  auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const auto& [topic, partitions] : found->second) {
    for (const auto& [partition, slot] : partitions) {
      if (const StoredOffset* latest = slot.latest()) visit(topic, partition, *latest);
    }
  }
}

bool OffsetStore::has_latest(std::string_view group) const {
  bool any = false;
  each_latest(group, [&](std::string_view, int32_t, const StoredOffset&) { any = true; });
  return any;
}

std::vector<std::string> OffsetStore::groups() const {
  std::vector<std::string> ids;
  for (const auto& [id, topics] : groups_) {
    if (has_latest(id)) ids.push_back(id);
  }
  return ids;
}

}  // namespace barnabas::group
