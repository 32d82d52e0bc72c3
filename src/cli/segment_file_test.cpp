#include "cli/segment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/coordinator_record.h"
#include "wire/metadata_record.h"

namespace barnabas::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(DecodeRecordTest, ShowsAMetadataRecordByNameAndFields) {
  wire::FeatureLevelRecord record;
  record.name = "metadata.version";
  record.feature_level = 30;
  Buffer value = wire::encode_metadata_record(record, 0);
  auto decoded = decode_record(Decoder::kMetadata, std::nullopt, BytesView(value), 3);
  EXPECT_FALSE(decoded.key);
  EXPECT_EQ(decoded.value,
            R"({"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"metadata.version","featureLevel":30}})");
}

TEST(DecodeRecordTest, ShowsWhatAGroupCommittedAndForgot) {
  auto key = wire::encode_coordinator_key(wire::OffsetCommitKey{.group = "g", .topic = "t", .partition = 2});
  ASSERT_TRUE(key);
  auto gone = decode_record(Decoder::kGroups, BytesView(*key), std::nullopt, 0);
  EXPECT_EQ(gone.key, R"({"type":"1","data":{"group":"g","topic":"t","partition":2}})");
  EXPECT_EQ(gone.value, "<DELETE>");
  auto value = wire::encode_coordinator_value(wire::OffsetCommitValue{.offset = 7}, 3);
  ASSERT_TRUE(value);
  auto there = decode_record(Decoder::kGroups, BytesView(*key), BytesView(*value), 0);
  EXPECT_THAT(*there.value, StartsWith(R"({"version":"3","data":{"offset":7,)"));
}

TEST(DecodeRecordTest, SaysWhatItCannotRead) {
  std::byte odd[] = {std::byte{0x67}, std::byte{0x30}};
  auto unknown = decode_record(Decoder::kGroups, BytesView(odd), std::nullopt, 9);
  EXPECT_EQ(unknown.key, "Unknown record type 26416 at offset 9, skipping.");
  EXPECT_FALSE(unknown.value);
  EXPECT_THAT(*decode_record(Decoder::kMetadata, std::nullopt, BytesView(odd), 4).value, HasSubstr("Error at 4"));
  EXPECT_THAT(*decode_record(Decoder::kMetadata, std::nullopt, std::nullopt, 4).value, HasSubstr("Error at 4"));
  EXPECT_THAT(*decode_record(Decoder::kTransactions, std::nullopt, std::nullopt, 4).key, HasSubstr("missing key"));
}

TEST(DecoderForTest, GoesByTheTopicOfTheDirectory) {
  EXPECT_EQ(decoder_for("/data/__consumer_offsets-12/00000000000000000000.log"), Decoder::kGroups);
  EXPECT_EQ(decoder_for("/data/__cluster_metadata-0/00000000000000000000.log"), Decoder::kMetadata);
  EXPECT_EQ(decoder_for("/data/orders-0/00000000000000000000.log"), Decoder::kNone);
}

}  // namespace
}  // namespace barnabas::cli
