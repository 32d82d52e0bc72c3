#include "host/socket_stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "base/check.h"
#include "host/socket_address.h"

namespace barnabas::host {

namespace {

// Below this a copy through memory is cheaper than sendfile, and joins what is around it in one system call.
constexpr uint64_t kSendfileBytesMin = 16 << 10;
constexpr uint64_t kSendfileBytesMax = 1 << 30;  // of one call; the kernel's own limit is near 2^31
constexpr size_t kGatherMax = 64;

bool goes_by_sendfile(const Payload& part, uint64_t skip) {
  return part.is_file() && part.size() - skip >= kSendfileBytesMin && part.source->native_handle() >= 0;
}

Error source_too_short() {
  return Error{ErrorCode::kCorrupt, "a file to send ended before the bytes that were promised of it"};
}

}  // namespace

SocketStream::SocketStream(EpollLoop& loop, UniqueFd socket, runtime::Endpoint peer)
    : loop_(loop), socket_(std::move(socket)), peer_(std::move(peer)), local_(local_endpoint(socket_.get())) {
  loop_.add(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP, *this);
}

SocketStream::~SocketStream() {
  CHECK(waits_ == 0, "a stream was destroyed while somebody waited for it");
  close();
}

Result<size_t> SocketStream::try_read(MutableBytes into) {
  if (!socket_) return fail(ErrorCode::kClosed, "the connection was closed");
  if (!receive_.maybe_ready) return 0;
  while (true) {
    ssize_t got = recv(socket_.get(), into.data(), into.size(), 0);
    if (got > 0) {
      // A short read has emptied the socket, and the next byte makes a new edge. Not so the end of the stream when its
      // edge has come already.
      if (static_cast<size_t>(got) < into.size() && !peer_ended_) receive_.maybe_ready = false;
      return static_cast<size_t>(got);
    }
    if (got == 0) return fail(ErrorCode::kClosed, peer_.to_string() + " closed the connection");
    if (errno == EAGAIN) {
      receive_.maybe_ready = false;
      return 0;
    }
    if (errno != EINTR) return failed(errno, "receive from ");
  }
}

Result<size_t> SocketStream::try_write(std::span<const Payload> parts, uint64_t skip) {
  if (!socket_) return fail(ErrorCode::kClosed, "the connection was closed");
  size_t total = 0;
  while (true) {
    while (!parts.empty() && skip >= parts.front().size()) {
      skip -= parts.front().size();
      parts = parts.subspan(1);
    }
    if (parts.empty() || !send_.maybe_ready) return total;
    bool by_sendfile = goes_by_sendfile(parts.front(), skip);
    auto sent = by_sendfile ? send_file(parts.front(), skip) : send_gathered(parts, skip);
    if (!sent) return sent;
    total += *sent;
    skip += *sent;
  }
}

Result<size_t> SocketStream::send_gathered(std::span<const Payload> parts, uint64_t skip) {
  std::array<iovec, kGatherMax> pieces;
  size_t count = 0;
  size_t bytes = 0;
  std::span<std::byte> room;
  bool more = false;  // the kernel may wait for what follows before it sends a half-filled packet
  for (const Payload& part : parts) {
    if (goes_by_sendfile(part, skip)) {
      more = true;
      break;
    }
    if (count == kGatherMax) break;
    BytesView piece;
    if (part.is_file()) {
      if (!room.data()) room = loop_.scratch();
      if (room.empty()) break;
      MutableBytes into = room.first(std::min<uint64_t>(room.size(), part.size() - skip));
      auto got = part.source->read_at(part.position + skip, into);
      if (!got) return got;
      if (*got < into.size()) return std::unexpected(source_too_short());
      piece = into;
      room = room.subspan(into.size());
    } else {
      piece = part.bytes.subspan(skip);
    }
    pieces[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    bytes += piece.size();
    if (skip + piece.size() < part.size()) break;  // the scratch is full
    skip = 0;
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  while (true) {
    ssize_t sent = sendmsg(socket_.get(), &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent >= 0) {
      if (static_cast<size_t>(sent) < bytes) send_.maybe_ready = false;
      return static_cast<size_t>(sent);
    }
    if (errno == EAGAIN) {
      send_.maybe_ready = false;
      return 0;
    }
    if (errno != EINTR) return failed(errno, "send to ");
  }
}

Result<size_t> SocketStream::send_file(const Payload& part, uint64_t skip) {
  off_t from = static_cast<off_t>(part.position + skip);
  size_t length = std::min(part.size() - skip, kSendfileBytesMax);
  while (true) {
    // A short count does not mean that the socket is full; only EAGAIN does, and the caller comes back until then.
    ssize_t sent = sendfile(socket_.get(), part.source->native_handle(), &from, length);
    if (sent > 0) return static_cast<size_t>(sent);
    if (sent == 0) return std::unexpected(source_too_short());
    if (errno == EAGAIN) {
      send_.maybe_ready = false;
      return 0;
    }
    if (errno != EINTR) return failed(errno, "send a file to ");
  }
}

runtime::Task<Result<>> SocketStream::readable(runtime::CancelToken token) {
  return wait_for(receive_, std::move(token));
}

runtime::Task<Result<>> SocketStream::writable(runtime::CancelToken token) {
  return wait_for(send_, std::move(token));
}

runtime::Task<Result<>> SocketStream::wait_for(Direction& direction, runtime::CancelToken token) {
  struct Suspend {
    Direction& direction;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      CHECK(!direction.waiter, "one waiter for each direction of a stream");
      direction.waiter = waiter;
    }
    void await_resume() const {}
  };
  bool wait = socket_ && !token.requested() && !direction.maybe_ready;
  if (wait) {
    ++waits_;
    runtime::CancelCallback on_cancel(token, [this, &direction] { wake(direction); });
    co_await Suspend{direction};
    --waits_;
  }
  if (!socket_) co_return fail(ErrorCode::kClosed, "the connection was closed");
  if (token.requested()) co_return fail(ErrorCode::kCancelled, "waiting for a connection was cancelled");
  co_return Result<>{};
}

void SocketStream::on_ready(uint32_t epoll_events) {
  constexpr uint32_t kBroken = EPOLLERR | EPOLLHUP;
  if (epoll_events & (EPOLLRDHUP | kBroken)) peer_ended_ = true;
  if (epoll_events & (EPOLLIN | EPOLLRDHUP | kBroken)) {
    receive_.maybe_ready = true;
    wake(receive_);
  }
  if (epoll_events & (EPOLLOUT | kBroken)) {
    send_.maybe_ready = true;
    wake(send_);
  }
}

void SocketStream::wake(Direction& direction) {
  if (!direction.waiter) return;
  loop_.post([waiter = std::exchange(direction.waiter, {})] { waiter.resume(); });
}

void SocketStream::close() {
  if (!socket_) return;
  loop_.remove(socket_.get(), *this);
  socket_.reset();
  wake(receive_);
  wake(send_);
}

Result<> SocketStream::finish_connect() {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return failed(error, "connect to ");
  local_ = local_endpoint(socket_.get());
  return {};
}

std::unexpected<Error> SocketStream::failed(int os_error, const char* doing) const {
  return std::unexpected(barnabas::os_error(os_error, doing + peer_.to_string()));
}

}  // namespace barnabas::host
