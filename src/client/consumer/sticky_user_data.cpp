#include "client/consumer/sticky_user_data.h"

#include <map>

#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::client {

Buffer encode_sticky_user_data(const std::vector<TopicPartition>& partitions, int32_t generation) {
  std::map<std::string_view, std::vector<int32_t>> grouped;
  for (const auto& at : partitions) grouped[at.topic].push_back(at.partition);
  wire::Writer writer;
  writer.array(grouped.size(), false);
  for (const auto& [topic, numbers] : grouped) {
    writer.string(topic, false);
    writer.array(numbers.size(), false);
    for (int32_t number : numbers) writer.int32(number);
  }
  writer.int32(generation);
  return writer.take_contiguous();
}

MemberData decode_sticky_user_data(BytesView bytes) {
  MemberData data;
  wire::Reader reader(bytes);
  uint32_t topics = reader.array(false, 6);
  for (uint32_t topic = 0; topic < topics && !reader.failed(); ++topic) {
    std::string name(reader.string(false));
    uint32_t count = reader.array(false, 4);
    for (uint32_t index = 0; index < count; ++index) data.partitions.push_back({name, reader.int32()});
  }
  if (reader.failed()) return {{}, kNoGeneration};
  if (reader.remaining() >= 4) data.generation = reader.int32();
  return data;
}

Buffer encode_cooperative_user_data(int32_t generation) {
  wire::Writer writer;
  writer.int32(generation);
  return writer.take_contiguous();
}

int32_t decode_cooperative_user_data(BytesView bytes) {
  wire::Reader reader(bytes);
  int32_t generation = reader.int32();
  return reader.failed() ? kNoGeneration : generation;
}

}  // namespace barnabas::client
