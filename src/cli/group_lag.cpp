#include "cli/group_lag.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/live_view.h"

namespace barnabas::cli {

using client::TopicPartition;

client::Result<Lags> measure_lag(client::Admin& admin, std::vector<std::string> groups) {
  if (groups.empty()) {
    auto listed = admin.list_groups().get();
    if (!listed) return std::unexpected(listed.error());
    for (const auto& group : *listed) {
      bool consumes = group.protocol_type == "consumer" || group.protocol_type.empty();
      if (consumes && group.type != "Share") groups.push_back(group.id);
    }
  }
  Lags lags;
  if (groups.empty()) return lags;
  std::map<std::string, std::optional<std::vector<TopicPartition>>> wanted;
  for (const auto& group : groups) wanted[group] = std::nullopt;
  auto offsets = admin.list_group_offsets(std::move(wanted));
  auto described = admin.describe_groups(groups).get();
  if (!described) return std::unexpected(described.error());
  auto committed = offsets.get();
  if (!committed) return std::unexpected(committed.error());

  std::map<std::pair<std::string, TopicPartition>, PartitionLag> rows;
  auto row = [&](const std::string& group, const TopicPartition& partition) -> PartitionLag& {
    PartitionLag& found = rows[{group, partition}];
    found.group = group;
    found.partition = partition;
    return found;
  };
  for (const auto& group : groups) {
    if (auto at = committed->find(group); at != committed->end()) {
      if (!at->second) {
        lags.failed.emplace(group, at->second.error());
        continue;
      }
      for (const auto& [partition, offset] : *at->second) {
        if (offset) row(group, partition).committed = offset->offset;
      }
    }
    auto at = described->find(group);
    if (at == described->end()) continue;
    if (!at->second) {
      lags.failed.emplace(group, at->second.error());
      continue;
    }
    for (const auto& member : at->second->members) {
      for (const auto& partition : member.assignment) {
        PartitionLag& found = row(group, partition);
        found.member_id = member.member_id;
        found.client_id = member.client_id;
        found.host = member.host;
      }
    }
  }
  std::map<TopicPartition, client::OffsetSpec> ends;
  for (const auto& [key, lag] : rows) ends[key.second] = {.kind = client::OffsetSpec::Kind::kLatest};
  if (!ends.empty()) {
    auto listed = admin.list_offsets(std::move(ends)).get();
    if (!listed) return std::unexpected(listed.error());
    for (auto& [key, lag] : rows) {
      auto end = listed->find(key.second);
      if (end != listed->end() && end->second) lag.end = end->second->offset;
    }
  }
  for (auto& [key, lag] : rows) lags.partitions.push_back(std::move(lag));
  return lags;
}

namespace {

// A bar of `width` columns, `part` of `whole` of it filled.
std::string bar(int64_t part, int64_t whole, int width) {
  int filled = whole <= 0 ? 0 : static_cast<int>(part * width / whole);
  std::string text;
  for (int i = 0; i < width; ++i) text += i < filled ? "█" : "·";
  return text;
}

std::string per_second(std::optional<int64_t> before, std::optional<int64_t> now, double seconds) {
  if (!before || !now || seconds <= 0) return "-";
  return fmt::format("{:+.0f}/s", static_cast<double>(*now - *before) / seconds);
}

}  // namespace

int watch_lag(Invocation& call, client::Admin& admin, const std::vector<std::string>& groups,
              std::chrono::milliseconds interval) {
  LiveView view(call.out());
  std::map<std::pair<std::string, TopicPartition>, PartitionLag> before;
  auto looked = std::chrono::steady_clock::now();
  while (!view.interrupted()) {
    auto lags = measure_lag(admin, groups);
    auto now = std::chrono::steady_clock::now();
    double seconds = std::chrono::duration<double>(now - looked).count();
    looked = now;
    if (!lags) return call.fail(lags.error());
    for (const auto& [group, error] : lags->failed) call.item_failed(error, "group " + group);
    int64_t total = 0, most = 0;
    size_t topic_width = 5;
    for (const auto& lag : lags->partitions) {
      total += lag.lag().value_or(0);
      most = std::max(most, lag.lag().value_or(0));
      topic_width = std::max(topic_width, display_width(lag.partition.topic));
    }
    std::vector<std::string> lines;
    if (view.on_terminal()) {
      lines.push_back(call.out().bold(fmt::format("{} partitions, lag {}", lags->partitions.size(), total)));
      lines.push_back(
          call.out().dim(fmt::format("{:<20} {:<{}} {:>5} {:>12} {:>12} {:>10} {:>9} {:>9}", "GROUP", "TOPIC",
                                     topic_width, "PART", "COMMITTED", "END", "LAG", "READS", "WRITES")));
    }
    for (const auto& lag : lags->partitions) {
      auto old = before.find({lag.group, lag.partition});
      bool known = old != before.end();
      std::string reads = per_second(known ? old->second.committed : std::nullopt, lag.committed, seconds);
      std::string writes = per_second(known ? old->second.end : std::nullopt, lag.end, seconds);
      auto number = [](std::optional<int64_t> value) { return value ? std::to_string(*value) : std::string("-"); };
      std::string line = fmt::format("{:<20} {:<{}} {:>5} {:>12} {:>12} {:>10} {:>9} {:>9}", lag.group,
                                     lag.partition.topic, topic_width, lag.partition.partition, number(lag.committed),
                                     number(lag.end), number(lag.lag()), reads, writes);
      if (view.on_terminal()) {
        std::string gauge = bar(lag.lag().value_or(0), most, 12);
        line += "  " + (lag.lag().value_or(0) == 0 ? call.out().green(gauge) : call.out().yellow(gauge));
      }
      lines.push_back(std::move(line));
    }
    view.show(lines);
    before.clear();
    for (const auto& lag : lags->partitions) before[{lag.group, lag.partition}] = lag;
    view.wait(interval);
  }
  return call.exit_code();
}

}  // namespace barnabas::cli
