#include "host/socket_network.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/epoll_loop.h"
#include "host/socket_address.h"
#include "host/socket_listener.h"
#include "host/socket_stream.h"
#include "host/unique_fd.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/sleep.h"

namespace barnabas::host {

namespace {

using runtime::Endpoint;
using runtime::Stream;
using runtime::Task;

UniqueFd new_socket(int family) {
  return UniqueFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_option(const UniqueFd& socket, int level, int option, int value) {
  setsockopt(socket.get(), level, option, &value, sizeof(value));
}

void set_up_connection(const UniqueFd& socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);  // finds peers that vanished without a word, in the end
}

std::string describe(const Endpoint& at) {
  return at.host.empty() ? "port " + std::to_string(at.port) : at.to_string();
}

Result<UniqueFd> listen_on(const SocketAddress& address, const Endpoint& at, const runtime::ListenOptions& options) {
  UniqueFd socket = new_socket(address.family());
  if (!socket) return std::unexpected(os_error(errno, "listen on " + describe(at)));
  // Connections of an earlier life of ours, still in TIME_WAIT, do not hold the port. SO_REUSEPORT would hide that
  // somebody else has it.
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  set_up_connection(socket);  // accepted sockets inherit it, and the sizes of their buffers
  if (options.send_buffer_bytes >= 0) set_option(socket, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
  if (options.receive_buffer_bytes >= 0) set_option(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes);
  if (address.family() == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, at.host.empty() ? 0 : 1);
  if (bind(socket.get(), address.get(), address.length) != 0 ||
      listen(socket.get(), std::max(options.backlog, 1)) != 0) {
    return std::unexpected(os_error(errno, "listen on " + describe(at)));
  }
  return socket;
}

Result<std::unique_ptr<SocketStream>> start_connect(EpollLoop& loop, const SocketAddress& address) {
  Endpoint peer = to_endpoint(address);
  UniqueFd socket = new_socket(address.family());
  if (!socket) return std::unexpected(os_error(errno, "connect to " + peer.to_string()));
  set_up_connection(socket);
  int status = connect(socket.get(), address.get(), address.length);
  if (status != 0 && errno != EINPROGRESS && errno != EINTR) {
    return std::unexpected(os_error(errno, "connect to " + peer.to_string()));
  }
  auto stream = std::make_unique<SocketStream>(loop, std::move(socket), std::move(peer));
  if (status != 0) stream->expect_writable_event();
  return stream;
}

// Tries the addresses one after the other, each for its share of the time left: one that swallows packets does not
// keep the others from being tried.
Task<Result<std::unique_ptr<Stream>>> connect_to_any(EpollLoop& loop, std::vector<SocketAddress> addresses,
                                                     MonotonicTime deadline, runtime::CancelToken token) {
  Error last{ErrorCode::kNotFound, "the name has no address"};
  for (size_t i = 0; i < addresses.size(); ++i) {
    auto started = start_connect(loop, addresses[i]);
    if (!started) {
      last = started.error();
      continue;
    }
    std::unique_ptr<SocketStream> stream = *std::move(started);
    runtime::CancelSource ending;
    runtime::CancelCallback on_cancel(token, [&ending] { ending.request(); });
    MonotonicTime now = loop.clock().now();
    Duration share = (deadline - now) / static_cast<int64_t>(addresses.size() - i);
    runtime::TimerId timer = loop.schedule(now + share, [&ending] { ending.request(); });
    auto ready = co_await stream->writable(ending.token());
    loop.cancel(timer);
    if (!ready && token.requested()) co_return std::unexpected(ready.error());
    if (!ready) {
      last = {ErrorCode::kTimedOut, "connect to " + to_endpoint(addresses[i]).to_string() + " took too long"};
      continue;
    }
    auto connected = stream->finish_connect();
    if (connected) co_return std::move(stream);
    last = connected.error();
  }
  co_return std::unexpected(last);
}

Task<Result<std::vector<SocketAddress>>> resolve_name(runtime::WorkerPool& workers, runtime::Executor& home,
                                                      Endpoint name, runtime::CancelToken token) {
  auto numeric = resolve(name, Resolve::kNumeric, false);
  if (numeric) co_return numeric;
  // Not run_blocking: when the caller has had enough, the resolver goes on alone.
  runtime::Completion<Result<std::vector<SocketAddress>>> done;
  workers.submit([done, name] { done.set(resolve(name, Resolve::kNames, false)); });
  auto resolved = co_await done.wait(home, token);
  if (!resolved) co_return fail(ErrorCode::kCancelled, "finding the address of " + name.host + " was cancelled");
  co_return *std::move(resolved);
}

}  // namespace

Result<std::unique_ptr<runtime::Listener>> SocketNetwork::listen(const Endpoint& at,
                                                                 const runtime::ListenOptions& options) {
  TRY_ASSIGN(auto addresses, resolve(at, Resolve::kNames, true));
  Error last{ErrorCode::kNotFound, "listen on " + describe(at) + ": the name has no address"};
  for (const SocketAddress& address : addresses) {
    auto socket = listen_on(address, at, options);
    if (socket) return std::make_unique<SocketListener>(*std::move(socket), logger_);
    last = socket.error();
    // Where IPv6 is switched off, "every address" means every IPv4 address; a port in use is in use.
    if (last.code == ErrorCode::kBusy || last.code == ErrorCode::kDenied) break;
  }
  return std::unexpected(last);
}

Task<Result<std::unique_ptr<Stream>>> SocketNetwork::connect(runtime::Executor& home, Endpoint to, Duration timeout,
                                                             runtime::CancelToken token) {
  auto& loop = static_cast<EpollLoop&>(home);
  runtime::CancelSource ending;
  bool timed_out = false;
  runtime::CancelCallback on_cancel(token, [&ending] { ending.request(); });
  MonotonicTime deadline = loop.clock().now() + timeout;
  runtime::TimerId timer = loop.schedule(deadline, [&ending, &timed_out] {
    timed_out = true;
    ending.request();
  });
  auto addresses = co_await resolve_name(workers_, home, to, ending.token());
  Result<std::unique_ptr<Stream>> connected = fail(ErrorCode::kInvalid, "");
  if (addresses) {
    connected = co_await connect_to_any(loop, *std::move(addresses), deadline, ending.token());
  } else {
    connected = std::unexpected(addresses.error());
  }
  loop.cancel(timer);
  if (!connected && connected.error().code == ErrorCode::kCancelled && timed_out && !token.requested()) {
    co_return fail(ErrorCode::kTimedOut, "connect to " + to.to_string() + " took too long");
  }
  co_return std::move(connected);
}

}  // namespace barnabas::host
