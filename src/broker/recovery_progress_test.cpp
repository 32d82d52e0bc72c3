#include "broker/recovery_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/testing/test_broker.h"
#include "log/log.h"

namespace barnabas::broker {
namespace {

using ::testing::ElementsAre;

TEST(RecoveryProgress, SpeaksEveryFiveSecondsAndAtTheEnd) {
  testing::TestBroker broker;
  size_t before = broker.log_lines().size();
  RecoveryProgress progress(broker.broker().world(), 3);
  progress.set_bytes_total(40'000'000'000);
  auto first = progress.of_one_log();
  auto second = progress.of_one_log();
  first({.bytes_done = 1'000'000'000, .bytes_total = 20'000'000'000});
  broker.advance(seconds(4));
  second({.bytes_done = 200'000'000, .bytes_total = 20'000'000'000});
  broker.advance(seconds(1));
  first({.bytes_done = 3'000'000'000, .bytes_total = 20'000'000'000});
  progress.partition_done();
  broker.advance(seconds(10));
  progress.partition_done();
  first({.bytes_done = 20'000'000'000, .bytes_total = 20'000'000'000});
  second({.bytes_done = 20'000'000'000, .bytes_total = 20'000'000'000});
  progress.partition_done();
  progress.finish();
  std::vector<std::string> lines(broker.log_lines().begin() + static_cast<ptrdiff_t>(before), broker.log_lines().end());
  EXPECT_THAT(lines, ElementsAre("recovered 0 of 3 partitions, 3.2 GB of 40.0 GB",
                                 "recovered 2 of 3 partitions, 3.2 GB of 40.0 GB",
                                 "recovered all 3 partitions, 40.0 GB, in 15.0 s"));
}

}  // namespace
}  // namespace barnabas::broker
