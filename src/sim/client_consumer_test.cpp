// Consumers of one group over a whole node of ours: members come, die and return, the node is killed, paused and cut
// off; every record is read, and what listeners commit is where others go on.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"
#include "client/runtime_loop.h"
#include "runtime/sleep.h"
#include "sim/scenario.h"
#include "sim/sim_network.h"

namespace barnabas::sim {
namespace {

constexpr uint64_t kSeeds = 4;
constexpr int kPartitions = 6;

struct Reader {
  std::map<std::string, int> seen;  // value -> how often
  std::map<int32_t, int64_t> next;  // partition -> offset after the last one, to see order
  int disorder = 0;
  int unfatal = 0;
  std::optional<client::Error> fatal;
  bool stop = false;
  bool ended = false;
};

client::Config config_for(std::string assignor) {
  return {{"bootstrap.servers", "broker:9092"},
          {"group.id", "readers"},
          {"auto.offset.reset", "earliest"},
          {"enable.auto.commit", "false"},
          {"partition.assignment.strategy", std::move(assignor)},
          {"session.timeout.ms", "6000"},
          {"heartbeat.interval.ms", "500"},
          {"max.poll.interval.ms", "8000"},
          {"max.poll.records", "7"},
          {"fetch.max.wait.ms", "50"},
          {"request.timeout.ms", "2000"},
          {"default.api.timeout.ms", "4000"},
          {"retry.backoff.ms", "20"},
          {"retry.backoff.max.ms", "200"}};
}

enum class Commits { kAfterEachBatch, kInListener };

// Reads and commits until it is told to stop; then leaves the group.
runtime::Task<> read(runtime::World* world, runtime::CancelToken stop, client::Config config, Commits commits,
                     Reader* reader) {
  runtime::Executor& loop = *world->loops[0];
  auto made = client::Consumer::create(config, {.runtime = client::RuntimeLoop::over(*world, loop)});
  EXPECT_TRUE(made.has_value()) << made.error().to_string();
  if (!made) co_return;
  client::Consumer consumer = *std::move(made);
  client::RebalanceListener listener;
  listener.on_assigned = [reader](std::span<const client::TopicPartition> given) {
    for (const auto& at : given) reader->next.erase(at.partition);
  };
  if (commits == Commits::kInListener) {
    listener.on_revoked = [&consumer](std::span<const client::TopicPartition>) {
      consumer.commit().then([](client::Result<> done) { EXPECT_TRUE(done) << done.error().to_string(); });
    };
    listener.on_lost = [](std::span<const client::TopicPartition>) { ADD_FAILURE() << "partitions were lost"; };
  }
  EXPECT_TRUE(consumer.subscribe({"story"}, listener).has_value());
  while (!reader->stop && !stop.requested()) {
    auto records = co_await consumer.next(client::Milliseconds(200));
    if (!records) {
      ++reader->unfatal;
      if (records.error().fatal) reader->fatal = records.error();
      continue;
    }
    for (const auto& record : *records) {
      ++reader->seen[std::string(*record.value)];
      auto [next, first] = reader->next.try_emplace(record.partition, record.offset);
      if (!first && record.offset < next->second) ++reader->disorder;
      next->second = record.offset + 1;
    }
    if (!records->empty() && commits == Commits::kAfterEachBatch) {
      auto committed = co_await consumer.commit();
      static_cast<void>(committed);
    }
  }
  EXPECT_TRUE(consumer.close().has_value());
  co_await runtime::sleep_for(loop, seconds(10));
  reader->ended = true;
}

// Writes values [from, to) over all partitions; puts those that were acknowledged into `written`.
runtime::Task<> write(runtime::World* world, int from, int to, std::set<std::string>* written, bool* done) {
  runtime::Executor& loop = *world->loops[0];
  auto producer = client::Producer::create({{"bootstrap.servers", "broker:9092"}, {"linger.ms", "1"}},
                                           {.runtime = client::RuntimeLoop::over(*world, loop)});
  EXPECT_TRUE(producer.has_value());
  for (int number = from; number < to; ++number) {
    std::string value = std::to_string(number);
    producer->send({.topic = "story", .partition = number % kPartitions, .value = value},
                   [written, value](client::Result<client::RecordMetadata> report) {
                     if (report) written->insert(value);
                   });
    co_await runtime::sleep_for(loop, milliseconds(1));
  }
  auto flushed = co_await producer->flush();
  static_cast<void>(flushed);
  EXPECT_TRUE(producer->close().has_value());
  co_await runtime::sleep_for(loop, seconds(5));
  *done = true;
}

class Story {
 public:
  Story(uint64_t seed, std::string assignor, Commits commits)
      : assignor_(std::move(assignor)), commits_(commits), scenario_(seed, {"node.id=1"}) {
    for (const char* name : {"a", "b", "c"}) scenario_.simulation().add_machine(name);
    scenario_.start_node();
    scenario_.create_topic("story", kPartitions);
  }

  Scenario& scenario() { return scenario_; }
  Simulation& simulation() { return scenario_.simulation(); }

  // A reader on one of the machines a, b, c; each has a memory of its own.
  Reader& start_reader(const std::string& machine) {
    auto& reader = *readers_.emplace_back(std::make_unique<Reader>());
    auto config = config_for(assignor_);
    simulation().machine(machine).start(
        [config, commits = commits_, &reader](runtime::World& world, runtime::CancelToken stop) {
          return read(&world, stop, config, commits, &reader);
        });
    return reader;
  }

  void write_on(int count) {
    bool done = false;
    int from = written_until_;
    written_until_ += count;
    scenario_.client().spawn(write(&scenario_.client().world(), from, written_until_, &written_, &done));
    EXPECT_TRUE(simulation().run_until([&] { return done; }, std::chrono::minutes(3)));
  }

  std::map<std::string, int> seen() const {
    std::map<std::string, int> all;
    for (const auto& reader : readers_) {
      for (const auto& [value, times] : reader->seen) all[value] += times;
    }
    return all;
  }
  size_t missing() const {
    auto all = seen();
    size_t count = 0;
    for (const auto& value : written_) count += all.contains(value) ? 0 : 1;
    return count;
  }
  bool await_all(Duration limit) {
    return simulation().run_until([&] { return missing() == 0; }, limit);
  }
  bool leave(Reader& reader) {
    reader.stop = true;
    return simulation().run_until([&] { return reader.ended; }, std::chrono::minutes(2));
  }
  void check_order(uint64_t seed) const {
    for (const auto& reader : readers_) {
      EXPECT_EQ(reader->disorder, 0) << "seed " << seed;
      EXPECT_FALSE(reader->fatal) << "seed " << seed << ": " << reader->fatal->to_string();
    }
  }

 private:
  std::string assignor_;
  Commits commits_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::set<std::string> written_;
  int written_until_ = 0;
  Scenario scenario_;
};

uint64_t read_through_deaths(uint64_t seed, const std::string& assignor) {
  Story story(seed, assignor, Commits::kAfterEachBatch);
  auto random = story.simulation().stream("story");
  for (const char* machine : {"a", "b", "c"}) story.start_reader(machine);
  const char* names[] = {"a", "b", "c"};
  for (int round = 0; round < 5; ++round) {
    story.write_on(60);
    std::string name = names[random.next() % 3];
    switch (random.next() % 5) {
      case 0:
        story.simulation().machine(name).kill();
        story.start_reader(name);
        break;
      case 1:
        story.scenario().broker().kill();
        story.simulation().run_for(milliseconds(random.next() % 2000));
        story.scenario().start_node();
        break;
      case 2:
        story.simulation().machine(name).pause();
        story.simulation().run_for(seconds(1 + random.next() % 12));
        story.simulation().machine(name).resume();
        break;
      case 3:
        story.simulation().network().partition(name, "broker");
        story.simulation().run_for(seconds(1 + random.next() % 12));
        story.simulation().network().heal();
        break;
      default:
        story.simulation().network().reset_connections(name, "broker");
        break;
    }
  }
  EXPECT_TRUE(story.await_all(std::chrono::minutes(3))) << "seed " << seed << ": " << story.missing() << " not read";
  story.check_order(seed);
  return story.simulation().trace_hash();
}

TEST(ClientConsumersInSimulation, ReadEverythingThoughTheMembersNodeAndNetworkDie) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    read_through_deaths(seed, "range");
    read_through_deaths(seed, "cooperative-sticky");
  }
}

TEST(ClientConsumersInSimulation, TheSameSeedRunsTheSameTwice) {
  EXPECT_EQ(read_through_deaths(3, "cooperative-sticky"), read_through_deaths(3, "cooperative-sticky"));
}

// Nobody dies; members come and go, and commit when partitions are taken from them.
void hand_over(uint64_t seed, const std::string& assignor) {
  Story story(seed, assignor, Commits::kInListener);
  Reader& a = story.start_reader("a");
  story.write_on(80);
  Reader& b = story.start_reader("b");
  story.write_on(80);
  Reader& c = story.start_reader("c");
  story.write_on(80);
  EXPECT_TRUE(story.leave(a)) << "seed " << seed;
  story.write_on(80);
  EXPECT_TRUE(story.leave(c)) << "seed " << seed;
  story.write_on(80);
  EXPECT_TRUE(story.await_all(std::chrono::minutes(1))) << "seed " << seed << ": " << story.missing() << " not read";
  for (const auto& [value, times] : story.seen()) EXPECT_EQ(times, 1) << "seed " << seed << ", value " << value;
  EXPECT_TRUE(story.leave(b));
  story.check_order(seed);
}

TEST(ClientConsumersInSimulation, ListenersThatCommitHandOverExactly) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    hand_over(seed, "range");
    hand_over(seed, "cooperative-sticky");
  }
}

}  // namespace
}  // namespace barnabas::sim
