// How a request becomes an answer. Each API has one file here with `Task<XResponse> handle(Caller, XRequest, Broker&)`
// and BARNABAS_API(X) after it; the table in broker/service.cpp names them, so a forgotten handler is a link error.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/service.h"
#include "runtime/task.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::broker {

class Broker;

// Who asks, and with what kind of request. Outlives the handler.
struct Caller {
  net::ConnectionInfo& connection;
  runtime::Executor& loop;
  runtime::CancelToken token;  // the connection ends: be quick
  int16_t api_version = 0;
  std::string_view client_id;               // "" when the header had none
  std::shared_ptr<const void> frame_owner;  // keeps views into the request alive
  bool on_controller = false;               // asked on a controller listener
};

// A closed connection with one line in the log.
net::Answer close_connection(std::string reason);

using ServeFunction = runtime::Task<net::Answer> (*)(Caller caller, wire::Reader body, int32_t correlation_id,
                                                     Broker& broker);

template <class Request, class Handle>
runtime::Task<net::Answer> serve_with(Caller caller, wire::Reader body, int32_t correlation_id, Broker& broker,
                                      Handle handle_request) {
  int16_t version = caller.api_version;
  auto request = Request::decode(body, version);
  if (!request) co_return close_connection(request.error().message);
  auto response = co_await handle_request(caller, std::move(*request), broker);
  wire::Writer writer;
  auto encoded = wire::encode_response(writer, Request::kApiKey, version, correlation_id, response);
  if (!encoded) co_return close_connection(encoded.error().message);
  net::Answer answer;
  answer.segments = writer.take();
  co_return answer;
}

// Defines serve_<Name>, for the table in service.cpp. In the API's .cpp, after its handle().
#define BARNABAS_API(Name)                                                                                            \
  runtime::Task<net::Answer> serve_##Name(Caller caller, wire::Reader body, int32_t correlation_id, Broker& broker) { \
    return serve_with<wire::Name##Request>(                                                                           \
        std::move(caller), body, correlation_id, broker,                                                              \
        [](Caller& c, wire::Name##Request request, Broker& b) { return handle(c, std::move(request), b); });          \
  }

}  // namespace barnabas::broker
