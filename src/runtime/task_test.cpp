#include "runtime/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/completion.h"
#include "runtime/scope.h"
#include "runtime/testing/manual_executor.h"

namespace barnabas::runtime {
namespace {

struct TaskTest : ::testing::Test {
  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  Scope scope{loop};
  std::vector<std::string> story;
};

Task<int> add(int a, int b) {
  co_return a + b;
}

Task<> note_sum(std::vector<std::string>& story) {
  auto task = add(2, 3);
  story.push_back("made");
  int sum = co_await std::move(task);
  story.push_back(std::to_string(sum));
}

TEST_F(TaskTest, StartsOnlyWhenAwaitedAndHandsBackItsValue) {
  auto task = note_sum(story);
  EXPECT_TRUE(story.empty());
  scope.spawn(std::move(task));
  EXPECT_EQ(story, (std::vector<std::string>{"made", "5"}));
}

Task<std::unique_ptr<int>> move_only() {
  co_return std::make_unique<int>(7);
}

Task<> take_move_only(int& out) {
  auto value = co_await move_only();
  out = *value;
}

TEST_F(TaskTest, CarriesMoveOnlyValues) {
  int out = 0;
  scope.spawn(take_move_only(out));
  EXPECT_EQ(out, 7);
}

Task<int> depth(int levels) {
  if (levels == 0) co_return 0;
  int below = co_await depth(levels - 1);
  co_return below + 1;
}

Task<> many_in_a_row(int& sum) {
  for (int i = 0; i < 200'000; ++i) {
    int one = co_await add(0, 1);
    sum += one;
  }
  int deep = co_await depth(1000);
  sum += deep;
}

TEST_F(TaskTest, AwaitingReadyTasksInALoopDoesNotGrowTheStack) {
  int sum = 0;
  scope.spawn(many_in_a_row(sum));
  EXPECT_EQ(sum, 201'000);
}

struct Tracer {
  std::vector<std::string>* story;
  ~Tracer() {
    if (story) story->push_back("gone");
  }
};

Task<> hold(std::vector<std::string>& story, Completion<int> wait, Executor& loop) {
  Tracer tracer{&story};
  auto value = co_await wait.wait(loop);
  story.push_back(std::to_string(*value));
}

TEST_F(TaskTest, LocalsLiveAcrossWaitsAndDieAtTheEnd) {
  Completion<int> wait;
  scope.spawn(hold(story, wait, loop));
  EXPECT_TRUE(story.empty());
  wait.set(1);
  EXPECT_TRUE(story.empty()) << "a waiter never resumes inside set()";
  loop.run_until_idle();
  EXPECT_EQ(story, (std::vector<std::string>{"1", "gone"}));
}

TEST_F(TaskTest, ATaskThatNeverStartedMayBeDropped) {
  {
    auto dropped = note_sum(story);
  }
  auto first = add(1, 1);
  first = add(2, 2);
  EXPECT_TRUE(story.empty());
}

TEST(TaskDeathTest, AScopeThatDiesBeforeItsTasksStopsTheProcess) {
  EXPECT_DEATH(
      {
        testing::ManualClock clock;
        testing::ManualExecutor loop(clock);
        Scope scope(loop);
        Completion<int> never;
        std::vector<std::string> story;
        scope.spawn(hold(story, never, loop));
      },
      "a Scope died before its tasks");
}

}  // namespace
}  // namespace barnabas::runtime
