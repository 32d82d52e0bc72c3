// What the files of the driver share: commands, each an Outcome, and the events they print.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"

namespace driver {

using nlohmann::json;
namespace kafka = barnabas::client;

using Outcome = std::optional<std::string>;  // what went wrong

template <class T>
Outcome failure(const kafka::Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().to_string();
}

// Prints one event as a line. Any thread.
void emit(const json& event);
// {"record": [partition, offset, key, value, headers]}
void show(const kafka::ConsumerRecord& record);
std::optional<std::string> text_of(const json& value);
// The settings all our clients of a test run with, what `command` says beside them under "settings" on top.
kafka::Config client_config(const json& command, std::initializer_list<std::pair<const std::string, std::string>> own);

// One row of "records": [partition, key, value, [[name, value]…]].
struct Row {
  explicit Row(const json& row);
  int32_t partition;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

Outcome create(const json& command);
// "timestamps": one for each record, if they are to have any of their own; "until": sends no more of them once that
// file is there.
Outcome produce(const json& command);
// {"do": "transact", …, "id", "steps": [[records, "commit" | "abort" | "leave"]…], "offsets": {group, topic, offsets:
// [[partition, offset]…]}?}: one producer, a transaction for each step. "leave" ends the command in the middle of one.
Outcome transact(const json& command);
// {"do": "fence", …, "id"}: two producers with one id; the first must be shut out by the second and say so.
Outcome fence(const json& command);
Outcome consume(const json& command);
// "pattern" in place of the topic.
Outcome member(const json& command);
// {"do": "share", …, "group", "expect", "until"?, "reject": [values]?, "release_first": [values]?}: reads until
// `expect` records are accepted or the file `until` is there; rejects some, gives some back once.
Outcome share(const json& command);
// {"do": "steps", "topic", "group"?, "steps": [[name, argument…]…]}: one consumer, one thing after the other.
Outcome steps(const json& command);

}  // namespace driver
