#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "driver.h"

namespace driver {

Row::Row(const json& row) : partition(row[0]), key(text_of(row[1])), value(text_of(row[2])) {
  for (const auto& header : row[3]) headers.emplace_back(header[0].get<std::string>(), text_of(header[1]));
}

namespace {

struct Sending {
  std::atomic<int> failed{0};
  std::mutex mutex;
  std::string first_failure;

  Outcome outcome() const {
    if (failed == 0) return std::nullopt;
    return std::to_string(failed) + " failed: " + first_failure;
  }
};

void send(kafka::Producer& producer, const std::string& topic, const Row& row, size_t index, Sending& sending,
          std::optional<int64_t> timestamp = std::nullopt) {
  std::vector<kafka::Header> headers;
  for (const auto& [name, value] : row.headers) headers.push_back({name, value});
  kafka::ProducerRecord record{.topic = topic, .partition = row.partition, .headers = headers};
  if (row.key) record.key = *row.key;
  if (row.value) record.value = *row.value;
  if (timestamp) record.timestamp = *timestamp;
  producer.send(record, [index, &sending](kafka::Result<kafka::RecordMetadata> report) {
    if (report) return emit({{"ack", {index, report->partition, report->offset}}});
    std::lock_guard lock(sending.mutex);
    if (sending.failed++ == 0) sending.first_failure = report.error().to_string();
  });
}

kafka::Config producer_config(const json& command) {
  return client_config(command, {{"compression.type", command.value("codec", "none")},
                                 {"linger.ms", "20"},
                                 {"enable.idempotence", command.value("idempotent", true) ? "true" : "false"}});
}

Outcome send_offsets(kafka::Producer& producer, const json& given) {
  std::map<kafka::TopicPartition, kafka::OffsetAndMetadata> offsets;
  for (const auto& pair : given["offsets"]) offsets[{given["topic"], pair[0]}] = {.offset = pair[1]};
  return failure(producer.send_offsets_to_transaction(offsets, {.group_id = given["group"]}).get());
}

}  // namespace

Outcome produce(const json& command) {
  auto producer = kafka::Producer::create(producer_config(command));
  if (!producer) return failure(producer);
  Sending sending;
  std::string topic = command["topic"];
  int pace_ms = command.value("pace_ms", 0);
  size_t index = 0;
  std::string until = command.value("until", "");
  for (const auto& row : command["records"]) {
    if (!until.empty() && std::filesystem::exists(until)) break;
    std::optional<int64_t> timestamp;
    if (command.contains("timestamps")) timestamp = command["timestamps"][index];
    send(*producer, topic, Row(row), index++, sending, timestamp);
    if (pace_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pace_ms));
  }
  auto flushed = producer->flush().get();
  auto closed = producer->close();
  if (auto wrong = sending.outcome()) return wrong;
  if (!flushed) return failure(flushed);
  return failure(closed);
}

Outcome transact(const json& command) {
  auto config = producer_config(command);
  config.set("transactional.id", command["id"]);
  Sending sending;
  auto producer = kafka::Producer::create(config);
  if (!producer) return failure(producer);
  if (auto begun = producer->init_transactions().get(); !begun) return failure(begun);
  std::string topic = command["topic"];
  size_t index = 0;
  for (const auto& step : command["steps"]) {
    if (auto begun = producer->begin_transaction(); !begun) return failure(begun);
    for (const auto& row : step[0]) send(*producer, topic, Row(row), index++, sending);
    if (command.contains("offsets")) {
      if (auto wrong = send_offsets(*producer, command["offsets"])) return wrong;
    }
    if (step[1] == "commit") {
      if (auto ended = producer->commit_transaction().get(); !ended) return failure(ended);
      continue;
    }
    // What is to be aborted is there first.
    if (auto flushed = producer->flush().get(); !flushed) return failure(flushed);
    if (step[1] == "leave") {
      static_cast<void>(producer->close(kafka::Milliseconds(0)));
      return sending.outcome();
    }
    if (auto ended = producer->abort_transaction().get(); !ended) return failure(ended);
  }
  if (auto wrong = sending.outcome()) return wrong;
  return failure(producer->close());
}

Outcome fence(const json& command) {
  auto config = producer_config(command);
  config.set("transactional.id", command["id"]);
  auto first = kafka::Producer::create(config);
  auto second = kafka::Producer::create(config);
  if (!first || !second) return "not created";
  std::string topic = command["topic"];
  if (auto begun = first->init_transactions().get(); !begun) return failure(begun);
  if (auto begun = first->begin_transaction(); !begun) return failure(begun);
  auto sent = first->send({.topic = topic, .partition = 0, .value = "of the first"}).get();
  if (!sent) return failure(sent);
  if (auto begun = second->init_transactions().get(); !begun) return failure(begun);
  static_cast<void>(first->send({.topic = topic, .partition = 0, .value = "too late"}));
  auto committed = first->commit_transaction().get();
  if (committed) return "the first could commit";
  kafka::Result<> seen = committed;
  if (!seen.error().fatal) seen = first->abort_transaction().get();
  if (seen) return "the first could abort";
  emit({{"told", {"fenced", std::string(seen.error().name()), seen.error().fatal}}});
  if (auto begun = first->begin_transaction(); begun) return "the first could begin again";
  if (auto begun = second->begin_transaction(); !begun) return failure(begun);
  auto of_second = second->send({.topic = topic, .partition = 0, .value = "of the second"});
  if (auto ended = second->commit_transaction().get(); !ended) return failure(ended);
  return failure(of_second.get());
}

}  // namespace driver
