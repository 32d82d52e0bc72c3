// Topic and Partition: what the producer keeps for each partition it writes to: the batches being filled and those full
// (any thread, under the partition's lock), and what the loop knows of those on their way. They live as long as the
// producer, so that send() may look them up without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "client/producer/batch.h"
#include "client/producer/sequences.h"

namespace barnabas::client::producer {

struct Topic;

// A broker that leads partitions, as the producer sees it. On the loop, but for the atomics.
struct Leader {
  explicit Leader(int32_t broker) : id(broker) {}
  const int32_t id;
  // It can take no more requests now: full batches need not wake the loop, an answer will.
  std::atomic<bool> busy{false};
  // Since when it has not taken what is ready (monotonic nanoseconds); 0: it does.
  std::atomic<int64_t> stalled_since{0};
  int in_flight = 0;
  bool connecting = false;
  std::deque<struct Partition*> ready;
};

struct Partition {
  Partition(Topic& of, int32_t number) : topic(of), index(number) {}

  Topic& topic;
  const int32_t index;

  std::mutex mutex;
  std::deque<BatchPtr> full;  // under mutex; oldest first
  BatchPtr open;              // under mutex; being filled, or null
  size_t sticky_bytes = 0;    // under mutex; appended since it became its topic's sticky partition

  // Batches that no broker has yet: what adaptive partitioning weighs.
  std::atomic<int32_t> queued{0};
  // Where its batches go; null while not known. Changed on the loop.
  std::atomic<Leader*> leader{nullptr};

  // The list of partitions that the loop should look at.
  std::atomic<bool> noted{false};
  Partition* next_noted = nullptr;

  // On the loop only.
  PartitionSequences sequences;
  BatchPtr held;                // taken from `full`, not sent yet
  bool active = false;          // in the sender's list of partitions with batches
  bool in_ready = false;        // in its leader's queue
  MonotonicTime timer_at{};     // of its entry in the sender's timers; 0: none
  bool in_transaction = false;  // the coordinator knows that it is part of the transaction
  bool being_added = false;     // to the transaction
};

struct Topic {
  explicit Topic(std::string_view named) : name(named) {}

  // Its partitions; null until the topic is known. Grows only; older lists stay valid.
  using List = std::vector<Partition*>;

  const std::string name;
  std::atomic<const List*> partitions{nullptr};
  // The partition that records without a key go to now; -1: to be chosen.
  std::atomic<int32_t> sticky{-1};
  std::atomic<uint32_t> round_robin{0};

  std::mutex mutex;
  std::vector<int32_t> available;  // under mutex; partitions with a leader
  uint64_t random = 0;             // under mutex; state of the choice of sticky partitions

  // On the loop only.
  Uuid id;
  int request_slot = -1;  // its place in the request being made
  MonotonicTime last_used{};
  bool tracked = false;          // refreshes of the metadata ask for it
  bool being_learned = false;    // for records that wait for it on the loop
  std::optional<Error> refusal;  // how that ended, if badly

  std::vector<std::unique_ptr<Partition>> owned;
  std::vector<std::unique_ptr<List>> lists;
};

// Topics by name. Found without a lock; entries are only added.
class TopicTable {
 public:
  TopicTable();
  ~TopicTable();

  Topic* find(std::string_view name) const;
  Topic& find_or_add(std::string_view name);
  // In the order they were added. Any thread.
  std::vector<Topic*> all() const;

 private:
  struct Slots;
  static Topic* lookup(const Slots& slots, std::string_view name, size_t hash);
  static void insert(Slots& slots, Topic* topic);

  std::atomic<const Slots*> current_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Slots>> generations_;  // under mutex_; older ones may still be read
  std::vector<std::unique_ptr<Topic>> topics_;       // under mutex_
};

}  // namespace barnabas::client::producer
