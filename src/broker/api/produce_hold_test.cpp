// A produce that comes before this broker leads: after a start clients are back at once, with what they had in flight.
#include <gmock/gmock.h>

#include "broker/testing/test_broker.h"
#include "runtime/executor.h"
#include "wire/messages/metadata_records.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"
#include "wire/metadata_record.h"
#include "wire/record_batch_builder.h"

namespace barnabas::broker::testing {

using wire::KafkaError;

namespace {

class ProduceHold : public ::testing::Test {
 protected:
  ProduceHold() { id = broker.create_topic("a"); }

  wire::ProduceRequest request(int32_t timeout_ms) {
    wire::BatchBuilder batch({});
    batch.add({.timestamp = 1, .value = as_bytes("v")});
    bytes = batch.build();
    wire::ProduceRequest asked;
    asked.acks = -1;
    asked.timeout_ms = timeout_ms;
    auto& topic = asked.topic_data.emplace_back();
    topic.name = "a";
    topic.partition_data.emplace_back().records = Payload::view(bytes);
    return asked;
  }

  // As the controller does it: whether the broker is let in and who leads are decided together.
  void decide(bool fenced, int32_t leader) {
    wire::BrokerRegistrationChangeRecord registration;
    registration.broker_id = broker.broker().id().value;
    registration.broker_epoch = broker.broker().image()->broker(broker.broker().id())->epoch.value;
    registration.fenced = fenced ? 1 : -1;
    wire::PartitionChangeRecord partition;
    partition.topic_id = id;
    partition.partition_id = 0;
    partition.leader = leader;
    broker.commit({registration, partition});
  }
  KafkaError produce(int32_t timeout_ms) {
    auto response = broker.ask<wire::ProduceResponse>(request(timeout_ms), 9);
    return response.responses.at(0).partition_responses.at(0).error_code;
  }

  TestBroker broker;
  Uuid id;
  Buffer bytes;
};

}  // namespace

TEST_F(ProduceHold, ItWaitsUntilTheBrokerIsLetInAndLeads) {
  decide(true, -1);
  runtime::Executor& loop = *broker.broker().world().loops[0];
  loop.schedule(loop.clock().now() + milliseconds(300), [this] { decide(false, broker.broker().id().value); });
  EXPECT_EQ(produce(30000), KafkaError::kNone);
}

TEST_F(ProduceHold, ItIsRefusedAfterASecond) {
  decide(true, -1);
  MonotonicTime before = broker.broker().now();
  EXPECT_EQ(produce(30000), KafkaError::kNotLeaderOrFollower);
  EXPECT_GE(broker.broker().now() - before, seconds(1));
  EXPECT_LT(broker.broker().now() - before, seconds(2));
}

TEST_F(ProduceHold, ABrokerThatIsInRefusesAtOnce) {
  decide(false, -1);
  MonotonicTime before = broker.broker().now();
  EXPECT_EQ(produce(30000), KafkaError::kNotLeaderOrFollower);
  EXPECT_LT(broker.broker().now() - before, milliseconds(100));
}

TEST_F(ProduceHold, WhatComesBehindItOnTheConnectionDoesNotOvertake) {
  KafkaService service(broker.broker(), ListenerKind::kBroker);
  Buffer frame = {std::byte{0}, std::byte{0}};
  net::ConnectionInfo connection;
  EXPECT_TRUE(service.may_overlap(frame, connection));
  connection.holding = 1;
  EXPECT_FALSE(service.may_overlap(frame, connection));
}

}  // namespace barnabas::broker::testing
