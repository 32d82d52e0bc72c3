#include "cli/shims/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace barnabas::cli::shims {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Option kTable[] = {
    text("topic", "topic", "The topic"),
    integer("partitions", "# of partitions", "How many", "1"),
    long_integer("to-offset", "offset", "Where"),
    maybe_text("state", "", "States"),
    flag("list", "Show them"),
    flag("help", "This text"),
};

std::expected<Options, std::string> parse(std::vector<std::string_view> words) {
  return Options::parse(kTable, words);
}

TEST(OptionsTest, TakesAnArgumentAsTheNextWordOrAfterAnEqualsSign) {
  EXPECT_EQ(parse({"--topic", "a"})->value("topic"), "a");
  EXPECT_EQ(parse({"--topic=a=b"})->value("topic"), "a=b");
  EXPECT_EQ(parse({"-topic", "a"})->value("topic"), "a");
  EXPECT_EQ(parse({"--topic", "--list"})->value("topic"), "--list");
}

TEST(OptionsTest, KnowsNoAbbreviations) {
  EXPECT_EQ(parse({"--top", "a"}).error(), "top is not a recognized option");
  EXPECT_EQ(parse({"--no-such=1"}).error(), "no-such is not a recognized option");
  EXPECT_EQ(parse({"-x"}).error(), "x is not a recognized option");
}

TEST(OptionsTest, MissesAnArgumentThatIsRequired) {
  EXPECT_EQ(parse({"--list", "--topic"}).error(), "Option topic requires an argument");
}

TEST(OptionsTest, LeavesAnOptionAfterAnOptionalArgumentAlone) {
  auto without = parse({"--state", "--list"});
  EXPECT_TRUE(without->has("state"));
  EXPECT_FALSE(without->optional("state"));
  EXPECT_TRUE(without->has("list"));
  EXPECT_EQ(parse({"--state", "Stable,Empty"})->value("state"), "Stable,Empty");
}

TEST(OptionsTest, FindsFaultWithArgumentsOnlyWhenAsked) {
  auto words = parse({"--partitions", "three"});
  ASSERT_TRUE(words);
  EXPECT_EQ(words->fault(), "Cannot parse argument 'three' of option partitions");
  EXPECT_EQ(parse({"--partitions", "3000000000"})->fault(), "Cannot parse argument '3000000000' of option partitions");
  EXPECT_EQ(parse({"--to-offset", "3000000000"})->fault(), std::nullopt);
  auto twice = parse({"--topic", "a", "--topic", "b"});
  EXPECT_EQ(twice->fault(), std::nullopt);
  EXPECT_EQ(twice->fault({"topic"}), "Found multiple arguments for option topic, but you asked for only one");
  EXPECT_THAT(twice->values("topic"), ElementsAre("a", "b"));
}

TEST(OptionsTest, GivesDefaultsWithoutSayingThatTheyWereGiven) {
  auto options = parse({"--list"});
  EXPECT_EQ(options->number("partitions"), 1);
  EXPECT_FALSE(options->has("partitions"));
  EXPECT_EQ(options->number("to-offset"), std::nullopt);
}

TEST(OptionsTest, PassesOverPlainWordsAndEndsAtTwoDashes) {
  auto options = parse({"stray", "--list", "--", "--no-such"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->has("list"));
  EXPECT_FALSE(options->empty());
  EXPECT_TRUE(parse({})->empty());
}

TEST(UsageTest, ListsOptionsByNameIn80Columns) {
  std::string text = usage(kTable);
  EXPECT_THAT(text, testing::StartsWith("Option "));
  EXPECT_LT(text.find("--help"), text.find("--list"));
  EXPECT_THAT(text, HasSubstr("--partitions <Integer: # of partitions>  How many (default: 1)"));
  EXPECT_THAT(text, HasSubstr("--state [String] "));
  for (size_t from = 0, end = 0; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    EXPECT_LE(end - from, 80U);
  }
}

TEST(UsageTest, BreaksAWordThatIsTooLong) {
  constexpr Option kLong[] = {
      text("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x")};
  std::string text = usage(kLong);
  for (size_t from = 0, end = 0; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    EXPECT_LE(end - from, 80U);
  }
}

}  // namespace
}  // namespace barnabas::cli::shims
