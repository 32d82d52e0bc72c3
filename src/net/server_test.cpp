#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/held_service.h"
#include "net/testing/memory_stream.h"
#include "runtime/file.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"

namespace barnabas::net {
namespace {

using net::testing::Backlog;
using net::testing::framed;
using net::testing::HeldService;
using net::testing::MemoryListener;
using net::testing::Wire;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Lines final : runtime::Logger {
  void log(runtime::LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};
struct NoNetwork final : runtime::Network {
  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Endpoint&, const runtime::ListenOptions&) override {
    return fail(ErrorCode::kUnsupported, "no network");
  }
  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Executor&, runtime::Endpoint, Duration,
                                                                  runtime::CancelToken) override {
    co_return fail(ErrorCode::kUnsupported, "no network");
  }
};
struct NoDisk final : runtime::Disk {
  Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string&, bool) override {
    return fail(ErrorCode::kUnsupported, "no disk");
  }
  std::string boot_id() override { return ""; }
};
struct NoRandom final : runtime::Random {
  uint64_t next() override { return 4; }
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { service_.answer_at_once = true; }
  ~ServerTest() override {
    if (server_) stop();
  }

  void start(ConnectionLimits limits = {}) {
    quotas_.update(std::move(limits));
    server_ = std::make_unique<Server>(world_, "PLAINTEXT", std::make_unique<MemoryListener>(backlog_), service_,
                                       budget_, quotas_, options_);
    server_->start();
    settle();
  }
  void stop() {
    runtime::Scope scope(loop_);
    loop_.spawn(scope, server_->stop());
    settle();
    EXPECT_TRUE(scope.empty()) << "the server did not stop";
    server_.reset();
  }
  std::shared_ptr<Wire> connect(const std::string& host = "10.0.0.1") {
    auto wire = backlog_->connect(host);
    settle();
    return wire;
  }
  // Whether the server answers on `wire`.
  bool serves(Wire& wire) {
    wire.sent.clear();
    wire.send(framed("a"));
    settle();
    return wire.sent == framed("re:a");
  }
  void settle() { loop_.run_until_idle(); }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::testing::ManualWorkers workers_;
  NoRandom random_;
  NoNetwork network_;
  NoDisk disk_;
  Lines logger_;
  runtime::World world_{clock_, random_, network_, disk_, workers_, logger_, {&loop_}};
  HeldService service_;
  MemoryBudget budget_{1 << 20};
  ConnectionQuotas quotas_{{}};
  ServerOptions options_;
  std::shared_ptr<Backlog> backlog_ = std::make_shared<Backlog>();
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnIdleConnectionIsClosedAndABusyOneIsNot) {
  options_.idle_max = seconds(60);
  start();
  auto idle = connect();
  auto busy = connect();
  for (int i = 0; i < 8; ++i) {
    loop_.advance(seconds(10));
    EXPECT_TRUE(serves(*busy));
  }
  EXPECT_TRUE(idle->closed);
  EXPECT_FALSE(busy->closed);
  EXPECT_EQ(quotas_.connections(), 1);
}

TEST_F(ServerTest, APeerThatStopsInTheMiddleOfAFrameIsIdle) {
  options_.idle_max = seconds(60);
  start();
  auto half = connect();
  half->send(framed("request").substr(0, 6));
  loop_.advance(seconds(90));
  EXPECT_TRUE(half->closed);
  EXPECT_THAT(service_.started, IsEmpty());
}

TEST_F(ServerTest, WithoutAMaximumNobodyIsIdle) {
  options_.idle_max = milliseconds(-1);
  start();
  auto wire = connect();
  loop_.advance(seconds(1'000'000));
  EXPECT_FALSE(wire->closed);
}

TEST_F(ServerTest, OverTheMaximumConnectionsWaitUnservedAndUnclosed) {
  start({.node = {.connections_max = 1}});
  auto first = connect();
  auto second = connect();
  EXPECT_TRUE(serves(*first));
  EXPECT_FALSE(serves(*second));
  EXPECT_FALSE(second->closed);
  first->end();
  settle();
  EXPECT_EQ(second->sent, framed("re:a"));
}

TEST_F(ServerTest, ALoweredMaximumEndsThoseThatWereQuietLongest) {
  start();
  std::vector<std::shared_ptr<Wire>> wires;
  for (int i = 0; i < 3; ++i) {
    wires.push_back(connect());
    loop_.advance(seconds(1));
  }
  EXPECT_TRUE(serves(*wires[0]));
  quotas_.update({.node = {.connections_max = 1}});
  settle();
  EXPECT_FALSE(wires[0]->closed);
  EXPECT_TRUE(wires[1]->closed);
  EXPECT_TRUE(wires[2]->closed);
  EXPECT_EQ(quotas_.connections(), 1);
}

TEST_F(ServerTest, TooManyOfOneAddressAreRefusedWithALineEach) {
  start({.per_ip_max = 1});
  auto first = connect("10.0.0.1");
  auto second = connect("10.0.0.1");
  auto other = connect("10.0.0.2");
  EXPECT_TRUE(second->closed);
  EXPECT_TRUE(serves(*first));
  EXPECT_TRUE(serves(*other));
  EXPECT_THAT(logger_.lines, ElementsAre(HasSubstr("Rejected connection from 10.0.0.1:40000")));
}

TEST_F(ServerTest, AboveTheRateConnectionsAreServedLater) {
  start({.node = {.per_second_max = 1}});
  for (int i = 0; i < 10; ++i) connect();
  auto late = connect();
  EXPECT_FALSE(serves(*late));
  loop_.advance(seconds(1));
  EXPECT_EQ(late->sent, framed("re:a"));
}

TEST_F(ServerTest, StoppingEndsEveryConnectionAndRequestsInFlight) {
  service_.answer_at_once = false;
  start({.node = {.connections_max = 2}});
  auto idle = connect();
  auto busy = connect();
  auto waiting = connect();
  busy->send(framed("p1") + framed("p2"));
  settle();
  stop();
  EXPECT_THAT(service_.finished, ElementsAre("p1", "p2"));
  for (const auto& wire : {idle, busy, waiting}) EXPECT_TRUE(wire->closed);
  EXPECT_TRUE(backlog_->closed);
  EXPECT_EQ(quotas_.connections(), 0);
}

}  // namespace
}  // namespace barnabas::net
