// SimPort: one listening port of a machine, kernel side. SimListener is what the process holds of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "runtime/completion.h"
#include "runtime/stream.h"
#include "sim/sim_connection.h"

namespace barnabas::sim {

class SimPort {
 public:
  using Handover = runtime::Completion<Result<std::shared_ptr<SimConnection>>>;

  SimPort(Life& life, uint16_t number) : life_(life), number_(number) {}

  Life& life() const { return life_; }
  uint16_t number() const { return number_; }
  bool open() const { return open_; }

  // A connection has come; it goes to the loop that has waited longest.
  void offer(std::shared_ptr<SimConnection> connection);
  Handover ask(runtime::Executor& home);
  bool withdraw(runtime::Executor& home);
  // Ends all waits; connections that were not accepted are closed.
  void close();

 private:
  struct Waiter {
    runtime::Executor* home;
    Handover handover;
  };

  Life& life_;
  const uint16_t number_;
  bool open_ = true;
  std::deque<Waiter> waiters_;
  std::deque<std::shared_ptr<SimConnection>> backlog_;
};

class SimListener final : public runtime::Listener {
 public:
  SimListener(SimNetwork& network, std::shared_ptr<SimPort> port, runtime::Endpoint local)
      : network_(network), port_(std::move(port)), local_(std::move(local)) {}
  ~SimListener() override;

  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> accept(runtime::Executor& home,
                                                                 runtime::CancelToken token) override;
  const runtime::Endpoint& local() const override { return local_; }
  void close() override;

 private:
  SimNetwork& network_;
  std::shared_ptr<SimPort> port_;
  const runtime::Endpoint local_;
};

}  // namespace barnabas::sim
