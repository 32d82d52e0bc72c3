// What can be asked of a partition's log besides its records: ListOffsets, OffsetForLeaderEpoch, DeleteRecords,
// DescribeProducers, DescribeLogDirs.

#include <gtest/gtest.h>

#include <limits>

#include "broker/testing/test_broker.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::KafkaError;
using ListedOffset = wire::ListOffsetsResponse::ListOffsetsPartitionResponse;

struct OffsetsTest : ::testing::Test {
  OffsetsTest() {
    broker.create_topic("t", 2);
    broker.produce("t", 0, {"a", "b", "c"});
  }

  static wire::ListOffsetsRequest list_request(int64_t timestamp, const std::string& topic = "t",
                                               int32_t partition = 0) {
    wire::ListOffsetsRequest request;
    request.replica_id = -1;
    auto& row = request.topics.emplace_back();
    row.name = topic;
    auto& part = row.partitions.emplace_back();
    part.partition_index = partition;
    part.timestamp = timestamp;
    return request;
  }
  ListedOffset list(int64_t timestamp, int16_t version = 11) {
    return broker.ask<wire::ListOffsetsResponse>(list_request(timestamp), version).topics.at(0).partitions.at(0);
  }
  wire::DeleteRecordsResponse::DeleteRecordsPartitionResult remove(int64_t offset, const std::string& topic = "t") {
    wire::DeleteRecordsRequest request;
    auto& row = request.topics.emplace_back();
    row.name = topic;
    row.partitions.emplace_back().offset = offset;
    return broker.ask<wire::DeleteRecordsResponse>(request).topics.at(0).partitions.at(0);
  }

  TestBroker broker;
};

TEST_F(OffsetsTest, SpecialTimestampsNameTheEndsOfTheLog) {
  auto latest = list(-1);
  EXPECT_EQ(latest.error_code, KafkaError::kNone);
  EXPECT_EQ(latest.offset, 3);
  EXPECT_EQ(latest.timestamp, -1);
  EXPECT_EQ(latest.leader_epoch, 0);
  EXPECT_EQ(list(-2).offset, 0);
  EXPECT_EQ(list(-3).offset, 0);  // the first of those with the largest timestamp
  EXPECT_GT(list(-3).timestamp, 0);
  EXPECT_EQ(list(-4).offset, 0);
  EXPECT_EQ(list(-5).offset, -1);
  EXPECT_EQ(list(-5).error_code, KafkaError::kNone);
  EXPECT_EQ(list(-6).offset, -1);
}

TEST_F(OffsetsTest, SpecialTimestampsAreRefusedBelowTheirVersion) {
  EXPECT_EQ(list(-3, 6).error_code, KafkaError::kUnsupportedVersion);
  EXPECT_EQ(list(-3, 7).error_code, KafkaError::kNone);
  EXPECT_EQ(list(-4, 7).error_code, KafkaError::kUnsupportedVersion);
  EXPECT_EQ(list(-5, 8).error_code, KafkaError::kUnsupportedVersion);
  EXPECT_EQ(list(-6, 10).error_code, KafkaError::kUnsupportedVersion);
  EXPECT_EQ(list(-7).error_code, KafkaError::kUnsupportedVersion);
}

TEST_F(OffsetsTest, AnUnknownSpecialTimestampCountsBeforeAnUnknownTopic) {
  auto error = [this](int64_t timestamp, int16_t version) {
    auto request = list_request(timestamp);
    request.topics.at(0).name = "nowhere";
    return broker.ask<wire::ListOffsetsResponse>(request, version).topics.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(error(-7, 11), KafkaError::kUnsupportedVersion);
  EXPECT_EQ(error(-3, 6), KafkaError::kUnsupportedVersion);
  EXPECT_EQ(error(std::numeric_limits<int64_t>::min(), 11), KafkaError::kUnsupportedVersion);
  EXPECT_EQ(error(-3, 7), KafkaError::kUnknownTopicOrPartition);
}

TEST_F(OffsetsTest, TimestampFindsTheFirstRecordThatIsNotOlder) {
  auto first = list(0);
  EXPECT_EQ(first.offset, 0);
  EXPECT_GT(first.timestamp, 0);
  auto beyond = list(INT64_MAX);
  EXPECT_EQ(beyond.error_code, KafkaError::kNone);
  EXPECT_EQ(beyond.offset, -1);
  EXPECT_EQ(beyond.timestamp, -1);
  EXPECT_EQ(beyond.leader_epoch, -1);
}

TEST_F(OffsetsTest, UnknownTopicsAndPartitionsAreSaidToBe) {
  for (const auto& request : {list_request(-1, "unknown"), list_request(-1, "t", 9), list_request(-1, "t", -1)}) {
    auto row = broker.ask<wire::ListOffsetsResponse>(request).topics.at(0).partitions.at(0);
    EXPECT_EQ(row.error_code, KafkaError::kUnknownTopicOrPartition);
    EXPECT_EQ(row.offset, -1);
  }
}

TEST_F(OffsetsTest, PartitionNamedTwiceIsRefusedOnce) {
  auto request = list_request(-1);
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  auto& other = request.topics[0].partitions.emplace_back();
  other.partition_index = 1;
  other.timestamp = -1;
  auto rows = broker.ask<wire::ListOffsetsResponse>(request).topics.at(0).partitions;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(rows[1].error_code, KafkaError::kNone);
}

TEST_F(OffsetsTest, LeaderEpochOfTheFutureIsUnknown) {
  auto request = list_request(-1);
  request.topics[0].partitions[0].current_leader_epoch = 5;
  auto row = broker.ask<wire::ListOffsetsResponse>(request).topics.at(0).partitions.at(0);
  EXPECT_EQ(row.error_code, KafkaError::kUnknownLeaderEpoch);
}

TEST_F(OffsetsTest, WhoeverSaysItIsAReplicaIsAnsweredToo) {
  for (int32_t replica : {1, 77, -2}) {
    auto request = list_request(-1);
    request.replica_id = replica;
    EXPECT_EQ(broker.ask<wire::ListOffsetsResponse>(request).topics.at(0).partitions.at(0).offset, 3) << replica;
  }
}

TEST_F(OffsetsTest, EpochEndsWhereTheLogEnds) {
  auto ask = [this](int32_t epoch, const std::string& topic = "t") {
    wire::OffsetForLeaderEpochRequest request;
    auto& row = request.topics.emplace_back();
    row.topic = topic;
    row.partitions.emplace_back().leader_epoch = epoch;
    return broker.ask<wire::OffsetForLeaderEpochResponse>(request).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(ask(0).leader_epoch, 0);
  EXPECT_EQ(ask(0).end_offset, 3);
  for (int32_t unknown : {7, -1}) {
    EXPECT_EQ(ask(unknown).error_code, KafkaError::kNone);
    EXPECT_EQ(ask(unknown).leader_epoch, -1);
    EXPECT_EQ(ask(unknown).end_offset, -1);
  }
  EXPECT_EQ(ask(0, "unknown").error_code, KafkaError::kUnknownTopicOrPartition);
}

TEST_F(OffsetsTest, RecordsCanBeDeletedUpToTheHighWatermark) {
  EXPECT_EQ(remove(2).low_watermark, 2);
  EXPECT_EQ(list(-2).offset, 2);
  auto below = remove(1);
  EXPECT_EQ(below.error_code, KafkaError::kNone);
  EXPECT_EQ(below.low_watermark, 2);
  EXPECT_EQ(remove(4).error_code, KafkaError::kOffsetOutOfRange);
  EXPECT_EQ(remove(4).low_watermark, -1);
  EXPECT_EQ(remove(-2).error_code, KafkaError::kOffsetOutOfRange);
  EXPECT_EQ(remove(-1).low_watermark, 3);
}

TEST_F(OffsetsTest, RecordsOfSomeTopicsCannotBeDeleted) {
  EXPECT_EQ(remove(0, "unknown").error_code, KafkaError::kUnknownTopicOrPartition);
  broker.start_groups();
  EXPECT_EQ(remove(0, "__consumer_offsets").error_code, KafkaError::kInvalidTopicException);
  broker.create_topic("compacted", 1, {{"cleanup.policy", "compact"}});
  EXPECT_EQ(remove(0, "compacted").error_code, KafkaError::kPolicyViolation);
}

TEST_F(OffsetsTest, ProducersOfAPartitionAreTold) {
  wire::DescribeProducersRequest request;
  auto& row = request.topics.emplace_back();
  row.name = "t";
  row.partition_indexes = {0, 9};
  auto partitions = broker.ask<wire::DescribeProducersResponse>(request).topics.at(0).partitions;
  EXPECT_EQ(partitions.at(0).error_code, KafkaError::kNone);
  EXPECT_TRUE(partitions.at(0).active_producers.empty());
  EXPECT_EQ(partitions.at(1).error_code, KafkaError::kUnknownTopicOrPartition);
}

TEST_F(OffsetsTest, LogDirectoriesShowWhatIsInThem) {
  wire::DescribeLogDirsRequest request;
  request.topics.reset();
  auto all = broker.ask<wire::DescribeLogDirsResponse>(request);
  ASSERT_EQ(all.results.size(), 1u);
  EXPECT_EQ(all.results[0].log_dir, "/data");
  ASSERT_EQ(all.results[0].topics.size(), 1u);
  EXPECT_EQ(all.results[0].topics[0].partitions.size(), 2u);
  EXPECT_GT(all.results[0].topics[0].partitions[0].partition_size, 0);
  EXPECT_EQ(all.results[0].topics[0].partitions[0].offset_lag, 0);
  auto& only = request.topics.emplace().emplace_back();
  only.topic = "t";
  only.partitions = {1};
  auto one = broker.ask<wire::DescribeLogDirsResponse>(request);
  EXPECT_EQ(one.results.at(0).topics.at(0).partitions.at(0).partition_index, 1);
  request.topics.emplace();
  EXPECT_TRUE(broker.ask<wire::DescribeLogDirsResponse>(request).results.at(0).topics.empty());
}

wire::InitProducerIdRequest idempotent() {
  wire::InitProducerIdRequest request;
  request.transactional_id.reset();
  return request;
}

TEST(InitProducerId, GivesANewIdEachTime) {
  TestBroker broker;
  auto request = idempotent();
  auto first = broker.ask<wire::InitProducerIdResponse>(request, 5);
  EXPECT_EQ(first.error_code, KafkaError::kNone);
  EXPECT_EQ(first.producer_epoch, 0);
  request.producer_id = first.producer_id;
  request.producer_epoch = 0;
  auto second = broker.ask<wire::InitProducerIdResponse>(request, 5);
  EXPECT_NE(second.producer_id, first.producer_id);
  EXPECT_EQ(second.producer_epoch, 0);
}

TEST(InitProducerId, WillNotBeginTransactions) {
  TestBroker broker;
  auto request = idempotent();
  request.transactional_id = "";
  EXPECT_EQ(broker.ask<wire::InitProducerIdResponse>(request, 5).error_code, KafkaError::kInvalidRequest);
  request.transactional_id = "t";
  auto refused = broker.ask<wire::InitProducerIdResponse>(request, 5);
  EXPECT_EQ(refused.error_code, KafkaError::kUnsupportedVersion);
  EXPECT_EQ(refused.producer_id, -1);
  EXPECT_EQ(refused.producer_epoch, -1);
}

TEST(InitProducerId, WantsAnEarlierIdWholeOrNotAtAll) {
  TestBroker broker;
  auto request = idempotent();
  request.producer_id = 5;
  EXPECT_EQ(broker.ask<wire::InitProducerIdResponse>(request, 5).error_code, KafkaError::kInvalidRequest);
}

}  // namespace
}  // namespace barnabas::broker
