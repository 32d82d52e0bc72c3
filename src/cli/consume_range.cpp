#include "cli/consume_range.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace barnabas::cli {

namespace {

using client::Error;
using client::TopicPartition;
using Spec = client::OffsetSpec;
using Offsets = std::map<TopicPartition, int64_t>;

client::Result<Offsets> offsets_at(client::Admin& admin, const std::vector<TopicPartition>& partitions, Spec spec,
                                   bool read_committed) {
  std::map<TopicPartition, Spec> wanted;
  for (const auto& partition : partitions) wanted[partition] = spec;
  Offsets offsets;
  if (wanted.empty()) return offsets;
  auto listed = admin.list_offsets(std::move(wanted), read_committed).get();
  if (!listed) return std::unexpected(listed.error());
  for (const auto& [partition, offset] : *listed) {
    if (!offset) return std::unexpected(offset.error());
    offsets[partition] = offset->offset;
  }
  return offsets;
}

struct Edges {
  Offsets start, end;
};

// Where `choice` is, within what is there.
client::Result<Offsets> places(client::Admin& admin, const std::vector<TopicPartition>& partitions,
                               const OffsetChoice& choice, const Edges& edges, bool read_committed) {
  using Kind = OffsetChoice::Kind;
  Offsets times;
  if (choice.kind == Kind::kTime) {
    auto found = offsets_at(admin, partitions, {.kind = Spec::Kind::kTime, .time = choice.number}, read_committed);
    if (!found) return found;
    times = *std::move(found);
  }
  Offsets result;
  for (const auto& partition : partitions) {
    int64_t low = edges.start.at(partition), high = edges.end.at(partition), place = low;
    if (choice.kind == Kind::kEnd) place = high;
    if (choice.kind == Kind::kOffset) place = choice.number;
    // A shift beyond the other edge is clamped below; the sums cannot overflow for offsets that exist.
    if (choice.kind == Kind::kShift)
      place = choice.number < 0 ? high + choice.number : low + std::min(choice.number, high - low);
    if (choice.kind == Kind::kTime) place = times.at(partition) < 0 ? high : times.at(partition);
    result[partition] = std::clamp(place, low, std::max(low, high));
  }
  return result;
}

}  // namespace

client::Result<std::vector<std::string>> topics_meant(client::Admin& admin, const std::vector<std::string>& names) {
  std::vector<std::string> topics;
  std::optional<std::vector<client::TopicListing>> all;
  for (const std::string& name : names) {
    if (!name.starts_with('^')) {
      topics.push_back(name);
      continue;
    }
    re2::RE2 pattern(name, re2::RE2::Quiet);
    if (!pattern.ok())
      return std::unexpected(Error{.message = fmt::format("{}: no regular expression: {}", name, pattern.error())});
    if (!all) {
      auto listed = admin.list_topics().get();
      if (!listed) return std::unexpected(listed.error());
      all = *std::move(listed);
    }
    size_t before = topics.size();
    for (const auto& topic : *all) {
      if (re2::RE2::FullMatch(topic.name, pattern)) topics.push_back(topic.name);
    }
    if (topics.size() == before) {
      return std::unexpected(Error{.kind = Error::Kind::kBroker, .message = fmt::format("no topic matches {}", name)});
    }
  }
  std::ranges::sort(topics);
  auto repeated = std::ranges::unique(topics);
  topics.erase(repeated.begin(), repeated.end());
  return topics;
}

client::Result<std::map<TopicPartition, PartitionRange>> plan_range(client::Admin& admin,
                                                                    const std::vector<std::string>& topics,
                                                                    const ConsumeRange& range, bool read_committed) {
  auto described = admin.describe_topics(topics).get();
  if (!described) return std::unexpected(described.error());
  std::vector<TopicPartition> partitions;
  for (const std::string& name : topics) {
    auto& topic = described->at(name);
    if (!topic) {
      Error error = topic.error();
      error.message = fmt::format("topic {}: {}", name, error.message);
      return std::unexpected(error);
    }
    std::set<int32_t> left = range.partitions;
    for (const auto& partition : topic->partitions) {
      if (!range.partitions.empty() && left.erase(partition.partition) == 0) continue;
      partitions.push_back({name, partition.partition});
    }
    if (!left.empty()) {
      return std::unexpected(Error{.message = fmt::format("topic {} has no partition {}; it has {}", name,
                                                          *left.begin(), topic->partitions.size())});
    }
  }
  auto start = offsets_at(admin, partitions, {.kind = Spec::Kind::kEarliest}, read_committed);
  if (!start) return std::unexpected(start.error());
  auto end = offsets_at(admin, partitions, {.kind = Spec::Kind::kLatest}, read_committed);
  if (!end) return std::unexpected(end.error());
  Edges edges{*std::move(start), *std::move(end)};
  auto from = places(admin, partitions, range.from, edges, read_committed);
  if (!from) return std::unexpected(from.error());
  std::map<TopicPartition, PartitionRange> plan;
  for (const auto& [partition, offset] : *from) plan[partition] = {.from = offset};
  if (!range.to) return plan;
  auto to = places(admin, partitions, *range.to, edges, read_committed);
  if (!to) return std::unexpected(to.error());
  for (const auto& [partition, offset] : *to) plan.at(partition).to = offset;
  return plan;
}

}  // namespace barnabas::cli
