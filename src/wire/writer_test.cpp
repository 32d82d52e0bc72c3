#include "wire/writer.h"

#include <gtest/gtest.h>

#include "wire/reader.h"

namespace barnabas::wire {
namespace {

TEST(Writer, CopiesSmallPayloadsAndKeepsLargeOnes) {
  Payload small = Payload::own(Buffer(Writer::kExternalFrom - 1));
  Payload large = Payload::own(Buffer(Writer::kExternalFrom));
  Writer out;
  out.records(small, false);
  out.records(large, false);
  out.int8(1);
  auto segments = out.take();
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[0].size(), 4 + small.size() + 4);
  EXPECT_EQ(segments[1].bytes.data(), large.bytes.data());
  EXPECT_EQ(segments[2].size(), 1U);
}

TEST(Writer, MovesATaggedFieldOverWhenItsLengthNeedsMoreBytes) {
  for (size_t size : {0UL, 1UL, 127UL, 128UL, 16383UL, 16384UL, 70000UL}) {
    Writer out;
    auto tag = out.open_tag(3);
    out.raw(Buffer(size, std::byte{7}));
    out.close_tag(tag);
    out.int8(9);
    Buffer data = out.take_contiguous();
    Reader in(data);
    auto back = in.open_tag();
    EXPECT_EQ(back.number, 3U);
    EXPECT_EQ(in.rest().size(), size);
    in.close_tag(back);
    EXPECT_EQ(in.int8(), 9);
    EXPECT_TRUE(in.at_end());
  }
}

TEST(Writer, FillsAHoleEvenBehindAnExternalPayload) {
  Writer out;
  auto hole = out.hole_int32();
  out.records(Payload::own(Buffer(5000)), false);
  out.patch_int32(hole, 77);
  Buffer data = out.take_contiguous();
  EXPECT_EQ(load_be<int32_t>(data.data()), 77);
  EXPECT_EQ(data.size(), 4 + 4 + 5000U);
}

TEST(Writer, KeepsItsFirstError) {
  Writer out;
  out.nullable_string(std::nullopt, false, false);
  out.fail("second");
  ASSERT_FALSE(out.status());
  EXPECT_EQ(out.status().error().message, "a string may not be null in this version");
}

TEST(Writer, RefusesTextOver32767Bytes) {
  Writer out;
  out.string(std::string(32768, 'x'), true);
  EXPECT_TRUE(out.failed());
}

TEST(Writer, IsEmptyAfterItsBytesAreTaken) {
  Writer out;
  out.int32(1);
  EXPECT_EQ(out.take_contiguous().size(), 4U);
  EXPECT_EQ(out.size(), 0U);
  EXPECT_TRUE(out.take().empty());
}

}  // namespace
}  // namespace barnabas::wire
