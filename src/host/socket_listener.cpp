#include "host/socket_listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "host/epoll_loop.h"
#include "host/socket_address.h"
#include "host/socket_stream.h"
#include "runtime/clock.h"
#include "runtime/completion.h"

namespace barnabas::host {

namespace {

// Connections taken for a loop that has not yet come back for the next: keeps a burst in turn, though the loops handle
// theirs at different times.
constexpr size_t kAheadMax = 256;
constexpr Duration kPause = milliseconds(100);

struct Accepted {
  UniqueFd socket;
  runtime::Endpoint peer;
};
using Handover = runtime::Completion<Result<Accepted>>;

std::unexpected<Error> listener_closed() {
  return fail(ErrorCode::kClosed, "the listener was closed");
}

}  // namespace

class SocketListener::Queue final : public ReadyHandler, public std::enable_shared_from_this<Queue> {
 public:
  Queue(UniqueFd socket, runtime::Logger& logger) : logger_(logger), socket_(std::move(socket)) {}

  // The next connection for `home`, now or later.
  Handover ask(EpollLoop& home);
  // Takes the question back; false if it has been answered.
  bool withdraw(EpollLoop& home);
  void close();

 private:
  struct Home {
    std::optional<Handover> waiter;
    std::deque<Accepted> arrived;
    uint64_t given = 0;
  };

  void on_ready(uint32_t) override {
    std::lock_guard lock(mutex_);
    take_all_locked();
  }
  void take_all_locked();
  Home* next_home_locked();
  void give_locked(Home& home, Accepted accepted);
  void pause_locked(int os_error);
  void unwatch(UniqueFd socket);

  runtime::Logger& logger_;
  std::mutex mutex_;
  UniqueFd socket_;
  EpollLoop* watcher_ = nullptr;
  std::map<EpollLoop*, Home> homes_;
  bool paused_ = false;
};

Handover SocketListener::Queue::ask(EpollLoop& home) {
  std::lock_guard lock(mutex_);
  Handover handover;
  if (!socket_) {
    handover.set(listener_closed());
    return handover;
  }
  Home& asking = homes_[&home];
  CHECK(!asking.waiter, "one accept at a time on each loop");
  if (!asking.arrived.empty()) {
    handover.set(std::move(asking.arrived.front()));
    asking.arrived.pop_front();
  } else {
    asking.waiter = handover;
  }
  if (!watcher_) {
    watcher_ = &home;
    watcher_->add(socket_.get(), EPOLLIN, *this);
  }
  take_all_locked();
  return handover;
}

bool SocketListener::Queue::withdraw(EpollLoop& home) {
  std::lock_guard lock(mutex_);
  auto found = homes_.find(&home);
  if (found == homes_.end() || !found->second.waiter) return false;
  homes_.erase(found);
  return true;
}

void SocketListener::Queue::take_all_locked() {
  while (socket_ && !paused_) {
    Home* home = next_home_locked();
    if (!home) return;
    SocketAddress peer;
    int socket = accept4(socket_.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      give_locked(*home, {UniqueFd(socket), to_endpoint(peer)});
      continue;
    }
    if (errno == EAGAIN) return;
    // What went wrong with one connection before it was accepted says nothing about the next.
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == EHOSTUNREACH ||
        errno == ENETUNREACH || errno == EPERM) {
      continue;
    }
    pause_locked(errno);
  }
}

// The loop with the fewest so far, unless it already has enough that it did not come for.
SocketListener::Queue::Home* SocketListener::Queue::next_home_locked() {
  Home* best = nullptr;
  for (auto& [loop, home] : homes_) {
    if (!home.waiter && home.arrived.size() >= kAheadMax) continue;
    if (!best || home.given < best->given) best = &home;
  }
  return best;
}

void SocketListener::Queue::give_locked(Home& home, Accepted accepted) {
  ++home.given;
  if (!home.waiter) {
    home.arrived.push_back(std::move(accepted));
    return;
  }
  Handover waiter = *std::exchange(home.waiter, std::nullopt);
  waiter.set(std::move(accepted));
}

void SocketListener::Queue::pause_locked(int os_error) {
  paused_ = true;
  logger_.warning(std::string("New connections wait: accept failed: ") + std::strerror(os_error) + ".");
  watcher_->post([self = shared_from_this(), loop = watcher_] {
    loop->schedule(loop->clock().now() + kPause, [self] {
      std::lock_guard lock(self->mutex_);
      self->paused_ = false;
      self->take_all_locked();
    });
  });
}

void SocketListener::Queue::close() {
  UniqueFd socket;
  std::map<EpollLoop*, Home> homes;
  {
    std::lock_guard lock(mutex_);
    socket = std::move(socket_);
    homes.swap(homes_);
  }
  if (!socket) return;
  // Frees the port now; the descriptor itself leaves when its loop has forgotten it.
  shutdown(socket.get(), SHUT_RDWR);
  for (auto& [loop, home] : homes) {
    if (home.waiter) home.waiter->set(listener_closed());
  }
  if (!watcher_) return;
  if (watcher_->is_current()) {
    unwatch(std::move(socket));
  } else {
    watcher_->post(
        [self = shared_from_this(), moved = std::move(socket)]() mutable { self->unwatch(std::move(moved)); });
  }
}

void SocketListener::Queue::unwatch(UniqueFd socket) {
  watcher_->remove(socket.get(), *this);
}

SocketListener::SocketListener(UniqueFd socket, runtime::Logger& logger)
    : local_(local_endpoint(socket.get())), queue_(std::make_shared<Queue>(std::move(socket), logger)) {}

SocketListener::~SocketListener() {
  close();
}

runtime::Task<Result<std::unique_ptr<runtime::Stream>>> SocketListener::accept(runtime::Executor& home,
                                                                               runtime::CancelToken token) {
  auto queue = queue_;
  auto& loop = static_cast<EpollLoop&>(home);
  Handover handover = queue->ask(loop);
  auto accepted = co_await handover.wait(home, token);
  if (!accepted) {
    bool withdrawn = queue->withdraw(loop);
    if (withdrawn) co_return fail(ErrorCode::kCancelled, "waiting for a connection was cancelled");
    accepted = co_await handover.wait(home);
  }
  if (!*accepted) co_return std::unexpected(accepted->error());
  Accepted& connection = **accepted;
  co_return std::make_unique<SocketStream>(loop, std::move(connection.socket), std::move(connection.peer));
}

void SocketListener::close() {
  queue_->close();
}

}  // namespace barnabas::host
