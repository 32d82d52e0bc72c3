#include "runtime/random.h"

#include <gtest/gtest.h>

namespace barnabas::runtime {
namespace {

struct Counting final : Random {
  uint64_t state = 0;
  uint64_t next() override { return state += 0x9e3779b97f4a7c15ULL; }
};

TEST(Random, UuidsAreVersionFourAndNeverBeginWithADash) {
  Counting random;
  for (int i = 0; i < 10'000; ++i) {
    Uuid id = random.uuid();
    EXPECT_EQ(id.to_hex()[12], '4');
    EXPECT_NE(std::string("89ab").find(id.to_hex()[16]), std::string::npos);
    EXPECT_NE(id.to_string()[0], '-');
  }
}

TEST(Random, BelowStaysBelow) {
  Counting random;
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(7), 7u);
}

}  // namespace
}  // namespace barnabas::runtime
