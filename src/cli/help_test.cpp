#include "cli/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace barnabas::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

Command example() {
  return {.path = "fruit pick",
          .aliases = {"take"},
          .summary = "Pick fruits",
          .positionals = {{.name = "fruit", .help = "names of fruits", .repeated = true}},
          .flags = {{.name = "count", .letter = 'n', .value = "N", .help = "how many", .default_value = "1"},
                    {.name = "ripe", .help = "only ripe ones"},
                    {.name = "tree", .value = "NAME", .help = "from this tree", .repeated = true}},
          .examples = {{"fruit pick apple -n 3", "three apples"}},
          .text = "Fruits are kept in a basket."};
}

TEST(Help, SaysAllAboutACommand) {
  EXPECT_EQ(help_on(example()), R"(Pick fruits.

Usage: barnabas fruit pick FRUIT... [flags]

Arguments:
  FRUIT  names of fruits

Flags:
  -n, --count N    how many (default 1)
      --ripe       only ripe ones
      --tree NAME  from this tree; may be repeated

Which cluster:
  -b, --bootstrap-server HOST:PORT,…  brokers to begin with; the profile's, else 127.0.0.1:9092
      --profile NAME                  a named cluster
      --command-config FILE           a client.properties of Kafka's Java clients
      -X KEY=VALUE                    a key of the client's configuration; may be repeated
      --timeout TIME                  how long to try: 500ms, 30s, 5m

Common flags:
  -o, --output FORMAT  how to print: table, wide, json, yaml, csv or name (default table)
      --color WHEN     auto, always or never
  -y, --yes            do not ask
  -h, --help           this text

Fruits are kept in a basket.

Examples:
  # three apples
  barnabas fruit pick apple -n 3

Also: take
)");
}

TEST(Help, ListsTheNouns) {
  std::string text = help_overview();
  EXPECT_THAT(text, HasSubstr("Usage: barnabas COMMAND [flags]"));
  EXPECT_THAT(text, HasSubstr("  topic       Topics and their records\n"));
}

TEST(Help, ListsTheVerbsOfANoun) {
  std::string text = help_on_noun("quorum");
  EXPECT_THAT(text, HasSubstr("Usage: barnabas quorum VERB [flags]"));
  EXPECT_THAT(text, HasSubstr("  remove    Take a voter out of the quorum\n"));
}

TEST(Help, TellsProgramsTheSame) {
  auto document = nlohmann::json::parse(help_json());
  EXPECT_EQ(document["_v"], 1);
  size_t shown = 0;
  for (const Command& command : commands()) shown += command.hidden ? 0 : 1;
  EXPECT_EQ(document["commands"].size(), shown);
  EXPECT_EQ(document["common_flags"][0]["name"], "output");
}

TEST(Help, WritesManualPages) {
  auto page = manual_page("barnabas-topic-create");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, testing::StartsWith(".TH \"BARNABAS\\-TOPIC\\-CREATE\" 1"));
  EXPECT_THAT(*page, HasSubstr(".SH NAME\nbarnabas\\-topic\\-create \\- create topics\n"));
  EXPECT_THAT(*page, HasSubstr(".B \\-p, \\-\\-partitions N\n"));
  EXPECT_FALSE(manual_page("barnabas-nothing"));
}

TEST(Help, HasAManualPageForEveryCommandAndNoun) {
  auto names = manual_page_names();
  EXPECT_THAT(names, testing::IsSupersetOf({"barnabas", "barnabas-topic", "barnabas-topic-create", "barnabas-top"}));
  EXPECT_THAT(names, Not(testing::Contains("barnabas-complete")));
  for (const std::string& name : names) {
    auto page = manual_page(name);
    ASSERT_TRUE(page) << name;
    EXPECT_EQ(page->find("\n\n"), std::string::npos) << name << ": an empty line breaks a paragraph in roff";
  }
}

// `barnabas help --markdown > docs/cli.md` writes it.
TEST(Help, TheReferenceIsCurrent) {
  std::ifstream in(std::string(BARNABAS_SOURCE_DIR) + "/docs/cli.md");
  std::string written{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(written, reference_document()) << "write docs/cli.md again: barnabas help --markdown > docs/cli.md";
}

}  // namespace
}  // namespace barnabas::cli
