// How a connection becomes ready: open(), and what is said before the first request.
#include <fmt/format.h>

#include <utility>

#include "client/cluster.h"
#include "client/connection_core.h"
#include "client/connection_security.h"
#include "runtime/clock.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::client {

namespace {

constexpr std::string_view kSoftwareName = "barnabas-cpp";
constexpr std::string_view kSoftwareVersion = "0.1.0";
// Keys above are of no API there will be soon; a peer does not make us keep a table for them.
constexpr int16_t kApiKeyMax = 1023;

// The version to ask for after an answer with UNSUPPORTED_VERSION: what the broker says it has, 0 if it says nothing.
int16_t fallback_version(const wire::ApiVersionsResponse& refusal, int16_t tried) {
  for (const auto& api : refusal.api_keys) {
    if (api.api_key == wire::ApiVersionsRequest::kApiKey) return std::min<int16_t>(api.max_version, tried - 1);
  }
  return 0;
}

}  // namespace

runtime::Task<Result<std::shared_ptr<Connection>>> Connection::open(runtime::World& world, runtime::Executor& loop,
                                                                    const ClientSettings& settings, Options options,
                                                                    runtime::CancelToken token) {
  Duration setup = options.setup_timeout;
  if (setup.count() <= 0) setup = milliseconds(settings.socket_connection_setup_timeout_ms);
  auto connected = co_await world.network.connect(loop, options.to, setup, token);
  if (!connected) {
    if (token.requested())
      co_return std::unexpected(Error{.kind = Error::Kind::kClosed, .message = "the client was closed"});
    Error error = from_base(connected.error());
    error.kind = error.kind == Error::Kind::kTimedOut ? error.kind : Error::Kind::kNotReachable;
    error.retriable = true;
    co_return std::unexpected(error);
  }
  std::unique_ptr<runtime::Stream> stream = *std::move(connected);
  auto secured = co_await secure(loop, settings, options, std::move(stream), setup, token);
  if (!secured) co_return std::unexpected(secured.error());
  auto core = std::make_shared<ConnectionCore>(world, loop, settings, std::move(options), *std::move(secured));
  core->start(token);
  auto ready = co_await core->negotiate(milliseconds(settings.request_timeout_ms));
  if (!ready) {
    core->close(ready.error());
    co_await core->ended();
    co_return std::unexpected(ready.error());
  }
  co_return core;
}

runtime::Task<Result<>> ConnectionCore::negotiate(Duration timeout) {
  auto learned = co_await learn_versions(timeout);
  if (!learned) co_return learned;
  answers_.set_answer_bytes_max(kAnswerBytesMax);
  if (security_ == SecurityProtocol::kSaslPlaintext || security_ == SecurityProtocol::kSaslSsl) {
    auto authenticated = co_await authenticate(timeout);
    if (!authenticated) co_return authenticated;
  }
  negotiation_answers_ = answers_seen_;
  co_return Result<>{};
}

runtime::Task<Result<>> ConnectionCore::learn_versions(Duration timeout) {
  using Request = wire::ApiVersionsRequest;
  using Response = wire::ApiVersionsResponse;
  Request request;
  request.client_software_name = kSoftwareName;
  request.client_software_version = kSoftwareVersion;
  // The newest of the release we follow; a later one would only cost every connection a refusal.
  int16_t version = std::min(wire::find_api(Request::kApiKey)->max_version, Request::kMaxVersion);
  while (true) {
    wire::Writer writer;
    int32_t correlation = begin(writer, Request::kApiKey, version, version >= Request::kFlexibleFrom);
    auto encoded = request.encode(writer, version);
    if (!encoded) co_return std::unexpected(not_encodable(Request::kName, encoded.error()));
    auto frame = co_await exchange(std::move(writer), correlation, timeout);
    if (!frame) co_return std::unexpected(frame.error());
    wire::Reader reader{BytesView(**frame)};
    // Always the oldest header, and in a refusal the oldest body: the broker does not know what we can read.
    reader.int32();
    wire::Reader ahead = reader;
    auto code = static_cast<wire::KafkaError>(ahead.int16());
    bool refused = code == wire::KafkaError::kUnsupportedVersion;
    auto answer = Response::decode(reader, refused ? 0 : version);
    if (!answer) {
      bool first = answers_seen_ == 1;
      co_return std::unexpected(first ? foreign(BytesView(**frame)) : bad_answer(Response::kName, answer.error()));
    }
    if (refused) {
      int16_t next = fallback_version(*answer, version);
      if (version == 0 || next < 0) {
        co_return std::unexpected(broker_error(code, "negotiating versions with " + options_.to.to_string()));
      }
      version = next;
      continue;
    }
    if (code != wire::KafkaError::kNone) {
      co_return std::unexpected(broker_error(code, "negotiating versions with " + options_.to.to_string()));
    }
    for (const auto& api : answer->api_keys) {
      if (api.api_key < 0 || api.api_key > kApiKeyMax) continue;
      auto at = static_cast<size_t>(api.api_key);
      if (versions_.size() <= at) versions_.resize(at + 1);
      versions_[at] = {api.min_version, api.max_version};
    }
    for (auto& feature : answer->finalized_features) {
      features_.insert_or_assign(feature.name, feature.max_version_level);
    }
    co_return Result<>{};
  }
}

}  // namespace barnabas::client
