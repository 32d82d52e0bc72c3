#include "config/properties.h"

#include <gtest/gtest.h>

#include <random>

namespace barnabas::config {
namespace {

using Entries = std::vector<Property>;

Entries parse(std::string_view text) {
  const auto parsed = Properties::parse(text);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? parsed->entries() : Entries{};
}

TEST(Properties, EqualsColonAndSpaceSeparate) {
  const Entries expected{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "= 4", 4}, {"e", "", 5}};
  EXPECT_EQ(parse("a=1\nb : 2\nc 3\nd == 4\ne\n"), expected);
}

TEST(Properties, CommentsAndBlankLinesAreSkippedAndCounted) {
  const Entries expected{{"a", "1", 5}};
  EXPECT_EQ(parse("# x=1\n\n  ! y=2 \\\n\t\f\n  a=1"), expected);
}

TEST(Properties, AnOddBackslashContinuesTheLine) {
  const Entries expected{{"list", "a,b,c", 1}, {"path", "c:\\", 4}, {"next", "1", 5}};
  EXPECT_EQ(parse("list=a,\\\n   b,\\\r\n\tc\npath=c:\\\\\nnext=1\\"), expected);
}

TEST(Properties, EveryLineEndCounts) {
  const Entries expected{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}};
  EXPECT_EQ(parse("a=1\rb=2\r\nc=3\n"), expected);
}

TEST(Properties, EscapesAreResolvedInKeysAndValues) {
  const Entries expected{{"a b=c", "\t\n\xC3\xA4\xF0\x9F\x98\x80z", 1}};
  EXPECT_EQ(parse("a\\ b\\=c=\\t\\n\\u00E4\\ud83d\\ude00\\z"), expected);
}

TEST(Properties, ALoneSurrogateBecomesTheReplacementCharacter) {
  EXPECT_EQ(parse("a=\\ud83dx")[0].value, "\xEF\xBF\xBDx");
  EXPECT_EQ(parse("a=\\ude00")[0].value, "\xEF\xBF\xBD");
}

TEST(Properties, AMalformedUnicodeEscapeIsAnErrorWithItsLine) {
  const auto parsed = Properties::parse("a=1\nb=\\u12g4\n");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_TRUE(parsed.error().message.starts_with("line 2:")) << parsed.error().message;
}

TEST(Properties, BytesAreUtf8IfTheyCanBeElseLatin1) {
  EXPECT_EQ(parse("a=\xC3\xA4")[0].value, "\xC3\xA4");
  EXPECT_EQ(parse("a=\xE4")[0].value, "\xC3\xA4");
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a=1")[0]
                .key,
            "a");
}

TEST(Properties, TheLastOfAKeyWinsAndTheOthersAreRemembered) {
  const auto parsed = Properties::parse("a=1\nb=2\na=3\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->find("a")->value, "3");
  const Entries replaced{{"a", "1", 1}};
  EXPECT_EQ(parsed->replaced(), replaced);
  EXPECT_EQ(parsed->find("c"), nullptr);
}

TEST(Properties, TrailingBlanksStayAsInJava) {
  EXPECT_EQ(parse("a=1  \n")[0].value, "1  ");
}

TEST(Properties, AnOverrideIsKeyEqualsValue) {
  const Property expected{"log.dirs", "/a=b", 0};
  EXPECT_EQ(parse_override("log.dirs = /a=b"), expected);
  EXPECT_FALSE(parse_override("log.dirs").has_value());
  EXPECT_FALSE(parse_override("=x").has_value());
}

TEST(Properties, NoBytesAreTooStrange) {
  std::mt19937 random(7);
  constexpr std::string_view kAlphabet = "ab=: \t\\u0\n\r#!\xC3\xA4\xFF";
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
    const auto parsed = Properties::parse(text);
    if (parsed) EXPECT_LE(parsed->entries().size(), text.size());
  }
}

}  // namespace
}  // namespace barnabas::config
