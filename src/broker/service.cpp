#include "broker/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/table.h"
#include "broker/broker.h"
#include "runtime/logger.h"
#include "runtime/loggers.h"
#include "wire/api.h"
#include "wire/kafka_error.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::broker {

#define BARNABAS_DECLARE(Name, on_broker, on_controller) \
  runtime::Task<net::Answer> serve_##Name(Caller caller, wire::Reader body, int32_t correlation_id, Broker& broker);
BARNABAS_SERVED_APIS(BARNABAS_DECLARE)
#undef BARNABAS_DECLARE

namespace {

constexpr int16_t kProduceKey = 0;
constexpr int16_t kApiVersionsKey = 18;

struct Row {
  std::string_view name;
  bool on_broker;
  bool on_controller;
  ServeFunction serve;
};

constexpr Row kRows[] = {
#define BARNABAS_ROW(Name, on_broker, on_controller) {#Name, on_broker, on_controller, &serve_##Name},
    BARNABAS_SERVED_APIS(BARNABAS_ROW)
#undef BARNABAS_ROW
};

std::vector<ServedApi> rows_of(ListenerKind kind) {
  std::vector<ServedApi> rows;
  for (const wire::ApiInfo& api : wire::apis()) {
    auto row = std::ranges::find(kRows, api.name, &Row::name);
    if (row == std::end(kRows)) continue;
    if (kind == ListenerKind::kBroker ? !row->on_broker : !row->on_controller) continue;
    rows.push_back({.key = api.key,
                    .min_version = api.min_version,
                    .max_version = api.max_version,
                    .advertised_min_version = api.key == kProduceKey ? int16_t{0} : api.min_version,
                    .serve = row->serve});
  }
  std::ranges::sort(rows, {}, &ServedApi::key);
  return rows;
}

const ServedApi* find_served(ListenerKind kind, int16_t key) {
  const auto& rows = served_apis(kind);
  auto found = std::ranges::lower_bound(rows, key, {}, &ServedApi::key);
  return found != rows.end() && found->key == key ? &*found : nullptr;
}

// KIP-511: whatever the client asked, it learns the range in the form every client reads.
net::Answer unsupported_api_versions(const ServedApi& api, int32_t correlation_id) {
  wire::ApiVersionsResponse response;
  response.error_code = wire::KafkaError::kUnsupportedVersion;
  auto& row = response.api_keys.emplace_back();
  row.api_key = api.key;
  row.min_version = api.min_version;
  row.max_version = api.max_version;
  wire::Writer writer;
  auto encoded = wire::encode_response(writer, kApiVersionsKey, 0, correlation_id, response);
  if (!encoded) return close_connection(encoded.error().message);
  net::Answer answer;
  answer.segments = writer.take();
  return answer;
}

}  // namespace

const std::vector<ServedApi>& served_apis(ListenerKind kind) {
  static const std::vector<ServedApi> on_broker = rows_of(ListenerKind::kBroker);
  static const std::vector<ServedApi> on_controller = rows_of(ListenerKind::kController);
  return kind == ListenerKind::kBroker ? on_broker : on_controller;
}

net::Answer close_connection(std::string reason) {
  net::Answer answer;
  answer.close = true;
  answer.reason = std::move(reason);
  return answer;
}

KafkaService::KafkaService(Broker& broker, ListenerKind kind)
    : broker_(broker), kind_(kind), request_log_(broker.loggers().get("kafka.request.logger")) {}

bool KafkaService::may_overlap(BytesView frame, const net::ConnectionInfo& connection) const {
  if (connection.holding > 0) return false;
  return frame.size() >= 2 && load_be<int16_t>(frame.data()) == kProduceKey;
}

runtime::Task<net::Answer> KafkaService::serve(net::Frame frame, net::ConnectionInfo& connection,
                                               runtime::CancelToken token) {
  wire::Reader reader{BytesView(frame.payload)};
  auto header = wire::decode_request_header(reader);
  if (!header) co_return close_connection(header.error().message);
  const ServedApi* api = find_served(kind_, header->api_key);
  if (!api) {
    co_return close_connection(fmt::format("it sent API key {} version {}, which listener {} does not serve",
                                           header->api_key, header->api_version, connection.listener));
  }
  bool supported = header->api_version >= api->min_version && header->api_version <= api->max_version;
  if (!supported && api->key == kApiVersionsKey) co_return unsupported_api_versions(*api, header->correlation_id);
  if (!supported) {
    co_return close_connection(
        fmt::format("it sent {} version {}; versions {} to {} are served. A newer client, or one that asks ApiVersions "
                    "first, will work",
                    wire::find_api(api->key)->name, header->api_version, api->min_version, api->max_version));
  }
  Caller caller{.connection = connection,
                .loop = *connection.loop,
                .token = token,
                .api_version = header->api_version,
                .client_id = header->client_id.value_or(""),
                .frame_owner = frame.owner,
                .on_controller = kind_ == ListenerKind::kController};
  MonotonicTime began = broker_.now();
  auto answer = co_await api->serve(std::move(caller), reader, header->correlation_id, broker_);
  if (request_log_.enabled(runtime::LogLevel::kDebug)) {
    request_log_.debug(fmt::format("{} version {} of {} at {}, correlation id {}, on {}: {} bytes, answered in {} ms",
                                   wire::find_api(api->key)->name, header->api_version, header->client_id.value_or(""),
                                   connection.peer.to_string(), header->correlation_id, connection.listener,
                                   frame.payload.size(), (broker_.now() - began).count() / 1e6));
  }
  co_return answer;
}

}  // namespace barnabas::broker
