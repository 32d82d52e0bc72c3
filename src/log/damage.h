// DamagedRange: a stretch of a segment that holds no valid batch although valid batches follow, or records were known
// to be there. Reads of its offsets are refused, its bytes are never sent, its offsets never given out again.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace barnabas::log {

struct DamagedRange {
  Offset first{0};  // offsets [first, end) are lost
  Offset end{0};
  Offset segment{0};  // base offset of the file with the bad bytes [position, position + length)
  uint64_t position = 0;
  uint64_t length = 0;

  std::string to_string() const;
  bool operator==(const DamagedRange&) const = default;
};

}  // namespace barnabas::log
