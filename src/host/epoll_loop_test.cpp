#include "host/epoll_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "host/system_clock.h"
#include "runtime/clock.h"

namespace barnabas::host {
namespace {

struct EpollLoopTest : ::testing::Test {
  SystemClock clock;
  EpollLoop loop{clock};
};

TEST_F(EpollLoopTest, RunsPostedWorkInOrderAndNeverInsidePost) {
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
    loop.post([&] { loop.stop(); });
    order.push_back(2);
  });
  EXPECT_TRUE(order.empty());
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(EpollLoopTest, IsCurrentOnlyInsideItsOwnWork) {
  EXPECT_FALSE(loop.is_current());
  bool inside = false;
  bool elsewhere = true;
  loop.post([&] {
    inside = loop.is_current();
    std::thread([&] { elsewhere = loop.is_current(); }).join();
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(elsewhere);
  EXPECT_FALSE(loop.is_current());
}

TEST_F(EpollLoopTest, KeepsTheOrderOfEachThreadThatPosts) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  std::vector<std::vector<int>> seen(kThreads);
  int total = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, t, i] {
          seen[t].push_back(i);
          if (++total == kThreads * kEach) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads) thread.join();
  for (auto& one : seen) {
    ASSERT_EQ(one.size(), size_t{kEach});
    EXPECT_TRUE(std::ranges::is_sorted(one));
  }
}

TEST_F(EpollLoopTest, FiresTimersInOrderNotBeforeTheirTimeAndNotWhenCancelled) {
  std::vector<int> fired;
  MonotonicTime start = clock.now();
  bool early = false;
  loop.post([&] {
    loop.schedule(start + milliseconds(3), [&] {
      fired.push_back(3);
      loop.stop();
    });
    loop.schedule(start + milliseconds(1), [&] {
      early = clock.now() < start + milliseconds(1);
      fired.push_back(1);
    });
    auto cancelled = loop.schedule(start + milliseconds(2), [&] { fired.push_back(2); });
    loop.cancel(cancelled);
  });
  loop.run();
  EXPECT_EQ(fired, (std::vector{1, 3}));
  EXPECT_FALSE(early);
}

TEST_F(EpollLoopTest, RunsEndOfPassWorkAfterEverythingPostedBeforeIt) {
  std::vector<std::string> order;
  loop.post([&] {
    loop.at_end_of_pass([&] {
      order.push_back("end");
      loop.at_end_of_pass([&] {
        order.push_back("end of the end");
        loop.stop();
      });
    });
    order.push_back("first");
  });
  loop.post([&] { order.push_back("second"); });
  loop.run();
  EXPECT_EQ(order, (std::vector<std::string>{"first", "second", "end", "end of the end"}));
}

TEST_F(EpollLoopTest, StoppingBeforeRunningMakesTheNextRunEmptyAndOnlyThat) {
  loop.stop();
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  EXPECT_FALSE(ran);
  loop.run();
  EXPECT_TRUE(ran);
}

// Two pipes become readable in one wait; whoever is told first takes the other out.
TEST_F(EpollLoopTest, ARemovedHandlerIsNotCalledEvenIfItsEventWasAlreadyRead) {
  struct Taker final : ReadyHandler {
    EpollLoop* loop;
    int fd;
    Taker* other;
    int calls = 0;
    bool removed = false;
    void on_ready(uint32_t) override {
      ++calls;
      other->removed = true;
      loop->remove(other->fd, *other);
      loop->stop();
    }
  };
  int pipes[2][2];
  Taker takers[2];
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(pipe(pipes[i]), 0);
    takers[i].loop = &loop;
    takers[i].fd = pipes[i][0];
    takers[i].other = &takers[1 - i];
    loop.add(pipes[i][0], EPOLLIN, takers[i]);
    ASSERT_EQ(write(pipes[i][1], "x", 1), 1);
  }
  loop.run();
  EXPECT_EQ(takers[0].calls + takers[1].calls, 1);
  for (auto& pair : pipes) {
    close(pair[0]);
    close(pair[1]);
  }
}

// A loop with a timer asks the clock in every pass.
struct CountingClock final : runtime::Clock {
  SystemClock real;
  mutable std::atomic<int> asked = 0;
  MonotonicTime now() const override {
    ++asked;
    return real.now();
  }
  TimestampMs wall_time() const override { return real.wall_time(); }
};

TEST(EpollLoop, MakesNoPassWithoutAReason) {
  CountingClock clock;
  EpollLoop loop(clock);
  loop.schedule(clock.now() + std::chrono::hours(1), [] {});
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(10));
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_LT(clock.asked, 20);
}

}  // namespace
}  // namespace barnabas::host
