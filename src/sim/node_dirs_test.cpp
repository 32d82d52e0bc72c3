// A node with several log directories, one of which fails: before the start, or while it runs.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/clock.h"
#include "sim/scenario.h"
#include "sim/sim_disk.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::sim {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using wire::KafkaError;

// A node of two directories, /data with the metadata and /more, and four topics, two in each.
struct TwoDirs {
  explicit TwoDirs(uint64_t seed) : story(seed, {"log.dirs=/data,/more", "metadata.log.dir=/data"}) {
    story.start_node();
    for (const char* topic : {"one", "two", "three", "four"}) {
      story.create_topic(topic);
      EXPECT_EQ(story.produce(topic, "before")->error, KafkaError::kNone);
    }
    for (const std::string& path : disk().files()) {
      for (const char* topic : {"one", "two", "three", "four"}) {
        std::string name = "/" + std::string(topic) + "-0/partition.metadata";
        if (path == "/data" + name) in_data.push_back(topic);
        if (path == "/more" + name) in_more.push_back(topic);
      }
    }
    EXPECT_EQ(in_data.size(), 2u);
    EXPECT_EQ(in_more.size(), 2u);
  }

  SimDisk& disk() { return story.broker().disk(); }

  void stop() {
    story.broker().ask_to_stop();
    EXPECT_TRUE(story.simulation().run_until([&] { return !story.broker().busy(); }, std::chrono::minutes(1)));
    story.broker().kill();
  }

  std::map<std::string, Buffer> content_below(const std::string& path) {
    std::map<std::string, Buffer> all;
    for (const std::string& file : disk().files()) {
      if (file.starts_with(path + "/")) all[file] = *disk().content(file);
    }
    return all;
  }

  KafkaError produce(const std::string& topic) {
    auto produced = story.produce(topic, "more");
    EXPECT_TRUE(produced.has_value());
    return produced ? produced->error : KafkaError::kUnknownServerError;
  }

  struct Seen {
    KafkaError error{};
    int32_t leader = -1;
    size_t offline = 0;
    bool operator==(const Seen&) const = default;
  };
  Seen partition(const std::string& topic) {
    wire::MetadataRequest request;
    request.topics.emplace().emplace_back().name = topic;
    auto response = story.ask<wire::MetadataResponse>(std::move(request), 9);
    if (!response || response->topics.empty() || response->topics[0].partitions.empty()) return {.leader = -99};
    const auto& row = response->topics[0].partitions[0];
    return {row.error_code, row.leader_id, row.offline_replicas.size()};
  }

  std::map<std::string, KafkaError> described() {
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    auto response = story.ask<wire::DescribeLogDirsResponse>(std::move(request), 4);
    std::map<std::string, KafkaError> all;
    for (const auto& result : response->results) all[result.log_dir] = result.error_code;
    return all;
  }

  void expect_only_more_is_out() {
    for (const auto& topic : in_data) EXPECT_EQ(produce(topic), KafkaError::kNone) << topic;
    for (const auto& topic : in_more) {
      EXPECT_EQ(produce(topic), KafkaError::kKafkaStorageError) << topic;
      EXPECT_EQ(story.fetch(topic, 0)->error, KafkaError::kKafkaStorageError) << topic;
      EXPECT_EQ(partition(topic), (Seen{KafkaError::kLeaderNotAvailable, -1, 1})) << topic;
    }
    EXPECT_EQ(described(), (std::map<std::string, KafkaError>{{"/data", KafkaError::kNone},
                                                              {"/more", KafkaError::kKafkaStorageError}}));
  }

  void expect_all_is_back() {
    for (const auto& topics : {in_data, in_more}) {
      for (const auto& topic : topics) {
        EXPECT_EQ(partition(topic), (Seen{KafkaError::kNone, 1, 0})) << topic;
        EXPECT_EQ(produce(topic), KafkaError::kNone) << topic;
        auto log = story.read_all(topic);
        EXPECT_EQ(log[0], "before") << topic;
        EXPECT_GE(log.size(), 2u) << topic;
      }
    }
    EXPECT_EQ(described(),
              (std::map<std::string, KafkaError>{{"/data", KafkaError::kNone}, {"/more", KafkaError::kNone}}));
  }

  Scenario story;
  std::vector<std::string> in_data;
  std::vector<std::string> in_more;
};

TEST(NodeOfTwoDirectories, OneThatFailsBeforeTheStartIsLeftOutAndNotTouched) {
  std::vector<std::function<void(SimDisk&)>> faults = {
      [](SimDisk& disk) { disk.fail_directory("/more"); },
      [](SimDisk& disk) { disk.fail_directory("/more/.lock"); },
      [](SimDisk& disk) { disk.fail_reads("/more/meta.properties"); },
      [](SimDisk& disk) { disk.fail_reads("/more/.kafka_cleanshutdown"); },
      [](SimDisk& disk) { disk.fail_reads("/more/.barnabas-boot"); },
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    SCOPED_TRACE(i);
    TwoDirs node(1 + i);
    node.stop();
    auto before = node.content_below("/more");
    faults[i](node.disk());
    node.story.start_node();
    node.expect_only_more_is_out();
    EXPECT_THAT(node.story.broker().log_lines(), Contains(AllOf(HasSubstr("ERROR"), HasSubstr("/more"))));
    node.stop();
    auto after = node.content_below("/more");
    for (auto* state : {&before, &after}) {
      state->erase("/more/.lock");
      state->erase("/more/.kafka_cleanshutdown");  // at worst a recovery more
    }
    EXPECT_EQ(before, after);
    node.disk().repair_directories();
    node.disk().allow_reads();
    node.story.start_node();
    node.expect_all_is_back();
  }
}

TEST(NodeOfTwoDirectories, OneWithoutAReadableIdentityIsLeftOut) {
  TwoDirs node(7);
  node.story.broker().kill();
  Buffer properties = *node.disk().content("/more/meta.properties");
  node.disk().overwrite("/more/meta.properties", as_text(properties).find("version="), as_bytes("version?"));
  node.story.start_node();
  node.expect_only_more_is_out();
}

TEST(NodeOfTwoDirectories, NewPartitionsGoToTheDirectoryThatWorks) {
  TwoDirs node(8);
  node.story.broker().kill();
  node.disk().fail_directory("/more");
  node.story.start_node();
  for (const char* topic : {"five", "six", "seven"}) {
    node.story.create_topic(topic);
    EXPECT_EQ(node.produce(topic), KafkaError::kNone);
  }
  node.story.broker().kill();
  node.disk().repair_directories();
  node.story.start_node();
  node.expect_all_is_back();
  EXPECT_EQ(node.story.read_all("six").size(), 1u);
}

TEST(NodeOfTwoDirectories, AnotherNodesOrClustersDirectoryEndsTheStart) {
  for (const std::string line : {"node.id=", "cluster.id="}) {
    TwoDirs node(9);
    node.stop();
    auto before = node.content_below("/data");
    Buffer properties = *node.disk().content("/more/meta.properties");
    size_t at = as_text(properties).find(line) + line.size();
    node.disk().overwrite("/more/meta.properties", at, as_bytes("7"));
    auto failed = node.story.try_start();
    ASSERT_TRUE(failed.has_value());
    EXPECT_THAT(failed->message, AllOf(HasSubstr("/more"), HasSubstr("belongs to")));
    before.erase("/data/.lock");
    EXPECT_EQ(node.content_below("/data"), before);
  }
}

TEST(NodeOfTwoDirectories, WithoutTheMetadataThereIsNoNode) {
  for (const std::string path : {"/data", "/data/meta.properties"}) {
    TwoDirs node(10);
    node.story.broker().kill();
    node.disk().fail_directory(path);
    auto failed = node.story.try_start();
    ASSERT_TRUE(failed.has_value());
    EXPECT_THAT(failed->message, HasSubstr("/data"));
  }
}

TEST(NodeOfTwoDirectories, WithoutAnyLogDirectoryThereIsNoNode) {
  Scenario story(11, {"log.dirs=/one,/two", "metadata.log.dir=/meta"});
  story.start_node();
  story.broker().kill();
  story.broker().disk().fail_directory("/one");
  story.broker().disk().fail_directory("/two");
  auto failed = story.try_start();
  ASSERT_TRUE(failed.has_value());
  EXPECT_THAT(failed->message, AllOf(HasSubstr("/one"), HasSubstr("/two")));
}

TEST(NodeOfTwoDirectories, ACopiedMetaPropertiesIsNamed) {
  TwoDirs node(12);
  node.story.broker().kill();
  node.disk().overwrite("/more/meta.properties", 0, *node.disk().content("/data/meta.properties"));
  auto failed = node.story.try_start();
  ASSERT_TRUE(failed.has_value());
  EXPECT_THAT(failed->message, AllOf(HasSubstr("/data"), HasSubstr("/more"), HasSubstr("directory.id")));
}

TEST(NodeOfTwoDirectories, AnEmptyDiskBesideOneThatCannotBeReadIsNotANewCluster) {
  TwoDirs node(13);
  node.story.broker().kill();
  for (const std::string& path : node.disk().files()) {
    if (path.starts_with("/data/")) node.disk().erase(path);  // the disk is not mounted
  }
  node.disk().fail_directory("/more");
  auto failed = node.story.try_start();
  ASSERT_TRUE(failed.has_value());
  EXPECT_THAT(failed->message, AllOf(HasSubstr("/data"), HasSubstr("/more")));
}

TEST(NodeOfTwoDirectories, OneThatFailsAtWorkTakesItsPartitionsOutUntilTheNextStart) {
  TwoDirs node(14);
  node.disk().fail_syncs("/more/" + node.in_more[0] + "-0", 1);
  EXPECT_EQ(node.produce(node.in_more[0]), KafkaError::kKafkaStorageError);
  node.story.simulation().run_for(milliseconds(100));  // long before the next heartbeat
  node.expect_only_more_is_out();
  node.story.broker().kill();
  node.story.start_node();
  node.expect_all_is_back();
}

TEST(NodeOfTwoDirectories, TheControllerLearnsWherePartitionsAreThatWereMovedByHand) {
  TwoDirs node(15);
  node.stop();
  std::string topic = node.in_data[0];
  node.disk().move("/data/" + topic + "-0", "/more/" + topic + "-0");
  node.story.start_node();
  EXPECT_EQ(node.produce(topic), KafkaError::kNone);
  node.disk().fail_syncs("/more/" + node.in_more[0] + "-0", 1);
  EXPECT_EQ(node.produce(node.in_more[0]), KafkaError::kKafkaStorageError);
  node.story.simulation().run_for(seconds(1));
  EXPECT_EQ(node.partition(topic), (TwoDirs::Seen{KafkaError::kLeaderNotAvailable, -1, 1}));
}

TEST(NodeOfTwoDirectories, ADirectoryFromBeforeDirectoryIdsGetsOne) {
  TwoDirs node(16);
  node.stop();
  const std::string file = "/more/meta.properties";
  Buffer before = *node.disk().content(file);
  node.disk().overwrite(file, as_text(before).find("directory.id="), as_bytes("#"));
  node.story.start_node();
  EXPECT_EQ(node.described().at("/more"), KafkaError::kNone);
  Buffer after = *node.disk().content(file);
  EXPECT_THAT(std::string(as_text(after)), HasSubstr("\ndirectory.id="));
  node.stop();
  node.story.start_node();
  node.expect_all_is_back();
}

TEST(NodeShortOfDescriptors, APartitionThatCouldNotBeOpenedIsTriedAgain) {
  TwoDirs node(17);
  node.story.broker().kill();
  std::string topic = node.in_data[0];
  node.disk().refuse_opens("/data/" + topic + "-0/0000", 3);
  node.story.start_node();
  EXPECT_EQ(node.produce(topic), KafkaError::kKafkaStorageError);
  EXPECT_THAT(node.story.broker().log_lines(), Contains(AllOf(HasSubstr(topic + "-0"), HasSubstr("again"))));
  EXPECT_EQ(node.produce(node.in_data[1]), KafkaError::kNone) << "the directory itself is in order";
  node.story.simulation().run_for(std::chrono::minutes(2));
  EXPECT_EQ(node.produce(topic), KafkaError::kNone);
  EXPECT_EQ(node.story.read_all(topic)[0], "before");
}

TEST(NodeAfterAnUncleanStop, SaysHowTheRecoveryWent) {
  TwoDirs node(18);
  node.story.broker().power_off();
  node.story.start_node();
  EXPECT_EQ(node.produce("one"), KafkaError::kNone);
  EXPECT_THAT(node.story.broker().log_lines(), Contains(AllOf(HasSubstr("recovered"), HasSubstr("4 partitions"))));
  node.stop();
  size_t lines = node.story.broker().log_lines().size();
  node.story.start_node();
  const auto& all = node.story.broker().log_lines();
  bool again = std::any_of(all.begin() + static_cast<ptrdiff_t>(lines), all.end(),
                           [](const std::string& line) { return line.find("recovered") != line.npos; });
  EXPECT_FALSE(again) << "a clean start recovers nothing";
}

}  // namespace
}  // namespace barnabas::sim
