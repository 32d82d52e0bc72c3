// The small files of a freshly formatted Kafka 4.3 directory, compared to the byte.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "metadata/meta_properties.h"
#include "metadata/snapshot.h"

namespace barnabas::metadata {
namespace {

std::string read_file(const std::string& name) {
  std::ifstream in(std::string(BARNABAS_TESTDATA "/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Bootstrap, CheckpointIsKafkasToTheByte) {
  std::string real = read_file("formatted/bootstrap.checkpoint");
  ASSERT_EQ(real.size(), 411u);
  std::map<std::string, int16_t> levels{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1},
                                        {"group.version", 1},     {"share.version", 1},
                                        {"streams.version", 1},   {"transaction.version", 2}};
  Buffer ours = encode_bootstrap(bootstrap_records(levels), {0x1a20795fdcf, 0x1a20795fe24, 0x1a20795fe26});
  EXPECT_EQ(to_hex(ours), to_hex(as_bytes(real)));
}

TEST(Bootstrap, InitialVotersCheckpointIsKafkasToTheByte) {
  std::string real = read_file("formatted/00000000000000000000-0000000000.checkpoint");
  ASSERT_EQ(real.size(), 241u);
  wire::VotersRecord voters;
  auto& voter = voters.voters.emplace_back();
  voter.voter_id = 1;
  voter.voter_directory_id = *Uuid::parse("zOqpdMjGSeabifHcdFamSA");
  auto& endpoint = voter.endpoints.emplace_back();
  endpoint.name = "CONTROLLER";
  endpoint.host = "127.0.0.1";
  endpoint.port = 0x5a35;
  voter.kraft_version_feature.min_supported_version = 0;
  voter.kraft_version_feature.max_supported_version = 1;
  Buffer ours = encode_initial_voters(voters, 0x1a20795fe2d, {0x1a20795fe32, 0, 0x1a20795fe39});
  EXPECT_EQ(to_hex(ours), to_hex(as_bytes(real)));
}

TEST(Bootstrap, OfKafkaIsReadBack) {
  std::string real = read_file("golden-clean/bootstrap.checkpoint");
  auto snapshot = decode_snapshot(as_bytes(real));
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
  EXPECT_FALSE(snapshot->kraft_version.has_value());
  EXPECT_EQ(snapshot->records.size(), 7u);  // six features and the SCRAM credential of --add-scram
  EXPECT_TRUE(std::holds_alternative<wire::UserScramCredentialRecord>(snapshot->records.back()));
}

TEST(Bootstrap, WritesOnlyMetadataVersionByDefault) {
  auto records = bootstrap_records(default_levels());
  ASSERT_EQ(records.size(), 1u);
  const auto& feature = std::get<wire::FeatureLevelRecord>(records[0]);
  EXPECT_EQ(feature.name, "metadata.version");
  EXPECT_EQ(feature.feature_level, 30);
}

TEST(MetaProperties, AreRenderedAsJavaDoes) {
  std::string real = read_file("formatted/meta.properties");
  MetaProperties properties{
      .cluster_id = "E-OToow6TBKzIAkXHOWNMA", .node_id = 1, .directory_id = *Uuid::parse("zOqpdMjGSeabifHcdFamSA")};
  EXPECT_EQ(render_meta_properties(properties, 1795423600000), real);
  auto parsed = parse_meta_properties(real);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, properties);
}

TEST(MetaProperties, KeepAnOddClusterIdThroughEscapes) {
  MetaProperties properties{.cluster_id = " my cluster=a:b\\c#!\t", .node_id = 7, .directory_id = Uuid{1, 2}};
  auto parsed = parse_meta_properties(render_meta_properties(properties, 0));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, properties);
}

TEST(MetaProperties, OfOldBrokersNameABrokerId) {
  auto parsed = parse_meta_properties("version=0\nbroker.id=5\n cluster.id : abc \n");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->node_id, 5);
  EXPECT_EQ(parsed->cluster_id, "abc ");
  EXPECT_FALSE(parsed->directory_id.has_value());
}

TEST(MetaProperties, SayWhatIsWrong) {
  EXPECT_EQ(parse_meta_properties("").error().message, "meta.properties has no version");
  EXPECT_EQ(parse_meta_properties("version=2\n").error().message, "meta.properties has version 2, known are 0 and 1");
  EXPECT_EQ(parse_meta_properties("version=1\nnode.id=1\n").error().message, "meta.properties has no cluster.id");
  EXPECT_EQ(parse_meta_properties("version=1\ncluster.id=x\nnode.id=one\n").error().message,
            "meta.properties: node.id='one' is not a number");
}

TEST(SnapshotName, IsReadOnlyInItsExactForm) {
  EXPECT_EQ(snapshot_file_name(Offset(42), LeaderEpoch(3)), "00000000000000000042-0000000003.checkpoint");
  auto id = parse_snapshot_file_name("00000000000000000042-0000000003.checkpoint");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->end_offset, Offset(42));
  EXPECT_EQ(id->epoch, LeaderEpoch(3));
  EXPECT_FALSE(parse_snapshot_file_name("00000000000000000042-0000000003.checkpoint.part"));
  EXPECT_FALSE(parse_snapshot_file_name("bootstrap.checkpoint"));
  EXPECT_FALSE(parse_snapshot_file_name("0000000000000000004x-0000000003.checkpoint"));
}

TEST(Features, NameTheirLevels) {
  EXPECT_EQ(metadata_version_name(7), "3.3-IV3");
  EXPECT_EQ(metadata_version_name(kMvElr), "4.0-IV1");
  EXPECT_EQ(metadata_version_name(30), "4.3-IV0");
  EXPECT_EQ(metadata_version_name(31), "unknown");
  EXPECT_FALSE(metadata_changed_between(23, 29));
  EXPECT_TRUE(metadata_changed_between(29, 30));
}

}  // namespace
}  // namespace barnabas::metadata
