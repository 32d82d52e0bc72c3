// kafka-console-consumer
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <random>

#include "barnabas/consumer.h"
#include "cli/shims/message_formatter.h"
#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::TopicPartition;
using Clock = std::chrono::steady_clock;

constexpr Option kTable[] = {
    text("topic", "topic", "The topic to read"),
    text("include", "Java regex (String)", "Topics to read, as a regular expression"),
    integer("partition", "partition", "The partition to read, from its end or from --offset"),
    text("offset", "consume offset", "Where to begin: an offset, 'earliest' or 'latest'", "latest"),
    text("consumer-property", "consumer_prop", "An old name of --command-property"),
    text("command-property", "consumer_prop", "A property of the consumer, as key=value"),
    text("consumer.config", "config file", "An old name of --command-config"),
    text("command-config", "config file", "Properties of the consumer in a file"),
    text("formatter", "class",
         "How records are printed: the class DefaultMessageFormatter, LoggingMessageFormatter or "
         "NoOpMessageFormatter",
         "org.apache.kafka.tools.consumer.DefaultMessageFormatter"),
    text("property", "prop", "An old name of --formatter-property"),
    text("formatter-property", "prop",
         "What is printed, as key=value: print.timestamp, print.key, print.offset, print.epoch, print.partition, "
         "print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, "
         "key.deserializer, value.deserializer, headers.deserializer"),
    text("formatter-config", "config file", "The same in a file"),
    flag("from-beginning", "Begin with the first record there is when the group has no offset yet"),
    integer("max-messages", "num_messages", "End after so many records"),
    long_integer("timeout-ms", "timeout_ms", "End when no record comes for so long"),
    flag("skip-message-on-error", "Go on after a record that cannot be printed"),
    text("bootstrap-server", "server to connect to", "REQUIRED: Brokers to begin with"),
    text("key-deserializer", "deserializer for keys", "The class that makes text of keys"),
    text("value-deserializer", "deserializer for values", "The class that makes text of values"),
    flag("enable-systest-events", "Say when the tool ends"),
    text("isolation-level", "", "read_committed leaves out what was not committed", "read_uncommitted"),
    text("group", "consumer group id", "The group to join"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};
constexpr std::string_view kAbout = "This tool helps to read data from Kafka topics and outputs it to standard output.";

volatile std::sig_atomic_t interrupted = 0;

int failed(std::string_view message) {
  warn(fmt::format("{}\n", message));
  return 1;
}

std::optional<int64_t> offset_of(const std::string& text) {
  if (text == "earliest") return -2;
  if (text == "latest") return -1;
  int64_t offset = -1;
  auto [stopped, wrong] = std::from_chars(text.data(), text.data() + text.size(), offset);
  bool fine = wrong == std::errc{} && stopped == text.data() + text.size() && offset >= 0;
  return fine ? std::optional(offset) : std::nullopt;
}

std::optional<int> check_usage(const Options& options) {
  if (options.has("topic") == options.has("include")) {
    return usage_error(kTable, "Exactly one of the following arguments is required: [topic], [include]");
  }
  if (auto missing = require(options, kTable, {"bootstrap-server"})) return missing;
  if (options.has("partition") && !options.has("topic")) {
    return usage_error(kTable, "The topic is required when partition is specified.");
  }
  if (options.has("offset") && !options.has("partition")) {
    return usage_error(kTable, "The partition is required when offset is specified.");
  }
  if (options.has("offset") && !offset_of(options.value("offset"))) {
    return usage_error(
        kTable, fmt::format("The provided offset value '{}' is incorrect. Valid values are 'earliest', 'latest', "
                            "or a non-negative long.",
                            options.value("offset")));
  }
  if (options.has("offset") && options.has("from-beginning")) {
    return usage_error(kTable, "Options from-beginning and offset cannot be specified together.");
  }
  return std::nullopt;
}

using Properties = std::map<std::string, std::string>;

void add_settings(const Options& options, std::string_view option, Properties& into) {
  for (const std::string& setting : options.values(option)) {
    size_t equals = std::min(setting.find('='), setting.size());
    into[setting.substr(0, equals)] = setting.substr(std::min(equals + 1, setting.size()));
  }
}

client::Result<Properties> formatter_properties(const Options& options) {
  Properties properties;
  if (options.has("formatter-config")) {
    auto file = client::Config::load(options.value("formatter-config"));
    if (!file) return std::unexpected(file.error());
    properties.insert(file->entries().begin(), file->entries().end());
  }
  add_settings(options, "property", properties);
  add_settings(options, "formatter-property", properties);
  if (options.has("key-deserializer")) properties["key.deserializer"] = options.value("key-deserializer");
  if (options.has("value-deserializer")) properties["value.deserializer"] = options.value("value-deserializer");
  return properties;
}

std::expected<client::Config, std::string> consumer_config(const Options& options) {
  client::Config config{{"client.id", "console-consumer"}};
  std::vector<std::string> groups;
  auto note_group = [&](const std::string* group) {
    if (group && std::ranges::find(groups, *group) == groups.end()) groups.push_back(*group);
  };
  std::string flag_group = options.value("group");
  if (options.has("group")) note_group(&flag_group);
  Properties properties;
  add_settings(options, "consumer-property", properties);
  add_settings(options, "command-property", properties);
  if (properties.contains("group.id")) note_group(&properties["group.id"]);
  for (std::string_view option : {"consumer.config", "command-config"}) {
    if (!options.has(option)) continue;
    auto file = client::Config::load(options.value(option));
    if (!file) return std::unexpected(file.error().message);
    note_group(file->find("group.id"));
    config.merge(*file);
  }
  for (const auto& [key, value] : properties) config.set(key, value);
  if (groups.size() > 1) {
    return std::unexpected(fmt::format(
        "The group ids provided in different places (directly using '--group', via '--consumer-property', or "
        "via '--consumer.config') do not match. Detected group ids: '{}'",
        fmt::join(groups, "', '")));
  }
  if (groups.empty()) {
    std::random_device random;
    config.set("group.id", fmt::format("console-consumer-{}", random() % 100000));
    config.set("enable.auto.commit", "false");
  } else {
    config.set("group.id", groups[0]);
  }
  config.set("bootstrap.servers", options.value("bootstrap-server"));
  config.set("isolation.level", options.value("isolation-level"));
  if (options.has("from-beginning")) config.set("auto.offset.reset", "earliest");
  if (!config.find("auto.offset.reset")) config.set("auto.offset.reset", "latest");
  return config;
}

client::Result<> begin(client::Consumer& consumer, const Options& options) {
  if (options.has("include")) return consumer.subscribe_pattern(options.value("include"));
  if (!options.has("partition")) return consumer.subscribe({options.value("topic")});
  TopicPartition partition{options.value("topic"), static_cast<int32_t>(*options.number("partition"))};
  auto assigned = consumer.assign({partition});
  if (!assigned) return assigned;
  int64_t offset = options.has("from-beginning") ? -2 : *offset_of(options.value("offset"));
  std::span<const TopicPartition> only(&partition, 1);
  if (offset == -2) return consumer.seek_to_beginning(only);
  if (offset == -1) return consumer.seek_to_end(only);
  return consumer.seek(partition, offset);
}

struct Outcome {
  int64_t records = 0;
  int code = 0;
};

Outcome consume(client::Consumer& consumer, const Options& options, MessageFormatter& formatter) {
  Outcome outcome;
  int64_t most = options.number("max-messages").value_or(-1);
  std::optional<std::chrono::milliseconds> patience;
  if (auto timeout = options.number("timeout-ms")) patience = std::chrono::milliseconds(*timeout);
  auto last = Clock::now();
  while (!interrupted && (most < 0 || outcome.records < most)) {
    auto slice = std::chrono::milliseconds(100);
    if (patience) slice = std::min(slice, *patience);
    auto records = consumer.poll(slice);
    if (!records) {
      if (records.error().kind == client::Error::Kind::kCancelled) break;
      if (records.error().retriable) continue;
      warn(fmt::format("Error processing message, terminating consumer process: {}\n", java_message(records.error())));
      break;
    }
    size_t used = 0;
    for (const auto& record : *records) {
      if (most >= 0 && outcome.records >= most) break;
      ++used;
      ++outcome.records;
      formatter.write(record);
    }
    std::fflush(stdout);
    if (output_closed()) {
      warn(fmt::format("Unable to write to standard out, closing consumer.\n"));
      break;
    }
    // What was fetched and not printed must not be committed.
    for (size_t i = records->size(); i > used; --i) {
      const auto& record = (*records)[i - 1];
      (void)consumer.seek({std::string(record.topic), record.partition}, record.offset);
    }
    if (!records->empty()) last = Clock::now();
    if (patience && Clock::now() - last >= *patience) break;
  }
  return outcome;
}

}  // namespace

int console_consumer(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) return usage_error(kTable, options.error());
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  constexpr std::pair<std::string_view, std::string_view> kOld[] = {{"property", "formatter-property"},
                                                                    {"consumer-property", "command-property"},
                                                                    {"consumer.config", "command-config"}};
  for (const auto& [old, now] : kOld) {
    if (!options->has(old)) continue;
    say(fmt::format("Option --{} is deprecated and will be removed in a future version. Use --{} instead.\n", old,
                    now));
  }
  if (auto wrong = check_usage(*options)) return *wrong;
  auto config = consumer_config(*options);
  if (!config) return usage_error(kTable, config.error());
  auto properties = formatter_properties(*options);
  if (!properties) return failed(properties.error().message);
  auto formatter = MessageFormatter::make(options->value("formatter"), *properties);
  if (!formatter) return usage_error(kTable, options->value("formatter"));
  auto consumer = client::Consumer::create(*config);
  if (!consumer) return failed(java_config_message(consumer.error()));
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  Outcome outcome;
  if (auto wrong = options->fault({"topic", "group"})) {
    warn(fmt::format("{}\n", *wrong));
    outcome.code = 1;
  } else if (auto begun = begin(*consumer, *options); !begun) {
    warn(fmt::format("{}\n", java_message(begun.error())));
    outcome.code = 1;
  } else {
    outcome = consume(*consumer, *options, *formatter);
  }
  (void)consumer->close();  // nothing is left to do about it
  warn(fmt::format("Processed a total of {} messages\n", outcome.records));
  if (options->has("enable-systest-events")) say(fmt::format("shutdown_complete\n"));
  return interrupted ? 130 : outcome.code;
}

}  // namespace barnabas::cli::shims
