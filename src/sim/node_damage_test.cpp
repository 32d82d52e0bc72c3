// A node whose disk was damaged while it was down: it comes up, loses only what the damage hit, and never gives an
// offset out twice. And: what a group committed is there after a loss of power.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/clock.h"
#include "runtime/sleep.h"
#include "sim/scenario.h"
#include "sim/sim_disk.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace barnabas::sim {
namespace {

using wire::KafkaError;

constexpr int kRecords = 20;
const std::string kLogFile = "/data/story-0/00000000000000000000.log";

enum class Stop { kClean, kKill, kPower };

std::string value_of(int i) {
  return std::to_string(100 + i);  // all of one length: so are the batches
}

// Two topics of one partition, twenty records each, and a node that is down.
struct Damaged {
  explicit Damaged(uint64_t seed, Stop how, Duration wait = seconds(0)) : story(seed) {
    story.start_node();
    for (const char* topic : {"story", "other"}) {
      story.create_topic(topic);
      for (int i = 0; i < kRecords; ++i) EXPECT_EQ(story.produce(topic, value_of(i))->error, KafkaError::kNone);
    }
    story.simulation().run_for(wait);
    if (how == Stop::kClean) {
      story.broker().ask_to_stop();
      EXPECT_TRUE(story.simulation().run_until([&] { return !story.broker().busy(); }, std::chrono::minutes(1)));
    }
    if (how == Stop::kPower) {
      story.broker().power_off();
    } else {
      story.broker().kill();
    }
  }

  SimDisk& disk() { return story.broker().disk(); }
  uint64_t batch_bytes() { return disk().content(kLogFile)->size() / kRecords; }

  // Every offset below the high watermark: what is read, with "" for those whose reading is refused.
  std::map<int64_t, std::string> read_around(const std::string& topic) {
    std::map<int64_t, std::string> all;
    int64_t next = 0;
    int64_t end = 1;
    while (next < end) {
      auto fetched = story.fetch(topic, next);
      EXPECT_TRUE(fetched.has_value());
      if (!fetched) return all;
      if (fetched->error == KafkaError::kCorruptMessage) {
        all[next++] = "";
        continue;
      }
      EXPECT_EQ(fetched->error, KafkaError::kNone) << topic << " at " << next;
      end = fetched->high_watermark;
      if (fetched->records.empty()) break;
      all.insert(fetched->records.begin(), fetched->records.end());
      next = fetched->records.rbegin()->first + 1;
    }
    return all;
  }

  // The node is up; `story` has lost exactly the records `lost`, `other` nothing, and offsets go on after the twenty.
  void expect_lost(const std::set<int64_t>& lost) {
    story.start_node();
    for (const std::string topic : {"other", "story"}) {
      auto all = read_around(topic);
      for (int64_t i = 0; i < kRecords; ++i) {
        bool gone = topic == "story" && lost.contains(i);
        bool there = all.contains(i) && !all[i].empty();
        EXPECT_EQ(there, !gone) << topic << " at " << i;
        if (there) EXPECT_EQ(all[i], value_of(static_cast<int>(i)));
      }
      auto produced = story.produce(topic, "after");
      ASSERT_TRUE(produced.has_value());
      EXPECT_EQ(produced->error, KafkaError::kNone);
      EXPECT_EQ(produced->offset, kRecords) << topic << ": offsets go on and are not given out again";
    }
  }

  Scenario story;
};

TEST(DamagedNode, AFlippedByteCostsOnlyItsBatch) {
  for (Stop how : {Stop::kKill, Stop::kPower}) {
    Damaged node(1, how);
    node.disk().flip_bit(kLogFile, 10 * node.batch_bytes() + 65, 3);
    node.expect_lost({10});
  }
}

TEST(DamagedNode, ZerosInTheTailAreDamageBelowWhatIsKnownToBeDurable) {
  for (Stop how : {Stop::kKill, Stop::kPower}) {
    Damaged node(2, how, seconds(20));  // the high watermark is in its checkpoint
    Buffer zeros(node.batch_bytes() + node.batch_bytes() / 2);
    node.disk().overwrite(kLogFile, kRecords * node.batch_bytes() - zeros.size(), zeros);
    node.expect_lost({18, 19});
  }
}

TEST(DamagedNode, AHoleIsTheEndOfTheLogOnlyWhenPowerWasLost) {
  // Nothing is in the checkpoints, so what was synced is not known. A sector of zeros may be one that never reached the
  // disk; but not while the machine has been running ever since.
  constexpr uint64_t kSector = 512;
  for (Stop how : {Stop::kKill, Stop::kPower}) {
    Damaged node(2, how);
    auto first = static_cast<int64_t>(kSector / node.batch_bytes());
    auto last = static_cast<int64_t>((2 * kSector - 1) / node.batch_bytes());
    ASSERT_LT(last, kRecords - 1);
    node.disk().overwrite(kLogFile, kSector, Buffer(kSector));
    if (how == Stop::kKill) {
      std::set<int64_t> lost;
      for (int64_t i = first; i <= last; ++i) lost.insert(i);
      node.expect_lost(lost);
    } else {
      node.story.start_node();
      EXPECT_EQ(node.story.produce("story", "after")->offset, first);
    }
  }
}

TEST(DamagedNode, ATailThatIsCutOffIsNotGivenOutAgain) {
  for (Stop how : {Stop::kKill, Stop::kPower}) {
    Damaged node(3, how, seconds(20));
    node.disk().cut_file(kLogFile, 15 * node.batch_bytes() + 7);
    node.expect_lost({15, 16, 17, 18, 19});
  }
}

TEST(DamagedNode, LostIndexesAreBuiltAgain) {
  for (Stop how : {Stop::kClean, Stop::kKill, Stop::kPower}) {
    Damaged node(4, how);
    for (const std::string& path : node.disk().files()) {
      bool index = path.ends_with(".index") || path.ends_with(".timeindex");
      if (index && path.starts_with("/data/story-0/")) node.disk().erase(path);
    }
    node.expect_lost({});
  }
}

TEST(DamagedNode, LostOrGarbledProducerSnapshotsCostNothing) {
  for (bool garbled : {false, true}) {
    Damaged node(5, Stop::kClean);
    int found = 0;
    for (const std::string& path : node.disk().files()) {
      if (!path.starts_with("/data/story-0/") || !path.ends_with(".snapshot")) continue;
      ++found;
      if (garbled) {
        node.disk().flip_bit(path, 2);
      } else {
        node.disk().erase(path);
      }
    }
    EXPECT_GT(found, 0);
    node.expect_lost({});
  }
}

TEST(DamagedNode, LostOrGarbledCheckpointsCostOnlyTime) {
  for (const std::string file : {"recovery-point-offset-checkpoint", "replication-offset-checkpoint",
                                 "log-start-offset-checkpoint", "leader-epoch-checkpoint"}) {
    for (Stop how : {Stop::kClean, Stop::kKill, Stop::kPower}) {
      for (bool garbled : {false, true}) {
        Damaged node(6, how, seconds(100));
        int found = 0;
        for (const std::string& path : node.disk().files()) {
          bool hit = path == "/data/" + file || path == "/data/story-0/" + file;
          if (!hit) continue;
          ++found;
          if (garbled) {
            node.disk().overwrite(path, 0, as_bytes("not a checkpoint"));
          } else {
            node.disk().erase(path);
          }
        }
        SCOPED_TRACE(file + (garbled ? " garbled" : " lost") + ", stop " + std::to_string(static_cast<int>(how)));
        EXPECT_GT(found, 0);
        node.expect_lost({});
      }
    }
  }
}

// ---- two log directories --------------------------------------------------------------------------------------------

TEST(NodeWithTwoDirectories, OneThatFailsTakesOnlyItsOwnPartitionsAlong) {
  Scenario story(7, {"log.dirs=/a,/b"});
  story.start_node();
  std::vector<std::string> on_a, on_b;
  for (std::string topic : {"one", "two", "three", "four"}) {
    story.create_topic(topic);
    ASSERT_EQ(story.produce(topic, "first")->error, KafkaError::kNone);
    std::string here = "/a/" + topic + "-0/00000000000000000000.log";
    (story.broker().disk().content(here) ? on_a : on_b).push_back(topic);
  }
  ASSERT_EQ(on_a.size(), 2u);
  ASSERT_EQ(on_b.size(), 2u);

  // /a holds the metadata log and stays.
  story.broker().disk().fail_syncs("/b/" + on_b[0], 1);
  EXPECT_EQ(story.produce(on_b[0], "lost?")->error, KafkaError::kKafkaStorageError);
  story.simulation().run_for(seconds(1));
  for (const std::string& topic : on_b) {
    EXPECT_EQ(story.produce(topic, "later")->error, KafkaError::kKafkaStorageError) << topic;
    EXPECT_EQ(story.fetch(topic, 0)->error, KafkaError::kKafkaStorageError) << topic;
  }
  for (const std::string& topic : on_a) {
    EXPECT_EQ(story.produce(topic, "second")->error, KafkaError::kNone) << topic;
    EXPECT_EQ(story.fetch(topic, 0)->records.size(), 2u) << topic;
  }
  // New ones go where they can be written.
  story.create_topic("five");
  EXPECT_EQ(story.produce("five", "first")->error, KafkaError::kNone);
  auto says = [&](std::string_view what) {
    return std::ranges::any_of(story.broker().log_lines(), [&](const auto& line) { return line.contains(what); });
  };
  EXPECT_TRUE(says("log directory /b is offline until the next start"));

  // A restart on a disk that works again finds everything that was acknowledged.
  story.broker().power_off();
  story.start_node();
  for (const std::string& topic : on_b) EXPECT_EQ(story.read_all(topic).at(0), "first");
  for (const std::string& topic : on_a) EXPECT_EQ(story.read_all(topic).at(1), "second");
}

TEST(NodeWithOneDirectory, StaysUpWhenItFailsAndSaysSo) {
  Scenario story(8);
  story.start_node();
  story.create_topic("story");
  story.create_topic("other");
  ASSERT_EQ(story.produce("story", "safe")->error, KafkaError::kNone);
  story.broker().disk().fail_syncs("story-0", 1);
  EXPECT_EQ(story.produce("story", "lost?")->error, KafkaError::kKafkaStorageError);
  story.simulation().run_for(seconds(30));
  for (const char* topic : {"story", "other"}) {
    EXPECT_EQ(story.produce(topic, "later")->error, KafkaError::kKafkaStorageError) << topic;
    EXPECT_EQ(story.fetch(topic, 0)->error, KafkaError::kKafkaStorageError) << topic;
  }
  auto says = [&](std::string_view what) {
    return std::ranges::any_of(story.broker().log_lines(), [&](const auto& line) { return line.contains(what); });
  };
  EXPECT_TRUE(says("no log directory is left"));
}

// ---- groups ---------------------------------------------------------------------------------------------------------

bool passing(KafkaError error) {
  return error == KafkaError::kCoordinatorNotAvailable || error == KafkaError::kNotCoordinator ||
         error == KafkaError::kCoordinatorLoadInProgress;
}

runtime::Task<> find_coordinator(runtime::World* world, runtime::Endpoint address, std::string group, bool* found) {
  WireClient client(*world, address);
  while (!*found) {
    wire::FindCoordinatorRequest request;
    request.coordinator_keys = {group};
    auto response = co_await client.call<wire::FindCoordinatorResponse>(std::move(request), int16_t{4});
    if (!response) co_return;
    *found = response->coordinators[0].error_code == KafkaError::kNone;
    co_await runtime::sleep_for(*world->loops[0], milliseconds(50), {});
  }
}

struct Committer {
  int64_t acknowledged = -1;
  int64_t sent = -1;
};

runtime::Task<> commit_until_broken(runtime::World* world, runtime::Endpoint address, std::string group,
                                    Committer* committer) {
  WireClient client(*world, address);
  while (true) {
    wire::OffsetCommitRequest request;
    request.group_id = group;
    auto& topic = request.topics.emplace_back();
    topic.name = "story";
    topic.partitions.emplace_back().committed_offset = ++committer->sent;
    auto response = co_await client.call<wire::OffsetCommitResponse>(std::move(request), int16_t{8});
    if (!response) co_return;
    KafkaError error = response->topics[0].partitions[0].error_code;
    if (error == KafkaError::kNone) committer->acknowledged = committer->sent;
    if (passing(error)) {
      co_await runtime::sleep_for(*world->loops[0], milliseconds(20), {});
    }
  }
}

runtime::Task<> fetch_offset(runtime::World* world, runtime::Endpoint address, std::string group, int64_t* offset) {
  WireClient client(*world, address);
  while (true) {
    wire::OffsetFetchRequest request;
    auto& asked = request.groups.emplace_back();
    asked.group_id = group;
    auto& topic = asked.topics->emplace_back();
    topic.name = "story";
    topic.partition_indexes = {0};
    request.require_stable = true;
    auto response = co_await client.call<wire::OffsetFetchResponse>(std::move(request), int16_t{8});
    if (!response) co_return;
    auto& answer = response->groups[0];
    if (answer.error_code == KafkaError::kNone) {
      *offset = answer.topics[0].partitions[0].committed_offset;
      co_return;
    }
    if (!passing(answer.error_code)) co_return;
    co_await runtime::sleep_for(*world->loops[0], milliseconds(20), {});
  }
}

void expect_commits_survive(uint64_t seed, void (Machine::*end)()) {
  Scenario story(seed);
  story.start_node();
  story.create_topic("story");
  bool found = false;
  story.client().spawn(find_coordinator(&story.client().world(), story.address(), "readers", &found));
  ASSERT_TRUE(story.simulation().run_until([&] { return found; }, std::chrono::minutes(1)));
  Committer committer;
  story.client().spawn(commit_until_broken(&story.client().world(), story.address(), "readers", &committer));
  auto random = story.simulation().stream("story");
  story.simulation().run_for(milliseconds(200 + random.next() % 300));
  (story.broker().*end)();
  story.client().kill();
  ASSERT_GE(committer.acknowledged, 0) << "seed " << seed;

  story.start_node();
  int64_t offset = -2;
  story.client().spawn(fetch_offset(&story.client().world(), story.address(), "readers", &offset));
  ASSERT_TRUE(story.simulation().run_until([&] { return offset != -2; }, std::chrono::minutes(1))) << "seed " << seed;
  EXPECT_GE(offset, committer.acknowledged) << "seed " << seed;
  EXPECT_LE(offset, committer.sent) << "seed " << seed;
}

TEST(GroupsInSimulation, CommittedOffsetsSurviveALossOfPower) {
  for (uint64_t seed = 1; seed <= 8; ++seed) expect_commits_survive(seed, &Machine::power_off);
}

TEST(GroupsInSimulation, CommittedOffsetsSurviveAKill) {
  for (uint64_t seed = 1; seed <= 4; ++seed) expect_commits_survive(seed, &Machine::kill);
}

}  // namespace
}  // namespace barnabas::sim
