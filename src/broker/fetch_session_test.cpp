#include "broker/fetch_session.h"

#include <gtest/gtest.h>

namespace barnabas::broker {
namespace {

constexpr int32_t kNew = 0;
constexpr int32_t kSessionless = -1;

FetchPosition position(int32_t partition, int64_t offset = 0) {
  return {.target = {"topic", kZeroUuid, partition}, .fetch_offset = offset, .max_bytes = 1000};
}

FetchOutcome quiet(int64_t high_watermark) {
  return {.high_watermark = high_watermark, .log_start_offset = 0};
}
FetchOutcome records(int64_t high_watermark) {
  return {.has_records = true, .high_watermark = high_watermark, .log_start_offset = 0};
}

struct Session : testing::Test {
  FetchSessionCache cache{2};
  MonotonicTime now{};

  FetchContext open(std::vector<FetchPosition> partitions, uint64_t random = 77) {
    auto context =
        cache.begin({.session_id = 0, .session_epoch = kNew, .partitions = std::move(partitions)}, now, random);
    cache.finish(context, std::vector<FetchOutcome>(context.partitions.size(), quiet(5)), now);
    return context;
  }
  FetchContext next(int32_t id, int32_t epoch, std::vector<FetchPosition> changed = {},
                    std::vector<FetchTarget> forgotten = {}) {
    return cache.begin(
        {.session_id = id, .session_epoch = epoch, .partitions = std::move(changed), .forgotten = std::move(forgotten)},
        now, 1);
  }
};

TEST_F(Session, AnIncrementalFetchReadsAllPartitionsAndAnswersOnlyNews) {
  auto opened = open({position(0), position(1)});
  ASSERT_NE(opened.session_id, 0);
  EXPECT_TRUE(opened.full);
  auto fetch = next(opened.session_id, 1);
  ASSERT_EQ(fetch.partitions.size(), 2u);
  EXPECT_EQ(cache.finish(fetch, {quiet(5), records(6)}, now), (std::vector<bool>{false, true}));
}

TEST_F(Session, ANewHighWatermarkIsNews) {
  auto opened = open({position(0)});
  auto fetch = next(opened.session_id, 1);
  EXPECT_TRUE(cache.finish(fetch, {quiet(6)}, now)[0]);
  fetch = next(opened.session_id, 2);
  EXPECT_FALSE(cache.finish(fetch, {quiet(6)}, now)[0]);
}

TEST_F(Session, AnErrorIsSentAgainUntilThePartitionIsHealthy) {
  auto opened = open({position(0)});
  FetchOutcome broken{.has_error = true};
  for (int32_t epoch = 1; epoch <= 3; ++epoch) {
    auto fetch = next(opened.session_id, epoch);
    EXPECT_TRUE(cache.finish(fetch, {broken}, now)[0]);
  }
  auto fetch = next(opened.session_id, 4);
  EXPECT_TRUE(cache.finish(fetch, {quiet(5)}, now)[0]) << "the client must learn that it is well again";
}

TEST_F(Session, WhoGotRecordsIsReadLastTheNextTime) {
  auto opened = open({position(0), position(1)});
  auto fetch = next(opened.session_id, 1);
  cache.finish(fetch, {records(6), quiet(5)}, now);
  fetch = next(opened.session_id, 2);
  EXPECT_EQ(fetch.partitions[0].target.partition, 1);
}

TEST_F(Session, WrongEpochsAreRefusedAndTheSessionLives) {
  auto opened = open({position(0)});
  EXPECT_EQ(next(opened.session_id, 7).error, wire::KafkaError::kInvalidFetchSessionEpoch);
  EXPECT_EQ(next(opened.session_id, 1).error, wire::KafkaError::kNone);
}

TEST_F(Session, UnknownIdsAreRefused) {
  EXPECT_EQ(next(4711, 1).error, wire::KafkaError::kFetchSessionIdNotFound);
  EXPECT_EQ(next(0, 5).error, wire::KafkaError::kFetchSessionIdNotFound);
}

TEST_F(Session, ForgettingTheLastPartitionEndsTheSession) {
  auto opened = open({position(0)});
  auto fetch = next(opened.session_id, 1, {}, {{"topic", kZeroUuid, 0}});
  EXPECT_EQ(fetch.session_id, 0);
  EXPECT_TRUE(fetch.partitions.empty());
  EXPECT_EQ(next(opened.session_id, 2).error, wire::KafkaError::kFetchSessionIdNotFound);
}

TEST_F(Session, TopicIdsAndNamesDoNotMix) {
  auto opened = open({position(0)});
  auto mixed = cache.begin({.session_id = opened.session_id, .session_epoch = 1, .uses_topic_ids = true}, now, 1);
  EXPECT_EQ(mixed.error, wire::KafkaError::kFetchSessionTopicIdError);
}

TEST_F(Session, EpochZeroOfAKnownSessionReplacesIt) {
  auto opened = open({position(0)});
  auto again =
      cache.begin({.session_id = opened.session_id, .session_epoch = kNew, .partitions = {position(0)}}, now, 99);
  EXPECT_NE(again.session_id, opened.session_id);
  EXPECT_EQ(next(opened.session_id, 1).error, wire::KafkaError::kFetchSessionIdNotFound);
}

TEST_F(Session, SessionlessFetchesLeaveNothingBehind) {
  auto fetch = cache.begin({.session_id = 0, .session_epoch = kSessionless, .partitions = {position(0)}}, now, 1);
  EXPECT_EQ(fetch.session_id, 0);
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(Session, AFullCacheServesWithoutSessionUntilOneIsIdleForTwoMinutes) {
  open({position(0)}, 1);
  open({position(0)}, 2);
  EXPECT_EQ(open({position(0)}, 3).session_id, 0);
  now = now + seconds(121);
  EXPECT_NE(open({position(0)}, 4).session_id, 0);
  EXPECT_EQ(cache.size(), 2u);
}

}  // namespace
}  // namespace barnabas::broker
