// The producer's loop side against scripted brokers: where records go when leaders come and go.

#include "client/producer/sender.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "barnabas/producer.h"
#include "client/runtime_loop.h"
#include "client/testing/client_test.h"
#include "client/testing/fake_cluster.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace barnabas::client::testing {
namespace {

class SenderTest : public ClientTest {
 protected:
  SenderTest() {
    cluster_.add_topic("t", {{.leader = 1}});
    for (int32_t id : {1, 2}) {
      cluster_.broker(id).answer<wire::ProduceRequest, wire::ProduceResponse>(
          [this, id](const wire::ProduceRequest& request) { return take(id, request); }, 12);
    }
  }

  wire::ProduceResponse take(int32_t id, const wire::ProduceRequest& request) {
    wire::ProduceResponse response;
    for (const auto& topic : request.topic_data) {
      auto& of_topic = response.responses.emplace_back();
      of_topic.name = topic.name;
      for (const auto& partition : topic.partition_data) {
        auto& answer = of_topic.partition_responses.emplace_back();
        answer.index = partition.index;
        if (cluster_.topics["t"].partitions[0].leader != id) {
          answer.error_code = wire::KafkaError::kNotLeaderOrFollower;
        } else {
          answer.base_offset = next_offset_++;
        }
      }
    }
    return response;
  }

  FakeCluster cluster_{network_, 2};
  int64_t next_offset_ = 0;
};

TEST_F(SenderTest, WhatWaitsForALeaderThatIsGoneGoesToTheNewOne) {
  auto producer = Producer::create({{"bootstrap.servers", "b1:9092,b2:9092"}, {"enable.idempotence", "false"}},
                                   {.runtime = RuntimeLoop::over(world_, loop_)});
  ASSERT_TRUE(producer.has_value());
  auto send = [&](std::string_view value, std::optional<int64_t>& offset) {
    loop_.post([&, value] {
      producer->send({.topic = "t", .partition = 0, .value = value},
                     [&](Result<RecordMetadata> report) { offset = report ? report->offset : -2; });
    });
  };
  std::optional<int64_t> first;
  std::optional<int64_t> second;
  send("to the old one", first);
  advance(seconds(1));
  EXPECT_EQ(first, 0);

  // The broker dies; a record waits for a connection to it before anybody knows of another leader.
  cluster_.broker(1).refuses = true;
  for (auto& wire : cluster_.broker(1).wires) wire->end();
  send("to the new one", second);
  advance(milliseconds(300));
  EXPECT_FALSE(second.has_value());
  cluster_.topics["t"].partitions[0] = {.leader = 2, .epoch = 1};
  advance(seconds(20));
  EXPECT_EQ(second, 1);

  loop_.post([&] { EXPECT_TRUE(producer->close().has_value()); });
  advance(seconds(1));
}

}  // namespace
}  // namespace barnabas::client::testing
