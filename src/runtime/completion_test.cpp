#include "runtime/completion.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/mailbox.h"
#include "runtime/scope.h"
#include "runtime/sleep.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"

namespace barnabas::runtime {
namespace {

struct CompletionTest : ::testing::Test {
  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  Scope scope{loop};
};

Task<> take(Completion<int> from, Executor& home, CancelToken token, std::optional<int>& out, bool& ended) {
  auto value = co_await from.wait(home, token);
  out = value;
  ended = true;
}

TEST_F(CompletionTest, AValueSetBeforeTheWaitIsTakenWithoutWaiting) {
  Completion<int> completion;
  completion.set(1);
  std::optional<int> out;
  bool ended = false;
  scope.spawn(take(completion, loop, {}, out, ended));
  EXPECT_TRUE(ended);
  EXPECT_EQ(out, 1);
}

TEST_F(CompletionTest, ACancelledWaitIsEmptyAndALaterValueIsDropped) {
  Completion<int> completion;
  CancelSource source;
  std::optional<int> out;
  bool ended = false;
  scope.spawn(take(completion, loop, source.token(), out, ended));
  source.request();
  loop.run_until_idle();
  EXPECT_TRUE(ended);
  EXPECT_EQ(out, std::nullopt);
  completion.set(1);
  loop.run_until_idle();
}

TEST_F(CompletionTest, AValueThatComesWithTheCancellationIsNotLost) {
  for (bool value_first : {true, false}) {
    Completion<int> completion;
    CancelSource source;
    std::optional<int> out;
    bool ended = false;
    scope.spawn(take(completion, loop, source.token(), out, ended));
    if (value_first) completion.set(1);
    source.request();
    if (!value_first) completion.set(1);
    loop.run_until_idle();
    EXPECT_TRUE(ended);
    EXPECT_EQ(out, 1);
  }
}

Task<> take_many(std::vector<Completion<int>>& completions, Executor& home, int64_t& sum) {
  for (auto& completion : completions) {
    auto value = co_await completion.wait(home);
    sum += *value;
  }
}

TEST_F(CompletionTest, ValuesCrossThreads) {
  std::vector<Completion<int>> completions(2000);
  int64_t sum = 0;
  scope.spawn(take_many(completions, loop, sum));
  std::thread setter([&] {
    for (size_t i = 0; i < completions.size(); ++i) completions[i].set(static_cast<int>(i));
  });
  while (!scope.empty()) loop.run_pass();
  setter.join();
  EXPECT_EQ(sum, 1999 * 2000 / 2);
}

TEST_F(CompletionTest, CancellingAgainstASettingThreadEndsEveryWaitOnce) {
  for (int round = 0; round < 300; ++round) {
    Completion<int> completion;
    CancelSource source;
    std::optional<int> out;
    bool ended = false;
    scope.spawn(take(completion, loop, source.token(), out, ended));
    std::thread setter([completion] { completion.set(1); });
    if (round % 3 == 0) std::this_thread::yield();
    source.request();
    loop.run_until_idle();
    EXPECT_TRUE(ended);
    setter.join();
    loop.run_until_idle();
  }
}

Task<> take_all(Mailbox<int>& box, std::vector<int>& seen, bool& closed) {
  while (true) {
    auto message = co_await box.receive();
    if (!message) break;
    seen.push_back(*message);
  }
  closed = true;
}

TEST_F(CompletionTest, AMailboxKeepsOrderAndEndsAfterWhatWasSent) {
  Mailbox<int> box(loop);
  std::vector<int> seen;
  bool closed = false;
  box.send(1);
  scope.spawn(take_all(box, seen, closed));
  box.send(2);
  box.send(3);
  EXPECT_EQ(seen, (std::vector{1}));
  box.close();
  box.send(4);
  loop.run_until_idle();
  EXPECT_EQ(seen, (std::vector{1, 2, 3}));
  EXPECT_TRUE(closed);
}

TEST_F(CompletionTest, AMailboxTakesFromManyThreads) {
  Mailbox<int> box(loop);
  std::vector<int> seen;
  bool closed = false;
  scope.spawn(take_all(box, seen, closed));
  std::vector<std::thread> senders;
  for (int t = 0; t < 3; ++t) {
    senders.emplace_back([&box] {
      for (int i = 0; i < 1000; ++i) box.send(i);
    });
  }
  while (seen.size() < 3000) loop.run_pass();
  for (auto& sender : senders) sender.join();
  box.close();
  loop.run_until_idle();
  EXPECT_TRUE(closed);
}

Task<> compute(WorkerPool& pool, Executor& home, int& out) {
  int value = co_await run_blocking(pool, home, [] { return 6 * 7; });
  out = value;
  co_await run_blocking(pool, home, [&out] { ++out; });
}

TEST_F(CompletionTest, BlockingWorkRunsOnThePoolAndComesBack) {
  testing::ManualWorkers pool;
  int out = 0;
  scope.spawn(compute(pool, loop, out));
  EXPECT_EQ(pool.waiting(), 1u);
  EXPECT_TRUE(pool.run_one());
  EXPECT_EQ(out, 0);
  loop.run_until_idle();
  EXPECT_EQ(out, 42);
  EXPECT_TRUE(pool.run_one());
  loop.run_until_idle();
  EXPECT_EQ(out, 43);
  EXPECT_TRUE(scope.empty());
}

Task<> hop(Executor& here, Executor& there, std::vector<int>& steps) {
  co_await resume_on(there);
  steps.push_back(there.is_current() && !here.is_current() ? 1 : -1);
  co_await resume_on(here);
  steps.push_back(here.is_current() && !there.is_current() ? 2 : -2);
}

TEST_F(CompletionTest, ATaskHopsToAnotherLoopAndBack) {
  testing::ManualExecutor other{clock};
  std::vector<int> steps;
  loop.spawn(scope, hop(loop, other, steps));
  loop.run_until_idle();
  EXPECT_TRUE(steps.empty());
  other.run_until_idle();
  loop.run_until_idle();
  EXPECT_EQ(steps, (std::vector{1, 2}));
}

TEST(Cancel, CallbacksRunOnceInTheOrderTheyWereRegistered) {
  CancelSource source;
  std::vector<int> ran;
  CancelCallback first(source.token(), [&] { ran.push_back(1); });
  CancelCallback second(source.token(), [&] { ran.push_back(2); });
  {
    CancelCallback gone(source.token(), [&] { ran.push_back(-1); });
  }
  source.request();
  source.request();
  EXPECT_EQ(ran, (std::vector{1, 2}));
  CancelCallback late(source.token(), [&] { ran.push_back(3); });
  EXPECT_EQ(ran.back(), 3);
}

TEST(Cancel, ACallbackMayUnregisterOthersAndItself) {
  auto source = std::make_unique<CancelSource>();
  std::optional<CancelCallback> first;
  std::optional<CancelCallback> second;
  int ran = 0;
  first.emplace(source->token(), [&] {
    ++ran;
    second.reset();
    source.reset();
  });
  second.emplace(source->token(), [&] { ++ran; });
  source->request();
  EXPECT_EQ(ran, 1);
  first.reset();
}

TEST(Cancel, AnEmptyTokenIsNeverRequested) {
  CancelToken token;
  EXPECT_FALSE(token.requested());
  CancelCallback never(token, [] { FAIL(); });
}

}  // namespace
}  // namespace barnabas::runtime
