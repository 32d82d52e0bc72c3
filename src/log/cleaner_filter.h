// CleanerFilter: which records of a batch compaction keeps, and the batch that is left. Kafka's rules: of each key the
// latest; a tombstone, and the marker of a transaction without data, until the horizon their first cleaning set; the
// last batch of a producer, if need be without records, since its sequence must be known. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/cleaner_transactions.h"
#include "log/offset_map.h"
#include "wire/record_batch.h"

namespace barnabas::log {

// Of a producer that is remembered: its newest batch.
struct LastOfProducer {
  std::optional<Offset> data_offset;  // absent: only a marker of `epoch` is known
  int16_t epoch = -1;
};

struct CleanerRules {
  TimestampMs now = 0;
  int64_t delete_retention_ms = 0;
  Offset high_watermark{0};
  std::map<ProducerId, LastOfProducer> last_of_producers;
};

struct FilteredBatch {
  enum class What { kDrop, kAsItWas, kRewritten };
  What what = What::kDrop;
  Buffer rewritten;
  int32_t kept = 0;
};

class CleanerFilter {
 public:
  // Of keys, `map` knows what lies before `map_end`.
  CleanerFilter(const CleanerRules& rules, const OffsetMap& map, Offset map_end)
      : rules_(rules), map_(map), map_end_(map_end) {}

  // The next batch of the walk; its checksum is right. kCorrupt: its records are not what its header says.
  Result<FilteredBatch> filter(const wire::BatchHeader& header, BytesView batch, CleanerTransactions& transactions,
                               std::vector<replication::AbortedTransaction>& kept_aborted);

 private:
  bool is_last_of_producer(const wire::BatchHeader& header) const;
  bool keeps(Offset offset, const std::optional<BytesView>& key, bool has_value, bool horizon_passed) const;

  const CleanerRules& rules_;
  const OffsetMap& map_;
  Offset map_end_;
  std::vector<bool> decisions_;
};

}  // namespace barnabas::log
