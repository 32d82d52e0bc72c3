// The metadata logs and snapshots of a real Kafka 4.3, replayed whole. What must come out was read back from that Kafka
// with its own admin client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "metadata/features.h"
#include "metadata/image_builder.h"
#include "metadata/log_replay.h"
#include "metadata/record_versions.h"
#include "metadata/snapshot.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::metadata {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Buffer read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_FALSE(text.empty()) << path;
  return to_buffer(as_bytes(text));
}

std::vector<std::filesystem::path> files(const std::string& directory, const std::string& suffix) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(BARNABAS_TESTDATA "/") + directory)) {
    if (entry.path().string().ends_with(suffix)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// Replays the whole log, stopping before `end` when given.
ImagePtr replay_log(const std::string& directory, Offset end = Offset(INT64_MAX)) {
  ImageBuilder builder;
  Offset next(0);
  for (const auto& path : files(directory, ".log")) {
    Buffer bytes = read_file(path);
    wire::BatchCursor cursor(bytes);
    while (true) {
      auto batch = cursor.next();
      EXPECT_TRUE(batch.has_value());
      if (!batch || !*batch || (*batch)->header.first_offset() >= end) break;
      auto done = replay_batches((*batch)->bytes, next, builder);
      EXPECT_TRUE(done.has_value()) << done.error().message;
      if (!done) return builder.build().image;
      next = *done;
    }
  }
  return builder.build().image;
}

std::vector<std::string> topic_lines(const Image& image) {
  std::vector<std::string> lines;
  for (const TopicPtr& topic : image.topics()) {
    lines.push_back(topic->name + " " + topic->id.to_string() + " " + std::to_string(topic->partition_count()));
  }
  return lines;
}

std::map<std::string, std::string> overrides(const Image& image, ResourceType type, const std::string& name) {
  const ConfigMap& values = image.config({type, name});
  return {values.begin(), values.end()};
}

void expect_golden(const Image& image) {
  EXPECT_EQ(image.metadata_version(), 30);
  EXPECT_EQ(image.kraft_version(), 1);
  EXPECT_THAT(image.features(), ElementsAre(Pair("eligible.leader.replicas.version", 1), Pair("group.version", 1),
                                            Pair("metadata.version", 30), Pair("share.version", 1),
                                            Pair("streams.version", 1), Pair("transaction.version", 2)));
  EXPECT_THAT(
      topic_lines(image),
      ElementsAre("With.Dots_and-dashes cSt2KxJFSaCBLIhbQLWyLQ 1", "__consumer_offsets BxcdWsBeQPy4pvvE4Jc9nA 3",
                  "__share_group_state _pL6tERtT86F85N5-QF2-w 3", "__transaction_state BEL5LYWiSWe4lCoV8EErEA 3",
                  "appendtime Dd5KXW1UTm-j4g2eBLsOCw 1", "codec-zstd ijDQvZRKSbuW752UEU3bJg 2",
                  "compacted eiUiWhQkR8aPQhXz4M8ZXA 1", "doomed2 sHx7yVP0Tb2_SN2isGp0qQ 1",
                  "empty dlgXs3zSQ-CX0oluq7bXJw 1", "grown 77iRKTtISgGkjek9cqwEJQ 3", "moved bzvLZ5fXRwGT-rTdvQ0kOQ 1",
                  "plain-gzip mXthfa0eSd65GPgNJvINzw 2", "plain-lz4 8JCAOqUeS-epBW2rEcFx7w 2",
                  "plain-none ea1V72gTTFS7hG7UowNkwA 2", "plain-snappy GsP0KQ0VS6WroCpbTE8Erw 2",
                  "plain-zstd Wtx7jmtrR4i8trVdK8sNjw 2", "recompressed AskvnrWeSPKLFPG1FVWqmw 1",
                  "segments 5LOIwUNzQ5m6h2iZOnnQPw 1", "txn Qjwi7hJmSveC74n0pTn1AQ 2"));
  EXPECT_EQ(image.topic_count(), 19u);
  EXPECT_EQ(image.partition_count(), 34u);
  image.for_each_topic([](const Topic& topic) {
    for (int32_t i = 0; i < topic.partition_count(); ++i) {
      EXPECT_THAT(topic.partition(i)->replicas, ElementsAre(BrokerId(1))) << topic.name;
    }
  });

  EXPECT_THAT(overrides(image, ResourceType::kTopic, "__transaction_state"),
              ElementsAre(Pair("cleanup.policy", "compact"), Pair("compression.type", "uncompressed"),
                          Pair("min.insync.replicas", "1"), Pair("segment.bytes", "104857600"),
                          Pair("unclean.leader.election.enable", "false")));
  EXPECT_THAT(overrides(image, ResourceType::kTopic, "compacted"),
              ElementsAre(Pair("cleanup.policy", "compact"), Pair("internal.segment.bytes", "4096"),
                          Pair("min.cleanable.dirty.ratio", "0.01"), Pair("segment.ms", "2000")));
  EXPECT_THAT(overrides(image, ResourceType::kTopic, "plain-zstd"),
              ElementsAre(Pair("cleanup.policy", "delete,compact"), Pair("retention.ms", "-1")));
  EXPECT_THAT(overrides(image, ResourceType::kTopic, "plain-none"), ElementsAre());
  EXPECT_THAT(overrides(image, ResourceType::kBroker, "1"),
              ElementsAre(Pair("log.cleaner.io.buffer.load.factor", "0.8")));
  EXPECT_THAT(overrides(image, ResourceType::kBroker, ""),
              ElementsAre(Pair("log.cleaner.backoff.ms", "700"), Pair("message.max.bytes", "2000000"),
                          Pair("min.insync.replicas", "1")));
  EXPECT_THAT(overrides(image, ResourceType::kGroup, "g-share"),
              ElementsAre(Pair("share.auto.offset.reset", "earliest")));
  EXPECT_THAT(overrides(image, ResourceType::kGroup, "g-consumer"),
              ElementsAre(Pair("consumer.session.timeout.ms", "50000")));
  EXPECT_THAT(overrides(image, ResourceType::kClientMetrics, "m1"),
              ElementsAre(Pair("interval.ms", "60000"), Pair("match", "client_software_name=apache.*"),
                          Pair("metrics", "org.apache.kafka.producer.,org.apache.kafka.consumer.")));

  EXPECT_THAT(image.quotas(),
              ElementsAre(Pair(QuotaEntity{{"client-id", std::nullopt}}, ElementsAre(Pair("consumer_byte_rate", 9e6))),
                          Pair(QuotaEntity{{"client-id", "app"}, {"user", "alice"}},
                               ElementsAre(Pair("controller_mutation_rate", 12.5))),
                          Pair(QuotaEntity{{"ip", "10.1.2.3"}}, ElementsAre(Pair("connection_creation_rate", 100.0))),
                          Pair(QuotaEntity{{"user", "alice"}}, ElementsAre(Pair("producer_byte_rate", 1048576.0)))));

  std::set<Acl> acls;
  for (const auto& [id, acl] : image.acls()) acls.insert(acl);
  // resource 2 TOPIC 3 GROUP, pattern 3 LITERAL 4 PREFIXED, operation 2 ALL 3 READ, permission 2 DENY 3 ALLOW
  EXPECT_EQ(acls, (std::set<Acl>{{3, "*", 3, "User:alice", "127.0.0.1", 3, 3},
                                 {2, "plain-", 4, "User:alice", "*", 3, 3},
                                 {2, "txn", 3, "User:mallory", "*", 2, 2}}));

  std::vector<std::string> scram;
  for (const auto& [key, credential] : image.scram()) {
    scram.push_back(key.user + " " + std::to_string(key.mechanism) + " " + std::to_string(credential.iterations));
  }
  EXPECT_THAT(scram, ElementsAre("admin 1 4096", "alice 1 4096", "alice 2 5000"));
  EXPECT_EQ(as_text(image.scram().at({"alice", 1}).salt), "0123456789abcdef");
  EXPECT_EQ(as_text(image.scram().at({"alice", 2}).salt), "fedcba9876543210");

  ASSERT_EQ(image.delegation_tokens().size(), 1u);
  const DelegationToken& token = image.delegation_tokens().at("Icjp4fOFSZCMcyg44pRM4g");
  EXPECT_EQ(token.owner, "User:alice");
  EXPECT_EQ(token.requester, "User:alice");
  EXPECT_EQ(token.issued, 1795424383480);
  EXPECT_EQ(token.max, 1796029183480);
  EXPECT_EQ(token.expires, 1795510783480);
}

TEST(GoldenLog, OfACleanStopReplaysToWhatKafkaReadBack) {
  ImagePtr image = replay_log("golden-clean");
  expect_golden(*image);
  EXPECT_EQ(image->provenance().last_offset, Offset(993));
  EXPECT_EQ(image->provenance().epoch, LeaderEpoch(1));
  ASSERT_THAT(image->brokers(), ElementsAre(Pair(BrokerId(1), ::testing::_)));
  const Broker& broker = *image->broker(BrokerId(1));
  EXPECT_TRUE(broker.fenced);  // it left in good order
  EXPECT_EQ(broker.epoch, BrokerEpoch(16));
  ASSERT_NE(broker.endpoint("SASL"), nullptr);
  EXPECT_EQ(broker.endpoint("SASL")->port, 23294);
  EXPECT_EQ(image->next_producer_id(), 1000);
  // One node with eligible leader replicas: the last member moved from the in-sync to the eligible set.
  const Partition* partition = image->partition("moved", 0);
  EXPECT_THAT(partition->isr, ElementsAre());
  EXPECT_THAT(partition->elr, ElementsAre(BrokerId(1)));
  EXPECT_EQ(partition->leader, kNoLeader);
}

TEST(GoldenLog, OfAKilledNodeReplaysToWhatKafkaReadBack) {
  ImagePtr image = replay_log("golden-killed");
  expect_golden(*image);
  EXPECT_EQ(image->provenance().epoch, LeaderEpoch(2));
  EXPECT_FALSE(image->broker(BrokerId(1))->fenced);  // it had no time to say good bye
  EXPECT_EQ(image->partition("moved", 0)->leader, BrokerId(1));
  EXPECT_EQ(image->next_producer_id(), 2000);
  EXPECT_EQ(image->topic("doomed3"), nullptr);
}

// What an image says, a record a line. Kafka keeps listeners and features of a registration in hash order, which
// differs between log and snapshot.
std::string contents(const Image& image) {
  std::string lines;
  std::vector<wire::MetadataRecord> records = snapshot_records(image);
  for (wire::MetadataRecord& record : records) {
    if (auto* broker = std::get_if<wire::RegisterBrokerRecord>(&record)) {
      std::ranges::sort(broker->end_points, {}, &wire::RegisterBrokerRecord::BrokerEndpoint::name);
      std::ranges::sort(broker->features, {}, &wire::RegisterBrokerRecord::BrokerFeature::name);
    }
    if (auto* controller = std::get_if<wire::RegisterControllerRecord>(&record)) {
      std::ranges::sort(controller->features, {}, &wire::RegisterControllerRecord::ControllerFeature::name);
    }
    lines += std::visit([](const auto& r) { return r.to_string(); }, record) + "\n";
  }
  return lines;
}

class GoldenSnapshots : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenSnapshots, SayWhatTheLogSaysUpToTheirEnd) {
  int compared = 0;
  for (const auto& path : files(GetParam(), ".checkpoint")) {
    auto id = parse_snapshot_file_name(path.filename().string());
    if (!id || id->end_offset == Offset(0)) continue;
    SCOPED_TRACE(path.filename());
    auto snapshot = decode_snapshot(read_file(path));
    ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
    EXPECT_EQ(snapshot->epoch, id->epoch);
    EXPECT_EQ(snapshot->kraft_version, 1);
    ASSERT_TRUE(snapshot->voters.has_value());
    EXPECT_EQ(snapshot->voters->voters.front().voter_directory_id.to_string(), "1xXIU7vYRIu-Miwe4JHIqw");
    auto image = image_of(*snapshot, id->end_offset - 1);
    ASSERT_TRUE(image.has_value()) << image.error().message;
    EXPECT_EQ(contents(**image), contents(*replay_log(GetParam(), id->end_offset)));
    ++compared;
  }
  EXPECT_GT(compared, 8);
}

TEST_P(GoldenSnapshots, OfOursCarryTheSameImage) {
  ImagePtr image = replay_log(GetParam());
  Snapshot snapshot{.epoch = image->provenance().epoch,
                    .last_contained_log_timestamp = image->provenance().timestamp,
                    .kraft_version = image->kraft_version(),
                    .records = snapshot_records(*image)};
  Buffer file = encode_snapshot(snapshot, {1, 2, 3}, image->metadata_version());
  auto decoded = decode_snapshot(file);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  auto again = image_of(*decoded, image->provenance().last_offset);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(contents(**again), contents(*image));
  EXPECT_EQ((*again)->provenance(), image->provenance());
}

TEST_P(GoldenSnapshots, CutAnywhereAreRefusedAndDoNoHarm) {
  Buffer file = read_file(files(GetParam(), "0000000001.checkpoint").front());
  for (size_t size = 0; size < file.size(); size += 7) {
    EXPECT_FALSE(decode_snapshot(BytesView(file).first(size)).has_value()) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Archives, GoldenSnapshots, ::testing::Values("golden-clean", "golden-killed"));

TEST(GoldenLog, IsWrittenAgainToTheByte) {
  // Every record we decode is one we would write with the same version and bytes.
  int records = 0;
  for (const char* directory : {"golden-clean", "golden-killed"}) {
    for (const auto& path : files(directory, ".log")) {
      Buffer bytes = read_file(path);
      wire::BatchCursor cursor(bytes);
      while (true) {
        auto batch = cursor.next();
        ASSERT_TRUE(batch.has_value());
        if (!*batch) break;
        if ((*batch)->header.is_control()) continue;
        wire::RecordIterator iterator((*batch)->header, (*batch)->bytes);
        wire::RecordView record;
        while (iterator.next(record)) {
          auto decoded = wire::decode_metadata_record(*record.value);
          ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
          Buffer again = encode_at(*decoded, 30);
          ASSERT_EQ(to_hex(again), to_hex(*record.value))
              << std::visit([](const auto& r) { return r.to_string(); }, *decoded);
          ++records;
        }
      }
    }
  }
  EXPECT_GT(records, 2000);
}

TEST(GoldenLog, IsRefusedByABuildWithoutItsFeatures) {
  auto supported = check_supported(*replay_log("golden-clean"));
  ASSERT_FALSE(supported.has_value());
  EXPECT_EQ(supported.error().message,
            "this cluster's metadata uses feature levels that this build does not support: "
            "eligible.leader.replicas.version=1 (not supported here yet), group.version=1 (not supported here yet), "
            "share.version=1 (not supported here yet), streams.version=1 (not supported here yet), "
            "transaction.version=2 (not supported here yet)");
}

}  // namespace
}  // namespace barnabas::metadata
