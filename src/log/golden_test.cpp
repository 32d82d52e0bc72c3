// Data directories that Apache Kafka 4.3.0 wrote, opened by us and read back to what Kafka itself read.
#include <fstream>
#include <map>
#include <sstream>

#include "log/log_dir.h"
#include "log/testing/golden_archive.h"
#include "log/testing/log_fixture.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {
namespace {

constexpr TimestampMs kOpenedAt = 1'795'424'800'000;  // shortly after Kafka stopped writing

struct Expected {
  int64_t start, end, last_stable, max_offset, max_timestamp, max_epoch, count, first, last;
  std::string sha256;
  int64_t headers, null_keys, null_values;
  std::string committed_count, committed_sha256;
};

std::map<std::string, Expected> expected_of(const std::string& archive) {
  std::ifstream file(std::string(BARNABAS_TESTDATA) + "/golden-expected.txt");
  std::map<std::string, Expected> all;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string which;
    std::string partition;
    Expected e;
    words >> which >> partition >> e.start >> e.end >> e.last_stable >> e.max_offset >> e.max_timestamp >>
        e.max_epoch >> e.count >> e.first >> e.last >> e.sha256 >> e.headers >> e.null_keys >> e.null_values >>
        e.committed_count >> e.committed_sha256;
    if (which == archive && words) all[partition] = e;
  }
  return all;
}

// What a consumer sees: data records of a range, without those of aborted transactions if so wanted.
struct Consumed {
  int64_t count = 0, first = -1, last = -1, headers = 0, null_keys = 0, null_values = 0;
  Buffer content;
};

Consumed consume(Log& log, Offset upper, bool committed_only, uint32_t max_bytes) {
  Consumed seen;
  Offset next = log.log_start_offset();
  while (true) {
    Result<ReadPlan> plan = log.plan_read(next, upper, max_bytes, true);
    EXPECT_TRUE(plan) << plan.error().message;
    if (!plan || plan->empty()) return seen;
    auto aborted = *log.aborted_transactions(next, plan->upper_bound);
    Buffer bytes = *plan->payload.to_buffer();
    wire::BatchCursor cursor(bytes);
    while (true) {
      auto view = cursor.next();
      EXPECT_TRUE(view) << view.error().message;
      if (!view || !*view) break;
      const wire::BatchHeader& header = (*view)->header;
      EXPECT_TRUE(wire::crc_matches((*view)->bytes));
      Offset from = next;
      next = header.next_offset();
      bool dropped = header.is_control();
      for (const auto& transaction : aborted) {
        bool inside =
            header.first_offset() >= transaction.first_offset && header.last_offset() < transaction.last_offset;
        if (committed_only && header.is_transactional() && transaction.producer_id.value == header.producer_id &&
            inside) {
          dropped = true;
        }
      }
      if (dropped) continue;
      wire::RecordIterator records(header, (*view)->bytes);
      wire::RecordView record;
      while (records.next(record)) {
        int64_t offset = header.base_offset + record.offset_delta;
        if (offset < from.value) continue;
        if (seen.count++ == 0) seen.first = offset;
        seen.last = offset;
        seen.headers += record.headers.size();
        seen.null_keys += !record.key;
        seen.null_values += !record.value;
        for (const auto& part : {record.key, record.value}) {
          if (part) seen.content.insert(seen.content.end(), part->begin(), part->end());
        }
      }
      EXPECT_TRUE(records.status()) << records.status().error().message;
    }
  }
}

class GoldenTest : public ::testing::TestWithParam<const char*> {
 protected:
  GoldenTest() {
    testing::unpack(std::string(BARNABAS_TESTDATA) + "/golden-" + GetParam() + ".tar.gz", disk_, "/data");
    config_->retention_ms = -1;
    dir_ = *LogDir::open(disk_, "/data", logger_);
    clean_ = dir_->take_clean_shutdown()->has_value();
    recovery_points_ = *dir_->read_checkpoint(CheckpointKind::kRecoveryPoint);
    log_starts_ = *dir_->read_checkpoint(CheckpointKind::kLogStart);
  }

  std::unique_ptr<Log> open(const PartitionDirectory& partition) {
    LogOptions options;
    options.directory = *dir_->open_partition(partition.name);
    options.name = partition.name;
    options.topic_id = **read_partition_metadata(*options.directory);
    options.config = config_;
    options.clean = clean_;
    if (auto at = recovery_points_.find(partition.partition); at != recovery_points_.end()) {
      options.recovery_point = at->second;
    }
    if (auto at = log_starts_.find(partition.partition); at != log_starts_.end()) options.log_start = at->second;
    options.now = kOpenedAt;
    options.logger = &logger_;
    auto log = Log::open(std::move(options));
    EXPECT_TRUE(log) << partition.name << ": " << log.error().message;
    return log ? *std::move(log) : nullptr;
  }

  void check(Log& log, const Expected& e) {
    EXPECT_EQ(log.log_start_offset(), Offset(e.start));
    EXPECT_EQ(log.log_end_offset(), Offset(e.end));
    EXPECT_TRUE(log.damaged().empty());
    replication::ProducerState* producers = *log.producers();
    producers->high_watermark_advanced(Offset(e.end));
    EXPECT_EQ(producers->first_unstable_offset().value_or(Offset(e.end)), Offset(e.last_stable));

    auto latest = *log.offset_of_max_timestamp();
    EXPECT_EQ(latest ? latest->offset : kNoOffset, Offset(e.max_offset));
    EXPECT_EQ(latest ? latest->timestamp : -1, e.max_timestamp);
    EXPECT_EQ(latest ? latest->epoch.value : -1, e.max_epoch);

    for (uint32_t max_bytes : {1u, 4096u, 1u << 20}) {
      Consumed seen = consume(log, Offset(e.end), false, max_bytes);
      EXPECT_EQ(seen.count, e.count);
      EXPECT_EQ(seen.first, e.first);
      EXPECT_EQ(seen.last, e.last);
      EXPECT_EQ(seen.headers, e.headers);
      EXPECT_EQ(seen.null_keys, e.null_keys);
      EXPECT_EQ(seen.null_values, e.null_values);
      EXPECT_EQ(testing::sha256_hex(seen.content), e.sha256);
    }
    Consumed committed = consume(log, Offset(e.last_stable), true, 1 << 20);
    if (e.committed_count != "-") EXPECT_EQ(std::to_string(committed.count), e.committed_count);
    if (e.committed_sha256 != "-") EXPECT_EQ(testing::sha256_hex(committed.content), e.committed_sha256);
  }

  testing::MemoryDisk disk_;
  testing::RecordingLogger logger_;
  std::shared_ptr<LogConfig> config_ = std::make_shared<LogConfig>();
  std::unique_ptr<LogDir> dir_;
  bool clean_ = false;
  OffsetCheckpoint recovery_points_;
  OffsetCheckpoint log_starts_;
};

TEST_P(GoldenTest, EveryPartitionReadsBackToWhatKafkaRead) {
  std::map<std::string, Expected> expected = expected_of(GetParam());
  ASSERT_EQ(expected.size(), 34u);
  EXPECT_EQ(clean_, std::string(GetParam()) == "clean");
  size_t checked = 0;
  for (const PartitionDirectory& partition : *dir_->list_partitions()) {
    SCOPED_TRACE(partition.name);
    auto log = open(partition);
    ASSERT_TRUE(log);
    auto at = expected.find(partition.name);
    if (at == expected.end()) {
      EXPECT_EQ(partition.partition.topic, "__cluster_metadata");
      EXPECT_GE(log->log_end_offset(), Offset(994));
      continue;
    }
    check(*log, at->second);
    ++checked;
  }
  EXPECT_EQ(checked, expected.size());
}

TEST_P(GoldenTest, OursAfterACleanStopAndAKillReadsTheSame) {
  std::map<std::string, Expected> expected = expected_of(GetParam());
  for (const PartitionDirectory& partition : *dir_->list_partitions()) {
    SCOPED_TRACE(partition.name);
    auto at = expected.find(partition.name);
    if (at == expected.end()) continue;
    auto log = open(partition);
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->producers());
    recovery_points_[partition.partition] = *log->close();
  }
  clean_ = true;
  for (const auto& [name, e] : expected) {
    SCOPED_TRACE(name);
    auto log = open(*PartitionDirectory::parse(name));
    check(*log, e);
  }
  clean_ = false;
  recovery_points_.clear();
  for (const auto& [name, e] : expected) {
    SCOPED_TRACE(name);
    auto log = open(*PartitionDirectory::parse(name));
    check(*log, e);
  }
}

TEST_P(GoldenTest, IndexesRebuiltFromTheRecordsAreKafkas) {
  // Of closed segments: those of an active one were trimmed or not, as the stop was.
  bool was_clean = clean_;
  for (const PartitionDirectory& partition : *dir_->list_partitions()) {
    // Kafka counts its interval anew after a restart, which there was within a segment of this one.
    if (!was_clean && partition.partition.topic == "__cluster_metadata") continue;
    std::string base = "/data/" + partition.name + "/";
    std::map<std::string, Buffer> before;
    for (const std::string& name : disk_.list("/data/" + partition.name)) {
      if (name.ends_with("index")) before[name] = disk_.read(base + name);
    }
    if (partition.partition.topic == "segments") config_->index_interval_bytes = 512;
    clean_ = false;
    recovery_points_.clear();
    log_starts_.clear();
    auto log = open(partition);
    config_->index_interval_bytes = 4096;
    for (size_t i = 0; i + 1 < log->segments().size(); ++i) {
      for (const char* suffix : {".index", ".timeindex", ".txnindex"}) {
        std::string name = base;
        std::string number = std::to_string(log->segments()[i]->base().value);
        std::string file = std::string(20 - number.size(), '0') + number + suffix;
        EXPECT_EQ(to_hex(disk_.read(base + file)), to_hex(before[file])) << partition.name << " " << file;
      }
    }
  }
}

TEST_P(GoldenTest, ProducersOfTransactionsAreKnown) {
  auto log = open(*PartitionDirectory::parse("txn-0"));
  const auto& producers = (*log->producers())->producers();
  bool killed = std::string(GetParam()) == "killed";
  ASSERT_EQ(producers.size(), killed ? 3u : 2u);
  const auto& first = producers.at(ProducerId(10));
  EXPECT_EQ(first.epoch, 6);
  EXPECT_EQ(first.last_sequence(), -1);
  EXPECT_EQ(first.last_timestamp, 1795424198932);
  EXPECT_EQ(first.coordinator_epoch, 0);
  EXPECT_FALSE(first.transaction_start);
  if (!killed) return;
  EXPECT_EQ(producers.at(ProducerId(1001)).last_sequence(), 2);
  EXPECT_EQ(producers.at(ProducerId(1001)).transaction_start, Offset(33));
}

INSTANTIATE_TEST_SUITE_P(Kafka43, GoldenTest, ::testing::Values("clean", "killed"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace barnabas::log
