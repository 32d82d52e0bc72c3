#include "wire/frame.h"

#include <gtest/gtest.h>

#include "wire/api.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::wire {
namespace {

// The bytes of a request header: key, version, correlation id, then `rest`.
Buffer header(int16_t key, int16_t version, std::initializer_list<int> rest) {
  Writer out;
  out.int16(key);
  out.int16(version);
  out.int32(7);
  for (int byte : rest) out.uint8(static_cast<uint8_t>(byte));
  return out.take_contiguous();
}

TEST(Frame, RequestComesBackWithItsHeader) {
  for (int16_t version : {int16_t{4}, int16_t{12}}) {
    Writer out;
    ASSERT_TRUE(encode_request(out, version, 42, "me", MetadataRequest{}));
    Buffer frame = out.take_contiguous();
    EXPECT_EQ(load_be<int32_t>(frame.data()), static_cast<int32_t>(frame.size() - 4));
    Reader in(BytesView(frame).subspan(4));
    auto header = decode_request_header(in);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->api_key, 3);
    EXPECT_EQ(header->api_version, version);
    EXPECT_EQ(header->correlation_id, 42);
    EXPECT_EQ(header->client_id, "me");
    EXPECT_TRUE(MetadataRequest::decode(in, version));
    EXPECT_TRUE(in.at_end());
  }
}

// "client id null, client id length -2: ok (any negative length = null)"
TEST(Frame, ClientIdOfAnyNegativeLengthIsNull) {
  for (int low : {0xff, 0xfe}) {
    Buffer data = header(3, 1, {0xff, low});
    Reader in(data);
    auto decoded = decode_request_header(in);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->client_id, std::nullopt);
  }
}

TEST(Frame, ClientIdLongerThanTheFrameIsRefused) {
  Buffer data = header(3, 1, {0, 5, 'a'});
  Reader in(data);
  EXPECT_FALSE(decode_request_header(in));
}

TEST(Frame, HeaderOfUnknownKeyIsRefusedByNumber) {
  for (int16_t key : {4, 93, 1000, -1}) {  // removed, not in this release, never was
    Buffer data = header(key, 0, {0xff, 0xff});
    Reader in(data);
    auto decoded = decode_request_header(in);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().message, "there is no API with key " + std::to_string(key));
  }
}

TEST(Frame, ApiVersionsOfTheFutureHasTheNewestHeader) {
  Buffer data = header(18, 99, {0, 1, 'c', 0, 1, 2, 3});
  Reader in(data);
  auto decoded = decode_request_header(in);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->api_version, 99);
  EXPECT_EQ(in.remaining(), 3U) << "the body, which nobody can read";
}

TEST(Frame, ResponseOfAFlexibleVersionHasTagsInItsHeader) {
  Writer out;
  ASSERT_TRUE(encode_response(out, 3, 12, 42, MetadataResponse{}));
  Buffer frame = out.take_contiguous();
  Reader in(BytesView(frame).subspan(4));
  auto id = decode_response_header(in, 3, MetadataResponse::kFlexibleFrom, 12);
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, 42);
  EXPECT_TRUE(MetadataResponse::decode(in, 12));
  EXPECT_TRUE(in.at_end());
}

TEST(Frame, ApiVersionsAnswersWithTheOldestHeaderAlways) {
  Writer out;
  ASSERT_TRUE(encode_response(out, 18, 4, 42, ApiVersionsResponse{}));
  Buffer frame = out.take_contiguous();
  Reader in(BytesView(frame).subspan(8));  // length, correlation id, and no tags
  EXPECT_TRUE(ApiVersionsResponse::decode(in, 4));
  EXPECT_TRUE(in.at_end());
}

TEST(Api, TableIsThatOfRelease43) {
  EXPECT_EQ(find_api(22)->max_version, 5) << "version 6 of InitProducerId is not stable";
  EXPECT_EQ(find_api(18)->max_version, 4);
  EXPECT_EQ(find_api(0)->min_version, 3);
  EXPECT_EQ(find_api(0)->advertised, (VersionRange{0, 13})) << "for the sake of old clients";
  EXPECT_TRUE(find_api(71)->advertised.empty());
  EXPECT_EQ(find_api(93), nullptr);
  EXPECT_EQ(find_api(4), nullptr);
  size_t on_broker = 0;
  size_t on_controller = 0;
  for (const ApiInfo& api : apis()) {
    on_broker += api.on_broker && !api.advertised.empty();
    on_controller += api.on_controller && !api.advertised.empty();
  }
  EXPECT_EQ(on_broker, 75U);
  EXPECT_EQ(on_controller, 41U);
}

}  // namespace
}  // namespace barnabas::wire
