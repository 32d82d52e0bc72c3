// Connection: one connection to one broker, ready for requests: TCP, TLS if asked, ApiVersions, SASL if asked (and
// again before the session lifetime ends, KIP-368). Requests are pipelined; answers are matched by correlation id and
// order. What a peer sends is not trusted: an answer that is too large, out of order or malformed closes the connection
// with an Error of kind kBadAnswer that says what was seen ("the peer speaks HTTP, not Kafka").
//
// Belongs to one loop. Everything still waiting when it closes ends with the error it closed for.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "barnabas/error.h"
#include "base/time.h"
#include "client/settings.h"
#include "runtime/cancel.h"
#include "runtime/task.h"
#include "runtime/world.h"
#include "wire/api.h"
#include "wire/message.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::security {
class TlsContext;
}

namespace barnabas::client {

// A decoded answer and the frame it has views into.
template <class Response>
struct Answer {
  Response message;
  std::shared_ptr<const Buffer> frame;
  int16_t version = 0;
};

class Connection {
 public:
  struct Options {
    runtime::Endpoint to;
    std::string host_name;                        // for SNI and certificate checks
    int32_t broker_id = -1;                       // -1: a bootstrap connection
    Duration setup_timeout{0};                    // 0: socket.connection.setup.timeout.ms
    std::shared_ptr<security::TlsContext> tls{};  // absent: made of the settings when they ask for TLS
    std::function<void(const Error&)>
        on_closed{};  // once, on the loop, if it was open; must not destroy the Connection
  };
  static constexpr size_t kAnswerBytesMax = size_t{1} << 30;

  // Connects and negotiates. kNotReachable, kTimedOut, kAuthentication, kBadAnswer, kUnsupported.
  static runtime::Task<Result<std::shared_ptr<Connection>>> open(runtime::World& world, runtime::Executor& loop,
                                                                 const ClientSettings& settings, Options options,
                                                                 runtime::CancelToken token);
  virtual ~Connection() = default;

  virtual const Options& options() const = 0;
  virtual bool closed() const = 0;
  virtual const Error& why_closed() const = 0;
  virtual void close(Error why) = 0;
  // Ends when nothing of a closed connection is pending any more: before that its loop may not go.
  virtual runtime::Task<> ended() { co_return; }
  virtual size_t in_flight() const = 0;
  virtual MonotonicTime last_used() const = 0;

  // What the broker told: versions of an API (empty: not there), and finalized feature levels (KIP-584).
  virtual wire::VersionRange api(int16_t key) const = 0;
  virtual std::optional<int16_t> feature(std::string_view name) const = 0;

  // The highest version both know, at most `limit`. kUnsupported names the API and both ranges.
  Result<int16_t> version(int16_t key, std::string_view name, int16_t ours_min, int16_t ours_max) const;
  template <class Request>
  Result<int16_t> version_of(int16_t limit = Request::kMaxVersion) const {
    return version(Request::kApiKey, Request::kName, Request::kMinVersion, std::min(limit, Request::kMaxVersion));
  }

  // Sends at once (the socket is written at the end of the loop's pass) and waits for the answer. After `timeout` the
  // connection is closed, since an answer that is late blocks all behind it: kTimedOut.
  template <class Response, class Request>
  runtime::Task<Result<Answer<Response>>> call(const Request& request, int16_t request_version, Duration timeout) {
    wire::Writer writer;
    int32_t correlation = begin(writer, Request::kApiKey, request_version, request_version >= Request::kFlexibleFrom);
    auto encoded = request.encode(writer, request_version);
    if (!encoded) co_return std::unexpected(not_encodable(Request::kName, encoded.error()));
    auto frame = co_await exchange(std::move(writer), correlation, timeout);
    if (!frame) co_return std::unexpected(frame.error());
    Answer<Response> answer;
    answer.version = request_version;
    answer.frame = *frame;
    wire::Reader reader{BytesView(**frame)};
    auto header = skip_header(reader, Request::kApiKey, request_version >= Request::kFlexibleFrom, correlation);
    if (!header) co_return std::unexpected(header.error());
    auto message = Response::decode(reader, request_version);
    if (!message) {
      Error error = bad_answer(Response::kName, message.error());
      close(error);
      co_return std::unexpected(error);
    }
    answer.message = *std::move(message);
    co_return answer;
  }

  // Sends without an answer to come (Produce with acks=0). Ends when the bytes are handed to the kernel.
  template <class Request>
  runtime::Task<Result<>> send(const Request& request, int16_t request_version) {
    wire::Writer writer;
    begin(writer, Request::kApiKey, request_version, request_version >= Request::kFlexibleFrom);
    auto encoded = request.encode(writer, request_version);
    if (!encoded) co_return std::unexpected(not_encodable(Request::kName, encoded.error()));
    auto sent = co_await push(std::move(writer));
    co_return sent;
  }

 protected:
  // Writes the header; the length is filled in by exchange() or push(). Returns the correlation id.
  virtual int32_t begin(wire::Writer& out, int16_t key, int16_t version, bool flexible) = 0;
  virtual runtime::Task<Result<std::shared_ptr<const Buffer>>> exchange(wire::Writer request, int32_t correlation,
                                                                        Duration timeout) = 0;
  virtual runtime::Task<Result<>> push(wire::Writer request) = 0;
  static Result<> skip_header(wire::Reader& in, int16_t key, bool flexible, int32_t correlation);
  static Error not_encodable(std::string_view message, const barnabas::Error& why);
  static Error bad_answer(std::string_view message, const barnabas::Error& why);
};

}  // namespace barnabas::client
