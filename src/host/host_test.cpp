#include "host/host.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "host/line_logger.h"
#include "host/run_task.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::host {
namespace {

using runtime::Completion;
using runtime::Executor;
using runtime::Task;

Task<int> hop_round(runtime::World& world) {
  int right = 0;
  for (Executor* loop : world.loops) {
    co_await runtime::resume_on(*loop);
    if (loop->is_current()) ++right;
  }
  co_await runtime::resume_on(*world.loops[0]);
  co_return right;
}

TEST(Host, RunsATaskAcrossItsLoopsAndReturnsItsResult) {
  Host host({.loops = 3});
  EXPECT_EQ(host.world().loops.size(), 3u);
  EXPECT_EQ(run_task(host, hop_round(host.world())), 3);
  EXPECT_EQ(run_task(host, hop_round(host.world())), 3) << "a host can run again";
}

Task<std::thread::id> thread_of_worker(runtime::World& world) {
  auto id = co_await runtime::run_blocking(world.workers, *world.loops[0], [] { return std::this_thread::get_id(); });
  co_return id;
}

TEST(Host, RunsBlockingWorkOnAThreadOfItsOwn) {
  Host host({.loops = 1});
  EXPECT_NE(run_task(host, thread_of_worker(host.world())), std::this_thread::get_id());
}

// Each piece of work waits for the others: they finish only if as many threads run as were promised.
Task<int> meet(runtime::World& world, int parties) {
  std::atomic<int> arrived = 0;
  std::vector<Completion<bool>> done(parties);
  for (auto& one : done) {
    world.workers.submit([&arrived, parties, one] {
      ++arrived;
      while (arrived < parties) std::this_thread::yield();
      one.set(true);
    });
  }
  for (auto& one : done) {
    co_await one.wait(*world.loops[0]);
  }
  co_return arrived.load();
}

TEST(Host, StartsAsManyWorkersAsItWasToldWhenWorkWaits) {
  Host host({.loops = 1, .worker_threads = 3});
  EXPECT_EQ(run_task(host, meet(host.world(), 3)), 3);
}

Task<bool> sleep_some(runtime::World& world, Duration duration) {
  MonotonicTime start = world.clock.now();
  bool slept = co_await runtime::sleep_for(*world.loops[0], duration);
  co_return slept&& world.clock.now() - start >= duration;
}

TEST(Host, SleepsAtLeastAsLongAsAsked) {
  Host host({.loops = 1});
  EXPECT_TRUE(run_task(host, sleep_some(host.world(), milliseconds(2))));
}

Task<int> wait_for_signal(runtime::World& world, Completion<int> signalled) {
  kill(getpid(), SIGTERM);
  auto signal = co_await signalled.wait(*world.loops[0]);
  co_return *signal;
}

TEST(Host, HandsSignalsToItsHandler) {
  Host host({.loops = 2});
  Completion<int> signalled;
  host.on_signal([signalled](int signal) { signalled.set(signal); });
  EXPECT_EQ(run_task(host, wait_for_signal(host.world(), signalled)), SIGTERM);
}

TEST(Host, LogsOneLineWithTimeAndLevel) {
  std::vector<std::string> lines;
  Host host({.loops = 1, .log_sink = [&](std::string_view line) { lines.emplace_back(line); }});
  host.world().logger.warning("The disk is nearly full.");
  host.world().logger.debug("not asked for");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].substr(24), " WARN The disk is nearly full.");
}

TEST(Host, WritesTimeAsUtcWithMilliseconds) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_utc(1'795'431'600'123), "2026-11-23T11:00:00.123Z");
  EXPECT_EQ(format_utc(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Host, RandomNumbersDoNotRepeat) {
  Host host({.loops = 1});
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(host.world().random.next());
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace barnabas::host
