// Barnabas' own C++ client as a driver of the rig: JSON lines in, JSON lines out (rig/driver.py says which).

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/producer.h"

#include "driver.h"

namespace kafka = barnabas::client;
using nlohmann::json;

void driver::emit(const json& event) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::cout << event.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
}

namespace {

using driver::emit;
using driver::Outcome;

template <class T>
Outcome failure(const kafka::Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().to_string();
}

Outcome create(const json& command) {
  auto admin = kafka::Admin::create({{"bootstrap.servers", command["bootstrap"]}});
  if (!admin) return failure(admin);
  kafka::NewTopic topic;
  topic.name = command["topic"];
  topic.partitions = command["partitions"];
  topic.replication_factor = 1;
  for (const auto& [key, value] : command.value("configs", json::object()).items()) {
    topic.configs[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  auto created = admin->create_topics({topic}).get();
  if (!created) return failure(created);
  return failure(created->at(topic.name));
}

std::optional<std::string> text_of(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::string>();
}

// One row of "records": [partition, key, value, [[name, value]…]].
struct Row {
  explicit Row(const json& row) : partition(row[0]), key(text_of(row[1])), value(text_of(row[2])) {
    for (const auto& header : row[3]) headers.emplace_back(header[0].get<std::string>(), text_of(header[1]));
  }
  int32_t partition;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

struct Sending {
  std::atomic<int> failed{0};
  std::mutex mutex;
  std::string first_failure;
};

void send(kafka::Producer& producer, const std::string& topic, const Row& row, size_t index, Sending& sending) {
  std::vector<kafka::Header> headers;
  for (const auto& [name, value] : row.headers) headers.push_back({name, value});
  kafka::ProducerRecord record{.topic = topic, .partition = row.partition, .headers = headers};
  if (row.key) record.key = *row.key;
  if (row.value) record.value = *row.value;
  producer.send(record, [index, &sending](kafka::Result<kafka::RecordMetadata> report) {
    if (report) return emit({{"ack", {index, report->partition, report->offset}}});
    std::lock_guard lock(sending.mutex);
    if (sending.failed++ == 0) sending.first_failure = report.error().to_string();
  });
}

kafka::Config producer_config(const json& command) {
  kafka::Config config{{"bootstrap.servers", command["bootstrap"]},
                       {"compression.type", command.value("codec", "none")},
                       {"linger.ms", "20"},
                       {"enable.idempotence", command.value("idempotent", true) ? "true" : "false"},
                       {"reconnect.backoff.max.ms", "500"},
                       {"retry.backoff.max.ms", "500"}};
  for (const auto& [key, value] : command.value("configs", json::object()).items()) config.set(key, value);
  return config;
}

Outcome produce(const json& command) {
  auto producer = kafka::Producer::create(producer_config(command));
  if (!producer) return failure(producer);
  Sending sending;
  std::string topic = command["topic"];
  int pace_ms = command.value("pace_ms", 0);
  size_t index = 0;
  for (const auto& row : command["records"]) {
    send(*producer, topic, Row(row), index++, sending);
    if (pace_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pace_ms));
  }
  auto flushed = producer->flush().get();
  auto closed = producer->close();
  if (sending.failed > 0) return std::to_string(sending.failed) + " failed: " + sending.first_failure;
  if (!flushed) return failure(flushed);
  return failure(closed);
}

// {"do": "transact", "bootstrap", "topic", "id", "steps": [[records, "commit" | "abort"]…], "offsets": {group, topic,
// offsets: [[partition, offset]…]}?}: one producer, a transaction for each step.
Outcome transact(const json& command) {
  auto config = producer_config(command);
  config.set("transactional.id", command["id"]);
  auto producer = kafka::Producer::create(config);
  if (!producer) return failure(producer);
  if (auto begun = producer->init_transactions().get(); !begun) return failure(begun);
  Sending sending;
  std::string topic = command["topic"];
  size_t index = 0;
  for (const auto& step : command["steps"]) {
    if (auto begun = producer->begin_transaction(); !begun) return failure(begun);
    for (const auto& row : step[0]) send(*producer, topic, Row(row), index++, sending);
    if (command.contains("offsets") && step[1] == "commit") {
      const auto& given = command["offsets"];
      std::map<kafka::TopicPartition, kafka::OffsetAndMetadata> offsets;
      for (const auto& pair : given["offsets"]) offsets[{given["topic"], pair[0]}] = {.offset = pair[1]};
      auto sent = producer->send_offsets_to_transaction(offsets, {.group_id = given["group"]}).get();
      if (!sent) return failure(sent);
    }
    if (step[1] == "abort") {
      // What is to be aborted is there first.
      static_cast<void>(producer->flush().get());
      if (auto ended = producer->abort_transaction().get(); !ended) return failure(ended);
    } else if (auto ended = producer->commit_transaction().get(); !ended) {
      return failure(ended);
    }
  }
  if (sending.failed > 0) return std::to_string(sending.failed) + " failed: " + sending.first_failure;
  return failure(producer->close());
}

// Two producers with one id: the first must be shut out by the second and say so.
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
  emit({{"fenced", {std::string(seen.error().name()), seen.error().fatal}}});
  if (auto begun = first->begin_transaction(); begun) return "the first could begin again";
  if (auto begun = second->begin_transaction(); !begun) return failure(begun);
  auto of_second = second->send({.topic = topic, .partition = 0, .value = "of the second"});
  if (auto ended = second->commit_transaction().get(); !ended) return failure(ended);
  return failure(of_second.get());
}

json text_or_null(const std::optional<std::string_view>& text) {
  return text ? json(std::string(*text)) : json();
}

void tell(const kafka::ConsumerRecord& record) {
  json headers = json::array();
  for (const auto& header : record.headers.all()) {
    headers.push_back({std::string(header.key), text_or_null(header.value)});
  }
  emit({{"record", {record.partition, record.offset, text_or_null(record.key), text_or_null(record.value), headers}}});
}

kafka::Config consumer_config(const json& command) {
  kafka::Config config{{"bootstrap.servers", command["bootstrap"]},
                       {"auto.offset.reset", "earliest"},
                       {"enable.auto.commit", "false"},
                       {"heartbeat.interval.ms", "500"},
                       {"session.timeout.ms", "10000"},
                       {"reconnect.backoff.max.ms", "500"},
                       {"fetch.max.wait.ms", "100"},
                       {"partition.assignment.strategy", "range"}};
  if (command.contains("group") && command["group"].is_string()) config.set("group.id", command["group"]);
  return config;
}

Outcome consume(const json& command) {
  auto consumer = kafka::Consumer::create(consumer_config(command));
  if (!consumer) return failure(consumer);
  std::string topic = command["topic"];
  bool in_group = command.contains("group") && command["group"].is_string();
  if (in_group) {
    if (auto subscribed = consumer->subscribe({topic}); !subscribed) return failure(subscribed);
  } else {
    std::vector<kafka::TopicPartition> partitions;
    for (int32_t partition : command["partitions"]) partitions.push_back({topic, partition});
    if (auto assigned = consumer->assign(partitions); !assigned) return failure(assigned);
    if (auto sought = consumer->seek_to_beginning(partitions); !sought) return failure(sought);
  }
  size_t expected = command["expect"], seen = 0;
  std::map<kafka::TopicPartition, kafka::OffsetAndMetadata> positions;
  while (seen < expected) {
    auto records = consumer->poll(kafka::Milliseconds(1000));
    if (!records) {
      if (records.error().retriable) continue;
      return failure(records);
    }
    for (const auto& record : *records) {
      if (seen == expected) break;  // the rest is another's to read
      tell(record);
      ++seen;
      positions[{topic, record.partition}] = {.offset = record.offset + 1};
    }
  }
  if (in_group) {
    if (auto committed = consumer->commit(positions).get(); !committed) return failure(committed);
  }
  return failure(consumer->close());
}

Outcome member(const json& command) {
  auto consumer = kafka::Consumer::create(consumer_config(command));
  if (!consumer) return failure(consumer);
  std::set<int32_t> held;
  auto say = [&] { emit({{"assigned", std::vector<int32_t>(held.begin(), held.end())}}); };
  // Nothing to commit, or the broker is away: what is read twice is not lost.
  auto commit = [&] { static_cast<void>(consumer->commit().get()); };
  kafka::RebalanceListener listener;
  listener.on_assigned = [&](auto partitions) {
    for (const auto& partition : partitions) held.insert(partition.partition);
    say();
  };
  listener.on_revoked = [&](auto partitions) {
    commit();
    for (const auto& partition : partitions) held.erase(partition.partition);
  };
  listener.on_lost = [&](auto partitions) {
    for (const auto& partition : partitions) held.erase(partition.partition);
  };
  if (auto subscribed = consumer->subscribe({command["topic"]}, listener); !subscribed) return failure(subscribed);
  auto last_commit = std::chrono::steady_clock::now();
  while (!std::filesystem::exists(command["until"].get<std::string>())) {
    auto records = consumer->poll(kafka::Milliseconds(100));
    if (!records && !records.error().retriable) return failure(records);
    if (records) {
      for (const auto& record : *records) tell(record);
    }
    if (std::chrono::steady_clock::now() - last_commit > std::chrono::seconds(1)) {
      if (!held.empty()) consumer->commit_async();
      last_commit = std::chrono::steady_clock::now();
    }
  }
  commit();
  return failure(consumer->close());
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json command = json::parse(line, nullptr, false);
    Outcome wrong = "not JSON";
    if (!command.is_discarded()) {
      std::string what = command.value("do", "");
      if (what == "create") {
        wrong = create(command);
      } else if (what == "produce") {
        wrong = produce(command);
      } else if (what == "consume") {
        wrong = consume(command);
      } else if (what == "member") {
        wrong = member(command);
      } else if (what == "transact") {
        wrong = transact(command);
      } else if (what == "fence") {
        wrong = fence(command);
      } else if (what == "consume") {
        wrong = driver::consume(command);
      } else if (what == "member") {
        wrong = driver::member(command);
      } else if (what == "share") {
        wrong = driver::share(command);
      } else {
        wrong = "no such command: " + what;
      }
    }
    if (wrong) {
      emit({{"error", *wrong}});
    } else {
      emit({{"done", true}});
    }
  }
}
