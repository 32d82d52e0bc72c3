#include "net/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/held_service.h"
#include "net/testing/memory_stream.h"
#include "runtime/logger.h"
#include "runtime/testing/manual_executor.h"

namespace barnabas::net {
namespace {

using net::testing::framed;
using net::testing::HeldService;
using net::testing::MemoryStream;
using net::testing::Wire;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Lines final : runtime::Logger {
  void log(runtime::LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class ConnectionTest : public ::testing::Test {
 protected:
  struct Client {
    std::shared_ptr<Wire> wire = std::make_shared<Wire>();
    std::unique_ptr<Connection> connection;
    bool ended = false;
  };

  ~ConnectionTest() override {
    scope_.cancel();
    loop_.run_until_idle();
    EXPECT_TRUE(scope_.empty()) << "a connection did not end";
  }

  Client& connect() {
    Client& client = *clients_.emplace_back(std::make_unique<Client>());
    client.connection = std::make_unique<Connection>(std::make_unique<MemoryStream>(loop_, client.wire), loop_,
                                                     "PLAINTEXT", service_, budget_, logger_, options_);
    loop_.spawn(scope_, run(&client, scope_.token()));
    return client;
  }
  static runtime::Task<> run(Client* client, runtime::CancelToken stop) {
    co_await client->connection->run(stop);
    client->ended = true;
  }
  void settle() { loop_.run_until_idle(); }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::Scope scope_{loop_};
  HeldService service_;
  MemoryBudget budget_{1 << 20};
  Lines logger_;
  ConnectionOptions options_;
  std::vector<std::unique_ptr<Client>> clients_;
};

// ---- order

TEST_F(ConnectionTest, PipelinedRequestsAreServedOneAfterTheOther) {
  Client& client = connect();
  client.wire->send(framed("a") + framed("b") + framed("c"));
  settle();
  EXPECT_THAT(service_.started, ElementsAre("a"));
  service_.answer("a");
  settle();
  EXPECT_THAT(service_.started, ElementsAre("a", "b"));
  service_.answer("b");
  settle();
  service_.answer("c");
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:a") + framed("re:b") + framed("re:c"));
}

TEST_F(ConnectionTest, OverlappingRequestsStartTogetherAndAnswerInOrder) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2") + framed("p3"));
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1", "p2", "p3"));
  service_.answer("p3");
  service_.answer("p2");
  settle();
  EXPECT_EQ(client.wire->sent, "");
  service_.answer("p1");
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:p1") + framed("re:p2") + framed("re:p3"));
}

TEST_F(ConnectionTest, ARequestThatMayNotOverlapWaitsForThoseThatDoAndHoldsUpTheNext) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("a") + framed("p2"));
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1"));
  service_.answer("p1");
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1", "a"));
  service_.answer("a");
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1", "a", "p2"));
}

TEST_F(ConnectionTest, OnlySoManyRequestsOverlap) {
  options_.requests_in_flight_max = 2;
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2") + framed("p3"));
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1", "p2"));
  service_.answer("p2");  // its answer waits, but it is no longer in flight
  settle();
  EXPECT_THAT(service_.started, ElementsAre("p1", "p2", "p3"));
}

TEST_F(ConnectionTest, ARequestWithoutAnAnswerLeavesNoGap) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2"));
  settle();
  service_.answer("p1", Answer{});  // acks=0
  service_.answer("p2");
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:p2"));
}

TEST_F(ConnectionTest, AFrameMayComeByteByByte) {
  Client& client = connect();
  for (char c : framed("slow")) {
    EXPECT_THAT(service_.started, IsEmpty());
    client.wire->send(std::string_view(&c, 1));
    settle();
  }
  EXPECT_THAT(service_.started, ElementsAre("slow"));
}

// ---- slow readers

TEST_F(ConnectionTest, APeerThatDoesNotReadIsNotReadFromEither) {
  options_.unsent_bytes_max = 100;
  service_.answer_at_once = true;
  Client& client = connect();
  client.wire->window = 0;
  std::string name(60, 'p');
  for (int i = 0; i < 10; ++i) {
    client.wire->send(framed(name));
    settle();
  }
  EXPECT_LT(service_.started.size(), 4u);
  EXPECT_FALSE(client.wire->unread.empty());
  client.wire->take(SIZE_MAX);
  settle();
  EXPECT_EQ(service_.started.size(), 10u);
  EXPECT_EQ(client.wire->sent.size(), 10 * framed("re:" + name).size());
}

TEST_F(ConnectionTest, AnswersGoOutPieceByPieceInOrder) {
  service_.answer_at_once = true;
  Client& client = connect();
  client.wire->window = 0;
  client.wire->send(framed("p1") + framed("p2") + framed("p3"));
  settle();
  for (int i = 0; i < 100; ++i) {
    client.wire->take(1);
    settle();
  }
  EXPECT_EQ(client.wire->sent, framed("re:p1") + framed("re:p2") + framed("re:p3"));
}

// ---- memory

TEST_F(ConnectionTest, ALargeRequestThatDoesNotFitIsNotReadUntilAnotherIsDone) {
  constexpr size_t kLarge = 700 << 10;  // two do not fit into the budget of a mebibyte
  Client& first = connect();
  Client& second = connect();
  std::string large = framed(std::string(kLarge, 'x'));
  first.wire->send(large.substr(0, kLarge / 2));
  settle();
  second.wire->send(large.substr(0, kLarge / 2));
  settle();
  EXPECT_TRUE(first.wire->unread.empty());
  EXPECT_GT(second.wire->unread.size(), kLarge / 4);
  size_t reads = second.wire->reads;
  first.wire->send(large.substr(kLarge / 2));
  settle();
  ASSERT_EQ(service_.started.size(), 1u);
  service_.answer(service_.started[0], "done");
  settle();
  EXPECT_TRUE(second.wire->unread.empty());
  EXPECT_GT(second.wire->reads, reads);
  second.wire->send(large.substr(kLarge / 2));
  settle();
  EXPECT_EQ(service_.started.size(), 2u);
}

TEST_F(ConnectionTest, AConnectionThatEndsInTheMiddleOfALargeRequestGivesItsMemoryBack) {
  uint64_t free = budget_.free_bytes();
  Client& client = connect();
  client.wire->send(framed(std::string(500 << 10, 'x')).substr(0, 1000));
  settle();
  EXPECT_LT(budget_.free_bytes(), free);
  client.wire->end();
  settle();
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(budget_.free_bytes(), free);
}

TEST_F(ConnectionTest, AConnectionThatEndsWhileItWaitsForMemoryTakesNone) {
  uint64_t free = budget_.free_bytes();
  Client& first = connect();
  Client& second = connect();
  std::string part = framed(std::string(700 << 10, 'x')).substr(0, 1000);
  first.wire->send(part);
  settle();
  second.wire->send(part);
  settle();
  second.connection->close();
  settle();
  EXPECT_TRUE(second.ended);
  first.wire->end();
  settle();
  EXPECT_EQ(budget_.free_bytes(), free);
}

// ---- the end

TEST_F(ConnectionTest, AFrameOfAWrongSizeEndsTheConnectionWithOneLine) {
  options_.frame_bytes_max = 1000;
  service_.answer_at_once = true;
  for (std::string_view size : {std::string_view("\xff\xff\xff\xff", 4), std::string_view("\0\0\x10\0", 4)}) {
    logger_.lines.clear();
    Client& client = connect();
    client.wire->send(framed("a") + std::string(size) + "garbage");
    settle();
    EXPECT_TRUE(client.ended);
    EXPECT_TRUE(client.wire->closed);
    EXPECT_EQ(client.wire->sent, framed("re:a"));
    EXPECT_THAT(logger_.lines, ElementsAre(HasSubstr("closing the connection of 10.0.0.1:40000")));
  }
}

TEST_F(ConnectionTest, AnAnswerThatClosesSendsWhatCameBeforeAndNothingAfter) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2") + framed("p3"));
  settle();
  service_.answer("p3");
  service_.answer("p2", Answer{.close = true, .reason = "it was rude"});
  settle();
  EXPECT_FALSE(client.ended);
  service_.answer("p1");
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:p1"));
  EXPECT_TRUE(client.ended);
  EXPECT_THAT(logger_.lines, ElementsAre(HasSubstr("it was rude")));
}

TEST_F(ConnectionTest, WhatTheServiceClosesIsNotReadAnyMore) {
  Client& client = connect();
  client.wire->send(framed("a"));
  settle();
  service_.answer("a", Answer{.close = true, .reason = "enough"});
  settle();
  client.wire->send(framed("b"));
  settle();
  EXPECT_THAT(service_.started, ElementsAre("a"));
}

TEST_F(ConnectionTest, APeerThatLeavesEndsItsRequestsWithoutALine) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2"));
  settle();
  client.wire->end();
  settle();
  EXPECT_TRUE(client.ended);
  EXPECT_THAT(service_.finished, ElementsAre("p1", "p2"));
  EXPECT_THAT(logger_.lines, IsEmpty());
}

TEST_F(ConnectionTest, AWriteThatFailsInTheMiddleOfAnAnswerEndsTheConnection) {
  Client& client = connect();
  client.wire->window = 3;
  client.wire->send(framed("p1") + framed("p2"));
  settle();
  service_.answer("p1");
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:p1").substr(0, 3));
  client.wire->fail_writes();
  settle();
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(client.wire->closed);
  EXPECT_THAT(service_.finished, ElementsAre("p1", "p2"));
}

TEST_F(ConnectionTest, AnAnswerLetsGoOfItsMemoryWhenTheConnectionEnds) {
  auto owner = std::make_shared<int>(0);
  Client& client = connect();
  client.wire->window = 0;
  client.wire->send(framed("a"));
  settle();
  Answer answer;
  static const Buffer bytes(1000);
  answer.segments.push_back(Payload{.bytes = bytes, .owner = owner});
  service_.answer("a", std::move(answer));
  settle();
  EXPECT_GT(owner.use_count(), 1);
  client.wire->fail_writes();
  settle();
  ASSERT_TRUE(client.ended);
  client.connection.reset();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST_F(ConnectionTest, AStopEndsRequestsInFlight) {
  Client& client = connect();
  client.wire->send(framed("p1") + framed("p2"));
  settle();
  scope_.cancel();
  settle();
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(client.wire->closed);
  EXPECT_THAT(service_.finished, ElementsAre("p1", "p2"));
  EXPECT_THAT(logger_.lines, IsEmpty());
}

// ---- time

TEST_F(ConnectionTest, AnAnswerMayMuteTheConnectionForAWhile) {
  Client& client = connect();
  client.wire->send(framed("a") + framed("b"));
  settle();
  Answer muting = HeldService::with_text("re:a");
  muting.mute = seconds(3);
  service_.answer("a", std::move(muting));
  settle();
  EXPECT_EQ(client.wire->sent, framed("re:a"));
  loop_.advance(milliseconds(2900));
  EXPECT_THAT(service_.started, ElementsAre("a"));
  loop_.advance(milliseconds(200));
  EXPECT_THAT(service_.started, ElementsAre("a", "b"));
}

TEST_F(ConnectionTest, RequestsAndAnswersCountAsActivity) {
  Client& client = connect();
  loop_.advance(seconds(5));
  client.wire->send(framed("a"));
  settle();
  EXPECT_EQ(client.connection->last_active(), clock_.now());
  loop_.advance(seconds(5));
  service_.answer("a");
  settle();
  EXPECT_EQ(client.connection->last_active(), clock_.now());
}

}  // namespace
}  // namespace barnabas::net
