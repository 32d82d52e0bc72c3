// LatencyHistogram: how long things took: counts in buckets that are at most 1.6 % wide, so any number of values fits
// in 30 KiB. Values are nanoseconds; what is below 0 counts as 0. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace barnabas::cli {

class LatencyHistogram {
 public:
  void add(int64_t nanoseconds);
  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }
  // The value that `share` (0 to 1) of all are at most: the upper edge of its bucket, never above max(). 0 when empty.
  int64_t percentile(double share) const;

 private:
  static constexpr int kBits = 6;  // 64 buckets for each power of two
  std::array<uint64_t, std::size_t{64 - kBits} << kBits> buckets_{};
  uint64_t count_ = 0;
  int64_t max_ = 0;
};

}  // namespace barnabas::cli
