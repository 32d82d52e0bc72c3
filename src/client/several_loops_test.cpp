// One thread that runs the loops of several clients, as the simulator does: whichever of them runs, nothing may wait
// for another of them.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "barnabas/share_consumer.h"
#include "client/runtime_loop.h"
#include "client/testing/client_test.h"

namespace barnabas::client::testing {
namespace {

class SeveralLoops : public ClientTest {
 protected:
  SeveralLoops() { run_both(); }

  // `work` on the other client's loop.
  void on_other(runtime::Work work) {
    other_loop_.post(std::move(work));
    other_loop_.run_until_idle();
  }
  void run_both(Duration time = {}) {
    other_loop_.run_until_idle();
    advance(time);
  }

  runtime::testing::ManualExecutor other_loop_{clock_};
  std::shared_ptr<RuntimeLoop> other_ = RuntimeLoop::over(world_, other_loop_);
  std::shared_ptr<RuntimeLoop> ours_ = RuntimeLoop::over(world_, loop_);  // the last one the thread has heard of
  Config config_{{"bootstrap.servers", "nowhere:9092"}, {"max.block.ms", "1000"}, {"group.id", "g"}};
};

TEST_F(SeveralLoops, EachIsKnownToItsThread) {
  EXPECT_FALSE(detail::on_client_thread());
  std::optional<bool> on_first;
  std::optional<bool> on_second;
  on_other([&] { on_first = detail::on_client_thread(); });
  loop_.post([&] { on_second = detail::on_client_thread(); });
  settle();
  EXPECT_EQ(on_first, true);
  EXPECT_EQ(on_second, true);
}

TEST_F(SeveralLoops, OneIsKnownFromTheMomentItIsMade) {
  runtime::testing::ManualExecutor loop(clock_);
  std::shared_ptr<RuntimeLoop> made;
  std::optional<bool> inside;
  loop.post([&] {
    made = RuntimeLoop::over(world_, loop);
    inside = detail::on_client_thread();
  });
  loop.run_until_idle();
  EXPECT_EQ(inside, true);
}

TEST_F(SeveralLoops, WhatWasPostedBeforeAClientWasMadeDoesNotWaitForIt) {
  runtime::testing::ManualExecutor loop(clock_);
  std::optional<Producer> producer;
  std::optional<bool> closed;
  loop.post([&] { closed = producer->close().has_value(); });
  auto made = Producer::create(config_, {.runtime = RuntimeLoop::over(world_, loop)});
  ASSERT_TRUE(made.has_value());
  producer = *std::move(made);
  loop.run_until_idle();
  EXPECT_EQ(closed, true);
}

TEST_F(SeveralLoops, OneThatIsGoneIsForgotten) {
  ours_.reset();
  std::optional<bool> on_it;
  loop_.post([&] { on_it = detail::on_client_thread(); });
  settle();
  EXPECT_EQ(on_it, false);
  on_other([&] { on_it = detail::on_client_thread(); });
  EXPECT_EQ(on_it, true);
}

TEST_F(SeveralLoops, WaitingForAResultOfAnotherIsRefused) {
  Promise<int> never;
  std::optional<Error> refused;
  on_other([&] {
    auto result = never.future().get_for(milliseconds(1));
    if (result && !*result) refused = result->error();
  });
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->kind, Error::Kind::kInvalidArgument);
}

TEST_F(SeveralLoops, ClosingAnAdminOnAnotherGoesOnWithoutIt) {
  auto admin = Admin::create(config_, {.runtime = ours_});
  ASSERT_TRUE(admin.has_value());
  on_other([&] { admin->close(); });
  run_both(seconds(1));
}

TEST_F(SeveralLoops, ClosingAProducerOnAnotherGoesOnWithoutIt) {
  auto producer = Producer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(producer.has_value());
  std::optional<bool> closed;
  on_other([&] { closed = producer->close().has_value(); });
  EXPECT_EQ(closed, true);
  run_both(seconds(1));
}

TEST_F(SeveralLoops, ClosingAConsumerOnAnotherGoesOnWithoutIt) {
  auto consumer = Consumer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(consumer.has_value());
  std::optional<bool> closed;
  on_other([&] { closed = consumer->close().has_value(); });
  EXPECT_EQ(closed, true);
  run_both(seconds(1));
}

TEST_F(SeveralLoops, ClosingAShareConsumerOnAnotherGoesOnWithoutIt) {
  auto consumer = ShareConsumer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(consumer.has_value());
  std::optional<bool> closed;
  on_other([&] { closed = consumer->close().has_value(); });
  EXPECT_EQ(closed, true);
  run_both(seconds(1));
}

TEST_F(SeveralLoops, PollingOnAnotherIsRefused) {
  auto consumer = Consumer::create(config_, {.runtime = ours_});
  auto sharing = ShareConsumer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(consumer.has_value());
  ASSERT_TRUE(sharing.has_value());
  ASSERT_TRUE(consumer->subscribe({"t"}).has_value());
  ASSERT_TRUE(sharing->subscribe({"t"}).has_value());
  on_other([&] {
    for (const auto& polled : {consumer->poll(Milliseconds(1)), sharing->poll(Milliseconds(1))}) {
      EXPECT_FALSE(polled.has_value());
      if (!polled) EXPECT_EQ(polled.error().kind, Error::Kind::kInvalidArgument) << polled.error().to_string();
    }
    EXPECT_TRUE(consumer->close(Milliseconds(10)).has_value());
    EXPECT_TRUE(sharing->close(Milliseconds(10)).has_value());
  });
  run_both(seconds(60));
}

TEST_F(SeveralLoops, SendsOnAnotherWaitWithoutTheThreadAndInOrder) {
  auto producer = Producer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(producer.has_value());
  std::string ended;
  on_other([&] {
    for (const char* name : {"a", "b", "c"}) {
      producer->send({.topic = "t", .value = name}, [&ended, name](Result<RecordMetadata> report) {
        ASSERT_FALSE(report.has_value());
        EXPECT_EQ(report.error().kind, Error::Kind::kTimedOut) << report.error().to_string();
        ended += name;
      });
    }
  });
  EXPECT_EQ(ended, "");
  run_both(seconds(2));
  EXPECT_EQ(ended, "abc");
  on_other([&] { EXPECT_TRUE(producer->close().has_value()); });
  run_both(seconds(1));
}

TEST_F(SeveralLoops, WhatStillWaitsWhenItsProducerClosesIsRefused) {
  auto producer = Producer::create(config_, {.runtime = ours_});
  ASSERT_TRUE(producer.has_value());
  std::optional<Error> refused;
  on_other([&] {
    producer->send({.topic = "t", .value = "late"}, [&](Result<RecordMetadata> report) {
      ASSERT_FALSE(report.has_value());
      refused = report.error();
    });
    EXPECT_TRUE(producer->close().has_value());
  });
  run_both(seconds(1));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->kind, Error::Kind::kClosed) << refused->to_string();
}

}  // namespace
}  // namespace barnabas::client::testing
