#include "sim/sim_connection.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/machine.h"
#include "sim/sim_network.h"
#include "sim/simulation.h"

namespace barnabas::sim {

SimConnection::SimConnection(SimNetwork& network, End client, End server)
    : network_(network), window_(network.new_window()), ends_{std::move(client), std::move(server)} {}

// ---- the process side

Result<size_t> SimConnection::read(Side side, MutableBytes into) {
  End& end = ends_[side];
  if (end.closed || end.vanished) return fail(ErrorCode::kClosed, "the connection was closed");
  if (!end.received.empty()) {
    size_t size = std::min(into.size(), end.received.size());
    if (size > 1 && network_.random().one_in(8)) size = 1 + network_.random().below(size);
    std::copy_n(as_bytes(end.received).begin(), size, into.begin());
    end.received.erase(0, size);
    wake(other(side));  // there is room again
    return size;
  }
  const std::string& peer = ends_[other(side)].name.host;
  if (end.reset) return fail(ErrorCode::kClosed, "connection reset by " + peer);
  if (end.peer_ended) return fail(ErrorCode::kClosed, peer + " closed the connection");
  return 0;
}

Result<size_t> SimConnection::write(Side side, std::span<const Payload> parts, uint64_t skip) {
  End& end = ends_[side];
  if (end.closed || end.vanished) return fail(ErrorCode::kClosed, "the connection was closed");
  if (end.reset) return fail(ErrorCode::kClosed, "connection reset by " + ends_[other(side)].name.host);
  size_t left = room(side);
  if (left > 1 && network_.random().one_in(8)) left = 1 + network_.random().below(left);
  size_t total = 0;
  std::string bytes;
  for (const Payload& part : parts) {
    if (skip >= part.size()) {
      skip -= part.size();
      continue;
    }
    if (left == 0) break;
    size_t size = std::min<uint64_t>(left, part.size() - skip);
    size_t at = bytes.size();
    if (part.is_file()) {
      bytes.resize(at + size);
      auto got = part.source->read_at(part.position + skip, std::as_writable_bytes(std::span(bytes)).subspan(at));
      if (!got) return got;
      if (*got < size) return fail(ErrorCode::kCorrupt, "a file to send ended before what was promised of it");
    } else {
      bytes += as_text(part.bytes.subspan(skip, size));
    }
    skip = 0;
    left -= size;
    total += size;
  }
  // Now and then in two pieces, the second of which takes its own time.
  if (bytes.size() > 1 && network_.random().one_in(8)) {
    size_t first = 1 + network_.random().below(bytes.size() - 1);
    send(side, {End::Segment::kData, bytes.substr(0, first), {}});
    bytes.erase(0, first);
  }
  if (!bytes.empty()) send(side, {End::Segment::kData, std::move(bytes), {}});
  return total;
}

bool SimConnection::can_read(Side side) const {
  const End& end = ends_[side];
  return !end.received.empty() || end.peer_ended || end.reset || end.closed || end.vanished;
}

bool SimConnection::can_write(Side side) const {
  const End& end = ends_[side];
  return room(side) > 0 || end.reset || end.closed || end.vanished;
}

void SimConnection::close(Side side) {
  End& end = ends_[side];
  if (end.closed || end.vanished) return;
  end.closed = true;
  trace(side, "close", 0);
  // As kernels do: an end that throws away bytes it was sent says so with a reset.
  bool unread = !end.received.empty();
  end.received.clear();
  if (!end.reset) send(side, {unread ? End::Segment::kReset : End::Segment::kEnd, "", {}});
  wake(side);
}

void SimConnection::wake(Side side) {
  End& end = ends_[side];
  if (end.reader && can_read(side)) {
    end.loop->post([reader = std::exchange(end.reader, {})] { reader.resume(); });
  }
  if (end.writer && can_write(side)) {
    end.loop->post([writer = std::exchange(end.writer, {})] { writer.resume(); });
  }
}

// ---- faults and wires

void SimConnection::break_now() {
  for (Side side : {kClient, kServer}) {
    End& end = ends_[side];
    end.reset = true;
    end.under_way.clear();
    end.bytes_under_way = 0;
    trace(side, "reset", 0);
    wake(side);
  }
}

void SimConnection::vanish(Side side) {
  End& end = ends_[side];
  end.vanished = true;
  end.received.clear();
  end.under_way.clear();
  end.bytes_under_way = 0;
  wake(side);
}

void SimConnection::schedule_arrivals() {
  schedule_arrival(kClient);
  schedule_arrival(kServer);
}

size_t SimConnection::room(Side side) const {
  size_t used = ends_[side].bytes_under_way + ends_[other(side)].received.size();
  return used < window_ ? window_ - used : 0;
}

void SimConnection::send(Side from, End::Segment segment) {
  End& end = ends_[from];
  MonotonicTime now = network_.simulation().now();
  segment.arrives = std::max(end.last_arrival, now + network_.delay(*end.machine, *ends_[other(from)].machine));
  end.last_arrival = segment.arrives;
  end.bytes_under_way += segment.bytes.size();
  end.under_way.push_back(std::move(segment));
  schedule_arrival(from);
}

void SimConnection::schedule_arrival(Side from) {
  End& end = ends_[from];
  if (end.arrival_scheduled || end.under_way.empty()) return;
  end.arrival_scheduled = true;
  network_.simulation().at(end.under_way.front().arrives, [self = shared_from_this(), from] { self->arrive(from); });
}

void SimConnection::arrive(Side from) {
  End& end = ends_[from];
  end.arrival_scheduled = false;
  if (end.under_way.empty()) return;
  if (network_.blocked(*end.machine, *ends_[other(from)].machine)) return;  // until links_changed()
  if (end.under_way.front().arrives <= network_.simulation().now()) {
    auto segment = std::move(end.under_way.front());
    end.under_way.pop_front();
    end.bytes_under_way -= segment.bytes.size();
    deliver(from, std::move(segment));
  }
  schedule_arrival(from);
}

void SimConnection::deliver(Side from, End::Segment segment) {
  Side to = other(from);
  End& end = ends_[to];
  trace(to, "receive", segment.bytes.size());
  if (end.closed || end.vanished) {
    // Nobody is there any more; the sender learns it, unless it said goodbye itself.
    if (segment.kind == End::Segment::kData && !end.reset) {
      end.reset = true;
      send(to, {End::Segment::kReset, "", {}});
    }
    return;
  }
  switch (segment.kind) {
    case End::Segment::kData:
      end.received += segment.bytes;
      break;
    case End::Segment::kEnd:
      end.peer_ended = true;
      break;
    case End::Segment::kReset:
      end.reset = true;
      end.under_way.clear();
      end.bytes_under_way = 0;
      break;
  }
  wake(to);
}

void SimConnection::trace(Side side, const char* kind, size_t bytes) {
  network_.simulation().trace(ends_[side].machine->name(), kind,
                              std::to_string(id_) + (side == kClient ? "c " : "s ") + std::to_string(bytes));
}

// ---- stream

SimStream::SimStream(std::shared_ptr<SimConnection> connection, SimConnection::Side side)
    : connection_(std::move(connection)),
      side_(side),
      peer_(connection_->end(SimConnection::other(side)).name),
      local_(connection_->end(side).name) {}

SimStream::~SimStream() {
  CHECK(connection_->end(side_).waits == 0, "a stream was destroyed while somebody waited for it");
  connection_->close(side_);
}

runtime::Task<Result<>> SimStream::readable(runtime::CancelToken token) {
  return wait(true, std::move(token));
}

runtime::Task<Result<>> SimStream::writable(runtime::CancelToken token) {
  return wait(false, std::move(token));
}

runtime::Task<Result<>> SimStream::wait(bool to_read, runtime::CancelToken token) {
  struct Suspend {
    std::coroutine_handle<>& place;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const {
      CHECK(!place, "one waiter for each direction of a stream");
      place = waiter;
    }
    void await_resume() const {}
  };
  SimConnection::End& end = connection_->end(side_);
  bool ready = to_read ? connection_->can_read(side_) : connection_->can_write(side_);
  if (!ready && !token.requested()) {
    std::coroutine_handle<>& place = to_read ? end.reader : end.writer;
    ++end.waits;
    runtime::CancelCallback on_cancel(token, [&place, loop = end.loop] {
      if (place) loop->post([waiter = std::exchange(place, {})] { waiter.resume(); });
    });
    co_await Suspend{place};
    --end.waits;
  }
  if (end.closed || end.vanished) co_return fail(ErrorCode::kClosed, "the connection was closed");
  if (token.requested()) co_return fail(ErrorCode::kCancelled, "waiting for a connection was cancelled");
  co_return Result<>{};
}

}  // namespace barnabas::sim
