#include "client/consumer/consumer_protocol.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "client/cluster.h"
#include "wire/messages/consumer_protocol_assignment.h"
#include "wire/messages/consumer_protocol_subscription.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::client {

namespace {

template <class Group>
std::vector<Group> by_topic(const std::vector<TopicPartition>& partitions) {
  std::map<std::string_view, std::vector<int32_t>> grouped;
  for (const auto& at : partitions) grouped[at.topic].push_back(at.partition);
  std::vector<Group> groups;
  for (auto& [topic, numbers] : grouped) {
    Group group;
    group.topic = topic;
    group.partitions = std::move(numbers);
    groups.push_back(std::move(group));
  }
  return groups;
}

template <class Group>
std::vector<TopicPartition> flat(const std::vector<Group>& groups) {
  std::vector<TopicPartition> partitions;
  for (const auto& group : groups) {
    for (int32_t number : group.partitions) partitions.push_back({group.topic, number});
  }
  return partitions;
}

template <class Message>
Buffer encoded(const Message& message) {
  wire::Writer writer;
  writer.int16(Message::kMaxVersion);
  CHECK(message.encode(writer, Message::kMaxVersion).has_value());
  return writer.take_contiguous();
}

template <class Message>
Result<Message> decoded(BytesView bytes) {
  wire::Reader reader(bytes);
  int16_t version = reader.int16();
  if (reader.failed()) return std::unexpected(from_base(reader.error(Message::kName)));
  if (version < Message::kMinVersion) {
    return std::unexpected(
        Error{.kind = Error::Kind::kBadAnswer, .message = "a group member speaks a negative version"});
  }
  auto message = Message::decode(reader, std::min(version, Message::kMaxVersion));
  if (!message) return std::unexpected(from_base(message.error()));
  return *std::move(message);
}

}  // namespace

Buffer encode_subscription(const MemberSubscription& subscription) {
  wire::ConsumerProtocolSubscription message;
  message.topics = subscription.topics;
  std::ranges::sort(message.topics);
  message.user_data = subscription.user_data;
  message.owned_partitions = by_topic<wire::ConsumerProtocolSubscription::TopicPartition>(subscription.owned);
  message.generation_id = subscription.generation;
  if (subscription.rack && !subscription.rack->empty()) message.rack_id = subscription.rack;
  return encoded(message);
}

Result<MemberSubscription> decode_subscription(BytesView bytes) {
  auto message = decoded<wire::ConsumerProtocolSubscription>(bytes);
  if (!message) return std::unexpected(message.error());
  MemberSubscription subscription;
  subscription.topics = std::move(message->topics);
  subscription.user_data = std::move(message->user_data);
  subscription.owned = flat(message->owned_partitions);
  subscription.generation = std::max(message->generation_id, kNoGeneration);
  subscription.rack = std::move(message->rack_id);
  return subscription;
}

Buffer encode_assignment(const std::vector<TopicPartition>& partitions) {
  wire::ConsumerProtocolAssignment message;
  message.assigned_partitions = by_topic<wire::ConsumerProtocolAssignment::TopicPartition>(partitions);
  return encoded(message);
}

Result<std::vector<TopicPartition>> decode_assignment(BytesView bytes) {
  if (bytes.empty()) return std::vector<TopicPartition>();
  auto message = decoded<wire::ConsumerProtocolAssignment>(bytes);
  if (!message) return std::unexpected(message.error());
  return flat(message->assigned_partitions);
}

}  // namespace barnabas::client
