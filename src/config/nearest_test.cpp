#include "config/nearest.h"

#include <gtest/gtest.h>

#include <string>

namespace barnabas::config {
namespace {

constexpr std::string_view kWords[] = {"linger.ms", "batch.size", "acks"};

TEST(NearestWord, IsTheOneWithTheFewestChanges) {
  EXPECT_EQ(nearest_word(kWords, "linger.mss"), "linger.ms");
  EXPECT_EQ(nearest_word(kWords, "lingre.ms"), "linger.ms") << "two letters swapped";
  EXPECT_EQ(nearest_word(kWords, "batchsize"), "batch.size");
  EXPECT_EQ(nearest_word(kWords, "ack"), "acks");
}

TEST(NearestWord, IsNoneWhenNothingIsNear) {
  EXPECT_EQ(nearest_word(kWords, "compression"), "");
  EXPECT_EQ(nearest_word(kWords, std::string(100000, 'x')), "");
  EXPECT_EQ(nearest_word({}, "acks"), "");
}

}  // namespace
}  // namespace barnabas::config
