#include "config/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace barnabas::config {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Explain, TellsAllAboutAKey) {
  EXPECT_EQ(explain("log.retention.ms"),
            "log.retention.ms (Broker)\n"
            "  Default of retention.ms for topics; -1 keeps records for ever.\n"
            "  type        long\n"
            "  default     not set\n"
            "  update      cluster-wide\n"
            "  falls to    log.retention.minutes (times 60000), then log.retention.hours (times 3600000)\n"
            "  effect      acts\n");
}

TEST(Explain, TellsOfBothWhenBrokerAndTopicShareAName) {
  EXPECT_THAT(explain("compression.type"), HasSubstr("(Broker)"));
  EXPECT_THAT(explain("compression.type"), HasSubstr("(Topic)"));
}

TEST(Explain, LooksThroughAListenerPrefix) {
  EXPECT_THAT(explain("listener.name.x.ssl.keystore.location"), HasSubstr("File of the keystore."));
}

TEST(Explain, PointsToTheNearestKey) {
  EXPECT_EQ(explain("log.retentoin.ms"), "log.retentoin.ms is no configuration key; did you mean log.retention.ms?\n");
  EXPECT_EQ(explain("qqqqqqqqqqqqqqqq"), "qqqqqqqqqqqqqqqq is no configuration key.\n");
}

TEST(Explain, ListsWhatIsAcceptedWithoutEffect) {
  EXPECT_THAT(list_accepted_without_effect(), HasSubstr("  num.io.threads\n"));
  EXPECT_THAT(list_accepted_without_effect(), Not(HasSubstr("  log.dirs\n")));
}

TEST(ConfigurationDocument, IsCurrent) {
  const std::string path = std::string(BARNABAS_SOURCE_DIR) + "/docs/configuration.md";
  if (std::getenv("BARNABAS_WRITE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << configuration_document();
  std::ifstream in(path, std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(committed == configuration_document())
      << "docs/configuration.md is old; run config_test with BARNABAS_WRITE_DOCS=1";
}

}  // namespace
}  // namespace barnabas::config
