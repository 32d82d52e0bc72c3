#include "cli/output.h"

#include <gtest/gtest.h>

#include <functional>

namespace barnabas::cli {
namespace {

// What is printed to standard output, as text.
std::string printed(Format format, const std::function<void(Output&)>& print, bool color = false) {
  testing::internal::CaptureStdout();
  Output out(format, color);
  print(out);
  out.finish();
  return testing::internal::GetCapturedStdout();
}

Table fruits() {
  return {.kind = "fruits",
          .columns = {{.title = "NAME"},
                      {.title = "COUNT", .right = true},
                      {.title = "IN-SEASON"},
                      {.title = "MONTHS", .wide = true}},
          .rows = {{"apple", 12, true, Value::List{9, 10}}, {"pear, ripe", 3, {}, Value::List{}}}};
}

std::string fruits_as(Format format) {
  return printed(format, [](Output& out) { out.print(fruits()); });
}

TEST(Output, PrintsATableWithoutWideColumns) {
  EXPECT_EQ(fruits_as(Format::kTable),
            "NAME        COUNT  IN-SEASON\n"
            "apple          12  true\n"
            "pear, ripe      3  -\n");
}

TEST(Output, PrintsAllColumnsWithWide) {
  EXPECT_EQ(fruits_as(Format::kWide),
            "NAME        COUNT  IN-SEASON  MONTHS\n"
            "apple          12  true       9,10\n"
            "pear, ripe      3  -          -\n");
}

TEST(Output, PrintsJsonWithAnEnvelope) {
  EXPECT_EQ(fruits_as(Format::kJson), R"({
  "_v": 1,
  "fruits": [
    {
      "name": "apple",
      "count": 12,
      "in_season": true,
      "months": [
        9,
        10
      ]
    },
    {
      "name": "pear, ripe",
      "count": 3,
      "in_season": null,
      "months": []
    }
  ]
}
)");
}

TEST(Output, PrintsYaml) {
  EXPECT_EQ(fruits_as(Format::kYaml), R"(_v: 1
fruits:
  - name: apple
    count: 12
    in_season: true
    months:
      - 9
      - 10
  - name: "pear, ripe"
    count: 3
    in_season: null
    months: []
)");
}

TEST(Output, PrintsCsvWithQuotes) {
  EXPECT_EQ(fruits_as(Format::kCsv),
            "name,count,in_season,months\n"
            "apple,12,true,\"9,10\"\n"
            "\"pear, ripe\",3,,\n");
}

TEST(Output, PrintsNamesOnly) {
  EXPECT_EQ(fruits_as(Format::kName), "apple\npear, ripe\n");
}

TEST(Output, PrintsOneThingAsLines) {
  auto print = [](Output& out) {
    out.print("cluster", Value(Value::Object{{"id", "x"}, {"brokers", 3}, {"rack", {}}}), "x");
  };
  EXPECT_EQ(printed(Format::kTable, print), "id       x\nbrokers  3\nrack     -\n");
  EXPECT_EQ(printed(Format::kCsv, print), "key,value\nid,x\nbrokers,3\nrack,\n");
  EXPECT_EQ(printed(Format::kName, print), "x\n");
  EXPECT_EQ(printed(Format::kYaml, print), "_v: 1\ncluster:\n  id: x\n  brokers: 3\n  rack: null\n");
}

TEST(Output, GathersWhatWasDoneInOneDocument) {
  auto print = [](Output& out) {
    out.done("Created topic a.", Value(Value::Object{{"name", "a"}}), "a");
    out.done("Created topic b.", Value(Value::Object{{"name", "b"}}), "b");
  };
  EXPECT_EQ(printed(Format::kTable, print), "Created topic a.\nCreated topic b.\n");
  EXPECT_EQ(printed(Format::kName, print), "a\nb\n");
  EXPECT_EQ(printed(Format::kYaml, print), "_v: 1\nresults:\n  - name: a\n  - name: b\n");
  EXPECT_EQ(printed(Format::kCsv, print), "name\na\nb\n");
}

TEST(Output, PrintsNothingWhenNothingWasDone) {
  EXPECT_EQ(printed(Format::kJson, [](Output&) {}), "");
}

TEST(Output, NeverSendsControlCharactersToATerminal) {
  auto print = [](Output& out) {
    out.print(Table{.kind = "t", .columns = {{.title = "A"}}, .rows = {{"x\x1b[31m\n\xc2\x9b"}}});
  };
  EXPECT_EQ(printed(Format::kTable, print), "A\nx\\x1b[31m\\x0a\\xc2\\x9b\n");
  EXPECT_EQ(printed(Format::kYaml, print), "_v: 1\nt:\n  - a: \"x\\u001b[31m\\n\xc2\x9b\"\n");
}

TEST(Output, AlignsWideAndCombiningCharacters) {
  auto print = [](Output& out) {
    out.print(Table{.kind = "t", .columns = {{.title = "A"}, {.title = "B"}}, .rows = {{"日本", "x"}, {"é", "y"}}});
  };
  EXPECT_EQ(printed(Format::kTable, print), "A     B\n日本  x\né     y\n");
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("\xff\xfe"), 2u);
}

TEST(Output, ReplacesWhatIsNotUtf8InJson) {
  EXPECT_EQ(Value("a\xff").to_json(), "\"a\xef\xbf\xbd\"");
}

TEST(Output, ColoursHeadingsAndStatesOnlyWhenAsked) {
  auto print = [](Output& out) {
    Table table{.kind = "t", .columns = {{.title = "S", .state = true}}, .rows = {{"ok"}, {"failed"}, {"other"}}};
    out.print(table);
  };
  EXPECT_EQ(printed(Format::kTable, print), "S\nok\nfailed\nother\n");
  EXPECT_EQ(printed(Format::kTable, print, true), "\x1b[1mS\x1b[0m\n\x1b[32mok\x1b[0m\n\x1b[31mfailed\x1b[0m\nother\n");
}

TEST(Output, QuotesYamlThatWouldMeanSomethingElse) {
  auto yaml = [](std::string text) { return Value(std::move(text)).to_yaml(); };
  EXPECT_EQ(yaml("plain text"), "plain text\n");
  EXPECT_EQ(yaml("yes"), "\"yes\"\n");
  EXPECT_EQ(yaml("1.5"), "\"1.5\"\n");
  EXPECT_EQ(yaml(""), "\"\"\n");
  EXPECT_EQ(yaml("a: b"), "\"a: b\"\n");
  EXPECT_EQ(yaml("line\nbreak"), "\"line\\nbreak\"\n");
  EXPECT_EQ(yaml("Null"), "\"Null\"\n");
}

}  // namespace
}  // namespace barnabas::cli
