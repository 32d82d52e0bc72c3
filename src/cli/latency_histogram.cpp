#include "cli/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace barnabas::cli {

void LatencyHistogram::add(int64_t nanoseconds) {
  auto value = static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0));
  int shift = std::max(static_cast<int>(std::bit_width(value)) - kBits - 1, 0);
  // Below 2^(kBits+1) each value has its bucket; above, value >> shift keeps its kBits+1 highest bits.
  size_t bucket = (static_cast<size_t>(shift) << kBits) + static_cast<size_t>(value >> shift);
  ++buckets_[bucket];
  ++count_;
  max_ = std::max(max_, static_cast<int64_t>(value));
}

int64_t LatencyHistogram::percentile(double share) const {
  auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen < wanted || seen == 0) continue;
    size_t shift = bucket < (size_t{2} << kBits) ? 0 : (bucket >> kBits) - 1;
    uint64_t low = (bucket - (shift << kBits)) << shift;
    return std::min(max_, static_cast<int64_t>(low + (uint64_t{1} << shift) - 1));
  }
  return 0;
}

}  // namespace barnabas::cli
