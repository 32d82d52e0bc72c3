#include "cli/cluster_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace barnabas::cli {

using client::TopicDescription;
using client::TopicPartition;

namespace {

std::optional<int32_t> id_of(std::string_view text) {
  int32_t id = -1;
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
  bool whole = failed == std::errc{} && stopped == text.data() + text.size();
  return whole && id >= 0 ? std::optional(id) : std::nullopt;
}

// "orders-0" as topic and partition.
std::optional<TopicPartition> dashed(const std::string& text) {
  size_t dash = text.rfind('-');
  if (dash == std::string::npos || dash == 0) return std::nullopt;
  auto partition = id_of(std::string_view(text).substr(dash + 1));
  return partition ? std::optional(TopicPartition{text.substr(0, dash), *partition}) : std::nullopt;
}

client::Error no_such_partition(const TopicDescription& topic, int32_t partition) {
  return {.kind = client::Error::Kind::kBroker,
          .code = client::ErrorCode::kUnknownTopicOrPartition,
          .message = fmt::format("topic {} has {} partitions, not one with the number {}", topic.name,
                                 topic.partitions.size(), partition)};
}

}  // namespace

Value ids_of(const std::vector<client::Node>& nodes) {
  Value::List ids;
  for (const auto& node : nodes) ids.emplace_back(node.id);
  return ids;
}

Value ids_of(const std::vector<int32_t>& ids) {
  return Value::List(ids.begin(), ids.end());
}

std::string address_of(const client::Node& node) {
  bool v6 = node.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", node.host, node.port) : fmt::format("{}:{}", node.host, node.port);
}

Value named_node(const std::optional<client::Node>& node) {
  if (!node) return {};
  return fmt::format("{} ({})", node->id, address_of(*node));
}

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition);
}

std::optional<std::vector<TopicDescription>> describe_topics(Invocation& call, const std::vector<std::string>& names) {
  client::Admin* admin = call.admin();
  if (!admin) return std::nullopt;
  std::vector<std::string> wanted = names;
  if (wanted.empty()) {
    auto listed = admin->list_topics(true).get();
    if (!listed) {
      call.fail(listed.error());
      return std::nullopt;
    }
    for (const auto& topic : *listed) wanted.push_back(topic.name);
  }
  std::vector<TopicDescription> topics;
  if (wanted.empty()) return topics;
  auto described = admin->describe_topics(wanted).get();
  if (!described) {
    call.fail(described.error());
    return std::nullopt;
  }
  for (auto& [name, topic] : *described) {
    if (topic) {
      std::ranges::sort(topic->partitions, {}, &client::TopicPartitionInfo::partition);
      topics.push_back(*std::move(topic));
    } else if (!names.empty()) {  // one that was listed may be deleted meanwhile
      call.item_failed(topic.error(), "topic " + name);
    }
  }
  return topics;
}

std::pair<std::string, std::optional<int32_t>> split_partition(const std::string& text) {
  size_t mark = text.find_last_of(":/");
  if (mark == std::string::npos || mark == 0) return {text, std::nullopt};
  auto partition = id_of(std::string_view(text).substr(mark + 1));
  if (!partition) return {text, std::nullopt};
  return {text.substr(0, mark), partition};
}

std::optional<std::vector<ChosenPartition>> choose_partitions(Invocation& call,
                                                              const std::vector<std::string>& arguments) {
  std::vector<ChosenPartition> chosen;
  if (arguments.empty()) {
    auto topics = describe_topics(call, {});
    if (!topics) return std::nullopt;
    for (const auto& topic : *topics) {
      for (const auto& info : topic.partitions) chosen.push_back({{topic.name, info.partition}, info});
    }
    return chosen;
  }
  client::Admin* admin = call.admin();
  if (!admin) return std::nullopt;
  std::set<std::string> names;
  for (const auto& argument : arguments) {
    names.insert(split_partition(argument).first);
    if (auto partition = dashed(argument)) names.insert(partition->topic);
  }
  auto described = admin->describe_topics({names.begin(), names.end()}).get();
  if (!described) {
    call.fail(described.error());
    return std::nullopt;
  }
  std::set<TopicPartition> seen;
  for (const auto& argument : arguments) {
    auto [name, number] = split_partition(argument);
    auto found = described->find(name);
    if (auto other = dashed(argument); other && !number && (found == described->end() || !found->second)) {
      auto at = described->find(other->topic);
      if (at != described->end() && at->second) {
        found = at;
        number = other->partition;
      }
    }
    if (found == described->end()) continue;
    if (!found->second) {
      call.item_failed(found->second.error(), "topic " + name);
      continue;
    }
    size_t before = chosen.size();
    bool any = false;
    for (const auto& info : found->second->partitions) {
      if (number && info.partition != *number) continue;
      any = true;
      if (seen.insert({found->first, info.partition}).second) chosen.push_back({{found->first, info.partition}, info});
    }
    if (!any && number) call.item_failed(no_such_partition(*found->second, *number), "");
    std::sort(chosen.begin() + static_cast<std::ptrdiff_t>(before), chosen.end(),
              [](const auto& left, const auto& right) { return left.partition < right.partition; });
  }
  return chosen;
}

std::vector<int32_t> known_brokers(Invocation& call, const client::ClusterDescription& cluster,
                                   const std::vector<int32_t>& ids) {
  std::vector<int32_t> known;
  for (int32_t id : ids) {
    if (std::ranges::find(cluster.nodes, id, &client::Node::id) != cluster.nodes.end()) {
      known.push_back(id);
    } else {
      call.item_failed({.kind = client::Error::Kind::kBroker,
                        .code = client::ErrorCode::kBrokerIdNotRegistered,
                        .message = fmt::format("there is no broker {}", id)},
                       "");
    }
  }
  return known;
}

std::optional<std::vector<int32_t>> broker_ids(std::string_view text) {
  std::vector<int32_t> ids;
  while (true) {
    size_t comma = text.find(',');
    auto id = id_of(text.substr(0, comma));
    if (!id) return std::nullopt;
    ids.push_back(*id);
    if (comma == std::string_view::npos) return ids;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace barnabas::cli
