// Positions: finds where to read from: the group's committed offsets, else auto.offset.reset, and after a change of
// leaders whether what was read is still there (KIP-320).
#pragma once

#include "client/consumer/context.h"
#include "client/consumer/group_offsets.h"

namespace barnabas::client {

class Positions {
 public:
  Positions(ConsumerContext& context, GroupOffsets& offsets) : context_(context), offsets_(offsets) {}

  // On the loop, for the life of the consumer.
  runtime::Task<> run();
  // Leaders may have changed. On the loop.
  void learn(const ClusterMetadata& known);

 private:
  struct Due;
  Due collect();
  void postpone(const std::vector<TopicPartition>& partitions);
  void report_missing(const PartitionState& partition);
  void settle_reset(const std::map<TopicPartition, uint64_t>& versions, const TopicPartition& at, int64_t offset,
                    int32_t epoch);
  void settle_validation(PartitionState& partition, const struct EpochQuestion& question, wire::KafkaError error,
                         int32_t epoch, int64_t end_offset);

  runtime::Task<> read_committed_offsets(std::vector<TopicPartition> partitions);
  runtime::Task<> reset(std::map<TopicPartition, int64_t> times, bool by_duration);
  runtime::Task<> validate(int32_t leader, std::vector<struct EpochQuestion> questions);

  ConsumerContext& context_;
  GroupOffsets& offsets_;
};

}  // namespace barnabas::client
