#include "net/connection_quotas.h"

#include <gtest/gtest.h>

#include "runtime/testing/manual_executor.h"

namespace barnabas::net {
namespace {

using Verdict = ConnectionQuotas::Verdict;

TEST(ArrivalRate, ABurstOfTenSecondsIsLetInAndThenArrivalsWait) {
  ArrivalRate rate;
  MonotonicTime now{0};
  for (int i = 0; i < 50; ++i) EXPECT_EQ(rate.record(now, 5), Duration::zero()) << i;
  EXPECT_GT(rate.record(now, 5), Duration::zero());
}

TEST(ArrivalRate, WhatWasLongAgoIsForgotten) {
  ArrivalRate rate;
  for (int i = 0; i < 100; ++i) rate.record({0}, 5);
  EXPECT_GT(rate.record(MonotonicTime{} + seconds(5), 5), Duration::zero());
  EXPECT_EQ(rate.record(MonotonicTime{} + seconds(20), 5), Duration::zero());
}

TEST(ArrivalRate, AWaitIsAtMostASecondAndWithoutAMaximumThereIsNone) {
  ArrivalRate rate;
  for (int i = 0; i < 1000; ++i) EXPECT_LE(rate.record({0}, 0), seconds(1));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(rate.record({0}, INT32_MAX), Duration::zero());
}

class QuotasTest : public ::testing::Test {
 protected:
  ~QuotasTest() override {
    scope_.cancel();
    loop_.run_until_idle();
  }
  // What became of an attempt; nothing while it waits.
  using Attempt = std::shared_ptr<std::optional<Verdict>>;

  Attempt attempt(const std::string& listener = "A", const std::string& host = "h") {
    auto result = std::make_shared<std::optional<Verdict>>();
    loop_.spawn(scope_, run(&quotas_, &loop_, listener, host, scope_.token(), result));
    loop_.run_until_idle();
    return result;
  }
  static runtime::Task<> run(ConnectionQuotas* quotas, runtime::Executor* loop, std::string listener, std::string host,
                             runtime::CancelToken token, Attempt result) {
    auto verdict = co_await quotas->admit(*loop, listener, host, token);
    *result = verdict;
  }
  void leave(const std::string& listener = "A", const std::string& host = "h", bool excess = false) {
    quotas_.leave(listener, host, excess);
    loop_.run_until_idle();
  }
  void update(ConnectionLimits limits) {
    quotas_.update(std::move(limits));
    loop_.run_until_idle();
  }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::Scope scope_{loop_};
  ConnectionQuotas quotas_{{}};
};

TEST_F(QuotasTest, OverTheMaximumAConnectionWaitsUntilOneLeaves) {
  update({.node = {.connections_max = 2}});
  EXPECT_EQ(*attempt(), Verdict::kAdmitted);
  EXPECT_EQ(*attempt(), Verdict::kAdmitted);
  Attempt third = attempt();
  Attempt fourth = attempt();
  EXPECT_FALSE(third->has_value());
  leave();
  EXPECT_TRUE(third->has_value() != fourth->has_value());
  leave();
  EXPECT_EQ(*third, Verdict::kAdmitted);
  EXPECT_EQ(*fourth, Verdict::kAdmitted);
}

TEST_F(QuotasTest, ARaisedMaximumLetsInWhatWaits) {
  update({.node = {.connections_max = 0}});
  Attempt waits = attempt();
  EXPECT_FALSE(waits->has_value());
  update({});
  EXPECT_EQ(*waits, Verdict::kAdmitted);
}

TEST_F(QuotasTest, AListenerHasAMaximumOfItsOwn) {
  update({.listeners = {{"A", {.connections_max = 1}}}});
  EXPECT_EQ(*attempt("A"), Verdict::kAdmitted);
  Attempt waits = attempt("A");
  EXPECT_FALSE(waits->has_value());
  EXPECT_EQ(*attempt("B"), Verdict::kAdmitted);
  leave("B");
  EXPECT_FALSE(waits->has_value());
  leave("A");
  EXPECT_EQ(*waits, Verdict::kAdmitted);
}

TEST_F(QuotasTest, OverTheMaximumOfItsAddressAConnectionIsRefused) {
  update({.per_ip_max = 1, .per_ip_overrides = {{"friend", 2}, {"foe", 0}}});
  EXPECT_EQ(*attempt("A", "h"), Verdict::kAdmitted);
  EXPECT_EQ(*attempt("A", "h"), Verdict::kTooManyOfAddress);
  EXPECT_EQ(*attempt("A", "friend"), Verdict::kAdmitted);
  EXPECT_EQ(*attempt("A", "friend"), Verdict::kAdmitted);
  EXPECT_EQ(*attempt("A", "foe"), Verdict::kTooManyOfAddress);
  leave("A", "h");
  EXPECT_EQ(*attempt("A", "h"), Verdict::kAdmitted);
}

TEST_F(QuotasTest, AboveTheRateConnectionsAreDelayed) {
  update({.node = {.per_second_max = 1}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*attempt(), Verdict::kAdmitted);
  Attempt delayed = attempt();
  EXPECT_FALSE(delayed->has_value());
  loop_.advance(seconds(1));
  EXPECT_EQ(*delayed, Verdict::kAdmitted);
}

TEST_F(QuotasTest, TheListenerOfTheBrokersIsLetInAndAnotherConnectionEndsForIt) {
  int told = 0;
  quotas_.add_listener("A", [&] { ++told; });
  quotas_.add_listener("INTERNAL", [&] { ++told; });
  update({.node = {.connections_max = 1}, .inter_broker_listener = "INTERNAL"});
  EXPECT_EQ(*attempt("A"), Verdict::kAdmitted);
  EXPECT_FALSE(quotas_.take_excess("A"));
  EXPECT_EQ(told, 0);
  EXPECT_EQ(*attempt("INTERNAL"), Verdict::kAdmitted);
  EXPECT_EQ(told, 2);
  EXPECT_FALSE(quotas_.take_excess("INTERNAL"));
  EXPECT_TRUE(quotas_.take_excess("A"));
  EXPECT_FALSE(quotas_.take_excess("A")) << "one is on its way out already";
  leave("A", "h", true);
  EXPECT_EQ(quotas_.connections(), 1);
}

TEST_F(QuotasTest, ALoweredMaximumEndsConnections) {
  int told = 0;
  quotas_.add_listener("A", [&] { ++told; });
  for (int i = 0; i < 3; ++i) attempt();
  update({.node = {.connections_max = 1}});
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(quotas_.take_excess("A"));
  EXPECT_TRUE(quotas_.take_excess("A"));
  EXPECT_FALSE(quotas_.take_excess("A"));
}

TEST_F(QuotasTest, AWaitEndsWithItsToken) {
  update({.node = {.connections_max = 0, .per_second_max = 0}});
  Attempt waits = attempt();
  scope_.cancel();
  loop_.run_until_idle();
  EXPECT_EQ(*waits, Verdict::kCancelled);
}

}  // namespace
}  // namespace barnabas::net
