#include "runtime/scope.h"

#include <gtest/gtest.h>

#include "runtime/sleep.h"
#include "runtime/testing/manual_executor.h"

namespace barnabas::runtime {
namespace {

struct ScopeTest : ::testing::Test {
  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  Scope scope{loop};
  int ended = 0;
  int cancelled = 0;
};

Task<> nap(ScopeTest& test, Duration duration) {
  bool slept = co_await sleep_for(test.loop, duration, test.scope.token());
  ++(slept ? test.ended : test.cancelled);
}

Task<> drain(Scope& scope, bool& joined) {
  co_await scope.join();
  joined = true;
}

TEST_F(ScopeTest, JoinWaitsForAllTasks) {
  scope.spawn(nap(*this, seconds(1)));
  scope.spawn(nap(*this, seconds(2)));
  EXPECT_EQ(scope.running(), 2u);
  Scope outer(loop);
  bool joined = false;
  outer.spawn(drain(scope, joined));
  loop.advance(milliseconds(1500));
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(joined);
  loop.advance(seconds(1));
  EXPECT_TRUE(joined);
  EXPECT_TRUE(scope.empty());
}

TEST_F(ScopeTest, CancelEndsWaitsThatTookTheToken) {
  scope.spawn(nap(*this, seconds(1000)));
  scope.cancel();
  scope.cancel();
  EXPECT_EQ(cancelled, 0) << "a cancelled wait resumes through the loop";
  loop.run_until_idle();
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(loop.timers(), 0u) << "no timer is left behind";
  scope.spawn(nap(*this, seconds(1000)));
  loop.run_until_idle();
  EXPECT_EQ(cancelled, 2) << "a task spawned after cancel() ends at its first wait";
}

TEST_F(ScopeTest, JoiningAnEmptyScopeEndsAtOnce) {
  Scope outer(loop);
  bool joined = false;
  outer.spawn(drain(scope, joined));
  EXPECT_TRUE(joined);
}

Task<> spawn_another(ScopeTest& test) {
  bool slept = co_await sleep_for(test.loop, seconds(1));
  if (slept) test.scope.spawn(nap(test, seconds(1)));
}

TEST_F(ScopeTest, JoinAlsoWaitsForTasksSpawnedMeanwhile) {
  scope.spawn(spawn_another(*this));
  Scope outer(loop);
  bool joined = false;
  outer.spawn(drain(scope, joined));
  loop.advance(milliseconds(1500));
  EXPECT_FALSE(joined);
  loop.advance(seconds(1));
  EXPECT_TRUE(joined);
}

}  // namespace
}  // namespace barnabas::runtime
