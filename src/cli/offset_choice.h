// Where in a partition: "start", "end", an offset, a shift of what is committed (+N, -N), or a time (@2026-11-01,
// @2026-11-01T12:00:00Z, @1761955200000 in ms, @-1h before now). Used by group reset and by consume's ranges.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/admin.h"

namespace barnabas::cli {

struct OffsetChoice {
  enum class Kind { kStart, kEnd, kOffset, kShift, kTime };
  Kind kind = Kind::kStart;
  int64_t number = 0;  // the offset, the shift, or the time in ms since 1970

  // The error says what would be right.
  static std::expected<OffsetChoice, std::string> parse(std::string_view text);
};

// "2026-11-01", "2026-11-01T12:00:00Z", "-1h", "now", or ms: as ms since 1970.
std::optional<int64_t> parse_time_ms(std::string_view text, int64_t now_ms);

struct OffsetTarget {
  client::TopicPartition partition;
  std::optional<int64_t> old_offset;
  int64_t new_offset = 0;
};

// What `choice` means for each partition the group has offsets of (or of `topics`, when given), within what is there.
client::Result<std::vector<OffsetTarget>> choose_offsets(client::Admin& admin, const std::string& group,
                                                         const std::vector<std::string>& topics,
                                                         const OffsetChoice& choice);

}  // namespace barnabas::cli
