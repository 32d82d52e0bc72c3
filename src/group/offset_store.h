// OffsetStore: the committed offsets of a shard, as the log's records say. It keeps, beside the value below the high
// watermark, the values that later appends will bring: decisions see the latest, readers the committed one. Changed
// only by records: loaded ones, and those of an append. Also keeps what open transactions have written (KIP-98): hidden
// until the marker. Owned by GroupShard.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/uuid.h"
#include "group/types.h"

namespace barnabas::group {

struct StoredOffset {
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  TimestampMs commit_timestamp = 0;
  TimestampMs expire_timestamp = kNoTimestamp;  // explicit one of OffsetCommit 2-4
  Uuid topic_id;                                // zero: not known
  Offset record_offset;                         // where the record is in the log: the highest wins against transactions

  bool operator==(const StoredOffset&) const = default;
};

// Borrows its strings.
struct OffsetKey {
  std::string_view group;
  std::string_view topic;
  int32_t partition = 0;
};

class OffsetStore {
 public:
  // --- Records already committed (loading)
  void load(const OffsetKey& key, std::optional<StoredOffset> value);
  void load_transactional(ProducerId producer_id, const OffsetKey& key, std::optional<StoredOffset> value);
  void end_transaction(ProducerId producer_id, bool committed);

  // --- Records of append `sequence`, `index` in its batch; sequences never go back
  void put(AppendSequence sequence, int32_t index, const OffsetKey& key, std::optional<StoredOffset> value);
  void commit(AppendSequence sequence, Offset base_offset);
  void revert(AppendSequence sequence);  // only the newest one left

  // --- Reading
  const StoredOffset* committed(const OffsetKey& key) const;
  const StoredOffset* latest(const OffsetKey& key) const;
  bool has_pending_transaction(const OffsetKey& key) const;
  bool group_has_pending_transaction(std::string_view group) const;

  using Visit = std::function<void(std::string_view topic, int32_t partition, const StoredOffset& value)>;
  // Partitions of `group` in order of topic name and partition.
  void each_committed(std::string_view group, const Visit& visit) const;
  void each_latest(std::string_view group, const Visit& visit) const;
  bool has_latest(std::string_view group) const;
  // Groups that have offsets, latest view.
  std::vector<std::string> groups() const;
  // Topics and partitions of `group` with offsets of an open transaction.
  std::vector<std::pair<std::string, int32_t>> pending_transaction_partitions(std::string_view group) const;

 private:
  struct Later {
    AppendSequence sequence = 0;
    int32_t index = 0;
    std::optional<StoredOffset> value;
  };
  struct Slot {
    std::optional<StoredOffset> committed;
    std::vector<Later> later;  // oldest first

    const StoredOffset* latest() const;
    bool empty() const { return !committed && later.empty(); }
  };
  using Partitions = std::map<int32_t, Slot>;
  using Topics = std::map<std::string, Partitions, std::less<>>;
  struct OwnedKey {
    std::string group;
    std::string topic;
    int32_t partition = 0;
    OffsetKey view() const { return {group, topic, partition}; }
    auto operator<=>(const OwnedKey&) const = default;
  };

  const Slot* find(const OffsetKey& key) const;
  Slot& slot(const OffsetKey& key);
  void drop_if_empty(const OffsetKey& key);

  std::map<std::string, Topics, std::less<>> groups_;
  std::map<AppendSequence, std::vector<OwnedKey>> touched_;
  std::map<ProducerId, std::map<OwnedKey, std::optional<StoredOffset>>> transactions_;
  std::map<OwnedKey, int32_t> transactional_;  // key -> how many open transactions wrote it
};

}  // namespace barnabas::group
