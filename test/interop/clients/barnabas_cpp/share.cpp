#include "barnabas/share_consumer.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "driver.h"

namespace driver {

namespace {

bool is_in(const json& command, const char* list, const kafka::ConsumerRecord& record) {
  if (!command.contains(list)) return false;
  return std::ranges::any_of(command[list],
                             [&](const json& value) { return record.value == value.get<std::string>(); });
}

// What becomes of the record; accepted ones are shown.
kafka::Acknowledgement judge(const json& command, const kafka::ConsumerRecord& record) {
  if (is_in(command, "reject", record)) return kafka::Acknowledgement::kReject;
  if (record.delivery_count == 1 && is_in(command, "release_first", record)) return kafka::Acknowledgement::kRelease;
  return kafka::Acknowledgement::kAccept;
}

}  // namespace

Outcome share(const json& command) {
  int64_t left = command["expect"];
  bool judges = command.contains("reject");
  auto consumer = kafka::ShareConsumer::create(
      client_config(command, {{"share.acknowledgement.mode", judges ? "explicit" : "implicit"}}));
  if (!consumer) return failure(consumer);
  if (auto subscribed = consumer->subscribe({command["topic"]}); !subscribed) return failure(subscribed);
  std::string until = command.value("until", "");
  while (left > 0 && (until.empty() || !std::filesystem::exists(until))) {
    auto records = consumer->poll(kafka::Milliseconds(500));
    if (!records) {
      std::cerr << "poll: " << records.error().to_string() << std::endl;
      if (records.error().fatal) return failure(records);
      continue;
    }
    for (const auto& record : *records) {
      auto outcome = judges ? judge(command, record) : kafka::Acknowledgement::kAccept;
      if (judges) {
        if (auto taken = consumer->acknowledge(record, outcome); !taken) return failure(taken);
      }
      if (outcome != kafka::Acknowledgement::kAccept) continue;
      --left;
      show(record);
      emit({{"told", {"delivered", record.delivery_count}}});
    }
    auto committed = consumer->commit().get();
    if (!committed) return failure(committed);
    for (const auto& [at, taken] : *committed) {
      if (!taken) return "acknowledging: " + taken.error().to_string();
    }
  }
  return failure(consumer->close());
}

}  // namespace driver
