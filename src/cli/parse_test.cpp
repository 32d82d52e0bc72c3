#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace barnabas::cli {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word == "''" ? "" : word);
  return words;
}

std::expected<Parsed, std::string> parsed(const std::string& line) {
  auto words = words_of(line);
  std::vector<std::string_view> views(words.begin(), words.end());
  return parse(views);
}

std::string error_of(const std::string& line) {
  auto result = parsed(line);
  return result ? "" : result.error();
}

Invocation::Values values_of(const std::string& line) {
  auto result = parsed(line);
  EXPECT_TRUE(result.has_value()) << line << ": " << result.error();
  return result ? result->values : Invocation::Values{};
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Parse, FindsACommandByItsNounAndVerb) {
  auto result = parsed("topic list");
  ASSERT_TRUE(result);
  ASSERT_NE(result->command, nullptr);
  EXPECT_EQ(result->command->path, "topic list");
  EXPECT_THAT(result->values, IsEmpty());
}

TEST(Parse, ResolvesAliases) {
  EXPECT_EQ(parsed("topic ls")->command->path, "topic list");
  EXPECT_EQ(parsed("topic rm x")->command->path, "topic delete");
  EXPECT_EQ(parsed("topic desc")->command->path, "topic describe");
}

TEST(Parse, TakesFlagsInAllSpellings) {
  for (const char* line : {"topic create t -p 3", "topic create t -p3", "topic create t --partitions 3",
                           "topic create t --partitions=3", "topic create --partitions 3 t"}) {
    auto values = values_of(line);
    EXPECT_THAT(values["partitions"], ElementsAre("3")) << line;
    EXPECT_THAT(values["topic"], ElementsAre("t")) << line;
  }
}

TEST(Parse, GathersRepeatedFlagsAndLeavesTheLastOfOthers) {
  auto values = values_of("topic create t -c a=1 -c b=2 -p 1 -p 2");
  EXPECT_THAT(values["config"], ElementsAre("a=1", "b=2"));
  EXPECT_EQ(values["partitions"].back(), "2");
}

TEST(Parse, TakesNegativeValues) {
  EXPECT_THAT(values_of("group reset g --to -5")["to"], ElementsAre("-5"));
  EXPECT_THAT(values_of("group reset g --to @-1h")["to"], ElementsAre("@-1h"));
}

TEST(Parse, AFlagDoesNotEatThePositionalAfterItsValue) {
  auto values = values_of("group reset -t orders billing");
  EXPECT_THAT(values["topic"], ElementsAre("orders"));
  EXPECT_THAT(values["group"], ElementsAre("billing"));
}

TEST(Parse, TakesWhatFollowsTwoDashesAsArguments) {
  EXPECT_THAT(values_of("topic delete -y -- --odd -x")["topic"], ElementsAre("--odd", "-x"));
}

TEST(Parse, LetsFlagsOfAllCommandsStandBeforeTheCommand) {
  auto values = values_of("-b host:1 -o json --color=never -X a=b -Xc=d topic delete -- --odd");
  EXPECT_THAT(values["bootstrap-server"], ElementsAre("host:1"));
  EXPECT_THAT(values["output"], ElementsAre("json"));
  EXPECT_THAT(values["color"], ElementsAre("never"));
  EXPECT_THAT(values["X"], ElementsAre("a=b", "c=d"));
  EXPECT_THAT(values["topic"], ElementsAre("--odd"));
}

TEST(Parse, WantsACommandAfterFlags) {
  EXPECT_EQ(error_of("-o json"), "a command is expected after the flags; see `barnabas --help`");
  EXPECT_EQ(error_of("--partitions 3"), "a command is expected before --partitions; see `barnabas --help`");
}

TEST(Parse, SuggestsTheNearestCommand) {
  EXPECT_EQ(error_of("topik list"), "there is no command 'topik'; did you mean 'topic'?");
  EXPECT_EQ(error_of("topic lst"), "there is no command 'topic lst'; did you mean 'topic list'?");
  EXPECT_EQ(error_of("topic frobnicate"), "there is no command 'topic frobnicate'; see `barnabas topic --help`");
  EXPECT_EQ(error_of("xyzzyx"), "there is no command 'xyzzyx'; see `barnabas --help`");
}

TEST(Parse, SuggestsTheNearestFlag) {
  EXPECT_EQ(error_of("topic create t --partition 3"), "there is no flag --partition; did you mean --partitions?");
  EXPECT_EQ(error_of("topic list --zzzzzzzzz"), "there is no flag --zzzzzzzzz");
  EXPECT_EQ(error_of("topic list -z"), "there is no flag -z");
}

TEST(Parse, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(error_of("topic create"), "topic is missing; see `barnabas topic create --help`");
  EXPECT_EQ(error_of("topic create t -p"), "--partitions wants a value (N)");
  EXPECT_EQ(error_of("topic list orders"), "too many arguments: orders");
  EXPECT_EQ(error_of("topic"), "'topic' needs a verb; see `barnabas topic --help`");
}

TEST(Parse, RefusesAValueThatIsNoneOfTheChoices) {
  EXPECT_EQ(error_of("topic list -o xml"), "--output: 'xml' is not one of table, wide, json, yaml, csv, name");
  EXPECT_EQ(error_of("completion tcsh"), "shell: 'tcsh' is not one of bash, zsh, fish");
}

TEST(Parse, AsksForHelpWhateverElseIsThere) {
  EXPECT_TRUE(parsed("topic create --help")->help);
  EXPECT_TRUE(parsed("topic create -h t")->help);
  EXPECT_EQ(parsed("topic --help")->noun, "topic");
  EXPECT_EQ(parsed("")->command, nullptr);
  EXPECT_EQ(parsed("--help")->command, nullptr);
}

TEST(Parse, NearestPrefersTheFewestChanges) {
  std::vector<std::string_view> names{"list", "alter", "delete"};
  EXPECT_EQ(nearest("lsit", names), "list");
  EXPECT_EQ(nearest("delte", names), "delete");
  EXPECT_EQ(nearest("something", names), "");
}

// ---- the table itself

TEST(CommandTable, EveryCommandHasTheCommonFlags) {
  for (const Command& command : commands()) {
    if (command.path == "complete") continue;
    std::string line(command.path);
    for (const auto& positional : command.positionals) {
      if (!positional.required) continue;
      line += " " + (positional.choices.empty() ? std::string("x") : std::string(positional.choices[0]));
    }
    for (const char* format : {"table", "wide", "json", "yaml", "csv", "name"}) {
      std::string with = line + " --output " + format;
      auto result = parsed(with);
      ASSERT_TRUE(result) << with << ": " << result.error();
      EXPECT_EQ(result->command, &command) << with;
    }
    EXPECT_TRUE(parsed(line + " --help")->help) << line;
  }
}

TEST(CommandTable, NamesAndLettersOfACommandAreUnique) {
  std::set<std::string_view> paths;
  for (const Command& command : commands()) {
    EXPECT_TRUE(paths.insert(command.path).second) << command.path;
    EXPECT_NE(command.run, nullptr) << command.path;
    EXPECT_FALSE(command.summary.ends_with('.')) << command.path;
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const Flag& flag : command.flags) {
      EXPECT_TRUE(names.insert(flag.name).second) << command.path << " --" << flag.name;
      if (flag.letter != 0) {
        EXPECT_TRUE(letters.insert(flag.letter).second) << command.path << " -" << flag.letter;
      }
      EXPECT_FALSE(flag.help.empty()) << command.path << " --" << flag.name;
      EXPECT_FALSE(flag.help.ends_with('.')) << command.path << " --" << flag.name;
    }
    for (const Positional& positional : command.positionals) {
      EXPECT_TRUE(names.insert(positional.name).second) << command.path << " " << positional.name;
    }
    for (size_t i = 0; i + 1 < command.positionals.size(); ++i) {
      EXPECT_FALSE(command.positionals[i].repeated) << command.path << ": only the last may be repeated";
    }
  }
}

TEST(CommandTable, ExamplesAreRightUsage) {
  for (const Command& command : commands()) {
    for (const Example& example : command.examples) {
      std::string line(example.command);
      line = line.substr(0, line.find_first_of("|<>"));
      if (line.find('\'') != std::string::npos || line.find('"') != std::string::npos) continue;  // words with blanks
      EXPECT_EQ(error_of(line), "") << example.command;
    }
  }
}

TEST(CommandTable, EveryNounHasACommandAndEveryCommandItsNoun) {
  std::set<std::string_view> names;
  for (const Noun& noun : nouns()) names.insert(noun.name);
  for (const Command& command : commands()) {
    if (!command.hidden) EXPECT_TRUE(names.contains(command.path.substr(0, command.path.find(' ')))) << command.path;
  }
}

}  // namespace
}  // namespace barnabas::cli
