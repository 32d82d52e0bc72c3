#include "barnabas/testing/broker.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "base/bytes.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::testing {
namespace {

using client::Error;
using ::testing::HasSubstr;

// One request over a socket of its own: nothing of our client takes part.
std::optional<Buffer> exchange(uint16_t port, BytesView request) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::optional<Buffer> answer;
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    std::array<std::byte, 4> size{};
    if (recv(socket, size.data(), size.size(), MSG_WAITALL) == 4) {
      answer.emplace(load_be<uint32_t>(size.data()));
      recv(socket, answer->data(), answer->size(), MSG_WAITALL);
    }
  }
  close(socket);
  return answer;
}

std::map<std::string, int> topics_of(const Broker& broker) {
  constexpr int16_t kVersion = 12;
  wire::MetadataRequest request;
  request.topics = std::nullopt;
  wire::Writer body;
  EXPECT_TRUE(request.encode(body, kVersion).has_value());
  wire::Writer head;
  head.int16(wire::MetadataRequest::kApiKey);
  head.int16(kVersion);
  head.int32(7);
  head.int16(-1);
  head.int8(0);
  Buffer frame(4);
  for (wire::Writer* part : {&head, &body}) {
    const Buffer bytes = part->take_contiguous();
    frame.insert(frame.end(), bytes.begin(), bytes.end());
  }
  store_be(frame.data(), static_cast<uint32_t>(frame.size() - 4));
  const auto answer = exchange(broker.port(), frame);
  std::map<std::string, int> topics;
  if (!answer) return {{"no answer", 0}};
  wire::Reader reader(*answer);
  EXPECT_EQ(reader.int32(), 7);
  reader.skip_tags();
  const auto decoded = wire::MetadataResponse::decode(reader, kVersion);
  EXPECT_TRUE(decoded.has_value());
  for (const auto& topic : decoded->topics) {
    for (const auto& partition : topic.partitions) EXPECT_GE(partition.leader_id, 0) << "no leader yet";
    topics[std::string(*topic.name)] = static_cast<int>(topic.partitions.size());
  }
  return topics;
}

using Topics = std::map<std::string, int>;

TEST(TestingBroker, ServesClientsWithItsTopicsWhenStartReturns) {
  const auto broker = Broker::start(
      {.topics = {{.name = "orders", .partitions = 3}, {.name = "state", .configs = {{"cleanup.policy", "compact"}}}}});
  ASSERT_TRUE(broker.has_value()) << broker.error().to_string();
  EXPECT_EQ(broker->bootstrap_servers(), "127.0.0.1:" + std::to_string(broker->port()));
  EXPECT_EQ(topics_of(*broker), (Topics{{"orders", 3}, {"state", 1}}));
}

TEST(TestingBroker, KeepsPortAndDataOverARestart) {
  auto broker = Broker::start({.topics = {{.name = "orders"}}});
  ASSERT_TRUE(broker.has_value()) << broker.error().to_string();
  const uint16_t port = broker->port();
  broker->stop();
  broker->stop();
  EXPECT_FALSE(broker->running());
  EXPECT_EQ(topics_of(*broker), (Topics{{"no answer", 0}}));
  const auto again = broker->restart();
  ASSERT_TRUE(again.has_value()) << again.error().to_string();
  EXPECT_EQ(broker->port(), port);
  EXPECT_EQ(topics_of(*broker), (Topics{{"orders", 1}}));
}

TEST(TestingBroker, SeveralRunAtOnceAndLeaveNothingBehind) {
  std::filesystem::path first_directory;
  {
    auto first = Broker::start({.topics = {{.name = "one"}}});
    auto second = Broker::start({.topics = {{.name = "two"}}});
    ASSERT_TRUE(first.has_value() && second.has_value());
    EXPECT_NE(first->port(), second->port());
    EXPECT_EQ(topics_of(*first), (Topics{{"one", 1}}));
    EXPECT_EQ(topics_of(*second), (Topics{{"two", 1}}));
    first_directory = first->data_directory();
    EXPECT_TRUE(std::filesystem::exists(first_directory));
  }
  EXPECT_FALSE(std::filesystem::exists(first_directory));
}

TEST(TestingBroker, ADirectoryOfTheTestsOwnIsKept) {
  auto scratch = Broker::start();
  ASSERT_TRUE(scratch.has_value());
  const auto directory = scratch->data_directory() / "kept";
  {
    auto broker = Broker::start({.topics = {{.name = "orders"}}, .data_directory = directory});
    ASSERT_TRUE(broker.has_value()) << broker.error().to_string();
  }
  auto broker = Broker::start({.data_directory = directory});
  ASSERT_TRUE(broker.has_value()) << broker.error().to_string();
  EXPECT_EQ(topics_of(*broker), (Topics{{"orders", 1}}));
}

TEST(TestingBroker, SaysWhatIsWrongWithItsOptions) {
  const auto key = Broker::start({.overrides = {{"num.partitions", "none"}}});
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().kind, Error::Kind::kConfig);
  EXPECT_THAT(key.error().message, HasSubstr("num.partitions"));
  const auto topic = Broker::start({.topics = {{.name = "not a topic"}}});
  ASSERT_FALSE(topic.has_value());
  EXPECT_EQ(topic.error().name(), "INVALID_TOPIC_EXCEPTION");
  auto other = Broker::start();
  ASSERT_TRUE(other.has_value());
  std::ofstream(other->data_directory() / "file") << "x";
  const auto directory = Broker::start({.data_directory = other->data_directory() / "file"});
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().kind, Error::Kind::kIo);
}

}  // namespace
}  // namespace barnabas::testing
