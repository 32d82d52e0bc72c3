// kafka-consumer-groups --reset-offsets.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <set>

#include "cli/offset_choice.h"
#include "cli/shims/consumer_groups.h"
#include "cli/shims/shim.h"

namespace barnabas::cli::shims {

namespace {

using client::OffsetSpec;
using client::TopicPartition;
using Kind = OffsetSpec::Kind;

// What went wrong: a sentence after "failed due to", or a usage error.
struct Wrong {
  std::string message;
  bool usage = false;
};
template <class T>
using Found = std::expected<T, Wrong>;

Wrong wrong(const client::Error& error) {
  return {.message = java_message(error)};
}

std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = 0;
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && stopped == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                        : std::nullopt;
}

std::vector<TopicPartition> keys(const Offsets& offsets) {
  std::vector<TopicPartition> list;
  for (const auto& [partition, offset] : offsets) list.push_back(partition);
  return list;
}

// Each between the start and the end of its log.
Found<Offsets> in_range(client::Admin& admin, Offsets wanted) {
  auto starts = offsets_of(admin, keys(wanted), {.kind = Kind::kEarliest});
  if (!starts) return std::unexpected(wrong(starts.error()));
  auto ends = offsets_of(admin, keys(wanted), {.kind = Kind::kLatest});
  if (!ends) return std::unexpected(wrong(ends.error()));
  for (auto& [partition, offset] : wanted) offset = std::clamp(offset, (*starts)[partition], (*ends)[partition]);
  return wanted;
}

Found<Offsets> at_time(client::Admin& admin, const std::vector<TopicPartition>& partitions, int64_t timestamp) {
  auto found = offsets_of(admin, partitions, {.kind = Kind::kTime, .time = timestamp});
  if (!found) return std::unexpected(wrong(found.error()));
  auto ends = offsets_of(admin, partitions, {.kind = Kind::kLatest});
  if (!ends) return std::unexpected(wrong(ends.error()));
  for (auto& [partition, offset] : *found) {
    if (offset >= 0) continue;
    say(fmt::format("\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
                    partition.partition, partition.topic));
    offset = (*ends)[partition];
  }
  return *found;
}

// "topic,partition,offset", or with the group before it.
Found<Offsets> from_file(client::Admin& admin, const Options& options, const std::string& group) {
  std::string path = options.value("from-file");
  std::ifstream file(path);
  if (!file) return std::unexpected(Wrong{.message = fmt::format("java.nio.file.NoSuchFileException: {}", path)});
  Offsets plan;
  bool any = false;
  for (std::string line; std::getline(file, line);) {
    auto cells = split(trim(line), ',');
    for (auto& cell : cells) {
      if (cell.size() > 1 && cell.starts_with('"') && cell.ends_with('"')) cell = cell.substr(1, cell.size() - 2);
    }
    bool with_group = cells.size() == 4;
    if (cells.size() != 3 && !with_group) {
      if (line.empty()) continue;
      return std::unexpected(Wrong{.message = fmt::format("'{}' is not topic,partition,offset", line)});
    }
    if (with_group && cells[0] != group) continue;
    auto partition = number_of(cells[cells.size() - 2]), offset = number_of(cells.back());
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX) {
      return std::unexpected(Wrong{.message = fmt::format("'{}' is not topic,partition,offset", line)});
    }
    any = true;
    plan[{cells[with_group ? 1 : 0], static_cast<int32_t>(*partition)}] = *offset;
  }
  if (!any) {
    group_error(fmt::format("No reset plan for group {} found", group));
    return Offsets{};
  }
  return in_range(admin, std::move(plan));
}

Found<Offsets> new_offsets(client::Admin& admin, const Options& options, const std::string& group,
                           const std::vector<TopicPartition>& partitions) {
  auto spec = [&](OffsetSpec wanted) -> Found<Offsets> {
    auto found = offsets_of(admin, partitions, wanted);
    if (!found) return std::unexpected(wrong(found.error()));
    return *found;
  };
  if (options.has("to-offset")) {
    Offsets wanted;
    for (const auto& partition : partitions) wanted[partition] = *options.number("to-offset");
    return in_range(admin, std::move(wanted));
  }
  if (options.has("to-earliest")) return spec({.kind = Kind::kEarliest});
  if (options.has("to-latest")) return spec({.kind = Kind::kLatest});
  if (options.has("to-datetime")) {
    auto time = parse_java_time(options.value("to-datetime"));
    if (!time) return std::unexpected(Wrong{.message = "java.text.ParseException: " + time.error()});
    return at_time(admin, partitions, *time);
  }
  if (options.has("by-duration")) {
    auto duration = parse_java_duration(options.value("by-duration"));
    if (!duration) return std::unexpected(Wrong{.message = duration.error()});
    auto now = std::chrono::system_clock::now().time_since_epoch();
    return at_time(admin, partitions, std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - *duration);
  }
  if (options.has("from-file")) return from_file(admin, options, group);
  auto committed = committed_offsets(admin, group);
  if (!committed) return std::unexpected(wrong(committed.error()));
  if (options.has("shift-by")) {
    Offsets wanted;
    for (const auto& partition : partitions) {
      auto found = committed->find(partition);
      if (found == committed->end()) {
        return std::unexpected(
            Wrong{.message = fmt::format("Cannot shift offset for partition {}-{} since there is no current committed "
                                         "offset",
                                         partition.topic, partition.partition),
                  .usage = true});
      }
      wanted[partition] = found->second + *options.number("shift-by");
    }
    return in_range(admin, std::move(wanted));
  }
  if (options.has("to-current")) {
    auto wanted = spec({.kind = Kind::kLatest});
    if (!wanted) return wanted;
    for (auto& [partition, offset] : *wanted) {
      auto found = committed->find(partition);
      if (found != committed->end()) offset = found->second;
    }
    return wanted;
  }
  return std::unexpected(
      Wrong{.message = "Option '[reset-offsets]' requires one of the following scenarios: [[to-offset], [to-datetime], "
                       "[by-duration], [to-earliest], [to-latest], [to-current], [shift-by], [from-file]]",
            .usage = true});
}

Found<std::vector<TopicPartition>> scope(client::Admin& admin, const Options& options, const std::string& group) {
  if (options.has("all-topics")) {
    auto committed = committed_offsets(admin, group);
    if (!committed) return std::unexpected(wrong(committed.error()));
    return keys(*committed);
  }
  if (options.has("topic")) {
    auto partitions = partitions_of(admin, options.values("topic"));
    if (!partitions) return std::unexpected(wrong(partitions.error()));
    return *partitions;
  }
  if (options.has("from-file")) return std::vector<TopicPartition>{};
  return std::unexpected(
      Wrong{.message = "One of the reset scopes should be defined: --all-topics, --topic.", .usage = true});
}

void print(const Options& options, const std::vector<std::pair<std::string, Offsets>>& results) {
  if (options.has("export")) {
    for (const auto& [group, offsets] : results) {
      for (const auto& partition : in_java_order(offsets)) {
        if (options.values("group").size() != 1) say(fmt::format("{},", group));
        say(fmt::format("{},{},{}\n", partition.topic, partition.partition, offsets.at(partition)));
      }
    }
    say(fmt::format("\n"));
    return;
  }
  size_t group_width = 15, topic_width = 15;
  for (const auto& [group, offsets] : results) {
    group_width = std::max(group_width, group.size());
    for (const auto& [partition, offset] : offsets) topic_width = std::max(topic_width, partition.topic.size());
  }
  auto row = [&](std::string_view group, std::string_view topic, std::string_view partition, std::string_view offset) {
    say(fmt::format("\n{:<{}} {:<{}} {:<10} {}", group, group_width, topic, topic_width, partition, offset));
  };
  if (!results.empty()) row("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
  for (const auto& [group, offsets] : results) {
    for (const auto& partition : in_java_order(offsets)) {
      row(group, partition.topic, std::to_string(partition.partition), std::to_string(offsets.at(partition)));
    }
  }
  say(fmt::format("\n"));
}

}  // namespace

client::Result<std::vector<TopicPartition>> partitions_of(client::Admin& admin,
                                                          const std::vector<std::string>& topics) {
  std::vector<TopicPartition> partitions;
  std::vector<std::string> whole;
  for (const std::string& text : topics) {
    size_t colon = text.find(':');
    if (colon == std::string::npos) {
      whole.push_back(text);
      continue;
    }
    for (const std::string& word : split(std::string_view(text).substr(colon + 1), ',')) {
      auto partition = number_of(word);
      if (!partition || *partition < 0 || *partition > INT32_MAX) {
        return std::unexpected(
            client::Error{.message = fmt::format("Invalid partition '{}' specified in topic arg '{}''", word, text)});
      }
      partitions.push_back({text.substr(0, colon), static_cast<int32_t>(*partition)});
    }
  }
  if (whole.empty()) return partitions;
  auto described = admin.describe_topics(whole).get();
  if (!described) return std::unexpected(described.error());
  for (const auto& [name, topic] : *described) {
    if (!topic) return std::unexpected(topic.error());
    for (const auto& info : topic->partitions) partitions.push_back({name, info.partition});
  }
  return partitions;
}

client::Result<Offsets> offsets_of(client::Admin& admin, const std::vector<TopicPartition>& partitions,
                                   OffsetSpec spec) {
  Offsets offsets;
  if (partitions.empty()) return offsets;
  std::map<TopicPartition, OffsetSpec> wanted;
  for (const auto& partition : partitions) wanted[partition] = spec;
  auto listed = admin.list_offsets(std::move(wanted)).get();
  if (!listed) return std::unexpected(listed.error());
  for (const auto& [partition, found] : *listed) {
    if (!found) return std::unexpected(found.error());
    offsets[partition] = found->offset;
  }
  return offsets;
}

client::Result<Offsets> committed_offsets(client::Admin& admin, const std::string& group) {
  auto listed = admin.list_group_offsets({{group, std::nullopt}}).get();
  if (!listed) return std::unexpected(listed.error());
  auto& committed = listed->begin()->second;
  if (!committed) return std::unexpected(committed.error());
  Offsets offsets;
  for (const auto& [partition, offset] : *committed) {
    if (offset) offsets[partition] = offset->offset;
  }
  return offsets;
}

int reset_offsets(client::Admin& admin, const Options& options, const std::vector<std::string>& groups) {
  auto described = admin.describe_groups(groups).get();
  if (!described) return group_failed(java_message(described.error()));
  std::vector<std::pair<std::string, Offsets>> results;
  auto stop = [](const Wrong& why) {
    return why.usage ? usage_error(consumer_groups_table(), why.message) : group_failed(why.message);
  };
  for (const auto& [group, description] : *described) {
    bool missing = !description && description.error().code == client::ErrorCode::kGroupIdNotFound;
    if (!description && !missing) return group_failed(java_message(description.error()));
    if (description && description->state != "Empty" && description->state != "Dead") {
      group_error(
          fmt::format("Assignments can only be reset if the group '{}' is inactive, but the current state is {}.",
                      group, description->state));
      results.emplace_back(group, Offsets{});
      continue;
    }
    auto partitions = scope(admin, options, group);
    if (!partitions) return stop(partitions.error());
    auto offsets = new_offsets(admin, options, group, *partitions);
    if (!offsets) return stop(offsets.error());
    if (options.has("execute")) {
      std::map<TopicPartition, client::OffsetAndMetadata> wanted;
      for (const auto& [partition, offset] : *offsets) wanted[partition] = {.offset = offset};
      auto altered = admin.alter_group_offsets(group, std::move(wanted)).get();
      if (!altered) return group_failed(java_message(altered.error()));
      for (const auto& [partition, outcome] : *altered) {
        if (!outcome) return group_failed(java_message(outcome.error()));
      }
    }
    results.emplace_back(group, *std::move(offsets));
  }
  print(options, results);
  return 0;
}

std::vector<TopicPartition> in_java_order(const Offsets& offsets) {
  uint32_t buckets = 16;
  while (offsets.size() * 4 > uint64_t{buckets} * 3) buckets *= 2;
  auto bucket = [&](const TopicPartition& partition) {
    uint32_t topic = 0;
    for (char c : partition.topic) topic = topic * 31 + static_cast<unsigned char>(c);
    uint32_t hash = (31 + static_cast<uint32_t>(partition.partition)) * 31 + topic;
    return (hash ^ (hash >> 16)) & (buckets - 1);
  };
  auto order = keys(offsets);
  std::ranges::sort(order, [&](const TopicPartition& a, const TopicPartition& b) {
    return std::pair(bucket(a), a) < std::pair(bucket(b), b);
  });
  return order;
}

std::expected<int64_t, std::string> parse_java_time(std::string_view text) {
  size_t t = text.find('T');
  if (t == std::string_view::npos) {
    return std::unexpected("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format");
  }
  int64_t shift = 0;
  std::string_view local = text;
  size_t sign = text.find_first_of("+-", t);
  if (sign != std::string_view::npos) {
    std::string digits;
    for (char c : text.substr(sign + 1)) {
      if (c != ':') digits += c;
    }
    auto zone = number_of(digits);
    if (!zone || (digits.size() != 4 && digits.size() != 2)) {
      return std::unexpected(fmt::format("Unparseable date: \"{}\"", text));
    }
    int64_t minutes = digits.size() == 4 ? *zone / 100 * 60 + *zone % 100 : *zone * 60;
    shift = (text[sign] == '-' ? -minutes : minutes) * 60000;
    local = text.substr(0, sign);
  }
  auto time = parse_time_ms(local, 0);
  if (!time) return std::unexpected(fmt::format("Unparseable date: \"{}\"", text));
  return *time - shift;
}

std::expected<int64_t, std::string> parse_java_duration(std::string_view text) {
  std::unexpected<std::string> no_duration("Text cannot be parsed to a Duration");
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() < 3 || (text[0] != 'P' && text[0] != 'p')) return no_duration;
  text.remove_prefix(1);
  constexpr std::pair<char, double> kUnits[] = {{'D', 86400e3}, {'H', 3600e3}, {'M', 60e3}, {'S', 1e3}};
  size_t unit = 0;
  bool time = false;
  double total = 0;
  while (!text.empty()) {
    if (!time && (text[0] == 'T' || text[0] == 't')) {
      text.remove_prefix(1);
      if (text.empty()) return no_duration;
      time = true;
      unit = std::max<size_t>(unit, 1);
      continue;
    }
    double number = 0;
    auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    size_t length = static_cast<size_t>(stopped - text.data());
    if (failed != std::errc{} || length == text.size()) return no_duration;
    char name = text[length] >= 'a' ? static_cast<char>(text[length] - 'a' + 'A') : text[length];
    while (unit < std::size(kUnits) && kUnits[unit].first != name) ++unit;
    if (unit == std::size(kUnits) || (unit > 0 && !time)) return no_duration;
    total += number * kUnits[unit++].second;
    text.remove_prefix(length + 1);
  }
  if (std::abs(total) > 9e18) return no_duration;
  return static_cast<int64_t>(negative ? -total : total);
}

}  // namespace barnabas::cli::shims
