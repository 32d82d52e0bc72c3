#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "driver.h"

namespace driver {

namespace {

kafka::Config consumer_config(const json& command, int64_t poll = 500) {
  kafka::Config config = client_config(command, {{"auto.offset.reset", "earliest"},
                                                 {"enable.auto.commit", "false"},
                                                 {"fetch.max.wait.ms", "100"},
                                                 {"max.poll.records", std::to_string(poll)}});
  // With KIP-848 the broker decides these.
  const std::string* protocol = config.find("group.protocol");
  if (protocol != nullptr && *protocol == "consumer") return config;
  for (const auto& [key, value] : kafka::Config{{"heartbeat.interval.ms", "500"},
                                                {"session.timeout.ms", "10000"},
                                                {"partition.assignment.strategy", "range"}}
                                      .entries()) {
    if (config.find(key) == nullptr) config.set(key, value);
  }
  return config;
}

bool in_group(const json& command) {
  return command.contains("group") && command["group"].is_string();
}

std::vector<kafka::TopicPartition> partitions_of(const std::string& topic, const json& numbers) {
  std::vector<kafka::TopicPartition> partitions;
  for (int32_t number : numbers) partitions.push_back({topic, number});
  return partitions;
}

// The broker may be away or the group have moved on: what is read twice is not lost.
void commit(kafka::Consumer& consumer) {
  auto done = consumer.commit().get_for(std::chrono::seconds(5));
  if (!done) std::cerr << "commit: no answer yet" << std::endl;
  if (done && !*done) std::cerr << "commit: " << done->error().to_string() << std::endl;
}

// Tells what the member holds after each change.
kafka::RebalanceListener telling(kafka::Consumer& consumer, std::set<int32_t>& held) {
  auto say = [&held] { emit({{"assigned", std::vector<int32_t>(held.begin(), held.end())}}); };
  auto drop = [&held](auto partitions) {
    for (const auto& partition : partitions) held.erase(partition.partition);
  };
  kafka::RebalanceListener listener;
  listener.on_assigned = [&held, say](auto partitions) {
    for (const auto& partition : partitions) held.insert(partition.partition);
    say();
  };
  listener.on_revoked = [&consumer, drop, say](auto partitions) {
    commit(consumer);
    drop(partitions);
    say();
  };
  listener.on_lost = [drop, say](auto partitions) {
    drop(partitions);
    emit({{"told", {"lost"}}});
    say();
  };
  return listener;
}

Outcome subscribe(kafka::Consumer& consumer, const json& command, kafka::RebalanceListener listener) {
  if (command.contains("pattern")) return failure(consumer.subscribe_pattern(command["pattern"], std::move(listener)));
  return failure(consumer.subscribe({command["topic"]}, std::move(listener)));
}

}  // namespace

Outcome consume(const json& command) {
  size_t expected = command["expect"], seen = 0;
  auto consumer = kafka::Consumer::create(consumer_config(command, std::clamp<int64_t>(command["expect"], 1, 500)));
  if (!consumer) return failure(consumer);
  std::string topic = command["topic"];
  if (in_group(command)) {
    if (auto wrong = subscribe(*consumer, command, {})) return wrong;
  } else {
    auto partitions = partitions_of(topic, command["partitions"]);
    if (auto assigned = consumer->assign(partitions); !assigned) return failure(assigned);
    if (auto sought = consumer->seek_to_beginning(partitions); !sought) return failure(sought);
  }
  std::map<kafka::TopicPartition, kafka::OffsetAndMetadata> positions;
  while (seen < expected) {
    auto records = consumer->poll(kafka::Milliseconds(500));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().retriable) continue;
      return failure(records);
    }
    for (const auto& record : *records) {
      if (seen == expected) break;  // the rest is another's to read
      show(record);
      ++seen;
      positions[{topic, record.partition}] = {.offset = record.offset + 1};
    }
  }
  if (in_group(command)) {
    if (auto committed = consumer->commit(positions).get(); !committed) return failure(committed);
  }
  return failure(consumer->close());
}

Outcome member(const json& command) {
  std::set<int32_t> held;
  auto consumer = kafka::Consumer::create(consumer_config(command, 50));
  if (!consumer) return failure(consumer);
  if (auto wrong = subscribe(*consumer, command, telling(*consumer, held))) return wrong;
  while (!std::filesystem::exists(command["until"].get<std::string>())) {
    auto records = consumer->poll(kafka::Milliseconds(100));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().retriable) continue;
      return failure(records);
    }
    for (const auto& record : *records) show(record);
    if (!records->empty()) commit(*consumer);
  }
  return failure(consumer->close());
}

namespace {

// One consumer of "steps".
class Stepping {
 public:
  Stepping(kafka::Consumer& consumer, const json& command)
      : consumer_(consumer), command_(command), topic_(command["topic"]) {}

  Outcome take(const json& step) {
    std::string name = step[0];
    if (name == "assign") return failure(consumer_.assign(partitions_of(topic_, step[1])));
    if (name == "subscribe") return subscribe(consumer_, command_, telling(consumer_, held_));
    if (name == "hold") return poll_until([&] { return held_.size() == step[1]; });
    if (name == "read") return poll_until([&, all = shown_ + step[1].get<size_t>()] { return shown_ >= all; });
    if (name == "poll") return poll_once(step[1]);
    if (name == "wakeup") return wake(step[1]);
    if (name == "idle until") return idle(step[1]);
    if (name == "commit") return failure(consumer_.commit().get());
    if (name == "seek to time") return failure(consumer_.seek_to_time(consumer_.assignment(), step[1]).get());
    if (name == "positions") return tell_positions();
    return "no such step: " + name;
  }

 private:
  template <class Condition>
  Outcome poll_until(Condition condition) {
    while (!condition()) {
      auto records = consumer_.poll(kafka::Milliseconds(100));
      if (!records && !records.error().retriable) return failure(records);
      if (records) show_all(*records);
    }
    return std::nullopt;
  }
  Outcome poll_once(int64_t limit_ms) {
    auto records = consumer_.poll(kafka::Milliseconds(limit_ms));
    if (!records) {
      emit({{"told", {"failed", std::string(records.error().name()), records.error().message, records.error().fatal}}});
      return std::nullopt;
    }
    show_all(*records);
    emit({{"told", {"polled", records->size()}}});
    return std::nullopt;
  }
  // From another thread, while poll() waits or before it does.
  Outcome wake(int64_t after_ms) {
    std::thread other([this, after_ms] {
      std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
      consumer_.wakeup();
    });
    if (after_ms == 0) other.join();
    Outcome wrong = poll_once(600000);
    if (other.joinable()) other.join();
    return wrong;
  }
  static Outcome idle(const std::string& until) {
    while (!std::filesystem::exists(until)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return std::nullopt;
  }
  Outcome tell_positions() {
    json positions = json::array({"positions"});
    for (const auto& at : consumer_.assignment()) {
      auto position = consumer_.position(at).get();
      if (!position) return failure(position);
      positions.push_back(json::array({at.partition, *position}));
    }
    emit({{"told", positions}});
    return std::nullopt;
  }
  void show_all(const kafka::ConsumerRecords& records) {
    for (const auto& record : records) show(record);
    shown_ += records.size();
  }

  kafka::Consumer& consumer_;
  const json& command_;
  std::string topic_;
  std::set<int32_t> held_;
  size_t shown_ = 0;
};

}  // namespace

Outcome steps(const json& command) {
  auto consumer = kafka::Consumer::create(consumer_config(command));
  if (!consumer) return failure(consumer);
  Stepping stepping(*consumer, command);
  for (const auto& step : command["steps"]) {
    if (auto wrong = stepping.take(step)) return wrong;
    emit({{"told", {"took", step[0]}}});
  }
  return failure(consumer->close());
}

}  // namespace driver
