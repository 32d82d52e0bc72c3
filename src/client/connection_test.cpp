#include "client/connection.h"

#include <gmock/gmock.h>

#include "client/testing/client_test.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"
#include "wire/messages/produce_request.h"

namespace barnabas::client {
namespace {

using testing::Asked;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Opened = Result<std::shared_ptr<Connection>>;
using Beat = Result<Answer<wire::HeartbeatResponse>>;

class ConnectionTest : public testing::ClientTest {
 protected:
  ConnectionTest() {
    settings_.client_id = "tester";
    broker_.answer<wire::HeartbeatRequest, wire::HeartbeatResponse>([](const wire::HeartbeatRequest& request) {
      wire::HeartbeatResponse response;
      response.throttle_time_ms = request.generation_id;
      return response;
    });
  }

  runtime::Task<Opened> open() {
    return Connection::open(world_, loop_, settings_, {.to = {"broker", 9092}, .host_name = "broker"}, scope_.token());
  }
  std::shared_ptr<Connection> connect() {
    auto opened = run(open());
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().to_string());
    return opened ? *opened : nullptr;
  }
  static runtime::Task<Beat> beat(std::shared_ptr<Connection> connection, int32_t number,
                                  Duration timeout = seconds(30)) {
    wire::HeartbeatRequest request;
    request.generation_id = number;
    auto version = connection->version_of<wire::HeartbeatRequest>();
    if (!version) co_return std::unexpected(version.error());
    auto answer = co_await connection->call<wire::HeartbeatResponse>(request, *version, timeout);
    co_return answer;
  }
  net::testing::Wire& wire() { return *broker_.wires.back(); }

  testing::FakeBroker& broker_ = network_.broker("broker");
};

// ---- versions

TEST_F(ConnectionTest, TellsWhatItIsAndLearnsTheVersionsOfTheBroker) {
  broker_.features["transaction.version"] = 2;
  auto connection = connect();
  ASSERT_EQ(broker_.asked.size(), 1u);
  EXPECT_EQ(broker_.asked[0].version, 4);
  EXPECT_EQ(broker_.asked[0].client_id, "tester");
  auto request = broker_.asked[0].as<wire::ApiVersionsRequest>();
  EXPECT_EQ(request.client_software_name, "barnabas-cpp");
  EXPECT_EQ(connection->api(wire::HeartbeatRequest::kApiKey), (wire::VersionRange{0, 4}));
  EXPECT_TRUE(connection->api(500).empty());
  EXPECT_TRUE(connection->api(-1).empty());
  EXPECT_EQ(connection->feature("transaction.version"), 2);
  EXPECT_EQ(connection->feature("kraft.version"), std::nullopt);
}

TEST_F(ConnectionTest, FallsBackToTheVersionThatARefusalNames) {
  broker_.api_versions_max = 2;
  auto connection = connect();
  ASSERT_EQ(broker_.asked.size(), 2u);
  EXPECT_EQ(broker_.asked[1].version, 2);
  EXPECT_FALSE(connection->api(wire::HeartbeatRequest::kApiKey).empty());
}

TEST_F(ConnectionTest, FallsBackToTheOldestVersionWhenARefusalNamesNone) {
  broker_.api_versions_max = 1;
  broker_.refuses_helpfully = false;
  connect();
  ASSERT_EQ(broker_.asked.size(), 2u);
  EXPECT_EQ(broker_.asked[1].version, 0);
}

TEST_F(ConnectionTest, ABrokerThatRefusesEveryVersionIsGivenUp) {
  broker_.serve<wire::ApiVersionsRequest>([](const Asked& asked) {
    wire::ApiVersionsResponse response;
    response.error_code = wire::KafkaError::kUnsupportedVersion;
    Asked oldest = asked;
    oldest.version = 0;
    return std::optional(testing::answer_frame(oldest, response));
  });
  auto opened = run(open());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupportedVersion);
}

TEST_F(ConnectionTest, ANeedThatTheBrokerCannotMeetNamesBothRanges) {
  broker_.serve<wire::FetchRequest>([](const Asked&) { return std::nullopt; }, 3, 0);
  auto connection = connect();
  auto version = connection->version_of<wire::FetchRequest>();
  ASSERT_FALSE(version.has_value());
  EXPECT_EQ(version.error().kind, Error::Kind::kUnsupported);
  EXPECT_THAT(version.error().message, HasSubstr("broker:9092 knows Fetch in versions 0 to 3, but 4 to 18 is needed"));
  auto missing = connection->version_of<wire::ProduceRequest>();
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("does not have Produce"));
}

// ---- pipelining

TEST_F(ConnectionTest, RequestsOfOnePassLeaveWithOneWriteAndAreAnsweredInOrder) {
  auto connection = connect();
  std::vector<std::shared_ptr<std::optional<Beat>>> answers;
  for (int i = 1; i <= 3; ++i) answers.push_back(start(beat(connection, i)));
  EXPECT_EQ(wire().sent, "") << "nothing is written before the pass ends";
  EXPECT_EQ(connection->in_flight(), 3u);
  settle();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(answers[i - 1]->has_value());
    ASSERT_TRUE((*answers[i - 1])->has_value());
    EXPECT_EQ((**answers[i - 1])->message.throttle_time_ms, i);
  }
  EXPECT_EQ(connection->in_flight(), 0u);
}

TEST_F(ConnectionTest, APeerThatTakesLittleGetsEverythingInTheEnd) {
  auto connection = connect();
  wire().window = 5;
  auto first = start(beat(connection, 1));
  auto second = start(beat(connection, 2));
  settle();
  EXPECT_FALSE(first->has_value());
  for (int i = 0; i < 40; ++i) {
    wire().take(3);
    settle();
  }
  ASSERT_TRUE(second->has_value());
  EXPECT_EQ((**second)->message.throttle_time_ms, 2);
}

TEST_F(ConnectionTest, AnAnswerMayComeByteByByte) {
  std::string frame;
  broker_.serve<wire::HeartbeatRequest>([&](const Asked& asked) {
    frame = testing::answer_frame(asked, wire::HeartbeatResponse{});
    return std::nullopt;
  });
  auto connection = connect();
  auto answer = start(beat(connection, 1));
  settle();
  for (char c : frame) {
    EXPECT_FALSE(answer->has_value());
    wire().send(std::string(1, c));
    settle();
  }
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->has_value());
}

runtime::Task<Result<Answer<wire::FetchResponse>>> fetch(std::shared_ptr<Connection> connection) {
  wire::FetchRequest request;
  auto answer = co_await connection->call<wire::FetchResponse>(request, 12, seconds(30));
  co_return answer;
}

TEST_F(ConnectionTest, ALargeAnswerIsWholeAndItsRecordsAreViewsOfIt) {
  std::string records(3 << 20, 'r');
  broker_.serve<wire::FetchRequest>([&](const Asked& asked) {
    wire::FetchResponse response;
    auto& topic = response.responses.emplace_back();
    topic.topic = "t";
    topic.partitions.emplace_back().records = Payload::view(as_bytes(records));
    return std::optional(testing::answer_frame(asked, response));
  });
  auto connection = connect();
  for (int i = 0; i < 2; ++i) {
    auto answer = run(fetch(connection));
    ASSERT_TRUE(answer.has_value());
    const auto& got = answer->message.responses.at(0).partitions.at(0).records;
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(as_text(got->bytes), records);
    EXPECT_GE(got->bytes.data(), answer->frame->data());
    EXPECT_LE(got->bytes.data() + got->size(), answer->frame->data() + answer->frame->size());
  }
}

runtime::Task<Result<>> send_without_answer(std::shared_ptr<Connection> connection) {
  wire::HeartbeatRequest request;
  auto sent = co_await connection->send(request, 4);
  co_return sent;
}

TEST_F(ConnectionTest, ARequestWithoutAnswerIsDoneWhenTheKernelHasIt) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::nullopt; });
  auto connection = connect();
  wire().window = 10;
  auto sent = start(send_without_answer(connection));
  settle();
  EXPECT_FALSE(sent->has_value());
  wire().take(SIZE_MAX);
  settle();
  ASSERT_TRUE(sent->has_value());
  EXPECT_TRUE((*sent)->has_value());
  EXPECT_EQ(connection->in_flight(), 0u);
}

// ---- time

TEST_F(ConnectionTest, ALateAnswerClosesTheConnectionForAllThatWait) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::nullopt; });
  auto connection = connect();
  auto patient = start(beat(connection, 1, seconds(60)));
  auto hasty = start(beat(connection, 2, seconds(2)));
  advance(milliseconds(1990));
  EXPECT_FALSE(hasty->has_value());
  advance(milliseconds(20));
  for (auto& answer : {patient, hasty}) {
    ASSERT_TRUE(answer->has_value());
    ASSERT_FALSE((*answer)->has_value());
    EXPECT_EQ((*answer)->error().kind, Error::Kind::kTimedOut);
    EXPECT_EQ((*answer)->error().message, "broker:9092 did not answer Heartbeat in time");
  }
  EXPECT_TRUE(connection->closed());
  EXPECT_TRUE(wire().closed);
}

TEST_F(ConnectionTest, OneTimerGuardsAllRequests) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::nullopt; });
  auto connection = connect();
  size_t before = loop_.timers();
  for (int i = 0; i < 100; ++i) start(beat(connection, i, seconds(100 - i)));
  settle();
  EXPECT_LE(loop_.timers(), before + 1);
}

TEST_F(ConnectionTest, ABrokerThatNeverSpeaksIsGivenUp) {
  broker_.serve<wire::ApiVersionsRequest>([](const Asked&) { return std::nullopt; });
  settings_.request_timeout_ms = 3000;
  auto opened = run(open());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, Error::Kind::kTimedOut);
  EXPECT_THAT(opened.error().message, HasSubstr("ApiVersions"));
}

// ---- the end

TEST_F(ConnectionTest, WhenTheBrokerGoesEveryWaiterHearsOfIt) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::nullopt; });
  auto connection = connect();
  auto answer = start(beat(connection, 1));
  settle();
  wire().end();
  settle();
  ASSERT_TRUE(answer->has_value());
  ASSERT_FALSE((*answer)->has_value());
  EXPECT_EQ((*answer)->error().kind, Error::Kind::kNotReachable);
  EXPECT_TRUE((*answer)->error().retriable);
  auto late = run(beat(connection, 2));
  EXPECT_FALSE(late.has_value()) << "a closed connection takes nothing";
}

TEST_F(ConnectionTest, ClosingTheClientEndsWhatIsUnderWay) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::nullopt; });
  auto connection = connect();
  auto answer = start(beat(connection, 1));
  settle();
  scope_.cancel();
  settle();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->error().kind, Error::Kind::kClosed);
}

TEST_F(ConnectionTest, NobodyListening) {
  broker_.refuses = true;
  auto opened = run(open());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, Error::Kind::kNotReachable);
  EXPECT_TRUE(opened.error().retriable);
  EXPECT_THAT(opened.error().message, HasSubstr("Connection refused"));
}

// ---- peers that are no brokers

class ForeignPeer : public ConnectionTest, public ::testing::WithParamInterface<std::pair<std::string, std::string>> {};

TEST_P(ForeignPeer, IsRecognised) {
  broker_.serve<wire::ApiVersionsRequest>([](const Asked&) { return std::optional(GetParam().first); });
  auto opened = run(open());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, Error::Kind::kBadAnswer) << opened.error().to_string();
  EXPECT_FALSE(opened.error().retriable);
  EXPECT_THAT(opened.error().message, HasSubstr("broker:9092"));
  EXPECT_THAT(opened.error().message, HasSubstr(GetParam().second));
}

INSTANTIATE_TEST_SUITE_P(
    Peers, ForeignPeer,
    ::testing::Values(std::pair("HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP"),
                      std::pair(std::string("\x15\x03\x03\x00\x02\x02\x46", 7), "speaks TLS"),
                      std::pair(std::string("\x15\x03\x01\x00\x02\x02\x46", 7), "security.protocol"),
                      std::pair("SSH-2.0-OpenSSH_9.2\r\n", "speaks SSH"),
                      std::pair("-ERR unknown command\r\n", "it said \"-ERR unknown command\""),
                      std::pair("220 mail.example ESMTP\r\n", "it said \"220 mail.example ESMTP"),
                      std::pair(std::string("\xff\xff\xff\xff zz", 7), "begins with ffffffff"),
                      std::pair(std::string("\0\0\0\0\0\0\0\0", 8), "begins with 0000000000000000"),
                      std::pair(std::string("\0\0\0\x04\0\0\0\x63", 8), "does not speak Kafka"),
                      std::pair(std::string("\0\0\0\x06\0\0\0\x01\0\0", 10), "does not speak Kafka")));

TEST_F(ConnectionTest, APeerThatHangsUpAtOnceMayWantAnotherProtocol) {
  broker_.serve<wire::ApiVersionsRequest>([this](const Asked&) -> std::optional<std::string> {
    wire().end();
    return std::nullopt;
  });
  auto opened = run(open());
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr("security.protocol"));
}

TEST_F(ConnectionTest, ABrokerThatHangsUpAtTheFirstRequestMayWantSasl) {
  auto connection = connect();
  broker_.serve<wire::HeartbeatRequest>([this](const Asked&) -> std::optional<std::string> {
    wire().end();
    return std::nullopt;
  });
  auto answer = run(beat(connection, 1));
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("SASL"));
}

// ---- brokers that misbehave

TEST_F(ConnectionTest, AnAnswerToAnotherRequestClosesTheConnection) {
  broker_.serve<wire::HeartbeatRequest>([](Asked asked) {
    asked.correlation += 1;
    return std::optional(testing::answer_frame(asked, wire::HeartbeatResponse{}));
  });
  auto connection = connect();
  auto answer = run(beat(connection, 1));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Error::Kind::kBadAnswer);
  EXPECT_THAT(answer.error().message, HasSubstr("where 2 was next"));
}

TEST_F(ConnectionTest, AnAnswerNobodyAskedForClosesTheConnection) {
  auto connection = connect();
  wire().send(testing::answer_frame({.key = 12, .version = 4, .correlation = 9}, wire::HeartbeatResponse{}));
  settle();
  EXPECT_TRUE(connection->closed());
  EXPECT_THAT(connection->why_closed().message, HasSubstr("nobody asked for"));
}

TEST_F(ConnectionTest, AnAnswerThatIsTooLargeClosesTheConnectionWithoutMemory) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked&) { return std::optional(std::string("\x7f\xff\xff\xff", 4)); });
  auto connection = connect();
  auto answer = run(beat(connection, 1));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Error::Kind::kBadAnswer);
  EXPECT_THAT(answer.error().message, HasSubstr("2147483647 bytes"));
}

TEST_F(ConnectionTest, AMalformedAnswerClosesTheConnection) {
  broker_.serve<wire::HeartbeatRequest>([](const Asked& asked) {
    std::string frame = testing::answer_frame(asked, wire::HeartbeatResponse{});
    frame.resize(frame.size() - 2);
    store_be<uint32_t>(reinterpret_cast<std::byte*>(frame.data()), static_cast<uint32_t>(frame.size() - 4));
    return std::optional(frame);
  });
  auto connection = connect();
  auto answer = run(beat(connection, 1));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Error::Kind::kBadAnswer);
  EXPECT_THAT(answer.error().message, HasSubstr("malformed HeartbeatResponse"));
  EXPECT_TRUE(connection->closed());
}

}  // namespace
}  // namespace barnabas::client
