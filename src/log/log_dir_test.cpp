#include "log/log_dir.h"

#include "log/testing/log_fixture.h"

namespace barnabas::log {
namespace {

class LogDirTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogDir> open() {
    auto dir = LogDir::open(disk_, "/data", logger_);
    EXPECT_TRUE(dir) << dir.error().message;
    return dir ? *std::move(dir) : nullptr;
  }

  testing::MemoryDisk disk_;
  testing::RecordingLogger logger_;
};

TEST_F(LogDirTest, OnlyOneMayHoldIt) {
  auto dir = open();
  auto second = LogDir::open(disk_, "/data", logger_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  ASSERT_TRUE(dir->close());
  EXPECT_FALSE(disk_.exists("/data/.lock"));
  EXPECT_TRUE(open());
}

TEST_F(LogDirTest, ACleanShutdownIsTakenOnce) {
  auto dir = open();
  EXPECT_FALSE(dir->take_clean_shutdown()->has_value());
  ASSERT_TRUE(dir->write_clean_shutdown({.broker_epoch = 13}));
  EXPECT_EQ(as_text(disk_.read("/data/.kafka_cleanshutdown")), "{\"version\":0,\"brokerEpoch\":13}");
  EXPECT_EQ(dir->take_clean_shutdown()->value().broker_epoch, 13);
  EXPECT_FALSE(dir->take_clean_shutdown()->has_value());
  disk_.write("/data/.kafka_cleanshutdown", {});
  EXPECT_EQ(dir->take_clean_shutdown()->value().broker_epoch, -1) << "as Kafka before 3.5 left it";
}

TEST_F(LogDirTest, TakingTheCleanShutdownIsDurable) {
  auto dir = open();
  ASSERT_TRUE(dir->write_clean_shutdown({}));
  ASSERT_TRUE(*dir->take_clean_shutdown());
  disk_.lose_power();
  EXPECT_FALSE(disk_.exists("/data/.kafka_cleanshutdown"));
}

TEST_F(LogDirTest, CheckpointsAreKafkas) {
  auto dir = open();
  EXPECT_TRUE(dir->read_checkpoint(CheckpointKind::kHighWatermark)->empty());
  disk_.write("/data/replication-offset-checkpoint", as_bytes("0\n2\nfirst 0 20\n__consumer_offsets 1 7\n"));
  OffsetCheckpoint read = *dir->read_checkpoint(CheckpointKind::kHighWatermark);
  EXPECT_EQ(read, (OffsetCheckpoint{{{"first", 0}, Offset(20)}, {{"__consumer_offsets", 1}, Offset(7)}}));
  ASSERT_TRUE(dir->write_checkpoint(CheckpointKind::kRecoveryPoint, read));
  EXPECT_EQ(as_text(disk_.read("/data/recovery-point-offset-checkpoint")),
            "0\n2\n__consumer_offsets 1 7\nfirst 0 20\n");
  disk_.write("/data/log-start-offset-checkpoint", {});
  EXPECT_TRUE(dir->read_checkpoint(CheckpointKind::kLogStart)->empty()) << "Kafka makes the files empty";
}

TEST_F(LogDirTest, AGarbledCheckpointIsNeverTakenForAnEmptyOne) {
  for (const char* text : {"0\n", "1\n0\n", "0\n2\na 0 1\n", "0\n1\na 0\n", "0\n1\na b 1\n", "0\n1\na 0 -1\n",
                           "0\n2\na 0 1\na 0 2\n", "\n", "0\n1\n0 1\n"}) {
    EXPECT_FALSE(parse_offset_checkpoint(text)) << text;
  }
}

TEST_F(LogDirTest, DirectoryNamesTellPartitionAndState) {
  auto live = PartitionDirectory::parse("With.Dots_and-dashes-0");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->partition, (TopicPartition{"With.Dots_and-dashes", 0}));
  EXPECT_EQ(live->kind, PartitionDirectoryKind::kLive);
  auto gone = PartitionDirectory::parse("doomed2-0.2e59bdda66f346dc9d9e321d93c1ca66-delete");
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->partition, (TopicPartition{"doomed2", 0}));
  EXPECT_EQ(gone->kind, PartitionDirectoryKind::kDelete);
  EXPECT_EQ(PartitionDirectory::parse("a-b-12.2e59bdda66f346dc9d9e321d93c1ca66-future")->partition.partition, 12);
  EXPECT_EQ(PartitionDirectory::parse("to-delete-3")->kind, PartitionDirectoryKind::kLive);
  for (const char* name : {"a", "-0", "a-", "a-x", "a-1x", "remote-log-index-cache", "a-delete"}) {
    EXPECT_FALSE(PartitionDirectory::parse(name)) << name;
  }
}

TEST_F(LogDirTest, NewPartitionsSurviveLostPowerOnceTheirNamesAreSynced) {
  Uuid id = *Uuid::parse("QxqJ74sYTa-Ajj8P2HkXjQ");
  {
    auto dir = open();
    auto first = dir->create_partition({"first", 0}, id);
    ASSERT_TRUE(first && dir->create_partition({"second", 0}, id));
    EXPECT_EQ(as_text(disk_.read("/data/first-0/partition.metadata")), "version: 0\ntopic_id: QxqJ74sYTa-Ajj8P2HkXjQ");
    EXPECT_EQ(**read_partition_metadata(**first), id);
    ASSERT_TRUE(dir->sync_names());
  }
  disk_.lose_power();
  EXPECT_EQ(open()->list_partitions()->size(), 2u);
}

TEST_F(LogDirTest, ADeletedPartitionGoesWhenItIsDue) {
  auto dir = open();
  ASSERT_TRUE(dir->create_partition({"a-b", 3}, kMetadataTopicId));
  std::string name = *dir->schedule_delete("a-b-3", Uuid{1, 2}, 500);
  EXPECT_EQ(name, "a-b-3.00000000000000010000000000000002-delete");
  EXPECT_EQ(*dir->remove_due(499), 500);
  EXPECT_TRUE(disk_.exists("/data/" + name + "/partition.metadata"));
  EXPECT_EQ(*dir->remove_due(500), std::nullopt);
  EXPECT_FALSE(disk_.exists("/data/" + name));
}

TEST_F(LogDirTest, TheNameOfADeletedDirectoryIsNeverTooLong) {
  auto dir = open();
  std::string topic(249, 't');
  ASSERT_TRUE(dir->create_partition({topic, 12}, kMetadataTopicId));
  std::string name = *dir->schedule_delete(topic + "-12", Uuid{1, 2}, 0);
  EXPECT_EQ(name.size(), 255u);
  EXPECT_EQ(PartitionDirectory::parse(name)->kind, PartitionDirectoryKind::kDelete);
}

TEST_F(LogDirTest, MetaPropertiesAreReadAsKafkaWritesThem) {
  auto dir = open();
  EXPECT_FALSE(dir->read_meta_properties()->has_value());
  disk_.write("/data/meta.properties",
              as_bytes("#\n#Mon Nov 23 08:46:40 UTC 2026\nnode.id=1\ndirectory.id=zOqpdMjGSeabifHcdFamSA\n"
                       "version=1\ncluster.id=a\\:b\n"));
  Properties read = **dir->read_meta_properties();
  EXPECT_EQ(read.at("node.id"), "1");
  EXPECT_EQ(read.at("cluster.id"), "a:b");
  ASSERT_TRUE(dir->write_meta_properties(read));
  EXPECT_EQ(**dir->read_meta_properties(), read);
}

TEST_F(LogDirTest, ABootIsRecognised) {
  auto dir = open();
  EXPECT_FALSE(*dir->same_boot("one"));
  EXPECT_TRUE(*dir->same_boot("one"));
  EXPECT_FALSE(*dir->same_boot("two"));
  EXPECT_FALSE(*dir->same_boot(""));
  EXPECT_FALSE(*dir->same_boot("")) << "unknown is never the same";
}

TEST_F(LogDirTest, OfflineIsForGood) {
  auto dir = open();
  EXPECT_FALSE(dir->offline());
  dir->fail({ErrorCode::kIo, "first"});
  dir->fail({ErrorCode::kIo, "second"});
  EXPECT_EQ(dir->offline()->message, "first");
  EXPECT_EQ(logger_.lines.size(), 1u);
}

}  // namespace
}  // namespace barnabas::log
