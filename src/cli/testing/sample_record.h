// SampleRecord: a record as a consumer gives it, for tests: with headers as they are on the wire.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/types.h"

namespace barnabas::cli {

class SampleRecord {
 public:
  using Header = std::pair<std::string, std::optional<std::string>>;
  SampleRecord(std::optional<std::string> key, std::optional<std::string> value,
               const std::vector<Header>& headers = {})
      : key_(std::move(key)), value_(std::move(value)) {
    put(static_cast<int>(headers.size()));
    for (const auto& [name, content] : headers) {
      put(static_cast<int>(name.size()));
      encoded_ += name;
      put(content ? static_cast<int>(content->size()) : -1);
      encoded_ += content.value_or("");
    }
  }

  // Lives as long as this.
  client::ConsumerRecord record() const {
    client::ConsumerRecord record{.topic = "orders", .partition = 3, .offset = 42, .timestamp = 1000};
    record.key = key_;
    record.value = value_;
    record.headers = client::Headers(std::as_bytes(std::span(encoded_)));
    return record;
  }

 private:
  // A zigzag varint; small numbers take one byte, which tests keep to.
  void put(int number) { encoded_ += static_cast<char>(number < 0 ? -2 * number - 1 : 2 * number); }

  std::optional<std::string> key_, value_;
  std::string encoded_;
};

}  // namespace barnabas::cli
