// SimConnection: the kernel side of one connection: two ends, and the bytes between them, bounded. It outlives the
// streams, since what was written before a close still arrives. SimStream is the process side of one end.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <string>

#include "runtime/stream.h"
#include "sim/sim_life.h"

namespace barnabas::sim {

class Machine;
class SimNetwork;

class SimConnection : public std::enable_shared_from_this<SimConnection> {
 public:
  enum Side { kClient = 0, kServer = 1 };
  static Side other(Side side) { return side == kClient ? kServer : kClient; }

  struct End {
    Machine* machine = nullptr;
    Life* life = nullptr;
    runtime::Executor* loop = nullptr;
    runtime::Endpoint name;

    std::string received;  // and not yet read
    bool peer_ended = false;
    bool reset = false;
    bool closed = false;    // by its process, or with it
    bool vanished = false;  // with the machine's power

    std::coroutine_handle<> reader;
    std::coroutine_handle<> writer;
    int waits = 0;

    struct Segment {
      enum Kind { kData, kEnd, kReset } kind;
      std::string bytes;
      MonotonicTime arrives;
    };
    std::deque<Segment> under_way;  // to the other end, in order
    size_t bytes_under_way = 0;
    bool arrival_scheduled = false;
    MonotonicTime last_arrival{0};
  };

  // The server's loop is known when the connection is accepted.
  SimConnection(SimNetwork& network, End client, End server);

  End& end(Side side) { return ends_[side]; }
  uint64_t id() const { return id_; }
  void set_id(uint64_t id) { id_ = id; }

  // ---- the process side
  Result<size_t> read(Side side, MutableBytes into);
  Result<size_t> write(Side side, std::span<const Payload> parts, uint64_t skip);
  bool can_read(Side side) const;
  bool can_write(Side side) const;
  void close(Side side);
  void wake(Side side);

  // ---- faults and wires
  void break_now();          // both ends are reset
  void vanish(Side side);    // with the power
  void schedule_arrivals();  // again: a way may have been unblocked
  // The server's bytes do not overtake its answer to the handshake.
  void hold_until(Side side, MonotonicTime when) { ends_[side].last_arrival = when; }

 private:
  size_t room(Side side) const;
  void send(Side from, End::Segment segment);
  void schedule_arrival(Side from);
  void arrive(Side from);
  void deliver(Side from, End::Segment segment);
  void trace(Side side, const char* kind, size_t bytes);

  SimNetwork& network_;
  uint64_t id_ = 0;
  const size_t window_;
  End ends_[2];
};

class SimStream final : public runtime::Stream {
 public:
  SimStream(std::shared_ptr<SimConnection> connection, SimConnection::Side side);
  ~SimStream() override;

  Result<size_t> try_read(MutableBytes into) override { return connection_->read(side_, into); }
  Result<size_t> try_write(std::span<const Payload> parts, uint64_t skip) override {
    return connection_->write(side_, parts, skip);
  }
  runtime::Task<Result<>> readable(runtime::CancelToken token) override;
  runtime::Task<Result<>> writable(runtime::CancelToken token) override;
  void close() override { connection_->close(side_); }
  const runtime::Endpoint& peer() const override { return peer_; }
  const runtime::Endpoint& local() const override { return local_; }

 private:
  runtime::Task<Result<>> wait(bool to_read, runtime::CancelToken token);

  std::shared_ptr<SimConnection> connection_;
  const SimConnection::Side side_;
  const runtime::Endpoint peer_;
  const runtime::Endpoint local_;
};

}  // namespace barnabas::sim
