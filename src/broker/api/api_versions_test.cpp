#include <map>

#include "broker/testing/test_broker.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::ApiVersionsRequest;
using wire::ApiVersionsResponse;
using wire::KafkaError;

ApiVersionsRequest named(std::string name = "client", std::string version = "1.0") {
  ApiVersionsRequest request;
  request.client_software_name = std::move(name);
  request.client_software_version = std::move(version);
  return request;
}

const ApiVersionsResponse::ApiVersion* find(const ApiVersionsResponse& response, int16_t key) {
  auto found = std::ranges::find(response.api_keys, key, &ApiVersionsResponse::ApiVersion::api_key);
  return found == response.api_keys.end() ? nullptr : &*found;
}

// KAFKA-18659: old librdkafka compresses only if it sees Produce from 0.
TEST(ApiVersions, ProduceIsAdvertisedFromZero) {
  TestBroker broker;
  auto response = broker.ask<ApiVersionsResponse>(named(), 3);
  ASSERT_TRUE(find(response, 0));
  EXPECT_EQ(find(response, 0)->min_version, 0);
  EXPECT_EQ(find(response, 0)->max_version, 13);
}

TEST(ApiVersions, OldestVersionsThatOldClientsProbeForAreThere) {
  TestBroker broker;
  auto response = broker.ask<ApiVersionsResponse>(ApiVersionsRequest(), 0);
  EXPECT_EQ(find(response, 1)->min_version, 4);
  EXPECT_EQ(find(response, 10)->min_version, 0);
  EXPECT_EQ(find(response, 11)->min_version, 0);
  EXPECT_EQ(find(response, 18)->max_version, 4);
  EXPECT_TRUE(std::ranges::is_sorted(response.api_keys, {}, &ApiVersionsResponse::ApiVersion::api_key));
}

TEST(ApiVersions, ControllerListenerHasAListOfItsOwn) {
  TestBroker broker;
  auto response = broker.ask<ApiVersionsResponse>(named(), 3, ListenerKind::kController);
  EXPECT_FALSE(find(response, 0));
  EXPECT_FALSE(find(response, 3));
  EXPECT_TRUE(find(response, 19));
  EXPECT_TRUE(find(response, 55));
}

TEST(ApiVersions, FeaturesFromZeroAreHiddenBeforeVersionFour) {
  TestBroker broker;
  auto old = broker.ask<ApiVersionsResponse>(named(), 3);
  ASSERT_EQ(old.supported_features.size(), 1u);
  EXPECT_EQ(old.supported_features[0].name, "metadata.version");
  EXPECT_EQ(old.supported_features[0].min_version, 7);
  EXPECT_EQ(old.supported_features[0].max_version, 30);
  auto now = broker.ask<ApiVersionsResponse>(named(), 4);
  EXPECT_GT(now.supported_features.size(), 1u);
  EXPECT_EQ(now.finalized_features, old.finalized_features);
}

TEST(ApiVersions, FinalizedFeaturesIncludeKraftVersionAndTheOffsetTheyAreOf) {
  TestBroker broker;
  auto response = broker.ask<ApiVersionsResponse>(named(), 4);
  std::map<std::string, int16_t> levels;
  for (const auto& feature : response.finalized_features) {
    EXPECT_EQ(feature.min_version_level, feature.max_version_level);
    levels[feature.name] = feature.max_version_level;
  }
  EXPECT_EQ(levels.at("kraft.version"), 1);
  EXPECT_EQ(levels.at("metadata.version"), 30);
  EXPECT_EQ(response.finalized_features_epoch, broker.broker().image()->provenance().last_offset.value);
}

TEST(ApiVersions, SoftwareNamesAreCheckedFromVersionThree) {
  TestBroker broker;
  for (const char* name : {"", "a b", "-a", "a.", "a_b", "\xc3\xa9"}) {
    auto response = broker.ask<ApiVersionsResponse>(named(name), 3);
    EXPECT_EQ(response.error_code, KafkaError::kInvalidRequest) << name;
    EXPECT_TRUE(response.api_keys.empty());
    EXPECT_EQ(broker.ask<ApiVersionsResponse>(named("client", name), 3).error_code, KafkaError::kInvalidRequest);
  }
  for (const char* name : {"a", "a-b.c", "apache-kafka-java", "0"}) {
    EXPECT_EQ(broker.ask<ApiVersionsResponse>(named(name), 3).error_code, KafkaError::kNone) << name;
  }
  EXPECT_EQ(broker.ask<ApiVersionsResponse>(ApiVersionsRequest(), 2).error_code, KafkaError::kNone);
}

// KIP-511
TEST(ApiVersions, NewerVersionIsRefusedInTheOldestFormWithTheRangeThatWorks) {
  TestBroker broker;
  Buffer frame = to_buffer(as_bytes(std::string_view("\0\0\0\x0b\0\x12\0\x4d\0\0\0\x07\xff\xff\0", 15)));
  net::Answer answer = broker.exchange(std::move(frame));
  ASSERT_FALSE(answer.close) << answer.reason;
  Buffer bytes;
  for (const Payload& segment : answer.segments) {
    auto part = segment.to_buffer().value();
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  EXPECT_EQ(to_hex(bytes),
            "00000010"
            "00000007"
            "0023"
            "00000001"
            "0012"
            "0000"
            "0004");
}

}  // namespace
}  // namespace barnabas::broker
