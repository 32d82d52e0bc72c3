// SocketStream: a connected TCP socket of one loop. Registered once, edge-triggered: it remembers whether the kernel
// may have more to say, so that trying again when it has not costs no system call.
#pragma once

#include <coroutine>
#include <cstdint>

#include "host/epoll_loop.h"
#include "host/unique_fd.h"
#include "runtime/stream.h"

namespace barnabas::host {

class SocketStream final : public runtime::Stream, private ReadyHandler {
 public:
  // On `loop`. `socket` is non-blocking; it may still be connecting.
  SocketStream(EpollLoop& loop, UniqueFd socket, runtime::Endpoint peer);
  ~SocketStream() override;

  Result<size_t> try_read(MutableBytes into) override;
  Result<size_t> try_write(std::span<const Payload> parts, uint64_t skip) override;
  runtime::Task<Result<>> readable(runtime::CancelToken token) override;
  runtime::Task<Result<>> writable(runtime::CancelToken token) override;
  void close() override;
  const runtime::Endpoint& peer() const override { return peer_; }
  const runtime::Endpoint& local() const override { return local_; }

  // For connecting: until the kernel says so, the socket cannot be written.
  void expect_writable_event() { send_.maybe_ready = false; }
  // When that is over: how it went. Takes the local address.
  Result<> finish_connect();

 private:
  struct Direction {
    bool maybe_ready = true;
    std::coroutine_handle<> waiter;
  };

  void on_ready(uint32_t epoll_events) override;
  void wake(Direction& direction);
  runtime::Task<Result<>> wait_for(Direction& direction, runtime::CancelToken token);
  // Each returns what went out; when the kernel is full, send_.maybe_ready says so.
  Result<size_t> send_gathered(std::span<const Payload> parts, uint64_t skip);
  Result<size_t> send_file(const Payload& part, uint64_t skip);
  std::unexpected<Error> failed(int os_error, const char* doing) const;

  EpollLoop& loop_;
  UniqueFd socket_;
  Direction receive_;
  Direction send_;
  bool peer_ended_ = false;  // the end of the stream, or an error, waits behind what can be read
  int waits_ = 0;
  runtime::Endpoint peer_;
  runtime::Endpoint local_;
};

}  // namespace barnabas::host
