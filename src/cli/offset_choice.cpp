#include "cli/offset_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::TopicPartition;

std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = 0;
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = failed == std::errc{} && stopped == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

// YYYY-MM-DD, with or without THH:MM[:SS[.mmm]], always UTC; a final Z is allowed.
std::optional<int64_t> calendar_ms(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  auto part = [&](size_t at, size_t length) -> int64_t {
    if (at + length > text.size()) return -1;
    auto number = number_of(text.substr(at, length));
    return number && *number >= 0 ? *number : -1;
  };
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  std::chrono::year_month_day day{std::chrono::year(static_cast<int>(part(0, 4))),
                                  std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                  std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok()) return std::nullopt;
  int64_t ms = std::chrono::sys_days(day).time_since_epoch().count() * int64_t{86400000};
  if (text.size() == 10) return ms;
  if ((text[10] != 'T' && text[10] != ' ') || text.size() < 16 || text[13] != ':') return std::nullopt;
  int64_t hours = part(11, 2), minutes = part(14, 2), seconds = 0, millis = 0;
  if (text.size() > 16) {
    if (text[16] != ':' || text.size() < 19) return std::nullopt;
    seconds = part(17, 2);
    if (text.size() > 19) {
      if (text[19] != '.' || text.size() != 23) return std::nullopt;
      millis = part(20, 3);
    }
  }
  bool ok = hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60 && millis >= 0;
  if (!ok) return std::nullopt;
  return ms + ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
}

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::optional<int64_t> parse_time_ms(std::string_view text, int64_t now) {
  if (text == "now") return now;
  if (text.starts_with('-')) {
    auto ago = parse_duration_ms(text.substr(1));
    return ago ? std::optional(now - *ago) : std::nullopt;
  }
  if (auto number = number_of(text)) return number;
  return calendar_ms(text);
}

std::expected<OffsetChoice, std::string> OffsetChoice::parse(std::string_view text) {
  if (text == "start" || text == "earliest" || text == "beginning") return OffsetChoice{Kind::kStart, 0};
  if (text == "end" || text == "latest") return OffsetChoice{Kind::kEnd, 0};
  if (text.starts_with('@')) {
    auto time = parse_time_ms(text.substr(1), now_ms());
    if (time) return OffsetChoice{Kind::kTime, *time};
  }
  bool shift = text.starts_with('+') || text.starts_with('-');
  auto number = number_of(text.starts_with('+') ? text.substr(1) : text);
  if (number && !(text.starts_with('+') && *number < 0))
    return OffsetChoice{shift ? Kind::kShift : Kind::kOffset, *number};
  return std::unexpected(
      fmt::format("'{}' is no place: want start, end, an offset, +N, -N, @2026-11-01T12:00:00Z or @-1h", text));
}

client::Result<std::vector<OffsetTarget>> choose_offsets(client::Admin& admin, const std::string& group,
                                                         const std::vector<std::string>& topics,
                                                         const OffsetChoice& choice) {
  using Spec = client::OffsetSpec;
  auto offsets = admin.list_group_offsets({{group, std::nullopt}}).get();
  if (!offsets) return std::unexpected(offsets.error());
  auto& committed = offsets->at(group);
  if (!committed) return std::unexpected(committed.error());

  std::map<TopicPartition, std::optional<int64_t>> old;
  std::set<std::string> only(topics.begin(), topics.end());
  for (const auto& [partition, offset] : *committed) {
    if (offset && (only.empty() || only.contains(partition.topic))) old[partition] = offset->offset;
  }
  if (!topics.empty()) {
    auto described = admin.describe_topics(topics).get();
    if (!described) return std::unexpected(described.error());
    for (const auto& [name, topic] : *described) {
      if (!topic) return std::unexpected(topic.error());
      for (const auto& partition : topic->partitions) old.try_emplace({name, partition.partition});
    }
  }
  std::map<TopicPartition, Spec> starts, ends, times;
  for (const auto& [partition, offset] : old) {
    starts[partition] = {.kind = Spec::Kind::kEarliest};
    ends[partition] = {.kind = Spec::Kind::kLatest};
    if (choice.kind == OffsetChoice::Kind::kTime) times[partition] = {.kind = Spec::Kind::kTime, .time = choice.number};
  }
  if (old.empty()) return std::vector<OffsetTarget>{};
  auto first = admin.list_offsets(std::move(starts)).get();
  if (!first) return std::unexpected(first.error());
  auto last = admin.list_offsets(std::move(ends)).get();
  if (!last) return std::unexpected(last.error());
  std::map<TopicPartition, client::Result<client::ListedOffset>> at_time;
  if (!times.empty()) {
    auto listed = admin.list_offsets(std::move(times)).get();
    if (!listed) return std::unexpected(listed.error());
    at_time = *std::move(listed);
  }
  std::vector<OffsetTarget> targets;
  for (const auto& [partition, before] : old) {
    auto& low = first->at(partition);
    auto& high = last->at(partition);
    if (!low) return std::unexpected(low.error());
    if (!high) return std::unexpected(high.error());
    int64_t wanted = 0;
    switch (choice.kind) {
      case OffsetChoice::Kind::kStart:
        wanted = low->offset;
        break;
      case OffsetChoice::Kind::kEnd:
        wanted = high->offset;
        break;
      case OffsetChoice::Kind::kOffset:
        wanted = choice.number;
        break;
      case OffsetChoice::Kind::kShift:
        wanted = before.value_or(low->offset) + choice.number;
        break;
      case OffsetChoice::Kind::kTime: {
        auto found = at_time.find(partition);
        if (found == at_time.end()) continue;
        if (!found->second) return std::unexpected(found->second.error());
        wanted = found->second->offset < 0 ? high->offset : found->second->offset;
        break;
      }
    }
    targets.push_back({partition, before, std::clamp(wanted, low->offset, high->offset)});
  }
  return targets;
}

}  // namespace barnabas::cli
