// kafka-console-producer
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "barnabas/producer.h"
#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

constexpr std::string_view kLineReader = "org.apache.kafka.tools.LineMessageReader";

constexpr Option kTable[] = {
    text("topic", "topic", "REQUIRED: The topic to send to"),
    text("bootstrap-server", "server to connect to", "REQUIRED: Brokers to begin with, as HOST1:PORT1,HOST2:PORT2"),
    flag("sync", "Wait for each record before the next one is sent"),
    maybe_text("compression-codec", "compression-codec", "none, gzip, snappy, lz4 or zstd; gzip when no name is given"),
    integer("batch-size", "size", "How many bytes of records of a partition go into one batch", "16384"),
    integer("message-send-max-retries", "", "How often sending is tried again", "3"),
    long_integer("retry-backoff-ms", "", "How long to wait before that", "100"),
    long_integer("timeout", "timeout_ms", "How long records may wait for others to make a batch", "1000"),
    text("request-required-acks", "request required acks", "Which acknowledgements are wanted: 0, 1 or -1", "-1"),
    integer("request-timeout-ms", "request timeout ms", "How long a request may take", "1500"),
    long_integer("metadata-expiry-ms", "metadata expiration interval", "How old metadata may be", "300000"),
    long_integer("max-block-ms", "max block on send", "How long sending a record may wait", "60000"),
    long_integer("max-memory-bytes", "total memory in bytes", "How many bytes may wait to be sent", "33554432"),
    integer("max-partition-memory-bytes", "memory in bytes per partition", "An old name of --batch-size", "16384"),
    integer("socket-buffer-size", "size", "The size of the TCP buffers", "102400"),
    text("line-reader", "reader_class", "The class that makes records of lines; only the built-in one", kLineReader),
    text("property", "prop", "An old name of --reader-property"),
    text("reader-property", "prop",
         "How lines are read, as key=value: parse.key, key.separator, parse.headers, headers.delimiter, "
         "headers.separator, headers.key.separator, null.marker, ignore.error"),
    text("reader-config", "config file", "The same in a file"),
    text("producer-property", "producer_prop", "An old name of --command-property"),
    text("command-property", "producer_prop", "A property of the producer, as key=value"),
    text("producer.config", "config file", "An old name of --command-config"),
    text("command-config", "config file", "Properties of the producer in a file"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};
constexpr std::string_view kAbout = "This tool helps to read data from standard input and publish it to Kafka.";

int failed(std::string_view message) {
  warn(fmt::format("{}\n", message));
  return 1;
}

// Makes records of lines, as the LineMessageReader of Kafka.
class LineReader {
 public:
  struct Parts {
    std::optional<std::string_view> key, value;
    std::vector<client::Header> headers;
  };

  std::optional<std::string> configure(const std::map<std::string, std::string>& properties) {
    auto take = [&](const char* name, std::string& into) {
      auto found = properties.find(name);
      if (found != properties.end()) into = found->second;
    };
    auto truth = [&](const char* name) {
      auto found = properties.find(name);
      if (found == properties.end()) return false;
      std::string text(trim(found->second));
      for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      return text == "true";
    };
    parse_key_ = truth("parse.key");
    parse_headers_ = truth("parse.headers");
    ignore_error_ = truth("ignore.error");
    take("key.separator", key_separator_);
    take("headers.delimiter", headers_delimiter_);
    take("headers.separator", headers_separator_);
    take("headers.key.separator", headers_key_separator_);
    auto marker = properties.find("null.marker");
    if (marker != properties.end()) null_marker_ = marker->second;
    struct Pair {
      std::string_view first, second;
      bool equal;
    };
    const Pair pairs[] = {
        {"headers.delimiter", "headers.separator", headers_delimiter_ == headers_separator_},
        {"headers.delimiter", "headers.key.separator", headers_delimiter_ == headers_key_separator_},
        {"headers.separator", "headers.key.separator", headers_separator_ == headers_key_separator_},
        {"null.marker", "key.separator", null_marker_ == key_separator_},
        {"null.marker", "headers.separator", null_marker_ == headers_separator_},
        {"null.marker", "headers.delimiter", null_marker_ == headers_delimiter_},
        {"null.marker", "headers.key.separator", null_marker_ == headers_key_separator_},
    };
    for (const Pair& pair : pairs) {
      if (pair.equal) return fmt::format("{} and {} may not be equal", pair.first, pair.second);
    }
    return std::nullopt;
  }

  // Views of `line`.
  std::expected<Parts, std::string> read(std::string_view line) {
    ++line_number_;
    whole_ = line;
    Parts parts;
    std::optional<std::string_view> headers;
    std::optional<std::string_view> key;
    if (auto wrong = cut(parse_headers_, line, headers_delimiter_, "headers delimiter", headers)) {
      return std::unexpected(*wrong);
    }
    if (auto wrong = cut(parse_key_, line, key_separator_, "key separator", key)) return std::unexpected(*wrong);
    parts.key = unless_null(key);
    parts.value = unless_null(line);
    if (headers && headers != null_marker_) {
      if (auto wrong = split_headers(*headers, parts.headers)) return std::unexpected(*wrong);
    }
    return parts;
  }

 private:
  std::optional<std::string_view> unless_null(std::optional<std::string_view> text) const {
    return text && null_marker_ && *text == *null_marker_ ? std::nullopt : text;
  }

  // Takes what is before `separator` off the line.
  std::optional<std::string> cut(bool wanted, std::string_view& line, const std::string& separator,
                                 std::string_view what, std::optional<std::string_view>& into) const {
    if (!wanted) return std::nullopt;
    size_t at = line.find(separator);
    if (at == std::string_view::npos) {
      if (ignore_error_) return std::nullopt;
      return fmt::format("No {} found on line number {}: '{}'", what, line_number_, whole_);
    }
    into = line.substr(0, at);
    line.remove_prefix(at + separator.size());
    return std::nullopt;
  }

  std::optional<std::string> split_headers(std::string_view text, std::vector<client::Header>& into) const {
    while (true) {
      size_t end = headers_separator_.empty() ? std::string_view::npos : text.find(headers_separator_);
      std::string_view pair = text.substr(0, end);
      size_t at = pair.find(headers_key_separator_);
      if (at == std::string_view::npos && !ignore_error_) {
        return fmt::format("No header key separator found in pair '{}' on line number {}", pair, line_number_);
      }
      if (at == std::string_view::npos) {
        into.push_back({.key = pair});
      } else {
        std::string_view key = pair.substr(0, at);
        if (null_marker_ && key == *null_marker_) {
          return fmt::format("Header keys should not be equal to the null marker '{}' as they can't be null", key);
        }
        into.push_back({.key = key, .value = unless_null(pair.substr(at + headers_key_separator_.size()))});
      }
      if (end == std::string_view::npos) return std::nullopt;
      text.remove_prefix(end + headers_separator_.size());
    }
  }

  bool parse_key_ = false, parse_headers_ = false, ignore_error_ = false;
  std::string key_separator_ = "\t", headers_delimiter_ = "\t", headers_separator_ = ",", headers_key_separator_ = ":";
  std::optional<std::string> null_marker_;
  size_t line_number_ = 0;
  std::string_view whole_;
};

client::Result<std::map<std::string, std::string>> reader_properties(const Options& options) {
  std::map<std::string, std::string> properties;
  if (options.has("reader-config")) {
    auto file = client::Config::load(options.value("reader-config"));
    if (!file) return std::unexpected(file.error());
    properties.insert(file->entries().begin(), file->entries().end());
  }
  for (std::string_view option : {"property", "reader-property"}) {
    for (const std::string& setting : options.values(option)) {
      size_t equals = std::min(setting.find('='), setting.size());
      properties[setting.substr(0, equals)] = setting.substr(std::min(equals + 1, setting.size()));
    }
  }
  return properties;
}

client::Result<client::Config> producer_config(const Options& options) {
  client::Config config{{"linger.ms", "1000"}, {"client.id", "console-producer"}};
  for (std::string_view option : {"producer.config", "command-config"}) {
    if (!options.has(option)) continue;
    auto file = client::Config::load(options.value(option));
    if (!file) return file;
    config.merge(*file);
  }
  for (std::string_view option : {"producer-property", "command-property"}) {
    for (const std::string& setting : options.values(option)) {
      size_t equals = std::min(setting.find('='), setting.size());
      config.set(setting.substr(0, equals), setting.substr(std::min(equals + 1, setting.size())));
    }
  }
  config.set("bootstrap.servers", options.value("bootstrap-server"));
  if (options.has("compression-codec")) {
    std::string codec = options.value("compression-codec");
    config.set("compression.type", codec.empty() ? "gzip" : codec);
  }
  constexpr std::pair<std::string_view, std::string_view> kKeys[] = {
      {"batch-size", "batch.size"},
      {"max-partition-memory-bytes", "batch.size"},
      {"message-send-max-retries", "retries"},
      {"retry-backoff-ms", "retry.backoff.ms"},
      {"timeout", "linger.ms"},
      {"request-required-acks", "acks"},
      {"request-timeout-ms", "request.timeout.ms"},
      {"metadata-expiry-ms", "metadata.max.age.ms"},
      {"max-block-ms", "max.block.ms"},
      {"max-memory-bytes", "buffer.memory"},
      {"socket-buffer-size", "send.buffer.bytes"},
  };
  for (const auto& [option, key] : kKeys) {
    if (options.has(option)) config.set(std::string(key), options.value(option));
  }
  return config;
}

void tell_lost(const std::string& topic, size_t key, size_t value, const client::Error& error) {
  warn(fmt::format("Error when sending message to topic {} with key: {} bytes, value: {} bytes with error: {}\n", topic,
                   key, value, java_message(error)));
}

void tell_deprecated(const Options& options) {
  constexpr std::pair<std::string_view, std::string_view> kOld[] = {{"property", "reader-property"},
                                                                    {"producer-property", "command-property"},
                                                                    {"producer.config", "command-config"}};
  for (const auto& [old, now] : kOld) {
    if (!options.has(old)) continue;
    say(fmt::format("Option --{} is deprecated and will be removed in a future version. Use --{} instead.\n", old,
                    now));
  }
}

}  // namespace

int console_producer(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) return usage_error(kTable, options.error());
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (auto missing = require(*options, kTable, {"topic", "bootstrap-server"})) return *missing;
  if (auto wrong = options->fault({"topic", "bootstrap-server"})) return failed(*wrong);
  for (const std::string& server : split(options->value("bootstrap-server"), ',')) {
    if (!server.contains(':'))
      return usage_error(kTable, "Please provide valid host:port like host1:9091,host2:9092\n");
  }
  tell_deprecated(*options);
  if (options->value("line-reader") != kLineReader) {
    return failed("java.lang.ClassNotFoundException: " + options->value("line-reader"));
  }
  auto properties = reader_properties(*options);
  if (!properties) return failed(properties.error().message);
  LineReader reader;
  if (auto wrong = reader.configure(*properties)) return failed("org.apache.kafka.common.KafkaException: " + *wrong);
  auto config = producer_config(*options);
  if (!config) return failed(config.error().message);
  auto producer = client::Producer::create(*config);
  if (!producer) return failed(java_config_message(producer.error()));
  std::string topic = options->value("topic");
  bool prompt = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  int code = 0;
  std::string line;
  while (true) {
    if (prompt) say(fmt::format(">"));
    if (prompt) std::fflush(stdout);
    if (!std::getline(std::cin, line)) break;
    if (line.ends_with('\r')) line.pop_back();
    auto parts = reader.read(line);
    if (!parts) {
      code = failed("org.apache.kafka.common.KafkaException: " + parts.error());
      break;
    }
    client::ProducerRecord record{.topic = topic, .key = parts->key, .value = parts->value, .headers = parts->headers};
    size_t key = parts->key ? parts->key->size() : 0, value = parts->value ? parts->value->size() : 0;
    if (options->has("sync")) {
      auto sent = producer->send(record).get();
      if (!sent) tell_lost(topic, key, value, sent.error());
      continue;
    }
    producer->send(record, [topic, key, value](client::Result<client::RecordMetadata> sent) {
      if (!sent) tell_lost(topic, key, value, sent.error());
    });
  }
  (void)producer->close();  // each record that was lost has been told
  return code;
}

}  // namespace barnabas::cli::shims
