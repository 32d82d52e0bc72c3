#include "runtime/loggers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace barnabas::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Lines final : Logger {
  void log(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

TEST(Loggers, AnswerToTheLevelOfTheNearestAbove) {
  Lines sink;
  Loggers loggers(sink);
  Logger& cleaner = loggers.get("kafka.log.LogCleaner");
  Logger& server = loggers.get("kafka.server");
  loggers.get("kafka.log");
  EXPECT_TRUE(loggers.set("kafka.log", LogLevel::kDebug));
  cleaner.debug("heard");
  server.debug("not heard");
  EXPECT_TRUE(loggers.set("kafka.log.LogCleaner", LogLevel::kError));
  cleaner.warning("not heard");
  EXPECT_TRUE(loggers.unset("kafka.log.LogCleaner"));
  cleaner.debug("heard again");
  EXPECT_THAT(sink.lines, ElementsAre("heard", "heard again"));
}

TEST(Loggers, TheRootCountsForAllThatHaveNoLevel) {
  Lines sink;
  Loggers loggers(sink, LogLevel::kWarning);
  loggers.get("a.b");
  EXPECT_THAT(loggers.levels(), ElementsAre(Pair("a.b", LogLevel::kWarning), Pair("root", LogLevel::kWarning)));
  EXPECT_TRUE(loggers.set("root", LogLevel::kFatal));
  loggers.get("a.b").error("not heard");
  EXPECT_THAT(sink.lines, IsEmpty());
  EXPECT_TRUE(loggers.set("root", LogLevel::kTrace));
  EXPECT_TRUE(loggers.get("later").enabled(LogLevel::kTrace));
}

TEST(Loggers, TheRootKeepsItsLevelAndOthersMustBeThere) {
  Lines sink;
  Loggers loggers(sink);
  EXPECT_FALSE(loggers.unset("root"));
  EXPECT_FALSE(loggers.set("kafka.nothing", LogLevel::kDebug));
  EXPECT_FALSE(loggers.unset("kafka.nothing"));
  EXPECT_FALSE(loggers.contains("kafka.nothing"));
}

}  // namespace
}  // namespace barnabas::runtime
