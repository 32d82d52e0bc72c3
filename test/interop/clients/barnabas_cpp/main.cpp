// Barnabas' own C++ client as a driver of the rig: JSON lines in, JSON lines out (rig/driver.py says which).

#include <iostream>
#include <map>
#include <mutex>

#include "barnabas/admin.h"
#include "driver.h"

namespace driver {

void emit(const json& event) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::cout << event.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
}

void show(const kafka::ConsumerRecord& record) {
  auto text = [](const std::optional<std::string_view>& value) { return value ? json(std::string(*value)) : json(); };
  json headers = json::array();
  for (const auto& header : record.headers.all()) {
    headers.push_back(json::array({std::string(header.key), text(header.value)}));
  }
  emit({{"record", json::array({record.partition, record.offset, text(record.key), text(record.value), headers})}});
}

std::optional<std::string> text_of(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::string>();
}

kafka::Config client_config(const json& command, std::initializer_list<std::pair<const std::string, std::string>> own) {
  kafka::Config config(own);
  config.set("bootstrap.servers", command["bootstrap"]);
  config.set("reconnect.backoff.max.ms", "500");
  config.set("retry.backoff.max.ms", "500");
  if (auto group = command.find("group"); group != command.end() && group->is_string()) config.set("group.id", *group);
  for (const auto& [key, value] : command.value("settings", json::object()).items()) {
    config.set(key, value.get<std::string>());
  }
  return config;
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

namespace {

const std::map<std::string, Outcome (*)(const json&)> kCommands{
    {"create", create},     {"produce", produce}, {"consume", consume}, {"member", member},
    {"transact", transact}, {"fence", fence},     {"share", share},     {"steps", steps},
};

Outcome obey(const std::string& line) {
  json command = json::parse(line, nullptr, false);
  if (command.is_discarded()) return "not JSON";
  auto found = kCommands.find(command.value("do", ""));
  if (found == kCommands.end()) return "no such command: " + command.value("do", "");
  return found->second(command);
}

}  // namespace

}  // namespace driver

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    if (auto wrong = driver::obey(line)) {
      driver::emit({{"error", *wrong}});
    } else {
      driver::emit({{"done", true}});
    }
  }
}
