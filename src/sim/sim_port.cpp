#include "sim/sim_port.h"

#include <algorithm>
#include <utility>

#include "sim/sim_network.h"

namespace barnabas::sim {

void SimPort::offer(std::shared_ptr<SimConnection> connection) {
  if (waiters_.empty()) {
    backlog_.push_back(std::move(connection));
    return;
  }
  Waiter waiter = std::move(waiters_.front());
  waiters_.pop_front();
  waiter.handover.set(std::move(connection));
}

SimPort::Handover SimPort::ask(runtime::Executor& home) {
  Handover handover;
  if (!open_) {
    handover.set(fail(ErrorCode::kClosed, "the listener was closed"));
  } else if (!backlog_.empty()) {
    handover.set(std::move(backlog_.front()));
    backlog_.pop_front();
  } else {
    waiters_.push_back({&home, handover});
  }
  return handover;
}

bool SimPort::withdraw(runtime::Executor& home) {
  return std::erase_if(waiters_, [&](const Waiter& waiter) { return waiter.home == &home; }) > 0;
}

void SimPort::close() {
  open_ = false;
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    waiter.handover.set(fail(ErrorCode::kClosed, "the listener was closed"));
  }
  for (auto& connection : std::exchange(backlog_, {})) connection->close(SimConnection::kServer);
}

SimListener::~SimListener() {
  close();
}

runtime::Task<Result<std::unique_ptr<runtime::Stream>>> SimListener::accept(runtime::Executor& home,
                                                                            runtime::CancelToken token) {
  auto port = port_;
  auto handover = port->ask(home);
  auto accepted = co_await handover.wait(home, token);
  if (!accepted) {
    bool withdrawn = port->withdraw(home);
    if (withdrawn) co_return fail(ErrorCode::kCancelled, "waiting for a connection was cancelled");
    accepted = co_await handover.wait(home);
  }
  if (!*accepted) co_return std::unexpected(accepted->error());
  std::shared_ptr<SimConnection> connection = **accepted;
  connection->end(SimConnection::kServer).loop = &home;
  co_return std::make_unique<SimStream>(std::move(connection), SimConnection::kServer);
}

void SimListener::close() {
  network_.close_port(*port_);
}

}  // namespace barnabas::sim
