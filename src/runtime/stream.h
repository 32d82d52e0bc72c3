// Stream, Listener, Network: byte connections. A stream belongs to the loop it was accepted or connected on and is used
// only there. Reading and writing are tried first and waited for only when the kernel says no, so that a loop pass can
// take everything readable without a coroutine switch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/cancel.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::runtime {

struct Endpoint {
  std::string host;   // a name or an address; empty = every local address (listening)
  uint16_t port = 0;  // 0 = any free one (listening)
  bool operator==(const Endpoint&) const = default;
  std::string to_string() const;  // host:port, with brackets around IPv6
};

class Stream {
 public:
  virtual ~Stream() = default;  // closes it; no wait may be pending

  // Reads what is there, at most into.size() bytes (not empty). 0 = nothing now. End of stream and resets are kClosed.
  virtual Result<size_t> try_read(MutableBytes into) = 0;
  // Sends from `parts`, of which the first `skip` bytes went out before; returns how many more went out. 0 = nothing
  // now. File payloads go by sendfile where the back end has it.
  virtual Result<size_t> try_write(std::span<const Payload> parts, uint64_t skip) = 0;

  // Resumes when try_read (try_write) may make progress; one waiter each. kCancelled by the token, kClosed by close().
  virtual Task<Result<>> readable(CancelToken token = {}) = 0;
  virtual Task<Result<>> writable(CancelToken token = {}) = 0;

  // Ends the connection now: pending waits end with kClosed, the peer sees the end of the stream.
  virtual void close() = 0;

  virtual const Endpoint& peer() const = 0;
  virtual const Endpoint& local() const = 0;
};

// Sends all of `parts`, waiting as often as it takes.
Task<Result<>> write_all(Stream& stream, std::span<const Payload> parts, CancelToken token = {});

class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection, as a stream of `home`. May wait on several loops at once: each connection goes to one of them.
  virtual Task<Result<std::unique_ptr<Stream>>> accept(Executor& home, CancelToken token) = 0;
  // Where it really listens (the port when 0 was asked for).
  virtual const Endpoint& local() const = 0;
  // Refuses new connections; pending accepts end with kClosed. On any loop, once.
  virtual void close() = 0;
};

// What the system is asked for when it listens; a back end without a kernel leaves it aside.
struct ListenOptions {
  int32_t send_buffer_bytes = -1;  // of every connection accepted; negative: the system's choice
  int32_t receive_buffer_bytes = -1;
  int32_t backlog = 4096;  // connections the system keeps until they are accepted; the system's own limit counts too
};

class Network {
 public:
  virtual ~Network() = default;
  // kBusy when the address is in use.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at, const ListenOptions& options) = 0;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) { return listen(at, ListenOptions()); }
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Executor& home, Endpoint to, Duration timeout,
                                                        CancelToken token) = 0;
};

}  // namespace barnabas::runtime
