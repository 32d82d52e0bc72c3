#include "wire/reader.h"

#include <gtest/gtest.h>

#include "wire/writer.h"

namespace barnabas::wire {
namespace {

Buffer bytes(std::initializer_list<int> values) {
  Buffer buffer;
  for (int value : values) buffer.push_back(static_cast<std::byte>(value));
  return buffer;
}

TEST(Reader, ReadsBigEndianNumbers) {
  Buffer data = bytes({0x01, 0x02, 0xff, 0xfe, 0, 0, 1, 0});
  Reader in(data);
  EXPECT_EQ(in.int16(), 0x0102);
  EXPECT_EQ(in.int16(), -2);
  EXPECT_EQ(in.uint32(), 256U);
  EXPECT_TRUE(in.at_end());
  EXPECT_FALSE(in.failed());
}

TEST(Reader, FailsOnceAndForAll) {
  Buffer data = bytes({1, 2, 3});
  Reader in(data);
  in.int8();
  EXPECT_EQ(in.int32(), 0);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.int8(), 0) << "no byte is read after an error, although two are left";
  EXPECT_EQ(in.error("Thing", 3).message, "Thing version 3: the bytes end too early at byte 1");
}

TEST(Reader, TakesAnyNegativeLengthAsNull) {
  for (int low : {0xff, 0xfe}) {
    Buffer data = bytes({0xff, low});
    Reader in(data);
    EXPECT_EQ(in.nullable_string(false), std::nullopt);
    EXPECT_FALSE(in.failed());
  }
}

TEST(Reader, RefusesNullWhereNoneMayBe) {
  Buffer data = bytes({0});
  Reader in(data);
  in.string(true);
  EXPECT_TRUE(in.failed());
}

TEST(Reader, RefusesCompactTextOver32767Bytes) {
  Writer out;
  out.uvarint(32769);
  out.raw(Buffer(32768));
  Buffer data = out.take_contiguous();
  Reader in(data);
  in.string(true);
  EXPECT_TRUE(in.failed());
}

TEST(Reader, RefusesVarintsThatNeverEnd) {
  Buffer data(6, std::byte{0x80});
  Reader in(data);
  in.uvarint();
  EXPECT_TRUE(in.failed());
}

TEST(Reader, ReadsWhatTheWriterWroteAsVarints) {
  for (int64_t value : {0L, 1L, -1L, 63L, 64L, -64L, -65L, 300L, 2147483647L, -2147483648L, INT64_MAX, INT64_MIN}) {
    Writer out;
    out.varlong(value);
    out.varint(static_cast<int32_t>(value));
    out.uvarint(static_cast<uint32_t>(value));
    Buffer data = out.take_contiguous();
    Reader in(data);
    EXPECT_EQ(in.varlong(), value);
    EXPECT_EQ(in.varint(), static_cast<int32_t>(value));
    EXPECT_EQ(in.uvarint(), static_cast<uint32_t>(value));
    EXPECT_TRUE(in.at_end());
  }
}

TEST(Reader, CountsOnlyElementsThereAreBytesFor) {
  Buffer data = bytes({0, 0, 0, 2, 1, 2, 3});
  Reader enough(data);
  EXPECT_EQ(enough.array(false, 1), 2U);
  Reader too_few(data);
  EXPECT_EQ(too_few.array(false, 2), 0U);
  EXPECT_TRUE(too_few.failed());
}

TEST(Reader, ShowsOnlyTheBytesOfAnOpenTag) {
  Buffer data = bytes({9, 2, 0xaa, 0xbb, 0xcc});
  Reader in(data);
  auto tag = in.open_tag();
  EXPECT_EQ(tag.number, 9U);
  EXPECT_EQ(in.remaining(), 2U);
  in.rest();
  in.close_tag(tag);
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.uint8(), 0xcc);
}

TEST(Reader, StaysFailedWhenATagIsClosed) {
  Buffer data = bytes({9, 2, 0xaa, 0xbb, 0xcc});
  Reader in(data);
  auto tag = in.open_tag();
  in.int32();
  in.close_tag(tag);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.remaining(), 0U);
}

}  // namespace
}  // namespace barnabas::wire
