// Every message in every version, with random values.
#include <gtest/gtest.h>

#include "wire/messages/create_topics_request.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/testing/catalog.h"

namespace barnabas::wire {
namespace {

using testing::all_messages;
using testing::decode_whole;
using testing::encode_whole;
using testing::MessageEntry;
using testing::Sampler;

template <class Each>
void for_every_version(Each each) {
  for (const MessageEntry& message : all_messages()) {
    for (int16_t version = message.min_version; version <= message.max_version; ++version) each(message, version);
  }
}

TEST(Messages, AreAllThere) {
  EXPECT_EQ(all_messages().size(), 273U);
  EXPECT_NE(testing::find_message("CreateTopicsRequest"), nullptr);
  EXPECT_EQ(testing::find_message("NoSuchRequest"), nullptr);
}

TEST(Messages, ComeBackAsTheyWentInEveryVersion) {
  Sampler sampler(1);
  for_every_version([&](const MessageEntry& message, int16_t version) {
    for (int round = 0; round < 6; ++round) {
      auto bytes = message.sample(sampler, version);
      ASSERT_TRUE(bytes) << message.name << " v" << version << ": " << bytes.error().message;
      auto again = message.transcode(*bytes, version);
      ASSERT_TRUE(again) << message.name << " v" << version << ": " << again.error().message;
      ASSERT_EQ(*again, *bytes) << message.name << " v" << version;
    }
  });
}

TEST(Messages, CutShortAnywhereAreRefused) {
  Sampler sampler(2);
  for_every_version([&](const MessageEntry& message, int16_t version) {
    auto bytes = message.sample(sampler, version);
    ASSERT_TRUE(bytes);
    size_t step = bytes->size() / 200 + 1;  // every length of the usual ones
    for (size_t length = 0; length < bytes->size(); length += step) {
      Buffer cut(bytes->begin(),
                 bytes->begin() + static_cast<ptrdiff_t>(length));  // its own, so that sanitizers see its end
      ASSERT_FALSE(message.transcode(cut, version)) << message.name << " v" << version;
    }
  });
}

TEST(Messages, DamagedAnywhereAreRefusedOrReadAsSomethingThatCanBeWritten) {
  Sampler sampler(3);
  for_every_version([&](const MessageEntry& message, int16_t version) {
    Buffer bytes = *message.sample(sampler, version);
    for (int round = 0; round < 20 && !bytes.empty(); ++round) {
      Buffer damaged = bytes;
      for (uint64_t flips = 1 + sampler.below(3); flips > 0; --flips) {
        damaged[sampler.below(damaged.size())] =
            sampler.flag() ? std::byte{0xff} : static_cast<std::byte>(sampler.bits());
      }
      auto once = message.transcode(damaged, version);
      if (!once) continue;
      auto twice = message.transcode(*once, version);
      ASSERT_TRUE(twice) << message.name << " v" << version << ": " << twice.error().message;
      ASSERT_EQ(*twice, *once) << message.name << " v" << version;
    }
  });
}

TEST(Messages, RefuseVersionsTheyDoNotHave) {
  for (const MessageEntry& message : all_messages()) {
    for (int version : {message.min_version - 1, message.max_version + 1}) {
      auto result = message.transcode({}, static_cast<int16_t>(version));
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
    }
  }
}

TEST(Messages, PrintTheirNamesAndFields) {
  CreateTopicsRequest request;
  request.topics.push_back({.name = "orders", .num_partitions = 3});
  EXPECT_EQ(request.to_string(),
            "CreateTopicsRequest{topics=[{name=orders, num_partitions=3, replication_factor=0, assignments=[], "
            "configs=[]}], timeout_ms=60000, validate_only=false}");
}

TEST(Messages, PrintBytesByTheirSizeOnly) {
  SaslAuthenticateRequest request;
  request.auth_bytes = to_buffer(as_bytes("secret"));
  EXPECT_EQ(request.to_string(), "SaslAuthenticateRequest{auth_bytes=<6 bytes>}");
}

TEST(Messages, LeaveOutTaggedFieldsThatAreDefault) {
  FetchRequest request;
  auto plain = encode_whole(request, 18);
  request.cluster_id = "c";
  auto tagged = encode_whole(request, 18);
  // tag number, size of the value, compact length, one letter
  EXPECT_EQ(tagged->size(), plain->size() + 4);
  EXPECT_EQ(plain->back(), std::byte{0});
}

TEST(Messages, KeepUnknownTagsInOrderAmongKnownOnes) {
  // cluster id (0), replica state (1), and 7 that nobody knows
  FetchRequest request;
  request.cluster_id = "c";
  request.replica_state.replica_id = 5;
  request.unknown_tags.set(7, as_bytes("later"));
  auto bytes = encode_whole(request, 18);
  ASSERT_TRUE(bytes);
  auto back = decode_whole<FetchRequest>(*bytes, 18);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->unknown_tags.size(), 1U);
  EXPECT_EQ(back->unknown_tags.all()[0].number, 7U);
  EXPECT_EQ(*back, request);
}

TEST(Messages, RefuseAnUnknownTagThatIsAKnownField) {
  FetchRequest request;
  request.cluster_id = "c";
  request.unknown_tags.set(0, as_bytes("x"));
  EXPECT_FALSE(encode_whole(request, 18));
}

TEST(Messages, RefuseTagsWhereTheVersionHasNone) {
  FetchRequest request;
  request.unknown_tags.set(7, as_bytes("later"));
  auto bytes = encode_whole(request, 11);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().message, "FetchRequest version 11 cannot carry tagged fields");
}

TEST(Messages, DropIgnorableFieldsTheVersionLacks) {
  FetchRequest request;
  request.session_id = 9;  // since version 7
  auto bytes = encode_whole(request, 4);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(decode_whole<FetchRequest>(*bytes, 4)->session_id, 0);
}

TEST(Messages, RefuseOtherFieldsTheVersionLacks) {
  FetchRequest request;
  request.topics.push_back({.topic = "t", .partitions = {{.last_fetched_epoch = 3}}});  // since version 12
  auto bytes = encode_whole(request, 11);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().message, "FetchRequest version 11 cannot carry last_fetched_epoch");
}

TEST(Messages, RefuseNullWhereTheVersionHasNone) {
  MetadataRequest all_topics;
  all_topics.topics.reset();
  EXPECT_FALSE(encode_whole(all_topics, 0));
  EXPECT_TRUE(encode_whole(all_topics, 1));

  auto text = [](std::initializer_list<int> bytes) {
    Buffer buffer;
    for (int byte : bytes) buffer.push_back(static_cast<std::byte>(byte));
    return buffer;
  };
  EXPECT_FALSE(decode_whole<SaslHandshakeRequest>(text({0xff, 0xff}), 0));
}

// "Metadata v1 array count -2: treated as null (all topics)"
TEST(Messages, TakeAnyNegativeCountAsNull) {
  Buffer bytes(4, std::byte{0xff});
  bytes[3] = std::byte{0xfe};
  auto request = decode_whole<MetadataRequest>(bytes, 1);
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->topics.has_value());
}

TEST(Messages, RefuseCountsThatTheBytesCannotHold) {
  for (uint32_t count : {5U, 0x7fffffffU}) {
    Buffer bytes(4);
    store_be(bytes.data(), count);
    EXPECT_FALSE(decode_whole<MetadataRequest>(bytes, 1)) << count;
  }
}

TEST(Messages, RefuseATaggedFieldThatIsLongerThanItsValue) {
  FetchRequest request;
  request.cluster_id = "c";
  Buffer bytes = *encode_whole(request, 18);
  // ... tag 0, size 2, compact length 2, 'c': claim a third byte and add it
  bytes[bytes.size() - 3] = std::byte{3};
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_whole<FetchRequest>(bytes, 18));
}

TEST(Messages, HandOutRecordsAsViewsIntoTheBytes) {
  FetchResponse response;
  response.responses.push_back({.topic = "t", .partitions = {{.records = Payload::own(Buffer(10))}}});
  Buffer bytes = *encode_whole(response, 11);
  Reader in(bytes);
  auto back = FetchResponse::decode(in, 11);
  ASSERT_TRUE(back);
  const std::byte* records = back->responses[0].partitions[0].records->bytes.data();
  EXPECT_GE(records, bytes.data());
  EXPECT_LT(records, bytes.data() + bytes.size());
}

TEST(Messages, CarryLargeRecordsOutWithoutACopy) {
  Payload records = Payload::own(Buffer(8192));
  FetchResponse response;
  response.responses.push_back({.topic = "t", .partitions = {{.records = records}}});
  Writer out;
  ASSERT_TRUE(response.encode(out, 18 - 6));
  uint64_t size = out.size();
  auto segments = out.take();
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[1].bytes.data(), records.bytes.data());
  EXPECT_EQ(segments[0].size() + segments[1].size() + segments[2].size(), size);
}

}  // namespace
}  // namespace barnabas::wire
