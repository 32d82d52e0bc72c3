#include "replication/epoch_cache.h"

#include <gtest/gtest.h>

namespace barnabas::replication {
namespace {

EpochCache cache_of(std::vector<std::pair<int, int>> entries) {
  EpochCache cache;
  for (auto [epoch, start] : entries) EXPECT_TRUE(cache.assign(LeaderEpoch(epoch), Offset(start)));
  return cache;
}

EpochEndOffset answer(int epoch, int64_t end) {
  return {LeaderEpoch(epoch), Offset(end)};
}

TEST(EpochCache, TheLatestEpochEndsWhereTheLogDoes) {
  EXPECT_EQ(cache_of({{0, 0}, {2, 10}}).end_offset_of(LeaderEpoch(2), Offset(15)), answer(2, 15));
}

TEST(EpochCache, AnEpochEndsWhereTheNextBegins) {
  EXPECT_EQ(cache_of({{0, 0}, {2, 10}}).end_offset_of(LeaderEpoch(0), Offset(15)), answer(0, 10));
}

TEST(EpochCache, AnEpochInAGapIsAnsweredWithTheOneBelow) {
  EXPECT_EQ(cache_of({{0, 0}, {2, 10}}).end_offset_of(LeaderEpoch(1), Offset(15)), answer(0, 10));
}

TEST(EpochCache, UnknownEpochsHaveNoAnswer) {
  EpochCache cache = cache_of({{1, 5}, {2, 10}});
  EXPECT_EQ(cache.end_offset_of(LeaderEpoch(3), Offset(15)), answer(-1, -1));
  EXPECT_EQ(cache.end_offset_of(kNoEpoch, Offset(15)), answer(-1, -1));
  EXPECT_EQ(cache.end_offset_of(LeaderEpoch(0), Offset(15)), answer(0, 5)) << "older than all: ends where they begin";
}

TEST(EpochCache, AnEpochThatBeginsEarlierDisplacesLaterOnes) {
  EpochCache cache = cache_of({{0, 0}, {1, 10}, {2, 20}});
  EXPECT_TRUE(cache.assign(LeaderEpoch(3), Offset(15)));
  EXPECT_EQ(cache, cache_of({{0, 0}, {1, 10}, {3, 15}}));
  EXPECT_FALSE(cache.assign(LeaderEpoch(3), Offset(18)));
}

TEST(EpochCache, AnEpochWithoutRecordsIsReplacedByTheNext) {
  EpochCache cache = cache_of({{0, 0}});
  cache.assign(LeaderEpoch(1), Offset(20));
  cache.assign(LeaderEpoch(2), Offset(20));
  EXPECT_EQ(cache, cache_of({{0, 0}, {2, 20}}));
}

TEST(EpochCache, TruncationKeepsTheEpochInForce) {
  EpochCache cache = cache_of({{0, 0}, {1, 10}, {2, 20}});
  EXPECT_TRUE(cache.truncate_from_end(Offset(20)));
  EXPECT_EQ(cache.latest_epoch(), LeaderEpoch(1));
  EXPECT_FALSE(cache.truncate_from_end(Offset(20)));
  EXPECT_TRUE(cache.truncate_from_start(Offset(15)));
  EXPECT_EQ(cache, cache_of({{1, 15}}));
  EXPECT_FALSE(cache.truncate_from_start(Offset(15)));
  EXPECT_EQ(cache.epoch_of(Offset(14)), kNoEpoch);
  EXPECT_EQ(cache.epoch_of(Offset(15)), LeaderEpoch(1));
}

TEST(EpochCache, TheFileIsKafkas) {
  EpochCache cache = cache_of({{0, 0}, {2, 20}});
  EXPECT_EQ(cache.print(), "0\n2\n0 0\n2 20\n");
  EXPECT_EQ(*EpochCache::parse(cache.print()), cache);
  EXPECT_TRUE(EpochCache::parse("0\n0\n")->empty());
}

TEST(EpochCache, AGarbledFileIsRefused) {
  for (const char* text : {"", "1\n0\n", "0\n", "0\nx\n", "0\n1\n", "0\n1\n0\n", "0\n1\n0 0 0\n", "0\n2\n1 0\n0 5\n",
                           "0\n2\n0 5\n1 5\n", "0\n1\n-1 5\n", "0\n1\n0 0\n1 1\n"}) {
    EXPECT_FALSE(EpochCache::parse(text)) << text;
  }
}

}  // namespace
}  // namespace barnabas::replication
