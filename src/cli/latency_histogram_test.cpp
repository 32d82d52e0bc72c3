#include "cli/latency_histogram.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

TEST(LatencyHistogram, IsExactForSmallValues) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(i);
  EXPECT_EQ(histogram.percentile(0.5), 50);
  EXPECT_EQ(histogram.percentile(0.99), 99);
  EXPECT_EQ(histogram.percentile(1), 100);
  EXPECT_EQ(histogram.max(), 100);
}

TEST(LatencyHistogram, IsOffByLittleForLargeOnes) {
  for (int64_t value :
       {int64_t{127}, int64_t{128}, int64_t{129}, int64_t{1000000}, int64_t{123456789012}, INT64_MAX - 1}) {
    LatencyHistogram histogram;
    histogram.add(value);
    histogram.add(INT64_MAX);
    int64_t found = histogram.percentile(0.5);
    EXPECT_GE(found, value);
    EXPECT_LE(static_cast<double>(found), static_cast<double>(value) * 1.017) << value;
  }
}

TEST(LatencyHistogram, GivesZeroForNothing) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.99), 0);
  histogram.add(-5);
  EXPECT_EQ(histogram.percentile(0.99), 0);
  EXPECT_EQ(histogram.count(), 1u);
}

}  // namespace
}  // namespace barnabas::cli
