// Connection: one client's byte stream, on the loop that accepted it. Reads everything readable, starts requests in
// order, sends answers in order, one send per loop pass. A slow reader is not read from while its answers pile up.
// Owned by the Server's scope through run().
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "net/memory_budget.h"
#include "net/receive_buffer.h"
#include "net/service.h"
#include "runtime/executor.h"
#include "runtime/scope.h"
#include "runtime/stream.h"

namespace barnabas::runtime {
class Logger;
}

namespace barnabas::net {

struct ConnectionOptions {
  uint32_t frame_bytes_max = 100 << 20;   // socket.request.max.bytes
  uint64_t unsent_bytes_max = 1 << 20;    // start no new request while so many answer bytes wait for the peer
  uint32_t requests_in_flight_max = 256;  // overlapping requests of one connection
};

class Connection {
 public:
  Connection(std::unique_ptr<runtime::Stream> stream, runtime::Executor& loop, std::string listener, Service& service,
             MemoryBudget& budget, runtime::Logger& logger, const ConnectionOptions& options);

  // Serves until either side ends it. After it returns nothing of the connection is pending.
  runtime::Task<> run(runtime::CancelToken stop);

  // Ends it from outside (idle, server stop), on its loop.
  void close();
  MonotonicTime last_active() const { return last_active_; }

 private:
  struct Slot {
    std::optional<Answer> answer;
  };

  runtime::Task<> read_requests();
  runtime::Task<Result<>> receive_more();
  runtime::Task<> answer_one(Frame frame, std::shared_ptr<Slot> slot);
  runtime::Task<> send_pending();
  void schedule_flush();
  void flush();
  void end(std::string reason);
  void wake_reader();
  // Suspends the reader until wake_reader(); it checks its own condition around it.
  auto parked();

  std::unique_ptr<runtime::Stream> stream_;
  runtime::Executor& loop_;
  Service& service_;
  MemoryBudget& budget_;
  runtime::Logger& logger_;
  const ConnectionOptions options_;
  ConnectionInfo info_;
  ReceiveBuffer buffer_;
  runtime::Scope requests_;                  // answers being made, and the sender
  std::deque<std::shared_ptr<Slot>> slots_;  // in request order; the front is sent next
  std::vector<Payload> unsent_;
  uint64_t unsent_bytes_ = 0;
  uint64_t sent_of_first_ = 0;
  uint32_t in_flight_ = 0;
  uint64_t charged_bytes_ = 0;
  MonotonicTime last_active_;
  MonotonicTime muted_until_;
  std::coroutine_handle<> reader_;
  bool flush_scheduled_ = false;
  bool sending_ = false;
  bool ended_ = false;
  bool close_when_sent_ = false;
};

}  // namespace barnabas::net
