#include "client/testing/fake_network.h"

#include "runtime/sleep.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::client::testing {

namespace {

// The answer of a broker to ApiVersions, as brokers give it: to a version it does not know in the form of version 0.
std::string answer_api_versions(const FakeBroker& broker, Asked asked) {
  wire::ApiVersionsResponse response;
  if (asked.version > broker.api_versions_max) {
    asked.version = 0;
    response.error_code = wire::KafkaError::kUnsupportedVersion;
    if (broker.refuses_helpfully) {
      response.api_keys.push_back(
          {.api_key = asked.key, .min_version = 0, .max_version = broker.api_versions_max, .unknown_tags = {}});
    }
    return answer_frame(asked, response);
  }
  response.api_keys.push_back(
      {.api_key = asked.key, .min_version = 0, .max_version = broker.api_versions_max, .unknown_tags = {}});
  for (const auto& [key, range] : broker.versions) {
    response.api_keys.push_back(
        {.api_key = key, .min_version = range.min, .max_version = range.max, .unknown_tags = {}});
  }
  if (asked.version >= 3) {
    for (const auto& [name, level] : broker.features) {
      response.finalized_features.push_back(
          {.name = name, .max_version_level = level, .min_version_level = level, .unknown_tags = {}});
    }
  }
  return answer_frame(asked, response);
}

}  // namespace

FakeBroker& FakeNetwork::broker(const std::string& host, uint16_t port) {
  return brokers_[{host, port}];
}

bool FakeNetwork::serve() {
  bool did = false;
  for (auto& [address, broker] : brokers_) {
    for (size_t i = 0; i < broker.wires.size(); ++i) {
      auto wire = broker.wires[i];
      while (serve(broker, *wire)) did = true;
    }
  }
  return did;
}

bool FakeNetwork::serve(FakeBroker& broker, net::testing::Wire& wire) {
  if (wire.sent.size() < 4) return false;
  auto size = load_be<uint32_t>(reinterpret_cast<const std::byte*>(wire.sent.data()));
  if (wire.sent.size() < 4 + size_t{size}) return false;
  std::string frame = wire.sent.substr(4, size);
  wire.sent.erase(0, 4 + size_t{size});
  wire::Reader reader{as_bytes(frame)};
  auto header = wire::decode_request_header(reader);
  CHECK(header.has_value(), "a request without a header");
  Asked asked{.key = header->api_key,
              .version = header->api_version,
              .correlation = header->correlation_id,
              .client_id = std::string(header->client_id.value_or("")),
              .body = std::string(as_text(reader.rest()))};
  broker.asked.push_back(asked);
  std::optional<std::string> answer;
  auto handler = broker.handlers.find(asked.key);
  if (handler != broker.handlers.end()) {
    answer = handler->second(asked);
  } else if (asked.key == wire::ApiVersionsRequest::kApiKey) {
    answer = answer_api_versions(broker, asked);
  }
  if (answer) wire.send(*answer);
  return true;
}

barnabas::Result<std::unique_ptr<runtime::Listener>> FakeNetwork::listen(const runtime::Endpoint&,
                                                                         const runtime::ListenOptions&) {
  return fail(barnabas::ErrorCode::kUnsupported, "nobody listens here");
}

runtime::Task<barnabas::Result<std::unique_ptr<runtime::Stream>>> FakeNetwork::connect(runtime::Executor& home,
                                                                                       runtime::Endpoint to,
                                                                                       Duration timeout,
                                                                                       runtime::CancelToken token) {
  attempts.push_back(to);
  auto found = brokers_.find({to.host, to.port});
  if (found != brokers_.end() && found->second.hangs) {
    auto waited = co_await runtime::sleep_for(home, timeout, token);
    if (!waited) co_return fail(barnabas::ErrorCode::kCancelled, "cancelled");
    co_return fail(barnabas::ErrorCode::kTimedOut, "connect to " + to.to_string() + " took too long");
  }
  if (found == brokers_.end() || found->second.refuses) {
    co_return fail(barnabas::ErrorCode::kIo, "connect to " + to.to_string() + ": Connection refused");
  }
  auto wire = std::make_shared<net::testing::Wire>();
  found->second.wires.push_back(wire);
  co_return std::make_unique<net::testing::MemoryStream>(home, wire, to.host);
}

}  // namespace barnabas::client::testing
