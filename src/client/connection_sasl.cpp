// SASL on a connection: SaslHandshake, then the mechanism's messages in SaslAuthenticate; the same again before the
// session's lifetime ends (KIP-368).
#include <fmt/format.h>

#include <array>
#include <utility>

#include "client/cluster.h"
#include "client/connection_core.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "security/sasl.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

std::array<std::byte, 24> nonce_of(runtime::Random& random) {
  std::array<std::byte, 24> nonce{};
  for (size_t i = 0; i < nonce.size(); i += 8) store_be(nonce.data() + i, random.next());
  return nonce;
}

Error refused(KafkaError code, std::string message) {
  return {.kind = Error::Kind::kAuthentication,
          .code = static_cast<ErrorCode>(code),
          .message = std::move(message),
          .retriable = false};
}

Error of_mechanism(const barnabas::Error& why) {
  switch (why.code) {
    case barnabas::ErrorCode::kUnsupported:
      return {.kind = Error::Kind::kConfig, .message = "sasl.mechanism: " + why.message};
    case barnabas::ErrorCode::kDenied:
      return {.kind = Error::Kind::kAuthentication, .message = why.message};
    default:
      return {.kind = Error::Kind::kBadAnswer, .message = "SASL: " + why.message};
  }
}

}  // namespace

runtime::Task<Result<>> ConnectionCore::authenticate(Duration timeout) {
  std::string peer = options_.to.to_string();
  auto nonce = nonce_of(world_.random);
  auto created =
      security::SaslClient::create(sasl_.mechanism, {.username = sasl_.username, .password = sasl_.password}, nonce);
  if (!created) co_return std::unexpected(of_mechanism(created.error()));
  std::unique_ptr<security::SaslClient> client = *std::move(created);

  // Version 0 has tokens without frames of their own; brokers since 1.0 know version 1.
  auto handshake_version = version(wire::SaslHandshakeRequest::kApiKey, wire::SaslHandshakeRequest::kName, 1, 1);
  if (!handshake_version) co_return std::unexpected(handshake_version.error());
  wire::SaslHandshakeRequest handshake;
  handshake.mechanism = sasl_.mechanism;
  auto agreed = co_await call<wire::SaslHandshakeResponse>(handshake, *handshake_version, timeout);
  if (!agreed) co_return std::unexpected(agreed.error());
  KafkaError code = agreed->message.error_code;
  if (code == KafkaError::kUnsupportedSaslMechanism) {
    co_return std::unexpected(refused(code, fmt::format("{} does not accept sasl.mechanism {}; it accepts {}", peer,
                                                        sasl_.mechanism, fmt::join(agreed->message.mechanisms, ", "))));
  }
  if (code == KafkaError::kIllegalSaslState) {
    co_return std::unexpected(
        refused(code, fmt::format("the listener at {} asks for no SASL; set security.protocol accordingly", peer)));
  }
  if (code != KafkaError::kNone) {
    co_return std::unexpected(refused(code, std::string(wire::kafka_error_message(code))));
  }

  auto authenticate_version = version_of<wire::SaslAuthenticateRequest>();
  if (!authenticate_version) co_return std::unexpected(authenticate_version.error());
  Buffer token = client->first();
  int64_t lifetime_ms = 0;
  // The last word may be the client's, but the broker answers each.
  while (true) {
    wire::SaslAuthenticateRequest request;
    request.auth_bytes = std::move(token);
    auto answer = co_await call<wire::SaslAuthenticateResponse>(request, *authenticate_version, timeout);
    if (!answer) co_return std::unexpected(answer.error());
    code = answer->message.error_code;
    if (code != KafkaError::kNone) {
      const auto& said = answer->message.error_message;
      std::string sentence = said && !said->empty() ? *said : std::string(wire::kafka_error_message(code));
      co_return std::unexpected(refused(code, fmt::format("{}: {}", peer, sentence)));
    }
    lifetime_ms = answer->message.session_lifetime_ms;
    if (client->complete()) break;
    auto next = client->next(answer->message.auth_bytes);
    if (!next) co_return std::unexpected(of_mechanism(next.error()));
    token = *std::move(next);
    if (token.empty() && client->complete()) break;
  }
  schedule_authentication(lifetime_ms);
  co_return Result<>{};
}

void ConnectionCore::schedule_authentication(int64_t lifetime_ms) {
  if (lifetime_ms <= 0 || closed_) return;
  // Between 85 and 95 of a hundred, so that many clients do not come at once.
  auto percent = static_cast<double>(85 + world_.random.below(11));
  auto after = Duration(static_cast<int64_t>(static_cast<double>(lifetime_ms) * percent * 1e4));
  authentication_timer_ = loop_.schedule(loop_.clock().now() + after, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->closed_) return;
    self->authentication_timer_ = 0;
    self->scope_.spawn(self->authenticate_again(self));
  });
}

runtime::Task<> ConnectionCore::authenticate_again([[maybe_unused]] std::shared_ptr<ConnectionCore> self) {
  // The broker takes nothing else in between; what was sent before is still answered.
  hold_ = true;
  auto done = co_await authenticate(milliseconds(request_timeout_ms_));
  if (!done) {
    close(done.error());
    co_return;
  }
  release_held();
}

}  // namespace barnabas::client
