// FakeNetwork: a Network without machines: addresses with brokers that the test scripts. A FakeBroker answers each
// request by its API's function, at once or when told to; the test may also say bytes by hand. With ManualExecutor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/testing/memory_stream.h"
#include "runtime/random.h"
#include "runtime/stream.h"
#include "wire/api.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::client::testing {

// A request as a FakeBroker got it.
struct Asked {
  int16_t key = -1;
  int16_t version = -1;
  int32_t correlation = -1;
  std::string client_id{};
  std::string body{};

  template <class Request>
  Request as() const {
    wire::Reader reader{as_bytes(body)};
    auto request = Request::decode(reader, version);
    CHECK(request.has_value(), "a request that does not decode");
    return *std::move(request);
  }
};

// A frame: length, header, body.
template <class Response>
std::string answer_frame(const Asked& asked, const Response& response) {
  wire::Writer writer;
  auto done = wire::encode_response(writer, asked.key, asked.version, asked.correlation, response);
  CHECK(done.has_value(), "an answer that does not encode");
  Buffer bytes = writer.take_contiguous();
  return std::string(as_text(bytes));
}

class FakeBroker {
 public:
  // Returns the bytes to answer with; nothing: no answer now (say() later, or never).
  using Handler = std::function<std::optional<std::string>(const Asked&)>;

  // Each API served, besides ApiVersions, which tells of them.
  template <class Request>
  void serve(std::function<std::optional<std::string>(const Asked&)> handler,
             int16_t max_version = Request::kMaxVersion, int16_t min_version = Request::kMinVersion) {
    versions[Request::kApiKey] = {min_version, max_version};
    handlers[Request::kApiKey] = std::move(handler);
  }
  template <class Request, class Response>
  void answer(std::function<Response(const Request&)> make, int16_t max_version = Request::kMaxVersion) {
    serve<Request>([make = std::move(make)](
                       const Asked& asked) { return std::optional(answer_frame(asked, make(asked.as<Request>()))); },
                   max_version);
  }

  size_t asked_of(int16_t key) const {
    size_t count = 0;
    for (const Asked& each : asked) count += each.key == key ? 1 : 0;
    return count;
  }

  bool refuses = false;  // connections
  bool hangs = false;    // as a host does that drops packets
  int16_t api_versions_max = 4;
  bool refuses_helpfully = true;  // tells its versions of ApiVersions when it does not know the one asked for
  std::map<int16_t, wire::VersionRange> versions;
  std::map<int16_t, Handler> handlers;
  std::map<std::string, int16_t> features;

  std::vector<Asked> asked;  // all of them, ApiVersions too
  std::vector<std::shared_ptr<net::testing::Wire>> wires;
};

class FakeNetwork final : public runtime::Network {
 public:
  explicit FakeNetwork(runtime::Executor& loop) : loop_(loop) {}

  FakeBroker& broker(const std::string& host, uint16_t port = 9092);

  // Cuts what clients sent and answers it. True if there was something.
  bool serve();

  barnabas::Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Endpoint& at,
                                                              const runtime::ListenOptions& options) override;
  runtime::Task<barnabas::Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Executor& home,
                                                                            runtime::Endpoint to, Duration timeout,
                                                                            runtime::CancelToken token) override;

  std::vector<runtime::Endpoint> attempts;

 private:
  bool serve(FakeBroker& broker, net::testing::Wire& wire);

  runtime::Executor& loop_;
  std::map<std::pair<std::string, uint16_t>, FakeBroker> brokers_;
};

// Chance that is always the same.
class FakeRandom final : public runtime::Random {
 public:
  uint64_t next() override { return state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL; }

 private:
  uint64_t state_ = 42;
};

}  // namespace barnabas::client::testing
