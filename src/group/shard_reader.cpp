#include "group/shard_reader.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace barnabas::group {

using wire::KafkaError;

namespace {

using ResponseGroup = wire::OffsetFetchResponse::OffsetFetchResponseGroup;
using ResponseTopic = wire::OffsetFetchResponse::OffsetFetchResponseTopics;
using ResponsePartition = wire::OffsetFetchResponse::OffsetFetchResponsePartitions;

constexpr int16_t kFetchTopicIdsFrom = 10;
constexpr int16_t kDescribeNotFoundFrom = 6;

ResponsePartition no_offset(int32_t partition, KafkaError error) {
  ResponsePartition row;
  row.partition_index = partition;
  row.committed_offset = -1;
  row.committed_leader_epoch = -1;
  row.metadata = "";
  row.error_code = error;
  return row;
}

ResponsePartition read_one(const ShardState& state, const OffsetKey& key, bool require_stable) {
  if (require_stable && state.offsets.has_pending_transaction(key)) {
    return no_offset(key.partition, KafkaError::kUnstableOffsetCommit);
  }
  ResponsePartition row = no_offset(key.partition, KafkaError::kNone);
  const StoredOffset* value = state.offsets.committed(key);
  if (value == nullptr) return row;
  row.committed_offset = value->offset;
  row.committed_leader_epoch = value->leader_epoch;
  row.metadata = value->metadata;
  return row;
}

void read_all(const ShardState& state, ResponseGroup& response, GroupShard::FetchOptions options,
              const TopicLookup& topics) {
  std::map<std::string, std::set<int32_t>> wanted;
  state.offsets.each_committed(response.group_id, [&](std::string_view topic, int32_t partition, const StoredOffset&) {
    wanted[std::string(topic)].insert(partition);
  });
  if (options.require_stable) {
    for (auto& [topic, partition] : state.offsets.pending_transaction_partitions(response.group_id)) {
      wanted[topic].insert(partition);
    }
  }
  for (const auto& [name, partitions] : wanted) {
    ResponseTopic topic;
    topic.name = name;
    if (options.api_version >= kFetchTopicIdsFrom) {
      // A topic that was just deleted has no id to be called by.
      std::optional<TopicInfo> info = topics.by_name(name);
      if (!info) continue;
      topic.topic_id = info->id;
    }
    for (int32_t partition : partitions) {
      OffsetKey key{response.group_id, name, partition};
      topic.partitions.push_back(read_one(state, key, options.require_stable));
    }
    response.topics.push_back(std::move(topic));
  }
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return copy;
}

bool passes(const std::vector<std::string>& filter, std::string_view value) {
  if (filter.empty()) return true;
  return std::ranges::any_of(filter, [&](const std::string& wanted) { return lower(wanted) == lower(value); });
}

std::string_view kind_name(ForeignKind kind) {
  switch (kind) {
    case ForeignKind::kConsumer:
      return "Consumer";
    case ForeignKind::kShare:
      return "Share";
    case ForeignKind::kStreams:
      return "Streams";
  }
  return "Unknown";
}

}  // namespace

ResponseGroup read_offsets(const ShardState& state, const wire::OffsetFetchRequest::OffsetFetchRequestGroup& group,
                           GroupShard::FetchOptions options, const TopicLookup& topics) {
  ResponseGroup response;
  response.group_id = group.group_id;
  if (!group.topics) {
    read_all(state, response, options, topics);
    return response;
  }
  for (const auto& asked : *group.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    topic.topic_id = asked.topic_id;
    std::string name = asked.name;
    bool known = true;
    if (options.api_version >= kFetchTopicIdsFrom) {
      std::optional<TopicInfo> info = topics.by_id(asked.topic_id);
      known = info.has_value();
      if (info) name = info->name;
    }
    for (int32_t partition : asked.partition_indexes) {
      topic.partitions.push_back(known ? read_one(state, {group.group_id, name, partition}, options.require_stable)
                                       : no_offset(partition, KafkaError::kUnknownTopicId));
    }
  }
  return response;
}

wire::DescribeGroupsResponse::DescribedGroup describe_group(const ShardState& state, std::string_view group_id,
                                                            int16_t api_version) {
  wire::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = group_id;
  const ClassicGroup* group = state.foreign.contains(group_id) ? nullptr : state.find_committed(group_id);
  if (group == nullptr) {
    described.group_state = "Dead";
    if (api_version >= kDescribeNotFoundFrom) {
      described.error_code = KafkaError::kGroupIdNotFound;
      described.error_message = "Group " + std::string(group_id) + " not found.";
    }
    return described;
  }
  described.group_state = state_name(group->state());
  described.protocol_type = group->protocol_type().value_or("");
  bool stable = group->in(ClassicState::kStable);
  if (stable) described.protocol_data = group->protocol_name().value_or("");
  for (const auto& [id, member] : group->members()) {
    auto& row = described.members.emplace_back();
    row.member_id = id;
    row.group_instance_id = member.instance_id;
    row.client_id = member.client_id;
    row.client_host = member.client_host;
    if (!stable) continue;  // until then neither protocol nor assignment is agreed
    row.member_metadata = to_buffer(member.metadata(described.protocol_data));
    row.member_assignment = member.assignment;
  }
  return described;
}

std::vector<wire::ListGroupsResponse::ListedGroup> list_groups(const ShardState& state,
                                                               const wire::ListGroupsRequest& request) {
  std::map<std::string, wire::ListGroupsResponse::ListedGroup> found;
  auto list = [&](const std::string& id, std::string_view protocol, std::string_view state_text,
                  std::string_view type) {
    if (!passes(request.states_filter, state_text) || !passes(request.types_filter, type)) return;
    auto& row = found[id];
    row.group_id = id;
    row.protocol_type = protocol;
    row.group_state = state_text;
    row.group_type = type;
  };
  std::set<std::string> ids;
  for (const auto& [id, group] : state.groups) ids.insert(id);
  for (const UncommittedAppend& append : state.ledger.uncommitted()) {
    for (const AppendEffect& effect : append.effects) {
      if (const auto* deleted = std::get_if<GroupDeleted>(&effect)) ids.insert(deleted->group->id());
    }
  }
  for (const std::string& id : ids) {
    const ClassicGroup* group = state.foreign.contains(id) ? nullptr : state.find_committed(id);
    if (group != nullptr) list(id, group->protocol_type().value_or(""), state_name(group->state()), "classic");
  }
  for (const auto& [id, kind] : state.foreign) list(id, lower(kind_name(kind)), "Empty", kind_name(kind));

  std::vector<wire::ListGroupsResponse::ListedGroup> listed;
  for (auto& [id, row] : found) listed.push_back(std::move(row));
  return listed;
}

}  // namespace barnabas::group
