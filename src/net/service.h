// Service: what a listener does with a request. `net` cuts frames and keeps the order of answers; the service knows
// what the bytes mean. It runs on the loop of the connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.h"
#include "net/receive_buffer.h"
#include "runtime/cancel.h"
#include "runtime/stream.h"
#include "runtime/task.h"

namespace barnabas::net {

// What is known of one connection; lives as long as it.
struct ConnectionInfo {
  runtime::Executor* loop = nullptr;
  std::string listener;  // Kafka's listener name, e.g. PLAINTEXT
  runtime::Endpoint peer;
  runtime::Endpoint local;
  std::string client_software_name;  // from ApiVersions v3+, for logs and metrics
  std::string client_software_version;
  int holding = 0;  // requests that have started, and whose effects have not begun: the service's
};

struct Answer {
  std::vector<Payload> segments;  // a whole response frame; none = nothing is sent (acks=0)
  bool close = false;             // end the connection after what was answered before; `reason` is logged
  std::string reason;
  Duration mute{};  // read nothing more for so long after the answer (KIP-219)
};

class Service {
 public:
  virtual ~Service() = default;

  // Answers one request. `frame` and `connection` outlive the task. `token`: the connection ends, be quick.
  virtual runtime::Task<Answer> serve(Frame frame, ConnectionInfo& connection, runtime::CancelToken token) = 0;

  // True when this request may start while earlier ones of the connection still wait (Produce after Produce): their
  // effects happen in the order of starting, and answers leave in the order of requests in any case.
  virtual bool may_overlap(BytesView frame, const ConnectionInfo& connection) const = 0;
};

}  // namespace barnabas::net
