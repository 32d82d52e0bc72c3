#include "cli/escapes.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

TEST(Escapes, AreThoseOfKcat) {
  EXPECT_EQ(unescape(R"(a\n\r\t\\b)"), "a\n\r\t\\b");
  EXPECT_EQ(unescape(R"(\x41\x4g)"), "A\x04g");
  EXPECT_EQ(unescape(R"(\101)"), "e") << "numbers are decimal";
  EXPECT_EQ(unescape(R"(\x414)"), "\x14") << "three digits are taken, and cut to a byte";
  EXPECT_EQ(unescape(R"(\q)"), "q");
  EXPECT_EQ(unescape("end\\"), "end\\");
  EXPECT_EQ(unescape("\\0"), std::string(1, '\0'));
}

TEST(Escapes, WithoutDigitsAreRefused) {
  EXPECT_FALSE(unescape(R"(\xg)").has_value());
  EXPECT_FALSE(unescape(R"(\x)").has_value());
}

}  // namespace
}  // namespace barnabas::cli
