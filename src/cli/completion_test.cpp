#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace barnabas::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

std::vector<std::string> names(Completes kind, const Invocation::Values& connection) {
  if (!connection.empty()) return {"of-" + connection.at("bootstrap-server").back()};
  switch (kind) {
    case Completes::kTopic:
      return {"orders", "orders-dead", "payments"};
    case Completes::kGroup:
      return {"billing"};
    case Completes::kProfile:
      return {"prod", "staging"};
    default:
      return {};
  }
}

// "topic li" completes "li", "topic " the empty word after it.
Completion complete(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (line.empty() || line.ends_with(' ')) words.emplace_back();
  return complete_line(words, names);
}

std::vector<std::string> texts(const std::string& line) {
  std::vector<std::string> texts;
  for (const auto& candidate : complete(line).candidates) texts.push_back(candidate.text);
  return texts;
}

TEST(Completion, OffersNounsThenVerbs) {
  EXPECT_THAT(texts(""), IsSupersetOf({"topic", "group", "top", "help"}));
  EXPECT_THAT(texts(""), Not(Contains("complete")));
  EXPECT_THAT(texts("to"), ElementsAre("topic", "top"));
  EXPECT_THAT(texts("topic de"), ElementsAre("describe", "delete"));
}

TEST(Completion, TellsWhatACandidateIs) {
  EXPECT_EQ(complete("topic li").candidates.at(0).what, "List topics");
}

TEST(Completion, OffersNamesOfThePositional) {
  EXPECT_THAT(texts("topic describe "), ElementsAre("orders", "orders-dead", "payments"));
  EXPECT_THAT(texts("topic rm ord"), ElementsAre("orders", "orders-dead"));
  EXPECT_THAT(texts("topic describe orders "), ElementsAre("orders-dead", "payments"));
  EXPECT_THAT(texts("group reset "), ElementsAre("billing"));
  EXPECT_THAT(texts("group reset billing "), IsEmpty());
}

TEST(Completion, OffersFlagsThatAreNotThereYet) {
  EXPECT_THAT(texts("topic list --int"), ElementsAre("--internal"));
  EXPECT_THAT(texts("topic list --internal --int"), IsEmpty());
  EXPECT_THAT(texts("topic create t --config a=b --conf"), ElementsAre("--config"));
  EXPECT_THAT(texts("profile list --boot"), IsEmpty());
  EXPECT_THAT(texts("topic list --boot"), ElementsAre("--bootstrap-server"));
}

TEST(Completion, OffersValuesOfFlags) {
  EXPECT_THAT(texts("topic list -o "), ElementsAre("table", "wide", "json", "yaml", "csv", "name"));
  EXPECT_THAT(texts("topic list --output=j"), ElementsAre("--output=json"));
  EXPECT_THAT(texts("topic list --profile "), ElementsAre("prod", "staging"));
  EXPECT_THAT(texts("group reset billing -t pay"), ElementsAre("payments"));
}

TEST(Completion, OffersConfigurationKeysWithTheirSign) {
  EXPECT_THAT(texts("topic create t -c retention."), ElementsAre("retention.bytes=", "retention.ms="));
  EXPECT_THAT(texts("topic create t -c retention.ms="), IsEmpty());
  EXPECT_THAT(texts("topic alter t --unset retention."), ElementsAre("retention.bytes", "retention.ms"));
  EXPECT_THAT(texts("topic list -X security.prot"), ElementsAre("security.protocol="));
}

TEST(Completion, OffersFilesWhereFilesAreMeant) {
  auto found = complete("topic list --command-config ");
  EXPECT_TRUE(found.files);
  EXPECT_THAT(found.candidates, IsEmpty());
}

TEST(Completion, AsksTheClusterTheLineNames) {
  EXPECT_THAT(texts("topic describe -b host:1 "), ElementsAre("of-host:1"));
  EXPECT_THAT(texts("-b host:2 topic describe "), ElementsAre("of-host:2"));
}

TEST(Completion, OffersCommandsToHelp) {
  EXPECT_THAT(texts("help topic cr"), ElementsAre("create"));
  EXPECT_THAT(texts("man quo"), ElementsAre("quorum"));
  EXPECT_THAT(texts("completion "), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, OffersNothingAfterWhatItDoesNotKnow) {
  EXPECT_THAT(texts("nonsense "), IsEmpty());
  EXPECT_THAT(texts("topic list x y "), IsEmpty());
}

}  // namespace
}  // namespace barnabas::cli
