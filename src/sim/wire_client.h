// WireClient: a scripted Kafka client for scenarios: one connection, one request at a time, generated messages in and
// out. Every failure (no connection, closed, no answer in time) is a Result, so a script can live through a broker's
// death.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "runtime/cancel.h"
#include "runtime/executor.h"
#include "runtime/stream.h"
#include "runtime/task.h"
#include "runtime/world.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::sim {

class WireClient {
 public:
  WireClient(runtime::World& world, runtime::Endpoint broker, runtime::CancelToken stop = {})
      : world_(world), loop_(*world.loops[0]), broker_(std::move(broker)), stop_(stop) {}

  // Sends `request` and reads its answer, connecting first when there is no connection.
  template <class Response, class Request>
  runtime::Task<Result<Response>> call(Request request, int16_t version) {
    wire::Writer writer;
    int32_t correlation = next_correlation_++;
    auto encoded = wire::encode_request(writer, version, correlation, "scenario", request);
    if (!encoded) co_return std::unexpected(encoded.error());
    auto frame = co_await exchange(writer.take());
    if (!frame) co_return std::unexpected(frame.error());
    wire::Reader reader{BytesView(*frame)};
    auto answered = wire::decode_response_header(reader, Request::kApiKey, Request::kFlexibleFrom, version);
    if (!answered) co_return std::unexpected(answered.error());
    if (*answered != correlation) co_return fail(ErrorCode::kCorrupt, "an answer to another request");
    auto response = Response::decode(reader, version);
    // Records are views of the frame.
    last_frame_ = std::move(*frame);
    co_return response;
  }

  void disconnect();

 private:
  runtime::Task<Result<Buffer>> exchange(std::vector<Payload> segments);
  runtime::Task<Result<>> read_exactly(MutableBytes into);

  runtime::World& world_;
  runtime::Executor& loop_;
  runtime::Endpoint broker_;
  runtime::CancelToken stop_;
  std::unique_ptr<runtime::Stream> stream_;
  Buffer last_frame_;
  int32_t next_correlation_ = 1;
};

}  // namespace barnabas::sim
