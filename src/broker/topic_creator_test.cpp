#include "broker/topic_creator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/testing/test_broker.h"

namespace barnabas::broker {
namespace {

TEST(TopicCreator, ComplainsOnceAMinuteAboutOneName) {
  testing::TestBroker broker;
  broker.create_topic("a.b");
  auto complaints = [&] {
    return std::ranges::count_if(broker.log_lines(),
                                 [](const auto& line) { return line.contains("cannot create topic a_b"); });
  };
  for (int i = 0; i < 5; ++i) {
    broker.broker().topic_creator().create({"a_b"});
    broker.settle();
  }
  EXPECT_EQ(complaints(), 1);
  broker.advance(seconds(61));
  broker.broker().topic_creator().create({"a_b"});
  broker.settle();
  EXPECT_EQ(complaints(), 2);
}

}  // namespace
}  // namespace barnabas::broker
