// The offset checkpoints of a log directory (recovery-point-, replication-, log-start- and cleaner-offset-checkpoint):
// Kafka's text format. parse() is strict: a garbled checkpoint is never taken for an empty one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace barnabas::log {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  std::string to_string() const { return topic + "-" + std::to_string(partition); }
  auto operator<=>(const TopicPartition&) const = default;
};

using OffsetCheckpoint = std::map<TopicPartition, Offset>;

// An empty text is an empty checkpoint: Kafka makes the files so.
Result<OffsetCheckpoint> parse_offset_checkpoint(std::string_view text);
std::string print_offset_checkpoint(const OffsetCheckpoint& checkpoint);

}  // namespace barnabas::log
