// Offsets by time (ListOffsets) and by leader epoch (OffsetForLeaderEpoch): one request for each leader, repeated for
// the partitions whose leader moved.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "client/consumer/context.h"

namespace barnabas::client {

inline constexpr int64_t kLatestTime = -1;
inline constexpr int64_t kEarliestTime = -2;

struct FoundOffset {
  int64_t offset = -1;
  int64_t timestamp = -1;
  int32_t leader_epoch = -1;
};

// Each partition's first record at or after a time, or kEarliestTime, kLatestTime; offset -1 where there is none. An
// error when one cannot be found until the deadline.
runtime::Task<Result<std::map<TopicPartition, FoundOffset>>> find_offsets(ConsumerContext& context,
                                                                          std::map<TopicPartition, int64_t> times,
                                                                          MonotonicTime deadline);

struct EpochQuestion {
  TopicPartition at;
  int32_t leader = -1, leader_epoch = -1;  // as we know them
  int32_t epoch = -1;                      // of the last record read
};
struct EpochAnswer {
  wire::KafkaError error = wire::KafkaError::kNone;
  int32_t epoch = -1;
  int64_t end_offset = -1;
};
// Asks one leader. Nothing when the broker is too old to be asked by a consumer.
runtime::Task<Result<std::optional<std::map<TopicPartition, EpochAnswer>>>> find_epoch_ends(
    ConsumerContext& context, int32_t leader, std::vector<EpochQuestion> questions, MonotonicTime deadline);

}  // namespace barnabas::client
