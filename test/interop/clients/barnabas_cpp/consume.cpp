#include <chrono>
#include <filesystem>
#include <iostream>

#include "barnabas/consumer.h"
#include "driver.h"

namespace driver {

namespace {

using namespace barnabas::client;

Config config_of(const Json& command, int64_t poll) {
  Config config{{"bootstrap.servers", command.at("bootstrap")},
                {"auto.offset.reset", "earliest"},
                {"enable.auto.commit", "false"},
                {"heartbeat.interval.ms", "500"},
                {"session.timeout.ms", "10000"},
                {"reconnect.backoff.max.ms", "500"},
                {"fetch.max.wait.ms", "100"},
                {"max.poll.records", std::to_string(poll)},
                {"partition.assignment.strategy", "range"}};
  if (command.contains("group") && !command["group"].is_null()) config.set("group.id", command["group"]);
  // Not given by the common tests: whatever else a test wants of this client.
  if (command.contains("settings")) {
    for (const auto& [key, value] : command["settings"].items()) config.set(key, value.get<std::string>());
    if (config.find("group.protocol") && *config.find("group.protocol") == "consumer") {
      Config plain;
      for (const auto& [key, value] : config.entries()) {
        if (key != "heartbeat.interval.ms" && key != "session.timeout.ms" && key != "partition.assignment.strategy") {
          plain.set(key, value);
        }
      }
      return plain;
    }
  }
  return config;
}

void show(const ConsumerRecord& record) {
  Json headers = Json::array();
  for (const Header& header : record.headers.all()) {
    headers.push_back(Json::array({std::string(header.key), json(header.value)}));
  }
  emit("record", Json::array({record.partition, record.offset, json(record.key), json(record.value), headers}));
}

// The broker may be away or the group have moved on: what is read twice is not lost.
void commit(Consumer& consumer) {
  auto done = consumer.commit().get_for(std::chrono::seconds(5));
  if (!done) std::cerr << "commit: no answer yet" << std::endl;
  if (done && !*done) std::cerr << "commit: " << done->error().to_string() << std::endl;
}

}  // namespace

void consume(const Json& command) {
  int64_t left = command.at("expect");
  std::string topic = command.at("topic");
  bool grouped = command.contains("group") && !command["group"].is_null();
  Consumer consumer = need(Consumer::create(config_of(command, std::clamp<int64_t>(left, 1, 500))));
  if (grouped) {
    need(consumer.subscribe({topic}));
  } else {
    std::vector<TopicPartition> all;
    for (int32_t partition : command.at("partitions")) all.push_back({topic, partition});
    need(consumer.assign(all));
    need(consumer.seek_to_beginning(all));
  }
  std::map<TopicPartition, OffsetAndMetadata> positions;
  while (left > 0) {
    auto records = consumer.poll(Milliseconds(500));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().fatal) fail(records.error().to_string());
      continue;
    }
    for (const ConsumerRecord& record : *records) {
      if (left-- <= 0) break;
      show(record);
      positions[{topic, record.partition}] = {.offset = record.offset + 1};
    }
  }
  if (grouped) need(consumer.commit(positions).get());
  need(consumer.close());
}

void member(const Json& command) {
  std::string topic = command.at("topic");
  std::filesystem::path until(command.at("until").get<std::string>());
  Consumer consumer = need(Consumer::create(config_of(command, 50)));
  auto tell = [&](std::span<const TopicPartition>) {
    Json partitions = Json::array();
    for (const auto& at : consumer.assignment()) partitions.push_back(at.partition);
    emit("assigned", partitions);
  };
  RebalanceListener listener;
  listener.on_assigned = tell;
  listener.on_revoked = [&](std::span<const TopicPartition>) { commit(consumer); };
  listener.on_lost = [](std::span<const TopicPartition>) {};
  need(consumer.subscribe({topic}, listener));
  while (!std::filesystem::exists(until)) {
    auto records = consumer.poll(Milliseconds(100));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().fatal) fail(records.error().to_string());
      continue;
    }
    for (const ConsumerRecord& record : *records) show(record);
    if (!records->empty()) commit(consumer);
  }
  need(consumer.close());
}

}  // namespace driver
