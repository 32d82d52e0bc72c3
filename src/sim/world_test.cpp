// Machines, loops, time and the network of the simulated world. The disk is in sim_disk_test.cpp.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/scope.h"
#include "runtime/sleep.h"
#include "runtime/stream.h"
#include "sim/machine.h"
#include "sim/sim_network.h"
#include "sim/simulation.h"

namespace barnabas::sim {
namespace {

using runtime::CancelToken;
using runtime::Endpoint;
using runtime::Executor;
using runtime::Listener;
using runtime::Scope;
using runtime::Stream;
using runtime::Task;
using runtime::World;

constexpr uint16_t kPort = 9092;

// ---- a small program: echoes what it is sent, on all loops

Task<> echo(std::unique_ptr<Stream> stream, CancelToken stop) {
  std::array<std::byte, 700> buffer;
  while (true) {
    auto got = stream->try_read(buffer);
    if (!got) co_return;
    if (*got == 0) {
      auto ready = co_await stream->readable(stop);
      if (!ready) co_return;
      continue;
    }
    Payload part = Payload::view(BytesView(buffer).first(*got));
    auto sent = co_await write_all(*stream, std::span(&part, 1), stop);
    if (!sent) co_return;
  }
}

Task<> accept_on(Listener& listener, Executor& loop, Scope& scope) {
  while (true) {
    auto accepted = co_await listener.accept(loop, scope.token());
    if (!accepted) co_return;
    CHECK(loop.is_current());
    scope.spawn(echo(std::move(*accepted), scope.token()));
  }
}

Task<> echo_server(World& world, CancelToken stop) {
  auto listener = world.network.listen({"", kPort});
  if (!listener) {
    world.logger.error(listener.error().message);
    co_return;
  }
  std::vector<std::unique_ptr<Scope>> scopes;
  for (Executor* loop : world.loops) {
    scopes.push_back(std::make_unique<Scope>(*loop));
    co_await runtime::resume_on(*loop);
    scopes.back()->spawn(accept_on(**listener, *loop, *scopes.back()));
  }
  co_await runtime::resume_on(*world.loops[0]);
  world.logger.info("Echo is up.");
  runtime::Completion<bool> asked;
  runtime::CancelCallback on_stop(stop, [asked] { asked.set(true); });
  co_await asked.wait(*world.loops[0]);
  for (size_t i = 0; i < scopes.size(); ++i) {
    co_await runtime::resume_on(*world.loops[i]);
    scopes[i]->cancel();
    co_await scopes[i]->join();
  }
  co_await runtime::resume_on(*world.loops[0]);
}

// ---- a client, and what became of its messages

Task<Result<std::string>> read_exactly(Stream& stream, size_t size, CancelToken token) {
  std::string text(size, '\0');
  size_t have = 0;
  while (have < size) {
    auto got = stream.try_read(std::as_writable_bytes(std::span(text)).subspan(have));
    if (!got) co_return std::unexpected(got.error());
    have += *got;
    if (*got > 0) continue;
    auto ready = co_await stream.readable(token);
    if (!ready) co_return std::unexpected(ready.error());
  }
  co_return text;
}

Task<Result<>> converse(World& world, std::string server, int rounds, int& answered) {
  Executor& home = *world.loops[0];
  auto stream = co_await world.network.connect(home, {server, kPort}, seconds(30), {});
  if (!stream) co_return std::unexpected(stream.error());
  for (int round = 0; round < rounds; ++round) {
    std::string text(1 + world.random.below(3000), static_cast<char>('a' + round % 26));
    Payload part = Payload::view(as_bytes(text));
    auto sent = co_await write_all(**stream, std::span(&part, 1));
    if (!sent) co_return sent;
    auto back = co_await read_exactly(**stream, text.size(), {});
    if (!back) co_return std::unexpected(back.error());
    CHECK(*back == text);
    ++answered;
  }
  co_return Result<>{};
}

struct Pair {
  explicit Pair(uint64_t seed) : simulation(seed) {
    server.start(echo_server);
    simulation.run_for(milliseconds(10));
  }
  int answered = 0;  // before the simulation: programs use it until that ends
  Simulation simulation;
  Machine& server = simulation.add_machine("server");
  Machine& client = simulation.add_machine("client");
};

uint64_t hash_of_a_conversation(uint64_t seed) {
  Pair pair(seed);
  auto result = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 20, pair.answered));
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(pair.answered, 20);
  return pair.simulation.trace_hash();
}

TEST(SimWorld, TwoMachinesTalk) {
  hash_of_a_conversation(1);
}

TEST(SimWorld, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    uint64_t hash = hash_of_a_conversation(seed);
    EXPECT_EQ(hash, hash_of_a_conversation(seed)) << "seed " << seed;
    hashes.insert(hash);
  }
  EXPECT_EQ(hashes.size(), 20u);
}

Task<std::vector<int>> race(World& world) {
  std::vector<int> order;
  for (int i = 1; i <= 2; ++i) {
    world.loops[i]->post([&order, i] { order.push_back(i); });
  }
  co_await runtime::sleep_for(*world.loops[0], milliseconds(1));
  co_return order;
}

TEST(SimWorld, SeedsDecideWhichLoopIsFirst) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Simulation simulation(seed);
    Machine& machine = simulation.add_machine("m", {.loops = 3});
    orders.insert(simulation.run_task(machine, race(machine.world())));
  }
  EXPECT_EQ(orders.size(), 2u);
}

// ---- time

Task<Duration> measure_sleep(World& world, Duration duration) {
  MonotonicTime start = world.clock.now();
  bool slept = co_await runtime::sleep_for(*world.loops[0], duration);
  CHECK(slept);
  co_return world.clock.now() - start;
}

TEST(SimWorld, AnHourPassesInNoTime) {
  Simulation simulation(1);
  Machine& machine = simulation.add_machine("m");
  Duration slept = simulation.run_task(machine, measure_sleep(machine.world(), std::chrono::minutes(50)));
  EXPECT_GE(slept, std::chrono::minutes(50));
  EXPECT_LT(slept, std::chrono::minutes(50) + milliseconds(1));
}

TEST(SimWorld, ClocksDriftAndWallTimeJumps) {
  for (int64_t ppm : {-100'000, 100'000}) {
    Simulation simulation(1);
    Machine& machine = simulation.add_machine("m");
    machine.set_clock_drift_ppm(ppm);
    MonotonicTime start = simulation.now();
    Duration slept = simulation.run_task(machine, measure_sleep(machine.world(), seconds(100)));
    EXPECT_GE(slept, seconds(100));
    double real = std::chrono::duration<double>(simulation.now() - start).count();
    EXPECT_NEAR(real, 100.0 / (1 + ppm / 1e6), 0.01);
    TimestampMs before = machine.world().clock.wall_time();
    machine.set_wall_offset(std::chrono::hours(-1));
    EXPECT_EQ(machine.world().clock.wall_time(), before - 3'600'000);
  }
}

Task<std::string> on_worker(World& world) {
  auto where = co_await runtime::run_blocking(world.workers, *world.loops[0], [&world] {
    for (Executor* loop : world.loops) {
      if (loop->is_current()) return "on a loop";
    }
    return "on a worker";
  });
  CHECK(world.loops[0]->is_current() && !world.loops[1]->is_current());
  co_return std::string(where);
}

TEST(SimWorld, WorkersAreNoLoop) {
  Simulation simulation(1);
  Machine& machine = simulation.add_machine("m");
  EXPECT_EQ(simulation.run_task(machine, on_worker(machine.world())), "on a worker");
  EXPECT_FALSE(machine.world().loops[0]->is_current());
}

// ---- lives

TEST(SimWorld, AProgramAskedToStopEndsInGoodOrder) {
  Pair pair(3);
  EXPECT_TRUE(pair.server.busy());
  EXPECT_EQ(pair.server.log_lines().back(), "INFO Echo is up.");
  pair.server.ask_to_stop();
  EXPECT_TRUE(pair.simulation.run_until([&] { return !pair.server.busy(); }, seconds(1)));
}

TEST(SimWorld, AKilledProgramEndsItsConnectionsAndMayStartAgain) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Pair pair(seed);
    pair.simulation.after(milliseconds(20), [&] { pair.server.kill(); });
    auto cut = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 10'000, pair.answered));
    EXPECT_EQ(cut.error().code, ErrorCode::kClosed);
    EXPECT_FALSE(pair.server.busy());
    auto refused = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 1, pair.answered));
    EXPECT_EQ(refused.error().code, ErrorCode::kClosed);
    pair.server.start(echo_server);
    pair.simulation.run_for(milliseconds(10));
    auto again = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 5, pair.answered));
    EXPECT_TRUE(again) << again.error().message;
  }
}

Task<> sleep_for_years(World& world, int& ended) {
  bool slept = co_await runtime::sleep_for(*world.loops[1], std::chrono::hours(100'000));
  CHECK(slept);
  co_await runtime::resume_on(*world.loops[0]);
  auto stream = co_await world.network.connect(*world.loops[0], {"server", kPort}, seconds(1), {});
  CHECK(!stream);
  world.logger.info("not to be seen");
  ++ended;
}

TEST(SimWorld, AKilledProgramRunsToItsEndUnseen) {
  int ended = 0;
  Pair pair(5);
  pair.client.spawn(sleep_for_years(pair.client.world(), ended));
  pair.simulation.run_for(seconds(1));
  MonotonicTime before = pair.simulation.now();
  pair.client.kill();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(pair.simulation.now(), before);
  EXPECT_TRUE(pair.client.log_lines().empty());
}

Task<> kill_own_machine(World& world, Machine& machine, int& steps) {
  machine.kill();
  ++steps;
  bool slept = co_await runtime::sleep_for(*world.loops[0], seconds(1));
  if (slept) ++steps;
}

TEST(SimWorld, AMachineMayDieInTheMiddleOfItsOwnWork) {
  int steps = 0;
  Simulation simulation(1);
  Machine& machine = simulation.add_machine("m");
  machine.spawn(kill_own_machine(machine.world(), machine, steps));
  simulation.run_for(milliseconds(1));
  EXPECT_EQ(steps, 2);
  EXPECT_FALSE(machine.busy());
}

Task<> converse_until_cut(World& world, int& answered, Result<>& result, bool& ended) {
  result = co_await converse(world, "server", 1'000'000, answered);
  ended = true;
}

TEST(SimWorld, AMachineWithoutPowerIsSilentAndResetsOldConnectionsWhenItIsBack) {
  int told = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Result<> outcome;
    bool ended = false;
    Pair pair(seed);
    pair.client.spawn(converse_until_cut(pair.client.world(), pair.answered, outcome, ended));
    pair.simulation.run_for(milliseconds(50));
    EXPECT_GT(pair.answered, 0);
    pair.server.power_off();
    pair.simulation.run_for(std::chrono::minutes(10));
    EXPECT_FALSE(ended) << "nobody told the client";
    pair.server.start(echo_server);
    pair.simulation.run_for(seconds(10));
    // Told if it had bytes under way; if it only waited for an answer, it is half open and waits on.
    if (!ended) continue;
    ++told;
    EXPECT_EQ(outcome.error().code, ErrorCode::kClosed);
  }
  EXPECT_GT(told, 0);
  EXPECT_LT(told, 20);
}

TEST(SimWorld, ConnectingToAMachineWithoutPowerTakesTooLong) {
  Pair pair(8);
  pair.server.power_off();
  auto nowhere = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 1, pair.answered));
  EXPECT_EQ(nowhere.error().code, ErrorCode::kTimedOut);
}

TEST(SimWorld, APausedMachineGoesOnWhereItWas) {
  Pair pair(9);
  pair.server.pause();
  pair.simulation.after(seconds(5), [&] { pair.server.resume(); });
  MonotonicTime start = pair.simulation.now();
  auto result = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 3, pair.answered));
  EXPECT_TRUE(result);
  EXPECT_GE(pair.simulation.now() - start, seconds(5));
}

// ---- the network's faults

TEST(SimWorld, APartitionHoldsBytesBackUntilItHeals) {
  for (bool both_ways : {true, false}) {
    Pair pair(10);
    pair.simulation.after(milliseconds(5), [&] {
      if (both_ways) {
        pair.simulation.network().partition("client", "server");
      } else {
        pair.simulation.network().block("server", "client");
      }
    });
    pair.simulation.after(seconds(20), [&] { pair.simulation.network().heal(); });
    MonotonicTime start = pair.simulation.now();
    auto result = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 200, pair.answered));
    EXPECT_TRUE(result);
    EXPECT_GE(pair.simulation.now() - start, seconds(20));
  }
}

TEST(SimWorld, AResetEndsAConversation) {
  Pair pair(11);
  pair.simulation.after(milliseconds(20), [&] { pair.simulation.network().reset_connections("client", "server"); });
  auto result = pair.simulation.run_task(pair.client, converse(pair.client.world(), "server", 10'000, pair.answered));
  EXPECT_EQ(result.error().code, ErrorCode::kClosed);
  EXPECT_NE(result.error().message.find("reset"), std::string::npos) << result.error().message;
}

// Writes without ever reading what comes back.
Task<uint64_t> flood(World& world) {
  auto stream = co_await world.network.connect(*world.loops[0], {"server", kPort}, seconds(30), {});
  std::string text(1000, 'x');
  Payload part = Payload::view(as_bytes(text));
  uint64_t total = 0;
  MonotonicTime end = world.clock.now() + seconds(2);
  while (world.clock.now() < end) {
    auto sent = (*stream)->try_write(std::span(&part, 1), 0);
    CHECK(sent);
    total += *sent;
    if (*sent == 0) {
      co_await runtime::sleep_for(*world.loops[0], milliseconds(10));
    }
  }
  co_return total;
}

TEST(SimWorld, WhatAConnectionHoldsIsBounded) {
  Pair pair(12);
  pair.simulation.network().set_window(8192);
  uint64_t total = pair.simulation.run_task(pair.client, flood(pair.client.world()));
  EXPECT_GE(total, 8192u);
  EXPECT_LE(total, 2 * 8192u + 700);
}

Task<ErrorCode> listen_twice(World& world) {
  auto first = world.network.listen({"", 0});
  auto second = world.network.listen({"localhost", (*first)->local().port});
  ErrorCode code = second ? ErrorCode::kInvalid : second.error().code;
  (*first)->close();
  auto third = world.network.listen({"m", (*first)->local().port});
  CHECK(third);
  auto foreign = world.network.listen({"elsewhere", 0});
  CHECK(!foreign);
  co_return code;
}

TEST(SimWorld, APortIsHeldByOneListener) {
  Simulation simulation(1);
  Machine& machine = simulation.add_machine("m");
  EXPECT_EQ(simulation.run_task(machine, listen_twice(machine.world())), ErrorCode::kBusy);
}

Task<> converse_again_and_again(World& world, CancelToken stop, int& answered) {
  while (!stop.requested()) {
    auto result = co_await converse(world, "server", 50, answered);
    if (result) continue;
    co_await runtime::sleep_for(*world.loops[0], milliseconds(100), stop);
  }
}

uint64_t hash_of_a_bad_day(uint64_t seed, int& answered) {
  Simulation simulation(seed);
  SimRandom chaos = simulation.stream("chaos");
  Machine& server = simulation.add_machine("server");
  Machine& client = simulation.add_machine("client");
  SimNetwork& network = simulation.network();
  Program talk = [&](World& world, CancelToken stop) { return converse_again_and_again(world, stop, answered); };
  server.start(echo_server);
  for (int i = 0; i < 3; ++i) client.start(talk);
  for (int step = 0; step < 40; ++step) {
    simulation.run_for(chaos.between(milliseconds(1), milliseconds(100)));
    Machine& victim = chaos.one_in(2) ? server : client;
    switch (chaos.below(8)) {
      case 0:
        victim.kill();
        break;
      case 1:
        victim.power_off();
        break;
      case 2:
        victim.pause();
        break;
      case 3:
        network.partition("server", "client");
        break;
      case 4:
        network.block(victim.name(), chaos.one_in(2) ? "server" : "client");
        break;
      case 5:
        network.reset_connections("client", "server");
        break;
      case 6:
        victim.stall_loop(chaos.below(2), milliseconds(200));
        break;
      case 7:
        victim.set_wall_offset(chaos.between(Duration(0), seconds(100)));
        break;
    }
    if (chaos.one_in(2)) network.heal();
    for (Machine* machine : {&server, &client}) {
      if (machine->paused() && chaos.one_in(2)) machine->resume();
      if (machine->busy() || chaos.one_in(2)) continue;
      if (machine == &server) server.start(echo_server);
      if (machine == &client) client.start(talk);
    }
  }
  return simulation.trace_hash();
}

TEST(SimWorld, WhateverHappensTheSameSeedGivesTheSameDay) {
  int answered = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    uint64_t hash = hash_of_a_bad_day(seed, answered);
    EXPECT_EQ(hash, hash_of_a_bad_day(seed, answered)) << "seed " << seed;
  }
  EXPECT_GT(answered, 1000);
}

TEST(SimWorld, BuggifyIsDecidedByTheSeed) {
  int sites_on = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Simulation simulation(seed);
    int fired = 0;
    for (int i = 0; i < 1000; ++i) fired += simulation.buggify("slow start");
    if (fired == 0) continue;
    ++sites_on;
    EXPECT_LT(fired, 200);
  }
  EXPECT_GT(sites_on, 20);
  EXPECT_LT(sites_on, 100);
}

}  // namespace
}  // namespace barnabas::sim
