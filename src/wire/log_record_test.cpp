// Records of the metadata log and of the coordinators' logs.
#include <gtest/gtest.h>

#include "wire/coordinator_record.h"
#include "wire/kafka_error.h"
#include "wire/metadata_record.h"

namespace barnabas::wire {
namespace {

Buffer bytes(std::initializer_list<int> values) {
  Buffer buffer;
  for (int value : values) buffer.push_back(static_cast<std::byte>(value));
  return buffer;
}

TEST(MetadataRecord, IsFrameTypeVersionAndFields) {
  FeatureLevelRecord record;
  record.name = "group.version";
  record.feature_level = 1;
  Buffer data = encode_metadata_record(record, 0);
  EXPECT_EQ(to_hex(data), "010c000e67726f75702e76657273696f6e000100");
  auto back = decode_metadata_record(data);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, MetadataRecord(record));
  EXPECT_EQ(metadata_record_name(*back), "FeatureLevelRecord");
}

TEST(MetadataRecord, OfUnknownTypeFrameOrVersionIsRefusedByNumber) {
  EXPECT_EQ(decode_metadata_record(bytes({1, 99, 0})).error().message, "metadata record has unknown type 99");
  EXPECT_EQ(decode_metadata_record(bytes({2, 12, 0})).error().message, "metadata record has frame version 2, not 1");
  EXPECT_EQ(decode_metadata_record(bytes({1, 12, 5})).error().message, "FeatureLevelRecord has no version 5");
  EXPECT_FALSE(decode_metadata_record(bytes({1, 12, 0xff, 0xff, 0x7f})));
}

TEST(MetadataRecord, WithBytesLeftOverIsRefused) {
  EXPECT_TRUE(decode_metadata_record(bytes({1, 20, 0, 0})));
  EXPECT_EQ(decode_metadata_record(bytes({1, 20, 0, 0, 9})).error().message, "1 bytes are left after NoOpRecord");
}

TEST(MetadataRecord, CutShortIsRefused) {
  for (auto cut : {bytes({}), bytes({1}), bytes({1, 20}), bytes({1, 20, 0})}) EXPECT_FALSE(decode_metadata_record(cut));
}

TEST(CoordinatorRecord, KeyIsTypeAndFields) {
  OffsetCommitKey key;
  key.group = "g";
  key.topic = "t";
  key.partition = 3;
  auto data = encode_coordinator_key(key);
  ASSERT_TRUE(data);
  EXPECT_EQ(to_hex(*data),
            "0001"
            "000167"
            "000174"
            "00000003");
  auto back = decode_group_key(*data);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, GroupCoordinatorKey(key));
  EXPECT_EQ(record_type(*back), 1);
}

TEST(CoordinatorRecord, ValueIsVersionAndFields) {
  OffsetCommitValue value;
  value.offset = 5;
  value.metadata = "m";
  value.commit_timestamp = 9;
  auto data = encode_coordinator_value(value, 3);
  ASSERT_TRUE(data);
  auto back = decode_group_value(OffsetCommitKey::kRecordType, *data);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, GroupCoordinatorValue(value));
}

TEST(CoordinatorRecord, OfUnknownTypeSaysSo) {
  auto key = decode_group_key(bytes({0, 77, 1, 2, 3}));
  ASSERT_TRUE(key);
  EXPECT_EQ(*key, GroupCoordinatorKey(UnknownRecord{77}));
  auto value = decode_group_value(77, bytes({0, 0, 1}));
  ASSERT_TRUE(value);
  EXPECT_EQ(record_type(*value), 77);
}

TEST(CoordinatorRecord, CutShortIsRefused) {
  EXPECT_FALSE(decode_group_key(bytes({0})));
  EXPECT_FALSE(decode_group_key(bytes({0, 1, 0})));
  EXPECT_FALSE(decode_group_value(1, bytes({0, 1, 0})));
}

TEST(KafkaErrors, KnowTheirNames) {
  EXPECT_EQ(kafka_error_name(KafkaError::kNotLeaderOrFollower), "NOT_LEADER_OR_FOLLOWER");
  EXPECT_EQ(kafka_error_name(KafkaError::kUnknownServerError), "UNKNOWN_SERVER_ERROR");
  EXPECT_TRUE(is_retriable(KafkaError::kNotCoordinator));
  EXPECT_FALSE(is_retriable(KafkaError::kInvalidRequest));
  EXPECT_TRUE(wants_fresh_metadata(KafkaError::kUnknownTopicId));
  EXPECT_EQ(static_cast<int>(KafkaError::kControllerIdNotRegistered), 136);
}

TEST(KafkaErrors, OfTheFutureSurvive) {
  auto future = static_cast<KafkaError>(500);
  EXPECT_EQ(kafka_error_name(future), "UNKNOWN");
  EXPECT_EQ(static_cast<int16_t>(future), 500);
}

}  // namespace
}  // namespace barnabas::wire
