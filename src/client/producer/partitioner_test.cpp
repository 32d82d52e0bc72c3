#include "client/producer/partitioner.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace barnabas::client::producer {
namespace {

std::vector<int> chosen_of(std::vector<int32_t> queued, int draws) {
  std::vector<int> count(queued.size());
  for (int i = 0; i < draws; ++i) ++count[choose_by_queue(queued, static_cast<uint32_t>(i))];
  return count;
}

TEST(StickyPartitioner, EqualQueuesAreChosenEvenly) {
  EXPECT_EQ(chosen_of({4, 4, 4}, 300), (std::vector<int>{100, 100, 100}));
}

// KIP-794: queues of 0, 3 and 1 batches get weights 4, 1 and 3.
TEST(StickyPartitioner, ShorterQueuesAreChosenMoreOften) {
  EXPECT_EQ(chosen_of({0, 3, 1}, 800), (std::vector<int>{400, 100, 300}));
}

TEST(StickyPartitioner, AnyRandomNumberIsTaken) {
  EXPECT_LT(choose_by_queue(std::array{1, 2}, 0xffffffff), 2u);
  EXPECT_EQ(choose_by_queue(std::array{5}, 0x80000000), 0u);
}

TEST(StickyPartitioner, ChangesAfterBatchSizeButNotWithABatchBegun) {
  EXPECT_FALSE(sticky_is_over(999, 1000, true));
  EXPECT_TRUE(sticky_is_over(1000, 1000, true));
  EXPECT_FALSE(sticky_is_over(1999, 1000, false));
  EXPECT_TRUE(sticky_is_over(2000, 1000, false));
}

}  // namespace
}  // namespace barnabas::client::producer
