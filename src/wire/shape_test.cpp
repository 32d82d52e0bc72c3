#include "wire/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/coordinator_record.h"
#include "wire/metadata_record.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::wire {
namespace {

using testing::HasSubstr;

template <class Message>
std::string json_of(const Message& message, int16_t version) {
  Writer out;
  EXPECT_TRUE(message.encode(out, version));
  Buffer bytes = out.take_contiguous();
  const MessageShape* shape = find_shape(Message::kName);
  if (!shape) return "";
  auto text = shape_to_json(*shape, version, bytes);
  return text ? *text : text.error().message;
}

TEST(ShapeTest, PrintsFieldsOfTheVersionInKafkasNames) {
  OffsetCommitValue value{.offset = 7, .leader_epoch = 3, .metadata = "a \"b\"", .commit_timestamp = 9};
  EXPECT_EQ(json_of(value, 3), R"({"offset":7,"leaderEpoch":3,"metadata":"a \"b\"","commitTimestamp":9})");
  value.leader_epoch = -1;
  EXPECT_EQ(json_of(value, 0), R"({"offset":7,"metadata":"a \"b\"","commitTimestamp":9})");
}

TEST(ShapeTest, ShowsTaggedFieldsWhereTheyAreDeclaredAndOnlyWhenTheyAreThere) {
  PartitionRecord record;
  record.partition_id = 1;
  record.replicas = {1, 2};
  EXPECT_THAT(json_of(record, 2), testing::Not(HasSubstr("leaderRecoveryState")));
  record.leader_recovery_state = 1;
  EXPECT_THAT(json_of(record, 2), HasSubstr(R"("leader":-1,"leaderRecoveryState":1,"leaderEpoch":-1)"));
}

TEST(ShapeTest, PrintsBytesInBase64) {
  UserScramCredentialRecord record;
  record.name = "alice";
  record.salt = {std::byte{0xff}, std::byte{0}};
  EXPECT_THAT(json_of(record, 0), HasSubstr(R"("salt":"/wA=")"));
}

TEST(ShapeTest, RefusesVersionsItDoesNotKnowAndBytesThatEnd) {
  const MessageShape* shape = find_shape("TopicRecord");
  ASSERT_NE(shape, nullptr);
  EXPECT_FALSE(shape_to_json(*shape, 9, {}));
  EXPECT_FALSE(shape_to_json(*shape, 0, {}));
  std::vector<std::byte> huge(5, std::byte{0xff});
  EXPECT_FALSE(shape_to_json(*shape, 0, huge));
}

}  // namespace
}  // namespace barnabas::wire
