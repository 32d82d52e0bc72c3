#include "cli/shims/message_formatter.h"

#include <fmt/format.h>

#include <bit>
#include <cstdio>

#include "base/bytes.h"
#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

std::string_view timestamp_name(client::TimestampType type) {
  switch (type) {
    case client::TimestampType::kCreateTime:
      return "CreateTime";
    case client::TimestampType::kLogAppendTime:
      return "LogAppendTime";
    case client::TimestampType::kNone:
      break;
  }
  return "NoTimestampType";
}

}  // namespace

std::optional<MessageFormatter> MessageFormatter::make(std::string_view class_name,
                                                       const std::map<std::string, std::string>& properties) {
  MessageFormatter formatter;
  std::string_view name = class_name.substr(class_name.rfind('.') + 1);
  // kafka.tools is where they were before Kafka 4.0.
  bool ours = class_name.starts_with("org.apache.kafka.tools.consumer.") || class_name.starts_with("kafka.tools.");
  if (!ours) return std::nullopt;
  if (name == "NoOpMessageFormatter") {
    formatter.kind_ = Kind::kNothing;
  } else if (name != "DefaultMessageFormatter" && name != "LoggingMessageFormatter") {
    return std::nullopt;
  }
  auto truth = [&](const char* key, bool& into) {
    auto found = properties.find(key);
    if (found == properties.end()) return;
    std::string text(trim(found->second));
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    into = text == "true";
  };
  auto take = [&](const char* key, std::string& into) {
    auto found = properties.find(key);
    if (found != properties.end()) into = found->second;
  };
  truth("print.timestamp", formatter.timestamp_);
  truth("print.key", formatter.key_);
  truth("print.offset", formatter.offset_);
  truth("print.delivery", formatter.delivery_);
  truth("print.epoch", formatter.epoch_);
  truth("print.partition", formatter.partition_);
  truth("print.headers", formatter.headers_);
  truth("print.value", formatter.value_);
  take("key.separator", formatter.key_separator_);
  take("line.separator", formatter.line_separator_);
  take("headers.separator", formatter.headers_separator_);
  take("null.literal", formatter.null_);
  formatter.key_decoding_ = decoding_of(properties, "key.deserializer");
  formatter.value_decoding_ = decoding_of(properties, "value.deserializer");
  formatter.headers_decoding_ = decoding_of(properties, "headers.deserializer");
  return formatter;
}

MessageFormatter::Decoding MessageFormatter::decoding_of(const std::map<std::string, std::string>& properties,
                                                         const std::string& name) {
  auto found = properties.find(name);
  if (found == properties.end()) return Decoding::kText;
  std::string_view type = std::string_view(found->second).substr(found->second.rfind('.') + 1);
  if (type == "LongDeserializer") return Decoding::kLong;
  if (type == "IntegerDeserializer") return Decoding::kInteger;
  if (type == "ShortDeserializer") return Decoding::kShort;
  if (type == "DoubleDeserializer") return Decoding::kDouble;
  if (type == "FloatDeserializer") return Decoding::kFloat;
  if (type != "StringDeserializer" && type != "ByteArrayDeserializer") {
    warn(fmt::format("Unable to instantiate a deserializer from {}\n", found->second));
  }
  return Decoding::kText;
}

std::string MessageFormatter::decoded(std::optional<std::string_view> bytes, Decoding decoding) const {
  if (!bytes) return null_;
  const auto* data = reinterpret_cast<const std::byte*>(bytes->data());
  switch (decoding) {
    case Decoding::kShort:
      if (bytes->size() == 2) return std::to_string(load_be<int16_t>(data));
      break;
    case Decoding::kInteger:
      if (bytes->size() == 4) return std::to_string(load_be<int32_t>(data));
      break;
    case Decoding::kLong:
      if (bytes->size() == 8) return std::to_string(load_be<int64_t>(data));
      break;
    case Decoding::kDouble:
      if (bytes->size() == 8) return fmt::format("{}", std::bit_cast<double>(load_be<uint64_t>(data)));
      break;
    case Decoding::kFloat:
      if (bytes->size() == 4) return fmt::format("{}", std::bit_cast<float>(load_be<uint32_t>(data)));
      break;
    case Decoding::kText:
      break;
  }
  return std::string(*bytes);
}

std::string MessageFormatter::text(const client::ConsumerRecord& record) const {
  std::string out;
  if (kind_ == Kind::kNothing) return out;
  // What is printed, in order; each but the last is followed by the separator.
  struct Part {
    bool wanted;
    std::string text;
  };
  std::string headers;
  if (headers_) {
    for (const auto& header : record.headers.all()) {
      if (!headers.empty()) headers += headers_separator_;
      headers += fmt::format("{}:{}", header.key, decoded(header.value, headers_decoding_));
    }
    if (headers.empty()) headers = "NO_HEADERS";
  }
  std::string time = record.timestamp_type == client::TimestampType::kNone
                         ? "NO_TIMESTAMP"
                         : fmt::format("{}:{}", timestamp_name(record.timestamp_type), record.timestamp);
  const Part parts[] = {
      {timestamp_, time},
      {partition_, fmt::format("Partition:{}", record.partition)},
      {offset_, fmt::format("Offset:{}", record.offset)},
      {delivery_,
       record.delivery_count > 0 ? fmt::format("Delivery:{}", record.delivery_count) : "Delivery:NOT_PRESENT"},
      {epoch_, "Epoch:NOT_PRESENT"},
      {headers_, headers},
      {key_, decoded(record.key, key_decoding_)},
      {value_, decoded(record.value, value_decoding_)},
  };
  bool first = true;
  for (const Part& part : parts) {
    if (!part.wanted) continue;
    if (!first) out += key_separator_;
    out += part.text;
    first = false;
  }
  if (!first) out += line_separator_;
  return out;
}

void MessageFormatter::write(const client::ConsumerRecord& record) const {
  std::string line = text(record);
  if (!line.empty()) std::fwrite(line.data(), 1, line.size(), stdout);
}

}  // namespace barnabas::cli::shims
