#include <gmock/gmock.h>

#include "client/connection.h"
#include "client/testing/client_test.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"

namespace barnabas::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::KafkaError;

using Opened = Result<std::shared_ptr<Connection>>;
using Beat = Result<Answer<wire::HeartbeatResponse>>;

class SaslTest : public testing::ClientTest {
 protected:
  SaslTest() {
    settings_.security = SecurityProtocol::kSaslPlaintext;
    settings_.sasl = {.mechanism = "PLAIN", .username = "alice", .password = "secret"};
    broker_.answer<wire::SaslHandshakeRequest, wire::SaslHandshakeResponse>(
        [this](const wire::SaslHandshakeRequest& request) {
          wire::SaslHandshakeResponse response;
          response.mechanisms = {"PLAIN", "SCRAM-SHA-256"};
          if (request.mechanism != "PLAIN") response.error_code = KafkaError::kUnsupportedSaslMechanism;
          if (no_sasl_) response.error_code = KafkaError::kIllegalSaslState;
          return response;
        });
    broker_.serve<wire::SaslAuthenticateRequest>([this](const testing::Asked& asked) -> std::optional<std::string> {
      if (silent_) {
        unanswered_ = asked;
        return std::nullopt;
      }
      return authenticate(asked);
    });
    broker_.answer<wire::HeartbeatRequest, wire::HeartbeatResponse>(
        [](const wire::HeartbeatRequest&) { return wire::HeartbeatResponse{}; });
  }

  std::string authenticate(const testing::Asked& asked) {
    auto request = asked.as<wire::SaslAuthenticateRequest>();
    wire::SaslAuthenticateResponse response;
    if (as_text(request.auth_bytes) != std::string_view("\0alice\0secret", 13)) {
      response.error_code = KafkaError::kSaslAuthenticationFailed;
      response.error_message = "Authentication failed: Invalid username or password";
    } else if (asked.version > 0) {
      response.session_lifetime_ms = lifetime_ms_;
    }
    return testing::answer_frame(asked, response);
  }
  runtime::Task<Opened> open() {
    return Connection::open(world_, loop_, settings_, {.to = {"broker", 9092}, .host_name = "broker"}, scope_.token());
  }
  static runtime::Task<Beat> beat(std::shared_ptr<Connection> connection) {
    auto answer = co_await connection->call<wire::HeartbeatResponse>(wire::HeartbeatRequest{}, 4, seconds(30));
    co_return answer;
  }
  static runtime::Task<Result<>> push(std::shared_ptr<Connection> connection) {
    auto sent = co_await connection->send(wire::HeartbeatRequest{}, 4);
    co_return sent;
  }
  std::vector<int16_t> keys() const {
    std::vector<int16_t> keys;
    for (const auto& each : broker_.asked) keys.push_back(each.key);
    return keys;
  }

  testing::FakeBroker& broker_ = network_.broker("broker");
  int64_t lifetime_ms_ = 0;
  bool no_sasl_ = false;
  bool silent_ = false;
  testing::Asked unanswered_;
};

TEST_F(SaslTest, ComesAfterTheVersionsAndBeforeAnythingElse) {
  auto connection = run(open());
  ASSERT_TRUE(connection.has_value()) << connection.error().to_string();
  EXPECT_THAT(keys(), ElementsAre(18, 17, 36));
  EXPECT_EQ(loop_.timers(), 1u) << "the deadline of the requests, and nothing to do again";
}

TEST_F(SaslTest, ARefusalIsToldInTheBrokersWords) {
  settings_.sasl.password = "wrong";
  auto connection = run(open());
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, Error::Kind::kAuthentication);
  EXPECT_EQ(connection.error().code, ErrorCode::kSaslAuthenticationFailed);
  EXPECT_FALSE(connection.error().retriable);
  EXPECT_THAT(connection.error().message, HasSubstr("Invalid username or password"));
}

TEST_F(SaslTest, AMechanismTheBrokerDoesNotAcceptIsToldWithThoseItDoes) {
  settings_.sasl.mechanism = "SCRAM-SHA-512";
  auto connection = run(open());
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().kind, Error::Kind::kAuthentication);
  EXPECT_THAT(connection.error().message, HasSubstr("it accepts PLAIN, SCRAM-SHA-256"));
}

TEST_F(SaslTest, AListenerWithoutSaslSaysSo) {
  no_sasl_ = true;
  auto connection = run(open());
  ASSERT_FALSE(connection.has_value());
  EXPECT_THAT(connection.error().message, HasSubstr("asks for no SASL"));
}

TEST_F(SaslTest, AServerThatCannotProveItselfIsRefused) {
  settings_.sasl.mechanism = "SCRAM-SHA-256";
  broker_.answer<wire::SaslHandshakeRequest, wire::SaslHandshakeResponse>(
      [](const wire::SaslHandshakeRequest&) { return wire::SaslHandshakeResponse{}; });
  broker_.answer<wire::SaslAuthenticateRequest, wire::SaslAuthenticateResponse>(
      [](const wire::SaslAuthenticateRequest&) {
        wire::SaslAuthenticateResponse response;
        response.auth_bytes = to_buffer(as_bytes("r=nonsense,s=QQ==,i=4096"));
        return response;
      });
  auto connection = run(open());
  ASSERT_FALSE(connection.has_value());
  EXPECT_TRUE(connection.error().kind == Error::Kind::kBadAnswer ||
              connection.error().kind == Error::Kind::kAuthentication);
}

// ---- again before the session ends (KIP-368)

TEST_F(SaslTest, IsRepeatedBeforeTheSessionEnds) {
  lifetime_ms_ = 10000;
  auto connection = run(open());
  ASSERT_TRUE(connection.has_value());
  broker_.asked.clear();
  advance(milliseconds(8400));
  EXPECT_THAT(keys(), ElementsAre());
  advance(milliseconds(1200));
  EXPECT_THAT(keys(), ElementsAre(17, 36));
  advance(seconds(10));
  EXPECT_THAT(keys(), ElementsAre(17, 36, 17, 36));
  EXPECT_FALSE((*connection)->closed());
}

TEST_F(SaslTest, OtherRequestsWaitWhileItIsRepeated) {
  lifetime_ms_ = 10000;
  auto connection = run(open());
  ASSERT_TRUE(connection.has_value());
  silent_ = true;
  broker_.asked.clear();
  advance(milliseconds(9600));
  EXPECT_THAT(keys(), ElementsAre(17, 36));
  auto answer = start(beat(*connection));
  auto sent = start(push(*connection));
  settle();
  EXPECT_THAT(keys(), ElementsAre(17, 36));
  EXPECT_EQ((*connection)->in_flight(), 3u);
  silent_ = false;
  broker_.wires.back()->send(authenticate(unanswered_));
  settle();
  EXPECT_THAT(keys(), ElementsAre(17, 36, 12, 12));
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->has_value());
  ASSERT_TRUE(sent->has_value());
  EXPECT_TRUE((*sent)->has_value());
}

TEST_F(SaslTest, WhenItFailsThenTheConnectionEndsForAllThatWait) {
  lifetime_ms_ = 10000;
  auto connection = run(open());
  ASSERT_TRUE(connection.has_value());
  silent_ = true;
  advance(milliseconds(9600));
  auto answer = start(beat(*connection));
  settle();
  wire::SaslAuthenticateResponse response;
  response.error_code = KafkaError::kSaslAuthenticationFailed;
  response.error_message = "the user is gone";
  broker_.wires.back()->send(testing::answer_frame(unanswered_, response));
  settle();
  ASSERT_TRUE(answer->has_value());
  ASSERT_FALSE((*answer)->has_value());
  EXPECT_EQ((*answer)->error().kind, Error::Kind::kAuthentication);
  EXPECT_THAT((*answer)->error().message, HasSubstr("the user is gone"));
  EXPECT_TRUE((*connection)->closed());
}

}  // namespace
}  // namespace barnabas::client
