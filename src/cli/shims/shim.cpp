#include "cli/shims/shim.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdio>

#include "wire/kafka_error.h"

namespace barnabas::cli::shims {

namespace {

constexpr Shim kShims[] = {
    {"kafka-topics", topics},
    {"kafka-get-offsets", get_offsets},
    {"kafka-consumer-groups", consumer_groups},
    {"kafka-configs", configs},
    {"kafka-console-producer", console_producer},
    {"kafka-console-consumer", console_consumer},
    {"kafka-dump-log", dump_log},
    {"kafka-storage", storage},
};

// Sentences of Kafka's that are not ours word for word, for errors that brokers send without one.
struct Sentence {
  client::ErrorCode code;
  std::string_view text;
};
constexpr Sentence kSentences[] = {
    {client::ErrorCode::kUnknownTopicOrPartition, "This server does not host this topic-partition."},
    {client::ErrorCode::kGroupIdNotFound, "The group id does not exist."},
    {client::ErrorCode::kNonEmptyGroup, "The group is not empty."},
    {client::ErrorCode::kUnknownMemberId, "The coordinator is not aware of this member."},
    {client::ErrorCode::kGroupSubscribedToTopic,
     "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."},
    {client::ErrorCode::kTopicAuthorizationFailed, "Topic authorization failed."},
    {client::ErrorCode::kGroupAuthorizationFailed, "Group authorization failed."},
    {client::ErrorCode::kClusterAuthorizationFailed, "Cluster authorization failed."},
};

// An error of the client says what it is about before what the broker said: "topic a: Topic 'a' exists.".
std::string_view without_subject(std::string_view message) {
  bool has_subject = !message.empty() && message[0] >= 'a' && message[0] <= 'z';
  size_t colon = message.find(": ");
  return has_subject && colon != std::string_view::npos ? message.substr(colon + 2) : message;
}

}  // namespace

std::span<const Shim> shims() {
  return kShims;
}

const Shim* find_shim(std::string_view program) {
  program = program.substr(program.rfind('/') + 1);
  if (program.ends_with(".sh")) program.remove_suffix(3);
  auto found = std::ranges::find(kShims, program, &Shim::name);
  return found == std::end(kShims) ? nullptr : &*found;
}

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void warn(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool output_closed() {
  return std::ferror(stdout) != 0;
}

int usage_error(std::span<const Option> table, std::string_view message) {
  warn(fmt::format("{}\n{}", message, usage(table)));
  return 1;
}

std::optional<int> help_or_version(const Options& options, std::span<const Option> table, std::string_view about) {
  if (options.empty() || options.has("help")) return usage_error(table, about);
  if (!options.has("version")) return std::nullopt;
  say(fmt::format("{}\n", kKafkaVersion));
  return 0;
}

std::optional<int> require(const Options& options, std::span<const Option> table,
                           std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    if (!options.has(name)) return usage_error(table, fmt::format("Missing required argument \"[{}]\"", name));
  }
  return std::nullopt;
}

std::optional<int> refuse(const Options& options, std::span<const Option> table, std::string_view used,
                          std::span<const std::string_view> invalid) {
  if (!options.has(used)) return std::nullopt;
  for (std::string_view other : invalid) {
    if (options.has(other)) {
      return usage_error(table, fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", used, other));
    }
  }
  return std::nullopt;
}

client::Result<client::Config> config_of(const Options& options) {
  client::Config config;
  if (options.has("command-config")) {
    auto loaded = client::Config::load(options.value("command-config"));
    if (!loaded) return loaded;
    config = *std::move(loaded);
  }
  if (options.has("bootstrap-server")) config.set("bootstrap.servers", options.value("bootstrap-server"));
  return config;
}

client::Result<client::Admin> admin_of(const Options& options) {
  auto config = config_of(options);
  if (!config) return std::unexpected(config.error());
  return client::Admin::create(*config);
}

std::string java_message(const client::Error& error) {
  if (error.kind != client::Error::Kind::kBroker) return error.message;
  std::string_view said = without_subject(error.message);
  if (said == wire::kafka_error_message(static_cast<wire::KafkaError>(error.code))) {
    auto found = std::ranges::find(kSentences, error.code, &Sentence::code);
    if (found != std::end(kSentences)) said = found->text;
  }
  return std::string(said);
}

std::string java_config_message(const client::Error& error) {
  std::string_view message = error.message;
  return fmt::format("org.apache.kafka.common.config.ConfigException: {}",
                     message.substr(0, message.find(": did you mean")));
}

std::string java_class(const client::Error& error) {
  using Kind = client::Error::Kind;
  if (error.kind == Kind::kTimedOut || error.kind == Kind::kNotReachable) {
    return "org.apache.kafka.common.errors.TimeoutException";
  }
  // UNKNOWN_TOPIC_OR_PARTITION: UnknownTopicOrPartitionException. A few are not called after their code.
  std::string name;
  switch (error.code) {
    case client::ErrorCode::kTopicAlreadyExists:
      name = "TopicExists";
      break;
    case client::ErrorCode::kNonEmptyGroup:
      name = "GroupNotEmpty";
      break;
    case client::ErrorCode::kInvalidConfig:
      name = "InvalidConfiguration";
      break;
    case client::ErrorCode::kTopicAuthorizationFailed:
      name = "TopicAuthorization";
      break;
    case client::ErrorCode::kGroupAuthorizationFailed:
      name = "GroupAuthorization";
      break;
    case client::ErrorCode::kClusterAuthorizationFailed:
      name = "ClusterAuthorization";
      break;
    default: {
      bool upper = true;
      for (char c : error.name()) {
        if (c == '_') {
          upper = true;
          continue;
        }
        name += upper || c < 'A' || c > 'Z' ? c : static_cast<char>(c - 'A' + 'a');
        upper = false;
      }
    }
  }
  std::string_view suffix = name.ends_with("Exception") ? "" : "Exception";
  return fmt::format("org.apache.kafka.common.errors.{}{}", name, suffix);
}

struct TopicFilter::Pattern {
  explicit Pattern(const std::string& text) : regex(text, RE2::Quiet) {}
  RE2 regex;
};

std::optional<TopicFilter> TopicFilter::make(std::string_view pattern) {
  pattern = trim(pattern);
  auto quoted = [&](char quote) {
    return pattern.size() > 1 && pattern.starts_with(quote) && pattern.ends_with(quote);
  };
  if (quoted('"') || quoted('\'')) pattern = pattern.substr(1, pattern.size() - 2);
  std::string regex;
  for (char c : pattern) {
    if (c != ' ') regex += c == ',' ? '|' : c;
  }
  TopicFilter filter;
  filter.pattern_ = std::make_shared<Pattern>(regex);
  if (!filter.pattern_->regex.ok()) {
    warn(fmt::format("{} is an invalid regex.\n", regex));
    return std::nullopt;
  }
  return filter;
}

bool TopicFilter::allows(std::string_view topic, bool exclude_internal) const {
  return RE2::FullMatch(topic, pattern_->regex) && !(exclude_internal && is_internal(topic));
}

bool is_internal(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state" || topic == "__share_group_state";
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace barnabas::cli::shims
