// What Apache Kafka 4.3.0 wrote into __consumer_offsets (testdata/*.log are its segments) is read, and what we write
// for the same state are the same bytes.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "group/group_records.h"
#include "group/record_loader.h"
#include "group/shard_reader.h"
#include "group/test_world.h"
#include "wire/control_record.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::group {
namespace {

struct Golden {
  explicit Golden(const std::string& file) {
    std::ifstream in(std::string(BARNABAS_TESTDATA) + "/" + file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    bytes = to_buffer(as_bytes(text));
    EXPECT_FALSE(bytes.empty()) << file;
  }

  // Replays records below `end`, as the driver does.
  void replay(GroupShard& shard, ShardState& state, int64_t end) const {
    wire::BatchCursor batches(bytes);
    while (true) {
      auto batch = batches.next();
      ASSERT_TRUE(batch.has_value()) << batch.error().message;
      if (!*batch) return;
      const wire::BatchHeader* header = &(*batch)->header;
      wire::RecordIterator records(*header, (*batch)->bytes);
      wire::RecordView record;
      while (records.next(record)) {
        Offset offset(header->base_offset + record.offset_delta);
        if (offset.value >= end) return;
        if (header->is_control()) {
          auto type = wire::decode_control_key(*record.key);
          ASSERT_TRUE(type.has_value());
          bool committed = *type == wire::ControlRecordType::kCommit;
          shard.replay_marker(ProducerId(header->producer_id), committed);
          state.offsets.end_transaction(ProducerId(header->producer_id), committed);
          continue;
        }
        ProducerId producer = header->is_transactional() ? ProducerId(header->producer_id) : kNoProducerId;
        GroupShard::LoggedRecord logged{offset, producer, *record.key, record.value};
        ASSERT_TRUE(shard.replay(logged).has_value());
        ASSERT_TRUE(load_record(state, logged).has_value());
      }
      ASSERT_TRUE(records.status().has_value());
    }
  }

  // The last value of each key below `end` outside transactions, by hex key.
  std::map<std::string, std::string> last_values(int64_t end) const {
    std::map<std::string, std::string> values;
    wire::BatchCursor batches(bytes);
    while (true) {
      auto batch = batches.next();
      if (!batch || !*batch) return values;
      const wire::BatchHeader* header = &(*batch)->header;
      if (header->is_control()) continue;
      wire::RecordIterator records(*header, (*batch)->bytes);
      wire::RecordView record;
      while (records.next(record)) {
        if (header->base_offset + record.offset_delta >= end) return values;
        values[to_hex(*record.key)] = record.value ? to_hex(*record.value) : "gone";
      }
    }
  }

  Buffer bytes;
};

// Records of `state` as we write them are in `golden`, byte for byte.
void expect_same_bytes(const ShardState& state, const std::map<std::string, std::string>& golden) {
  for (const auto& [id, group] : state.groups) {
    CoordinatorRecord record = group_record(*group);
    auto at = golden.find(to_hex(record.key));
    if (at != golden.end()) EXPECT_EQ(at->second, to_hex(*record.value)) << id;
  }
  for (const std::string& id : state.offsets.groups()) {
    state.offsets.each_committed(id, [&](std::string_view topic, int32_t partition, const StoredOffset& value) {
      CoordinatorRecord record = offset_record({id, topic, partition}, value);
      auto at = golden.find(to_hex(record.key));
      ASSERT_NE(at, golden.end());
      EXPECT_EQ(at->second, to_hex(*record.value)) << id << " " << topic << " " << partition;
    });
  }
}

struct Loaded {
  GroupShard shard{GroupConfig{}};
  ShardState state{GroupConfig{}};
  World world;  // for fetch with its topics
  Loaded(const std::string& file, int64_t end) {
    Golden golden(file);
    golden.replay(shard, state, end);
    expect_same_bytes(state, golden.last_values(end));
    world.shard = std::move(shard);
  }
};

constexpr int64_t kAll = 1'000'000;

TEST(Golden, ClassicGroupAtEachStepOfItsLife) {
  Loaded born("kafka-4.3-consumer-offsets-1.log", 1);
  EXPECT_EQ(born.world.state_of("g-classic"), "Empty");

  Loaded stable("kafka-4.3-consumer-offsets-1.log", 6);
  auto group = stable.world.shard.describe("g-classic", 6);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.protocol_data, "range");
  ASSERT_EQ(group.members.size(), 1U);
  EXPECT_EQ(group.members[0].group_instance_id, "static-1");
  EXPECT_EQ(stable.world.fetch("g-classic", "plain-none", 1).committed_offset, 100);
  EXPECT_EQ(stable.world.fetch("g-classic", "plain-none", 0).metadata, "half way");
  EXPECT_EQ(stable.world.fetch("g-classic", "plain-none", 0).committed_leader_epoch, 0);

  Loaded empty("kafka-4.3-consumer-offsets-1.log", kAll);
  EXPECT_EQ(empty.world.state_of("g-classic"), "Empty");
  EXPECT_EQ(empty.world.state_of("g-simple"), "Empty");
  EXPECT_EQ(empty.world.fetch("g-simple", "plain-zstd", 1).committed_offset, 17);
}

TEST(Golden, TransactionalOffsetsAppearWithTheirMarker) {
  Loaded before("kafka-4.3-consumer-offsets-2.log", 1);
  EXPECT_EQ(before.world.fetch("g-txn", "plain-none", 0).committed_offset, -1);
  EXPECT_EQ(before.world.fetch("g-txn", "plain-none", 0, true).error_code, wire::KafkaError::kUnstableOffsetCommit);
  Loaded after("kafka-4.3-consumer-offsets-2.log", kAll);
  EXPECT_EQ(after.world.fetch("g-txn", "plain-none", 0, true).committed_offset, 42);
  EXPECT_EQ(after.world.state_of("g-deleted"), "Dead");
}

TEST(Golden, OpenTransactionSurvivesAKill) {
  Loaded killed("kafka-4.3-consumer-offsets-2-open-transaction.log", kAll);
  EXPECT_EQ(killed.world.fetch("g-txn", "plain-none", 1).committed_offset, -1);
  EXPECT_EQ(killed.world.fetch("g-txn", "plain-none", 1, true).error_code, wire::KafkaError::kUnstableOffsetCommit);
  EXPECT_EQ(killed.world.fetch("g-txn", "plain-none", 0, true).committed_offset, 42);
}

TEST(Golden, GroupsOfNewerProtocolsAreLeftAlone) {
  Loaded newer("kafka-4.3-consumer-offsets-0.log", kAll);
  EXPECT_EQ(newer.world.fetch("g-consumer", "plain-none", 1).committed_offset, 100);
  newer.world.now.wall_ms = int64_t{1} << 45;
  newer.world.obey(newer.world.shard.expire_offsets(newer.world.now));
  EXPECT_TRUE(newer.world.log.empty()) << "nothing of them may expire";
  EXPECT_EQ(newer.world.joined(newer.world.join({.group = "g-consumer"})).error_code,
            wire::KafkaError::kInconsistentGroupProtocol);
}

TEST(Replay, UnknownTypesAreSkippedAndIllFormedRecordsAreErrors) {
  World world;
  auto replay = [&](std::string_view key, std::optional<std::string_view> value) {
    std::optional<BytesView> bytes;
    if (value) bytes = as_bytes(*value);
    return world.shard.replay({Offset(0), kNoProducerId, as_bytes(key), bytes}).has_value();
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(replay("\x00\x63whatever"sv, "x"sv));
  EXPECT_FALSE(replay("\x00"sv, "x"sv));
  EXPECT_FALSE(replay("\x00\x02\x00\x09g"sv, std::nullopt));
  EXPECT_FALSE(replay("\x00\x02\x00\x01g"sv, "\x00\x63"sv));
  EXPECT_FALSE(replay("\x00\x02\x00\x01g"sv, ""sv));
  EXPECT_TRUE(replay("\x00\x02\x00\x01g"sv, std::nullopt));
  EXPECT_EQ(world.shard.group_count(), 0U);
}

}  // namespace
}  // namespace barnabas::group
