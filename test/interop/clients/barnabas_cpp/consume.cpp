#include <chrono>
#include <filesystem>
#include <iostream>

#include "barnabas/consumer.h"
#include "barnabas/share_consumer.h"
#include "driver.h"

namespace driver {

namespace {

using namespace barnabas::client;
using nlohmann::json;

struct Failed {
  std::string why;
};

template <class T>
T need(Result<T> result) {
  if (!result) throw Failed{result.error().to_string()};
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

json text(std::optional<std::string_view> value) {
  return value ? json(std::string(*value)) : json();
}

Config config_of(const json& command, int64_t poll) {
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
  json headers = json::array();
  for (const Header& header : record.headers.all()) {
    headers.push_back(json::array({std::string(header.key), text(header.value)}));
  }
  emit({{"record", json::array({record.partition, record.offset, text(record.key), text(record.value), headers})}});
}

// The broker may be away or the group have moved on: what is read twice is not lost.
void commit(Consumer& consumer) {
  auto done = consumer.commit().get_for(std::chrono::seconds(5));
  if (!done) std::cerr << "commit: no answer yet" << std::endl;
  if (done && !*done) std::cerr << "commit: " << done->error().to_string() << std::endl;
}

void run_consume(const json& command) {
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
      if (records.error().fatal) throw Failed{records.error().to_string()};
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

void run_member(const json& command) {
  std::string topic = command.at("topic");
  std::filesystem::path until(command.at("until").get<std::string>());
  Consumer consumer = need(Consumer::create(config_of(command, 50)));
  auto tell = [&](std::span<const TopicPartition>) {
    json partitions = json::array();
    for (const auto& at : consumer.assignment()) partitions.push_back(at.partition);
    emit({{"assigned", partitions}});
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
      if (records.error().fatal) throw Failed{records.error().to_string()};
      continue;
    }
    for (const ConsumerRecord& record : *records) show(record);
    if (!records->empty()) commit(consumer);
  }
  need(consumer.close());
}

// {"do": "share", "bootstrap", "topic", "group", "expect", "reject": [values], "release_first": [values]}: reads until
// `expect` records are accepted; rejects some, gives some back once. Events: record, as of a consumer.
void run_share(const json& command) {
  int64_t left = command.at("expect");
  Config config{{"bootstrap.servers", command.at("bootstrap")}, {"group.id", command.at("group")}};
  bool judges = command.contains("reject");
  if (judges) config.set("share.acknowledgement.mode", "explicit");
  ShareConsumer consumer = need(ShareConsumer::create(config));
  need(consumer.subscribe({command.at("topic")}));
  auto is_in = [&](const char* list, const ConsumerRecord& record) {
    if (!command.contains(list)) return false;
    for (const auto& value : command[list]) {
      if (record.value == value.get<std::string>()) return true;
    }
    return false;
  };
  while (left > 0) {
    auto records = consumer.poll(Milliseconds(500));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().fatal) throw Failed{records.error().to_string()};
      continue;
    }
    for (const ConsumerRecord& record : *records) {
      if (judges && is_in("reject", record)) {
        need(consumer.acknowledge(record, Acknowledgement::kReject));
        continue;
      }
      if (judges && is_in("release_first", record) && record.delivery_count == 1) {
        need(consumer.acknowledge(record, Acknowledgement::kRelease));
        continue;
      }
      if (judges) need(consumer.acknowledge(record));
      --left;
      show(record);
    }
    for (const auto& [at, taken] : need(consumer.commit().get())) {
      if (!taken) std::cerr << "acknowledging: " << taken.error().to_string() << std::endl;
    }
  }
  need(consumer.close());
}

Outcome attempt(void (*work)(const json&), const json& command) {
  try {
    work(command);
    return std::nullopt;
  } catch (const Failed& failed) {
    return failed.why;
  } catch (const json::exception& failed) {
    return failed.what();
  }
}

}  // namespace

Outcome consume(const json& command) {
  return attempt(run_consume, command);
}

Outcome member(const json& command) {
  return attempt(run_member, command);
}

Outcome share(const json& command) {
  return attempt(run_share, command);
}

}  // namespace driver
