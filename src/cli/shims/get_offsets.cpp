// kafka-get-offsets
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::OffsetSpec;
using client::TopicPartition;

constexpr Option kTable[] = {
    text("bootstrap-server", "HOST1:PORT1,...,HOST3:PORT3", "REQUIRED. Brokers to begin with"),
    text(
        "topic-partitions", "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3 ",
        "Which partitions of which topics: a regular expression of topics (all when it is empty), then after a colon a "
        "partition, the first of a range with a dash, and the one after its end"),
    text("topic", "topic", "A topic, or a regular expression of topics; all when it is not given"),
    text("partitions", "partition ids", "Partitions, with commas; all when it is not given"),
    text("time",
         "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or "
         "latest-tiered / -6 or earliest-pending-upload",
         "The offset of the first record with this time or later; none when there is no such record", "latest"),
    text("command-config", "config file", "Properties of the admin client"),
    flag("exclude-internal-topics", "Without internal topics"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};
constexpr std::string_view kAbout = "An interactive shell for getting topic-partition offsets.";

int failed(const std::string& message) {
  warn(fmt::format("Error occurred: {}\n", message));
  return 1;
}

bool is_host_and_port(std::string_view server) {
  size_t colon = server.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  int port = 0;
  std::string_view digits = server.substr(colon + 1);
  auto [stopped, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return wrong == std::errc{} && stopped == digits.data() + digits.size() && port > 0;
}

std::optional<OffsetSpec> spec_of(const std::string& time) {
  using Kind = OffsetSpec::Kind;
  constexpr std::pair<std::string_view, Kind> kNames[] = {
      {"latest", Kind::kLatest},
      {"earliest", Kind::kEarliest},
      {"max-timestamp", Kind::kMaxTimestamp},
      {"earliest-local", Kind::kEarliestLocal},
      {"latest-tiered", Kind::kLatestTiered},
      {"earliest-pending-upload", Kind::kEarliestPendingUpload},
  };
  int number = -1;
  for (const auto& [name, kind] : kNames) {
    if (time == name || time == std::to_string(number)) return OffsetSpec{.kind = kind};
    --number;
  }
  int64_t timestamp = 0;
  auto [stopped, wrong] = std::from_chars(time.data(), time.data() + time.size(), timestamp);
  if (wrong != std::errc{} || stopped != time.data() + time.size() || time.empty()) return std::nullopt;
  return OffsetSpec{.kind = Kind::kTime, .time = timestamp};
}

// Topics by a regular expression, partitions by a set (all when empty) or a range.
struct Rule {
  TopicFilter topics;
  std::set<int32_t> partitions{};
  int32_t from = 0, to = INT32_MAX;

  bool allows(const TopicPartition& partition) const {
    if (!topics.allows(partition.topic, false)) return false;
    if (!partitions.empty()) return partitions.contains(partition.partition);
    return partition.partition >= from && partition.partition < to;
  }
};

std::expected<std::vector<Rule>, std::string> rules_of(const Options& options) {
  std::vector<Rule> rules;
  auto add = [&](const std::string& topics) -> Rule* {
    auto filter = TopicFilter::make(topics.empty() ? ".*" : topics);
    if (!filter) return nullptr;
    rules.push_back({.topics = *std::move(filter)});
    return &rules.back();
  };
  if (!options.has("topic-partitions")) {
    Rule* rule = add(options.value("topic"));
    if (!rule) return std::unexpected(options.value("topic") + " is an invalid regex.");
    for (const std::string& word : split(options.value("partitions"), ',')) {
      int32_t partition = 0;
      auto [stopped, wrong] = std::from_chars(word.data(), word.data() + word.size(), partition);
      if (wrong != std::errc{} || stopped != word.data() + word.size()) {
        return std::unexpected(
            fmt::format("--partitions expects a comma separated list of numeric partition ids, but received: {}",
                        options.value("partitions")));
      }
      rule->partitions.insert(partition);
    }
    return rules;
  }
  static const RE2 kRule("([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?");
  for (const std::string& text : split(options.value("topic-partitions"), ',')) {
    std::string topics, one, from, to;
    if (!RE2::FullMatch(text, kRule, &topics, &one, &from, &to)) {
      return std::unexpected("org.apache.kafka.tools.TerseException: Invalid rule specification: " + text);
    }
    Rule* rule = add(topics);
    if (!rule) return std::unexpected(topics + " is an invalid regex.");
    auto number = [](const std::string& digits, int32_t& into) {
      std::from_chars(digits.data(), digits.data() + digits.size(), into);
    };
    number(from, rule->from);
    number(to, rule->to);
    if (!one.empty()) {
      number(one, rule->from);
      rule->to = rule->from + (rule->from < INT32_MAX ? 1 : 0);
    }
  }
  return rules;
}

}  // namespace

int get_offsets(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) return failed(options.error());
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (auto missing = require(*options, kTable, {"bootstrap-server"})) return *missing;
  if (auto wrong = options->fault({"topic", "topic-partitions", "partitions", "time", "bootstrap-server"})) {
    return failed(*wrong);
  }
  if (!std::ranges::all_of(split(options->value("bootstrap-server"), ','), is_host_and_port)) {
    return usage_error(kTable, "Please provide valid host:port like host1:9091,host2:9092\n");
  }
  if (options->has("topic-partitions") && (options->has("topic") || options->has("partitions"))) {
    return failed("--topic-partitions cannot be used with --topic or --partitions");
  }
  auto spec = spec_of(options->value("time"));
  if (!spec) {
    return failed(fmt::format(
        "Malformed time argument {}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or "
        "earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format "
        "timestamp",
        options->value("time")));
  }
  auto rules = rules_of(*options);
  if (!rules) return failed(rules.error());
  auto admin = admin_of(*options);
  if (!admin) return failed(java_message(admin.error()));
  auto listed = admin->list_topics(!options->has("exclude-internal-topics")).get();
  if (!listed) return failed(java_message(listed.error()));
  std::vector<std::string> names;
  for (const auto& topic : *listed) names.push_back(topic.name);
  auto described = admin->describe_topics(std::move(names)).get();
  if (!described) return failed(java_message(described.error()));
  std::map<TopicPartition, OffsetSpec> wanted;
  for (const auto& [name, topic] : *described) {
    if (!topic) continue;  // deleted meanwhile
    for (const auto& info : topic->partitions) {
      TopicPartition partition{name, info.partition};
      bool allowed = std::ranges::any_of(*rules, [&](const Rule& rule) { return rule.allows(partition); });
      if (allowed) wanted[partition] = *spec;
    }
  }
  if (wanted.empty()) return failed("Could not match any topic-partitions with the specified filters");
  auto offsets = admin->list_offsets(std::move(wanted)).get();
  if (!offsets) return failed(java_message(offsets.error()));
  std::map<std::string, std::string> lines;  // in the order of "topic-partition" as text
  for (const auto& [partition, found] : *offsets) {
    std::string name = fmt::format("{}-{}", partition.topic, partition.partition);
    if (!found) {
      warn(fmt::format("Skip getting offsets for topic-partition {} due to error: {}: {}\n", name,
                       java_class(found.error()), java_message(found.error())));
      continue;
    }
    if (found->offset >= 0) {
      lines[name] = fmt::format("{}:{}:{}", partition.topic, partition.partition, found->offset);
    }
  }
  for (const auto& [name, line] : lines) say(fmt::format("{}\n", line));
  return 0;
}

}  // namespace barnabas::cli::shims
