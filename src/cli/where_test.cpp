#include "cli/where.h"

#include <gtest/gtest.h>

#include "cli/testing/sample_record.h"

namespace barnabas::cli {
namespace {

constexpr int64_t kNow = 10000000;

const SampleRecord& order() {
  static const SampleRecord sample(
      "17", R"({"price":12.5,"count":3,"name":"Ale \"x\"","open":true,"shut":false,"none":null,"big":9007199254740993,
               "items":[{"id":1},{"id":"two"}],"odd name":1,"id":"7"})",
      {{"trace", "abc-1"}, {"trace", "abc-2"}, {"content-type", "json"}, {"empty", ""}, {"nil", std::nullopt}});
  return sample;
}

bool holds(std::string_view expression, const SampleRecord& sample = order()) {
  auto where = Where::parse(expression, kNow);
  EXPECT_TRUE(where) << expression << ": " << where.error();
  return where && where->matches(sample.record());
}

std::string error(std::string_view expression) {
  auto where = Where::parse(expression, kNow);
  return where ? "" : where.error();
}

TEST(Where, ComparesNumbers) {
  EXPECT_TRUE(holds("value.price > 10"));
  EXPECT_TRUE(holds("value.price>=12.5&&value.price<=12.5"));
  EXPECT_FALSE(holds("value.price < 1.25e1"));
  EXPECT_TRUE(holds("value.count == 3.0"));
  EXPECT_TRUE(holds("value.count != -3"));
  EXPECT_TRUE(holds("value.big == 9007199254740993"));
  EXPECT_TRUE(holds("offset < 99999999999999999999")) << "larger than any whole number is a number too";
  EXPECT_FALSE(holds("value.big == 9007199254740992")) << "whole numbers are not rounded";
}

TEST(Where, ComparesTexts) {
  EXPECT_TRUE(holds(R"(value.name == "Ale \"x\"")"));
  EXPECT_TRUE(holds(R"(value.name == 'Ale "x"')"));
  EXPECT_TRUE(holds("topic == 'orders' && topic < 'p'"));
  EXPECT_FALSE(holds("value.price == '12.5'")) << "a number is no text";
  EXPECT_FALSE(holds("value.id == 7")) << "nor is a JSON text a number";
}

TEST(Where, KnowsTheRecordsFields) {
  EXPECT_TRUE(holds("partition == 3 && offset == 42 && timestamp == 1000"));
  EXPECT_TRUE(holds("key == '17'"));
  EXPECT_TRUE(holds("key == 17 && key > 2")) << "bytes count as the number they spell";
  EXPECT_TRUE(holds("key < 100"));
  EXPECT_TRUE(holds("value =~ 'price'"));
}

TEST(Where, FindsHeaders) {
  EXPECT_TRUE(holds("headers.trace == 'abc-2'")) << "the last one, as Java's clients";
  EXPECT_TRUE(holds("headers.content-type == 'json'"));
  EXPECT_TRUE(holds("headers['content-type']"));
  EXPECT_TRUE(holds("headers.empty == ''"));
  EXPECT_TRUE(holds("headers.nil == null && headers.missing == null"));
  EXPECT_FALSE(holds("headers.missing"));
}

TEST(Where, GoesIntoJson) {
  EXPECT_TRUE(holds("value.items[0].id == 1"));
  EXPECT_TRUE(holds("value.items[1]['id'] == 'two'"));
  EXPECT_TRUE(holds("value.items[2] == null && value.items.id == null && value.price.x == null"));
  EXPECT_TRUE(holds("value[\"odd name\"] == 1"));
  EXPECT_TRUE(holds("value.items")) << "a list is something";
  EXPECT_FALSE(holds("value.items == value.items")) << "but not comparable";
  EXPECT_FALSE(holds("value.a", SampleRecord({}, "no json")));
  EXPECT_FALSE(holds("value.a || key.a", SampleRecord({}, {})));
  EXPECT_TRUE(holds("value == null && key == null", SampleRecord({}, {})));
  EXPECT_TRUE(holds("key.a.b == 'c'", SampleRecord(R"({"a":{"b":"c"}})", {})));
}

TEST(Where, TakesAFieldAloneAsAQuestion) {
  EXPECT_TRUE(holds("value.open"));
  EXPECT_TRUE(holds("!value.shut"));
  EXPECT_TRUE(holds("!value.none"));
  EXPECT_TRUE(holds("value.open == true && value.shut == false && value.none == null"));
  EXPECT_TRUE(holds("partition"));
}

TEST(Where, OrdersNothingAcrossTypes) {
  EXPECT_FALSE(holds("value.none < 1 || value.none > 1"));
  EXPECT_FALSE(holds("value.open < 'a' || value.open > 'a'"));
  EXPECT_TRUE(holds("value.open != 1 && value.none != 0"));
}

TEST(Where, JoinsByPrecedence) {
  EXPECT_TRUE(holds("true || false && false"));
  EXPECT_FALSE(holds("(true || false) && false"));
  EXPECT_TRUE(holds("!false && true"));
  EXPECT_FALSE(holds("!(false || true)"));
  EXPECT_TRUE(holds("!value.price == 1")) << "! is of the whole comparison";
  EXPECT_TRUE(holds("!!true"));
}

TEST(Where, MatchesPatterns) {
  EXPECT_TRUE(holds(R"(headers.trace =~ "^abc-\d$")"));
  EXPECT_TRUE(holds(R"(headers.trace =~ /^abc-\d$/)"));
  EXPECT_TRUE(holds("value.name =~ '(?i)^ale'"));
  EXPECT_TRUE(holds("value.name !~ '^x'"));
  EXPECT_TRUE(holds("value.price =~ '^12'")) << "numbers as they are written";
  EXPECT_TRUE(holds("value.none !~ '.'"));
  EXPECT_TRUE(holds(R"(value =~ "\"price\"")"));
}

TEST(Where, ReadsTimes) {
  EXPECT_TRUE(holds("timestamp < @now && timestamp > @1970-01-01T00:00:00Z"));
  EXPECT_TRUE(holds("timestamp < @-1h"));
  EXPECT_FALSE(holds("timestamp >= @1970-01-01T00:00:02Z"));
  EXPECT_TRUE(holds("(timestamp<@now)"));
}

TEST(Where, SaysWhereItIsWrong) {
  EXPECT_EQ(error(""), "want a field or a value at the end");
  EXPECT_EQ(error("value.price >"), "want a field or a value at the end");
  EXPECT_EQ(error("value.price = 3"), "column 13: want '==' or '=~' at '= 3'");
  EXPECT_EQ(
      error("price > 3"),
      "column 1: want value, key, headers, offset, partition, timestamp, topic or a text in quotes at 'price > 3'");
  EXPECT_EQ(error("(offset > 3"), "want ')' at the end");
  EXPECT_EQ(error("offset > 3)"), "column 11: want '&&', '||' or the end at ')'");
  EXPECT_EQ(error("key =~ '('"), "column 8: no regular expression: missing ): (");
  EXPECT_EQ(error("key =~ 3"), "column 8: want a regular expression in quotes at '3'");
  EXPECT_EQ(error("key == 'a"), "want a closing ' at the end");
  EXPECT_EQ(error("headers"), "want the name of a header, as headers.name or headers[\"name\"], at the end");
  EXPECT_EQ(error("offset.x == 1"), "column 1: want offset alone: it has no parts at 'offset.x == 1'");
  EXPECT_EQ(error("value. == 1"), "column 7: want a name after the dot at ' == 1'");
  EXPECT_EQ(error("value[x]"), "column 7: want an index or a name in quotes at 'x]'");
  EXPECT_EQ(error("value[1"), "want ']' at the end");
  EXPECT_EQ(error("offset > 3x"), "column 10: want a number at '3x'");
  EXPECT_EQ(error("timestamp > @noon"), "column 13: want a time, as @2026-11-01T12:00:00Z or @-1h, at '@noon'");
}

TEST(Where, BoundsWhatAnExpressionMayCost) {
  EXPECT_FALSE(error(std::string(100000, '(')).empty());
  EXPECT_FALSE(error(std::string(100000, '!') + "true").empty());
  std::string chain = "true";
  for (int i = 0; i < 100000; ++i) chain += "&&true";
  EXPECT_FALSE(error(chain).empty());
  EXPECT_FALSE(holds("value.a", SampleRecord({}, std::string(1000000, '['))));
}

}  // namespace
}  // namespace barnabas::cli
