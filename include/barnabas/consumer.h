// Consumer: reads records of a Kafka cluster, alone (assign) or sharing topics with the members of a group (subscribe):
// the classic protocol, or KIP-848 with group.protocol=consumer.
//
// One thread at a time calls a Consumer; wakeup() may come from any. Fetching, heartbeats and commits go on in the
// background while poll() is not called, but a member that does not poll within max.poll.interval.ms leaves its group.
// Rebalance listeners run inside poll() (and close()), on its thread; with next(), on the client's thread.
//
// poll() hands out records as views of the bytes as they came from the broker: nothing is copied, unless a batch was
// compressed. They live as long as the ConsumerRecords object, also after the next poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/future.h"
#include "barnabas/runtime.h"
#include "barnabas/types.h"

namespace barnabas::client {

// What one poll() returned, grouped by partition, in offset order within each. Movable; owns the bytes.
class ConsumerRecords {
 public:
  ConsumerRecords() = default;
  struct Parts;  // the library's own
  explicit ConsumerRecords(std::shared_ptr<const Parts> parts, std::span<const ConsumerRecord> records)
      : parts_(std::move(parts)), records_(records) {}

  auto begin() const { return records_.begin(); }
  auto end() const { return records_.end(); }
  size_t size() const { return records_.size(); }
  bool empty() const { return records_.empty(); }
  const ConsumerRecord& operator[](size_t index) const { return records_[index]; }

 private:
  std::shared_ptr<const Parts> parts_;
  std::span<const ConsumerRecord> records_;
};

// Functions may be empty. Offsets may be committed and partitions sought from within.
struct RebalanceListener {
  std::function<void(std::span<const TopicPartition>)> on_assigned{};  // newly given to this member
  std::function<void(std::span<const TopicPartition>)> on_revoked{};   // being given away; still ours inside the call
  std::function<void(std::span<const TopicPartition>)> on_lost{};      // no longer ours: fenced. Empty: on_revoked
};

// Who a member is, for send_offsets_to_transaction.
struct ConsumerGroupMetadata {
  std::string group_id{};
  int32_t generation_id = -1;  // member epoch with KIP-848
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
};

struct ConsumerInterceptor {
  std::function<void(const ConsumerRecords&)> on_consume{};  // before poll() returns them
  std::function<void(const std::map<TopicPartition, OffsetAndMetadata>&)> on_commit{};
};

struct ConsumerOptions {
  std::shared_ptr<Runtime> runtime{};  // absent: one of its own
  std::vector<ConsumerInterceptor> interceptors{};
};

class Consumer {
 public:
  // kConfig when the configuration is wrong. Does not wait for a broker.
  static Result<Consumer> create(const Config& config, ConsumerOptions options = {});
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;
  ~Consumer();  // close() with its default limit

  // Membership. Each call replaces what was subscribed to or assigned before; an empty list is unsubscribe().
  Result<> subscribe(std::vector<std::string> topics, RebalanceListener listener = {});
  // All topics whose whole name matches, also those created later. RE2 syntax; with KIP-848 matched by the broker.
  Result<> subscribe_pattern(std::string pattern, RebalanceListener listener = {});
  Result<> assign(std::vector<TopicPartition> partitions);
  Future<> unsubscribe();
  std::vector<TopicPartition> assignment() const;
  std::set<std::string> subscription() const;
  ConsumerGroupMetadata group_metadata() const;
  // Asks the group to rebalance at the next poll (KIP-568).
  Result<> enforce_rebalance();

  // Up to max.poll.records records, as soon as there are any; empty after `timeout`. An error concerns the consumer or
  // a partition (no offset and auto.offset.reset=none, no permission, fenced); the next poll goes on where it can.
  Result<ConsumerRecords> poll(Milliseconds timeout);
  // The same without a thread.
  Future<ConsumerRecords> next(Milliseconds timeout);
  // Ends a poll() that waits, or the next one, with kCancelled.
  void wakeup();

  // Commits. Without offsets: the positions, that is, all records handed out so far. With enable.auto.commit
  // (the default) poll() and close() do it by themselves every auto.commit.interval.ms.
  Future<> commit();
  Future<> commit(std::map<TopicPartition, OffsetAndMetadata> offsets);
  // Without waiting, in order, the last one winning; `done` may be empty.
  void commit_async(std::function<void(const Result<>&)> done = {});

  // Positions.
  Result<> seek(const TopicPartition& partition, int64_t offset);
  Result<> seek_to_beginning(std::span<const TopicPartition> partitions);  // lazily, at the next poll
  Result<> seek_to_end(std::span<const TopicPartition> partitions);
  // Each to the first record with this time or later; to the end where there is none.
  Future<> seek_to_time(std::vector<TopicPartition> partitions, Timestamp time);
  Result<> pause(std::span<const TopicPartition> partitions);
  Result<> resume(std::span<const TopicPartition> partitions);
  std::vector<TopicPartition> paused() const;
  Future<int64_t> position(TopicPartition partition);  // offset of the next record poll() would hand out
  Future<std::map<TopicPartition, std::optional<OffsetAndMetadata>>> committed(std::vector<TopicPartition> partitions);
  // Records between position and end, as far as known from the last fetch; nothing before that.
  std::optional<int64_t> current_lag(const TopicPartition& partition) const;

  Future<std::map<TopicPartition, int64_t>> beginning_offsets(std::vector<TopicPartition> partitions);
  Future<std::map<TopicPartition, int64_t>> end_offsets(std::vector<TopicPartition> partitions);
  Future<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> offsets_for_times(
      std::map<TopicPartition, Timestamp> times);
  Future<std::vector<TopicPartition>> partitions_for(std::string topic);

  // Commits (with auto commit), leaves the group (not as a static member), closes. Idempotent.
  Result<> close(Milliseconds limit = Milliseconds(30000));

  class Core;  // the library's own

 private:
  explicit Consumer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::client
