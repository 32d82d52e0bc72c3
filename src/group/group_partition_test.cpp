#include "group/group_partition.h"

#include <gtest/gtest.h>

namespace barnabas::group {
namespace {

TEST(GroupPartition, HashesAsJavaDoes) {
  EXPECT_EQ(java_string_hash(""), 0);
  EXPECT_EQ(java_string_hash("a"), 97);
  EXPECT_EQ(java_string_hash("hello"), 99162322);
  EXPECT_EQ(java_string_hash("polygenelubricants"), INT32_MIN);
}

TEST(GroupPartition, HashesUtf16UnitsNotBytes) {
  EXPECT_EQ(java_string_hash("ä"), 0xE4);
  // U+1F600 is the surrogate pair D83D DE00.
  EXPECT_EQ(java_string_hash("\U0001F600"), 0xD83D * 31 + 0xDE00);
  EXPECT_EQ(utf16_length("aä\U0001F600"), 4);
}

TEST(GroupPartition, TakesIllFormedTextAsReplacementCharacters) {
  EXPECT_EQ(java_string_hash("\xff"), 0xFFFD);
  EXPECT_EQ(utf16_length("\xe2\x82"), 1);
  EXPECT_EQ(utf16_length("\xc0\x80"), 2);
}

TEST(GroupPartition, IsTheAbsoluteHashModuloTheCount) {
  EXPECT_EQ(partition_for("hello", 50), 99162322 % 50);
  EXPECT_EQ(partition_for("polygenelubricants", 50), 0) << "abs(MIN) is 0";
  // As the golden directories have them, with 3 partitions.
  EXPECT_EQ(partition_for("g-classic", 3), 1);
  EXPECT_EQ(partition_for("g-simple", 3), 1);
  EXPECT_EQ(partition_for("g-txn", 3), 2);
  EXPECT_EQ(partition_for("g-deleted", 3), 2);
  EXPECT_EQ(partition_for("g-consumer", 3), 0);
}

}  // namespace
}  // namespace barnabas::group
