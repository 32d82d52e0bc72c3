// The producer against a whole node of ours that is killed, loses its power, is paused and cut off while records are on
// their way: what was acknowledged is there, once, where it was said to be, and in the order of the sends.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/producer.h"
#include "client/runtime_loop.h"
#include "runtime/sleep.h"
#include "sim/scenario.h"
#include "sim/sim_network.h"

namespace barnabas::sim {
namespace {

constexpr uint64_t kSeeds = 6;

struct Sent {
  std::map<std::string, int64_t> acknowledged;  // value -> offset
  std::vector<std::string> failed;
  int count = 0;
  bool stop = false;
  bool flushed = false;
  bool ended = false;
};

client::Config config_for(bool idempotent) {
  return {{"bootstrap.servers", "broker:9092"},
          {"enable.idempotence", idempotent ? "true" : "false"},
          {"acks", "all"},
          {"batch.size", "100"},  // many batches in flight
          {"linger.ms", "1"},
          {"request.timeout.ms", "2000"},
          {"delivery.timeout.ms", "600000"},
          {"retry.backoff.ms", "20"},
          {"retry.backoff.max.ms", "200"}};
}

// Sends some records every few milliseconds until it is told to stop, and waits for the fate of all of them.
runtime::Task<> produce(runtime::World* world, client::Config config, Sent* sent, uint64_t seed) {
  runtime::Executor& loop = *world->loops[0];
  auto producer = client::Producer::create(config, {.runtime = client::RuntimeLoop::over(*world, loop)});
  EXPECT_TRUE(producer.has_value()) << producer.error().to_string();
  if (!producer) co_return;
  while (!sent->stop) {
    for (uint64_t i = 0; i < 1 + seed % 3; ++i) {
      std::string value = std::to_string(sent->count++);
      producer->send({.topic = "story", .value = value}, [sent, value](client::Result<client::RecordMetadata> report) {
        if (report) {
          EXPECT_FALSE(sent->acknowledged.contains(value)) << "reported twice: " << value;
          sent->acknowledged[value] = report->offset;
        } else {
          sent->failed.push_back(value + ": " + report.error().to_string());
        }
      });
    }
    co_await runtime::sleep_for(loop, milliseconds(6));
  }
  auto flushed = co_await producer->flush();
  sent->flushed = flushed.has_value();
  EXPECT_TRUE(producer->close().has_value());
  co_await runtime::sleep_for(loop, seconds(5));
  sent->ended = true;
}

enum class Fault { kKill, kPowerOff, kPause, kPartition, kReset };

void strike(Scenario& story, Fault fault, uint64_t chance) {
  switch (fault) {
    case Fault::kKill:
      story.broker().kill();
      story.simulation().run_for(milliseconds(chance % 1500));
      story.start_node();
      break;
    case Fault::kPowerOff:
      story.broker().power_off();
      story.simulation().run_for(milliseconds(chance % 1500));
      story.start_node();
      break;
    case Fault::kPause:
      story.broker().pause();
      story.simulation().run_for(milliseconds(chance % 2500));
      story.broker().resume();
      break;
    case Fault::kPartition:
      story.simulation().network().partition("client", "broker");
      story.simulation().run_for(milliseconds(chance % 2500));
      story.simulation().network().heal();
      break;
    case Fault::kReset:
      story.simulation().network().reset_connections("client", "broker");
      break;
  }
}

std::map<int64_t, std::string> everything(Scenario& story) {
  std::map<int64_t, std::string> log;
  while (true) {
    auto fetched = story.fetch("story", static_cast<int64_t>(log.size()));
    EXPECT_TRUE(fetched.has_value()) << fetched.error().message;
    if (fetched) {
      EXPECT_EQ(fetched->error, wire::KafkaError::kNone);
    }
    if (!fetched || fetched->records.empty()) return log;
    log.insert(fetched->records.begin(), fetched->records.end());
  }
}

struct Journey {
  Sent sent;
  std::map<int64_t, std::string> log;
  uint64_t trace = 0;
};

Journey produce_through(uint64_t seed, std::vector<Fault> faults, bool idempotent = true,
                        std::vector<std::string> overrides = {}) {
  Journey run;
  overrides.insert(overrides.begin(), "node.id=1");
  Scenario story(seed, overrides);
  story.start_node();
  story.create_topic("story");
  auto random = story.simulation().stream("story");
  story.client().spawn(produce(&story.client().world(), config_for(idempotent), &run.sent, seed));
  for (int i = 0; i < 4; ++i) {
    story.simulation().run_for(milliseconds(50 + random.next() % 300));
    strike(story, faults[random.next() % faults.size()], random.next());
  }
  story.simulation().run_for(milliseconds(500));
  run.sent.stop = true;
  bool ended = story.simulation().run_until([&] { return run.sent.ended; }, std::chrono::minutes(15));
  EXPECT_TRUE(ended) << "seed " << seed << ": " << run.sent.acknowledged.size() << " of " << run.sent.count
                     << " acknowledged, " << run.sent.failed.size() << " failed";
  EXPECT_TRUE(run.sent.flushed) << "seed " << seed;
  run.log = everything(story);
  run.trace = story.simulation().trace_hash();
  return run;
}

void expect_exactly_once(const Journey& run, uint64_t seed) {
  EXPECT_EQ(run.sent.acknowledged.size(), static_cast<size_t>(run.sent.count))
      << "seed " << seed << (run.sent.failed.empty() ? "" : ": " + run.sent.failed.front());
  ASSERT_EQ(run.log.size(), static_cast<size_t>(run.sent.count)) << "seed " << seed;
  int expected = 0;
  for (const auto& [offset, value] : run.log) {
    ASSERT_EQ(value, std::to_string(expected)) << "seed " << seed << ", offset " << offset;
    ++expected;
  }
  for (const auto& [value, offset] : run.sent.acknowledged) {
    // A duplicate that the broker no longer knows the offset of has none.
    if (offset >= 0) {
      EXPECT_EQ(run.log.at(offset), value) << "seed " << seed;
    }
  }
}

TEST(ProducerInSimulation, DeliversExactlyOnceThroughKills) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    expect_exactly_once(produce_through(seed, {Fault::kKill, Fault::kReset}), seed);
  }
}

TEST(ProducerInSimulation, DeliversExactlyOnceThroughLossesOfPower) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    expect_exactly_once(produce_through(seed, {Fault::kPowerOff, Fault::kPause}), seed);
  }
}

TEST(ProducerInSimulation, DeliversExactlyOnceThroughPausesAndCutLines) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    expect_exactly_once(produce_through(seed, {Fault::kPause, Fault::kPartition, Fault::kReset}), seed);
  }
}

// What the stories above prove they could also refute.
TEST(ProducerInSimulation, WithoutIdempotenceRecordsCanComeTwice) {
  size_t more = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Journey run = produce_through(seed, {Fault::kReset, Fault::kPartition}, false);
    EXPECT_EQ(run.sent.acknowledged.size(), static_cast<size_t>(run.sent.count)) << "seed " << seed;
    std::map<std::string, int> times;
    for (const auto& [offset, value] : run.log) ++times[value];
    EXPECT_EQ(times.size(), static_cast<size_t>(run.sent.count)) << "seed " << seed << ": nothing is lost";
    more += run.log.size() - times.size();
  }
  EXPECT_GT(more, 0u);
}

TEST(ProducerInSimulation, TheSameSeedRunsTheSameTwice) {
  auto once = [] { return produce_through(3, {Fault::kKill, Fault::kPause, Fault::kPowerOff}).trace; };
  EXPECT_EQ(once(), once());
}

}  // namespace
}  // namespace barnabas::sim
