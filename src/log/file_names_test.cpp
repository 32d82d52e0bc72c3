#include "log/file_names.h"

#include <gtest/gtest.h>

namespace barnabas::log {
namespace {

TEST(FileNames, OffsetsHaveTwentyDigits) {
  EXPECT_EQ(file_name(Offset(777), kLogSuffix), "00000000000000000777.log");
  EXPECT_EQ(file_name(Offset(INT64_MAX), kTimeIndexSuffix), "09223372036854775807.timeindex");
}

TEST(FileNames, ANameTellsItsOffsetAndAllOfItsSuffix) {
  std::optional<FileName> parsed = parse_file_name("00000000000000000012.index.deleted");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->base, Offset(12));
  EXPECT_EQ(parsed->suffix, ".index.deleted");
}

TEST(FileNames, OtherFilesAreNotSegments) {
  EXPECT_FALSE(parse_file_name("leader-epoch-checkpoint"));
  EXPECT_FALSE(parse_file_name("00000000000000000012"));
  EXPECT_FALSE(parse_file_name("0000000000000000001x.log"));
  EXPECT_FALSE(parse_file_name("-0000000000000000001.log"));
  EXPECT_FALSE(parse_file_name("00000000000000000351-0000000001.checkpoint"));
}

}  // namespace
}  // namespace barnabas::log
