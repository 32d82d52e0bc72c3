#include "host/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace barnabas::host {
namespace {

void run_all(TimerQueue& queue, MonotonicTime now) {
  while (auto work = queue.take_due(now)) work();
}

TEST(TimerQueue, FiresInTimeOrderAndEqualTimesInTheOrderTheyWereSet) {
  TimerQueue queue;
  std::vector<int> fired;
  queue.add({30}, [&] { fired.push_back(3); });
  queue.add({10}, [&] { fired.push_back(1); });
  queue.add({20}, [&] { fired.push_back(20); });
  queue.add({20}, [&] { fired.push_back(21); });
  EXPECT_EQ(queue.earliest(), MonotonicTime{10});
  run_all(queue, {20});
  EXPECT_EQ(fired, (std::vector{1, 20, 21}));
  run_all(queue, {30});
  EXPECT_EQ(fired.back(), 3);
  EXPECT_EQ(queue.earliest(), std::nullopt);
}

TEST(TimerQueue, AnOldIdDoesNotCancelTheTimerThatReusesItsSlot) {
  TimerQueue queue;
  int fired = 0;
  auto first = queue.add({1}, [] {});
  queue.take_due({1})();
  auto second = queue.add({1}, [&] { ++fired; });
  EXPECT_NE(first, second);
  queue.cancel(first);
  queue.cancel(0);
  queue.cancel(~0ULL);
  EXPECT_EQ(queue.size(), 1u);
  queue.take_due({1})();
  EXPECT_EQ(fired, 1);
}

TEST(TimerQueue, AgreesWithASortedMapUnderRandomUse) {
  std::mt19937 random(1);
  TimerQueue queue;
  std::map<std::pair<int64_t, int>, runtime::TimerId> model;
  std::vector<int> fired;
  int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 4) {
      case 0:
      case 1: {
        int64_t when = now + random() % 1000;
        model[{when, i}] = queue.add({when}, [&fired, i] { fired.push_back(i); });
        break;
      }
      case 2: {
        if (model.empty()) break;
        auto victim = std::next(model.begin(), random() % std::min<size_t>(model.size(), 20));
        queue.cancel(victim->second);
        model.erase(victim);
        break;
      }
      case 3: {
        now += random() % 100;
        fired.clear();
        run_all(queue, {now});
        std::vector<int> expected;
        while (!model.empty() && model.begin()->first.first <= now) {
          expected.push_back(model.begin()->first.second);
          model.erase(model.begin());
        }
        ASSERT_EQ(fired, expected);
        ASSERT_EQ(queue.size(), model.size());
        break;
      }
    }
  }
}

}  // namespace
}  // namespace barnabas::host
