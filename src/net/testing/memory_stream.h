// MemoryStream, MemoryListener: connections without a network. The test holds a Wire, the other end: it puts in what
// the peer sends, says how much the peer takes, and sees what was sent. For tests of what stands on runtime::Stream.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "runtime/completion.h"
#include "runtime/stream.h"

namespace barnabas::net::testing {

struct Wire {
  std::string unread;        // what the peer sent and nobody has read yet
  bool peer_ended = false;   // nothing more will come
  std::string sent;          // what the peer has got
  size_t window = SIZE_MAX;  // how much more the peer takes
  bool writes_fail = false;
  bool closed = false;  // by our side
  size_t reads = 0;     // calls of try_read
  std::optional<runtime::Completion<bool>> reader;
  std::optional<runtime::Completion<bool>> writer;

  // ---- the peer
  void send(std::string_view bytes) {
    unread += bytes;
    wake(reader);
  }
  void end() {
    peer_ended = true;
    wake(reader);
  }
  void take(size_t more) {
    window = more;
    wake(writer);
  }
  void fail_writes() {
    writes_fail = true;
    wake(writer);
  }

  static void wake(std::optional<runtime::Completion<bool>>& waiter) {
    if (waiter) std::exchange(waiter, std::nullopt)->set(true);
  }
};

class MemoryStream final : public runtime::Stream {
 public:
  MemoryStream(runtime::Executor& home, std::shared_ptr<Wire> wire, std::string host = "10.0.0.1")
      : home_(home), wire_(std::move(wire)), peer_{std::move(host), 40000} {}
  ~MemoryStream() override { close(); }

  Result<size_t> try_read(MutableBytes into) override {
    ++wire_->reads;
    if (wire_->closed) return fail(ErrorCode::kClosed, "closed");
    size_t take = std::min(into.size(), wire_->unread.size());
    if (take == 0 && wire_->peer_ended) return fail(ErrorCode::kClosed, "the peer ended");
    if (take > 0) std::memcpy(into.data(), wire_->unread.data(), take);
    wire_->unread.erase(0, take);
    return take;
  }
  Result<size_t> try_write(std::span<const Payload> parts, uint64_t skip) override {
    if (wire_->closed || wire_->writes_fail) return fail(ErrorCode::kClosed, "connection reset by peer");
    size_t wrote = 0;
    for (const Payload& part : parts) {
      BytesView bytes = part.bytes;
      size_t skipped = std::min<uint64_t>(skip, bytes.size());
      skip -= skipped;
      bytes = bytes.subspan(skipped);
      size_t take = std::min(bytes.size(), wire_->window);
      wire_->sent.append(reinterpret_cast<const char*>(bytes.data()), take);
      if (wire_->window != SIZE_MAX) wire_->window -= take;
      wrote += take;
      if (take < bytes.size()) break;
    }
    return wrote;
  }
  runtime::Task<Result<>> readable(runtime::CancelToken token) override {
    bool ready = wire_->closed || !wire_->unread.empty() || wire_->peer_ended;
    if (!ready) {
      runtime::Completion<bool> woken;
      wire_->reader = woken;
      auto done = co_await woken.wait(home_, token);
      if (!done) co_return fail(ErrorCode::kCancelled, "cancelled");
    }
    if (wire_->closed) co_return fail(ErrorCode::kClosed, "closed");
    co_return Result<>{};
  }
  runtime::Task<Result<>> writable(runtime::CancelToken token) override {
    bool ready = wire_->closed || wire_->window > 0 || wire_->writes_fail;
    if (!ready) {
      runtime::Completion<bool> woken;
      wire_->writer = woken;
      auto done = co_await woken.wait(home_, token);
      if (!done) co_return fail(ErrorCode::kCancelled, "cancelled");
    }
    if (wire_->closed) co_return fail(ErrorCode::kClosed, "closed");
    co_return Result<>{};
  }
  void close() override {
    wire_->closed = true;
    Wire::wake(wire_->reader);
    Wire::wake(wire_->writer);
  }
  const runtime::Endpoint& peer() const override { return peer_; }
  const runtime::Endpoint& local() const override { return local_; }

 private:
  runtime::Executor& home_;
  std::shared_ptr<Wire> wire_;
  const runtime::Endpoint peer_;
  const runtime::Endpoint local_{"10.0.0.9", 9092};
};

// What a test and a listener share: connections that came and were not accepted yet.
struct Backlog {
  struct Arrived {
    std::string host;
    std::shared_ptr<Wire> wire;
  };
  std::deque<Arrived> arrived;
  std::optional<runtime::Completion<bool>> waiter;
  bool closed = false;

  std::shared_ptr<Wire> connect(std::string host = "10.0.0.1") {
    auto wire = std::make_shared<Wire>();
    arrived.push_back({std::move(host), wire});
    Wire::wake(waiter);
    return wire;
  }
};

// For a server on one loop.
class MemoryListener final : public runtime::Listener {
 public:
  explicit MemoryListener(std::shared_ptr<Backlog> backlog) : backlog_(std::move(backlog)) {}

  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> accept(runtime::Executor& home,
                                                                 runtime::CancelToken token) override {
    while (!backlog_->closed && backlog_->arrived.empty()) {
      runtime::Completion<bool> woken;
      backlog_->waiter = woken;
      auto done = co_await woken.wait(home, token);
      if (!done) co_return fail(ErrorCode::kCancelled, "cancelled");
    }
    if (backlog_->closed) co_return fail(ErrorCode::kClosed, "closed");
    Backlog::Arrived next = std::move(backlog_->arrived.front());
    backlog_->arrived.pop_front();
    co_return std::make_unique<MemoryStream>(home, std::move(next.wire), std::move(next.host));
  }
  const runtime::Endpoint& local() const override { return local_; }
  void close() override {
    backlog_->closed = true;
    Wire::wake(backlog_->waiter);
  }

 private:
  std::shared_ptr<Backlog> backlog_;
  const runtime::Endpoint local_{"10.0.0.9", 9092};
};

}  // namespace barnabas::net::testing
