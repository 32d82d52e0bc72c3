#include "log/offset_checkpoint.h"

#include "replication/checkpoint_text.h"

namespace barnabas::log {

using replication::CheckpointLines;

Result<OffsetCheckpoint> parse_offset_checkpoint(std::string_view text) {
  OffsetCheckpoint checkpoint;
  if (text.empty()) return checkpoint;
  CheckpointLines lines(text);
  TRY_ASSIGN(size_t count, lines.read_header());
  std::string_view line;
  while (lines.next(line)) {
    size_t second = line.rfind(' ');
    size_t first = second == std::string_view::npos || second == 0 ? second : line.rfind(' ', second - 1);
    TopicPartition partition;
    Offset offset;
    if (first == std::string_view::npos || second == first ||
        !CheckpointLines::parse_number(line.substr(first + 1, second - first - 1), partition.partition) ||
        !CheckpointLines::parse_number(line.substr(second + 1), offset.value) || partition.partition < 0 ||
        offset.value < 0) {
      return CheckpointLines::bad("a line is not \"topic partition offset\"", line);
    }
    partition.topic = line.substr(0, first);
    if (!checkpoint.emplace(std::move(partition), offset).second)
      return CheckpointLines::bad("a partition comes twice", line);
  }
  if (checkpoint.size() != count) {
    return fail(ErrorCode::kCorrupt,
                "it says " + std::to_string(count) + " entries and has " + std::to_string(checkpoint.size()));
  }
  return checkpoint;
}

std::string print_offset_checkpoint(const OffsetCheckpoint& checkpoint) {
  std::string text = "0\n" + std::to_string(checkpoint.size()) + "\n";
  for (const auto& [partition, offset] : checkpoint) {
    text += partition.topic + " " + std::to_string(partition.partition) + " " + std::to_string(offset.value) + "\n";
  }
  return text;
}

}  // namespace barnabas::log
