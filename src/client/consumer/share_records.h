// ShareRecords: pure parts of a share consumer: which records of a fetch were acquired, and acknowledgements in the
// form that requests carry them.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "client/consumer/fetched_records.h"

namespace barnabas::client {

// What became of records, by offset: Kafka's numbers.
using Acknowledgements = std::map<int64_t, int8_t>;
inline constexpr int8_t kAcknowledgeGap = 0;  // there is no record with this offset

struct AcquiredRange {
  int64_t first = 0;
  int64_t last = -1;
  int16_t delivery_count = 0;
};

struct AcknowledgementRun {
  int64_t first = 0;
  int64_t last = -1;
  int8_t type = 0;
  bool operator==(const AcknowledgementRun&) const = default;
};

// Neighbouring offsets of one outcome as one run.
std::vector<AcknowledgementRun> runs_of(const Acknowledgements& acknowledgements);

// Appends the acquired records of `from` with their delivery counts. The offsets of records that were given are put
// into `given`, acquired offsets without a record into `gaps`. Ranges are bounded, since the broker names them: an
// error when they say more than `most` offsets. After an error of the records themselves the rest counts as not given.
Result<> take_acquired(FetchedRecords& from, const std::vector<AcquiredRange>& ranges, ConsumerRecords::Parts& to,
                       std::vector<int64_t>& given, std::vector<int64_t>& gaps);

inline constexpr int64_t kAcquiredMax = 1 << 20;

}  // namespace barnabas::client
