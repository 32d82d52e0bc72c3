// The nouns of Kafka as plain values: partitions, offsets, records, headers. Views (string_view, span) say in their
// comment how long they live.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barnabas::client {

using Milliseconds = std::chrono::milliseconds;
// Milliseconds since 1970-01-01 UTC, as records carry them; -1 when a record has none.
using Timestamp = int64_t;

struct TopicPartition {
  std::string topic{};
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

struct Uuid128 {
  uint64_t most = 0;
  uint64_t least = 0;
  bool is_zero() const { return most == 0 && least == 0; }
  std::string to_string() const;  // Kafka's base64, 22 characters
  auto operator<=>(const Uuid128&) const = default;
};

// An offset to commit or one that was committed: the next record to read.
struct OffsetAndMetadata {
  int64_t offset = -1;
  std::optional<int32_t> leader_epoch{};
  std::string metadata{};
  bool operator==(const OffsetAndMetadata&) const = default;
};

struct OffsetAndTimestamp {
  int64_t offset = -1;
  Timestamp timestamp = -1;
  std::optional<int32_t> leader_epoch{};
};

// A header to send, or of a record that was read. A null value and an empty one differ.
struct Header {
  std::string_view key;
  std::optional<std::string_view> value{};
  bool operator==(const Header&) const = default;
};

// A record to send. The views need to live until send() returns: it copies.
struct ProducerRecord {
  std::string_view topic;
  std::optional<int32_t> partition{};       // absent: the partitioner chooses
  std::optional<std::string_view> key{};    // absent: null
  std::optional<std::string_view> value{};  // absent: null (a tombstone in a compacted topic)
  std::optional<Timestamp> timestamp{};     // absent: now
  std::span<const Header> headers{};
};

enum class TimestampType { kNone, kCreateTime, kLogAppendTime };

// Where a record went.
struct RecordMetadata {
  std::string topic{};
  int32_t partition = -1;
  int64_t offset = -1;       // -1 with acks=0, and for a duplicate whose offset the broker no longer knows
  Timestamp timestamp = -1;  // the record's, or the broker's with message.timestamp.type=LogAppendTime
};

// The headers of a record that was read, decoded as they are asked for. Lives as long as the record.
class Headers {
 public:
  Headers() = default;
  explicit Headers(std::span<const std::byte> encoded) : encoded_(encoded) {}  // count and headers, as on the wire
  std::vector<Header> all() const;
  // The last header with this key, as Java's lastHeader.
  std::optional<Header> last(std::string_view key) const;
  bool empty() const;

 private:
  std::span<const std::byte> encoded_;
};

// A record that was read. Everything in it is a view of the ConsumerRecords it came with.
struct ConsumerRecord {
  std::string_view topic;
  int32_t partition = -1;
  int64_t offset = -1;
  Timestamp timestamp = -1;
  TimestampType timestamp_type = TimestampType::kNone;
  int32_t leader_epoch = -1;
  int16_t delivery_count = 0;  // share groups: how often it was handed out, from 1; 0 elsewhere
  std::optional<std::string_view> key{};
  std::optional<std::string_view> value{};
  Headers headers;
};

}  // namespace barnabas::client
