#include "host/host_thread.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "runtime/executor.h"

namespace barnabas::host {
namespace {

TEST(HostThread, RunsWorkOnItsOwnThread) {
  HostThread host({});
  std::promise<std::pair<bool, std::thread::id>> ran;
  host.loop().post([&] { ran.set_value({host.loop().is_current(), std::this_thread::get_id()}); });
  auto [current, thread] = ran.get_future().get();
  EXPECT_TRUE(current);
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_FALSE(host.loop().is_current());
}

TEST(HostThread, MayBeDestroyedByItsOwnThread) {
  auto host = std::make_unique<HostThread>(HostOptions{});
  std::promise<void> after;
  auto& loop = host->loop();
  loop.post([&after, host = std::move(host)]() mutable {
    host.reset();
    after.set_value();
  });
  after.get_future().get();
}

TEST(HostThread, LeavesTheProcessAlone) {
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &before), 0);
  signal(SIGPIPE, SIG_DFL);
  HostThread host({});
  struct sigaction now{};
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
  sigaction(SIGPIPE, &before, nullptr);
}

}  // namespace
}  // namespace barnabas::host
