#include <gtest/gtest.h>

#include <cerrno>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"

namespace barnabas {
namespace {

TEST(Uuid, TextFormIsKafkas) {
  EXPECT_EQ(kMetadataTopicId.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_EQ(kZeroUuid.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
}

TEST(Uuid, ParsesWhatItPrints) {
  Uuid id{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  auto parsed = Uuid::parse(id.to_string());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, id);
  EXPECT_EQ(id.to_hex(), "0123456789abcdeffedcba9876543210");
}

TEST(Uuid, RefusesWrongLengthAndCharacters) {
  EXPECT_FALSE(Uuid::parse("short").has_value());
  EXPECT_FALSE(Uuid::parse("AAAAAAAAAAAAAAAAAAAA+Q").has_value());
}

TEST(Result, BeingShortOfDescriptorsIsNotAFailedDevice) {
  EXPECT_EQ(os_error(EMFILE, "open x").code, ErrorCode::kBusy);
  EXPECT_EQ(os_error(ENFILE, "open x").code, ErrorCode::kBusy);
  EXPECT_EQ(os_error(EIO, "read x").code, ErrorCode::kIo);
}

TEST(Bytes, BigEndianRoundTrip) {
  std::byte raw[8];
  store_be<int64_t>(raw, -2);
  EXPECT_EQ(to_hex(raw), "fffffffffffffffe");
  EXPECT_EQ(load_be<int64_t>(raw), -2);
  store_be<uint16_t>(raw, 0x1234);
  EXPECT_EQ(to_hex(BytesView(raw, 2)), "1234");
}

TEST(Ids, OffsetsCompareAndStep) {
  EXPECT_LT(Offset(3), Offset(4));
  EXPECT_EQ(Offset(3).next().value, 4);
  EXPECT_EQ(Offset(9) - Offset(4), 5);
}

}  // namespace
}  // namespace barnabas
