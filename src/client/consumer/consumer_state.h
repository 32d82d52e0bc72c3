// ConsumerState: what the user's thread and the client's loop share: the subscription, the partitions with their
// positions, the records fetched ahead, and what poll() must tell or run. One mutex guards all of it; it is held for
// moments, never across a wait or a callback.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "base/time.h"
#include "client/consumer/fetched_records.h"
#include "client/settings.h"

namespace barnabas::client {

// Why a partition is not fetched yet, in the order things happen.
enum class PositionPhase {
  kNeedsCommitted,   // the group may have an offset for it
  kNeedsReset,       // to where `reset` says
  kNeedsValidation,  // the leader changed: does it still have what was read? (KIP-320)
  kFetching,
};

struct PartitionState {
  TopicPartition at;
  std::shared_ptr<const std::string> topic;  // at.topic, for records to hold
  PositionPhase phase = PositionPhase::kNeedsCommitted;
  OffsetReset reset = OffsetReset::kNone;

  // Of the record that poll() hands out next, and the leader epoch of the one before (-1: not known).
  int64_t position = -1;
  int32_t position_epoch = -1;
  // Of the next fetch: ahead of position by what is in `ready`.
  int64_t fetch_from = -1;

  int32_t leader = -1, leader_epoch = -1;  // as last seen in the metadata
  int32_t preferred = -1;                  // read replica (KIP-392), until
  MonotonicTime preferred_until{};
  MonotonicTime retry_at{};  // not before, after an error

  int64_t end = -1;  // high watermark, or last stable offset with read_committed
  int64_t log_start = -1;
  bool paused = false;
  bool held = false;     // between two owners: a listener call for it is due, nothing is fetched or handed out
  uint64_t version = 0;  // what was asked for under another version is stale
};
using PartitionPtr = std::shared_ptr<PartitionState>;

struct ReadyRecords {
  PartitionPtr partition;
  uint64_t version = 0;
  int32_t broker = -1;
  FetchedRecords records;
};

// A listener call that a rebalance waits for, or just the moment that the user is in poll(), with which, if wanted, no
// more records are handed out until the rebalance says so.
struct RebalanceCall {
  enum class Kind { kEnter, kEnterAndHold, kAssigned, kRevoked, kLost } kind;
  std::vector<TopicPartition> partitions;
  std::function<void()> done;   // on the caller's thread, without the lock
  const void* owner = nullptr;  // who may take it back
};

enum class SubscriptionMode { kNone, kTopics, kPattern, kManual };

struct ConsumerState {
  std::mutex mutex;
  std::condition_variable changed;  // for poll()

  SubscriptionMode mode = SubscriptionMode::kNone;
  uint64_t subscription_version = 0;
  std::set<std::string> topics;  // subscribed; of a pattern: those that match now
  std::string pattern;
  RebalanceListener listener;

  std::map<TopicPartition, PartitionPtr> assigned;
  std::deque<ReadyRecords> ready;
  std::map<int32_t, size_t> ready_bytes;  // by broker
  bool fetching_paused = false;           // some broker has more than enough in ready

  std::deque<Error> errors;
  std::deque<RebalanceCall> calls;
  bool hold = false;  // a rebalance is between commit and revocation: records stay here
  bool polling = false;
  bool woken = false;
  bool closing = false;
  MonotonicTime last_poll{};
  MonotonicTime next_auto_commit{};
  ConsumerGroupMetadata group;

  // Under the lock, all of them.
  PartitionPtr find(const TopicPartition& at) const {
    auto found = assigned.find(at);
    return found == assigned.end() ? nullptr : found->second;
  }
  // Makes partitions that are not assigned yet; keeps the others as they are.
  void add(const std::vector<TopicPartition>& partitions, bool committed_first, OffsetReset policy);
  void remove(const std::vector<TopicPartition>& partitions);
  // Moves a partition; drops what was fetched ahead for it.
  void move(PartitionState& partition, int64_t offset, int32_t epoch);
  void request_reset(PartitionState& partition, OffsetReset to);
  void drop_ready(const PartitionState& partition);
  // Up to `most` records of what is ready, the oldest answers first. An error is of one partition, which is fetched
  // again from where its records ended.
  Result<size_t> take(size_t most, ConsumerRecords::Parts& to);
  bool any_ready() const;
  std::map<TopicPartition, OffsetAndMetadata> positions() const;
  std::vector<TopicPartition> partitions() const;
};

}  // namespace barnabas::client
