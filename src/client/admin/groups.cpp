// Groups of every type: who they are. Their offsets are in group_offsets.cpp.
#include <algorithm>
#include <cctype>

#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "wire/messages/consumer_group_describe_request.h"
#include "wire/messages/consumer_group_describe_response.h"
#include "wire/messages/consumer_protocol_assignment.h"
#include "wire/messages/consumer_protocol_subscription.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/share_group_describe_request.h"
#include "wire/messages/share_group_describe_response.h"
#include "wire/messages/streams_group_describe_request.h"
#include "wire/messages/streams_group_describe_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;
using Descriptions = Outcomes<std::string, GroupDescription>;

// As brokers compare them: in any case.
bool wanted(const std::set<std::string>& filter, const std::string& value) {
  auto same = [&value](const std::string& word) {
    return std::ranges::equal(
        word, value, {}, [](unsigned char c) { return std::tolower(c); },
        [](unsigned char c) { return std::tolower(c); });
  };
  return filter.empty() || std::ranges::any_of(filter, same);
}

// Brokers say "classic" or "Classic", as they like.
std::string type_name(std::string type) {
  for (size_t i = 0; i < type.size(); ++i) {
    auto letter = static_cast<unsigned char>(type[i]);
    type[i] = static_cast<char>(i == 0 ? std::toupper(letter) : std::tolower(letter));
  }
  return type;
}

// Every broker knows the groups it coordinates.
runtime::Task<Result<std::vector<GroupListing>>> list_groups(Cluster& cluster, ListGroupsOptions options) {
  auto deadline = api_deadline(cluster);
  auto metadata = co_await cluster.refresh(deadline);
  if (!metadata) co_return std::unexpected(metadata.error());
  std::map<std::string, GroupListing> found;
  for (const auto& [broker, node] : (*metadata)->brokers) {
    for (int attempt = 0;; ++attempt) {
      auto peer = co_await cluster.connection(Target::of(broker), deadline);
      if (!peer) co_return std::unexpected(peer.error());
      auto version = (*peer)->version_of<wire::ListGroupsRequest>();
      if (!version) co_return std::unexpected(version.error());
      wire::ListGroupsRequest request;
      if (*version >= 4) request.states_filter.assign(options.states.begin(), options.states.end());
      if (*version >= 5) request.types_filter.assign(options.types.begin(), options.types.end());
      auto answer = co_await (*peer)->call<wire::ListGroupsResponse>(request, *version, cluster.left_until(deadline));
      if (!answer) co_return std::unexpected(answer.error());
      KafkaError code = answer->message.error_code;
      if (code != KafkaError::kNone) {
        bool slept = false;
        if (wire::is_retriable(code)) {
          slept = co_await cluster.back_off(attempt, deadline);
        }
        if (slept) continue;
        co_return std::unexpected(broker_error(code, "groups of broker " + std::to_string(broker)));
      }
      for (auto& group : answer->message.groups) {
        GroupListing listing{.id = std::move(group.group_id),
                             .type = type_name(std::move(group.group_type)),
                             .protocol_type = std::move(group.protocol_type),
                             .state = std::move(group.group_state)};
        if (!wanted(options.states, listing.state) || !wanted(options.protocol_types, listing.protocol_type)) continue;
        if (!wanted(options.types, listing.type)) continue;
        std::string id = listing.id;
        found.insert_or_assign(std::move(id), std::move(listing));
      }
      break;
    }
  }
  std::vector<GroupListing> listed;
  for (auto& [id, listing] : found) listed.push_back(std::move(listing));
  co_return listed;
}

template <class Assignment>
std::vector<TopicPartition> partitions_of(const Assignment& assignment) {
  std::vector<TopicPartition> partitions;
  for (const auto& topic : assignment.topic_partitions) {
    for (int32_t partition : topic.partitions) partitions.push_back({topic.topic_name, partition});
  }
  std::ranges::sort(partitions);
  return partitions;
}

// A version and a message of the consumer's embedded protocol. Bytes of other protocols are nobody's business here.
template <class Message>
std::optional<Message> embedded(const Buffer& bytes) {
  wire::Reader reader{BytesView(bytes)};
  int16_t version = reader.int16();
  if (reader.failed() || version < 0) return std::nullopt;
  auto message = Message::decode(reader, std::min(version, Message::kMaxVersion));
  if (!message) return std::nullopt;
  return *std::move(message);
}

struct DescribeClassic {
  bool with_authorized_operations;

  runtime::Task<Result<Descriptions>> operator()(Cluster& cluster, int32_t broker, std::vector<std::string> groups,
                                                 MonotonicTime deadline) const {
    wire::DescribeGroupsRequest request;
    request.groups = groups;
    request.include_authorized_operations = with_authorized_operations;
    auto answer = co_await cluster.call<wire::DescribeGroupsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Node coordinator = node_of(*cluster.metadata(), broker);
    Descriptions done;
    for (auto& group : answer->message.groups) {
      GroupDescription description{.id = group.group_id,
                                   .type = "Classic",
                                   .state = group.group_state,
                                   .protocol_type = group.protocol_type,
                                   .assignor = group.protocol_data,
                                   .coordinator = coordinator,
                                   .authorized_operations = operations_of(group.authorized_operations)};
      for (auto& member : group.members) {
        GroupMember told{.member_id = member.member_id,
                         .client_id = member.client_id,
                         .host = member.client_host,
                         .group_instance_id = member.group_instance_id};
        if (group.protocol_type == "consumer") {
          auto assignment = embedded<wire::ConsumerProtocolAssignment>(member.member_assignment);
          if (assignment) {
            for (const auto& topic : assignment->assigned_partitions) {
              for (int32_t partition : topic.partitions) told.assignment.push_back({topic.topic, partition});
            }
            std::ranges::sort(told.assignment);
          }
          auto subscription = embedded<wire::ConsumerProtocolSubscription>(member.member_metadata);
          if (subscription) {
            told.subscribed_topics = subscription->topics;
            told.rack = subscription->rack_id;
          }
        }
        description.members.push_back(std::move(told));
      }
      // Before v6 a group that does not exist is Dead.
      KafkaError code = group.error_code;
      if (code == KafkaError::kNone && group.group_state == "Dead") code = KafkaError::kGroupIdNotFound;
      done.insert_or_assign(group.group_id,
                            outcome(code, "group " + group.group_id, group.error_message, std::move(description)));
    }
    co_return done;
  }
};

// The new kinds of groups are described alike, each by messages of its own and with something of its own to its
// members.
struct ConsumerKind {
  using Request = wire::ConsumerGroupDescribeRequest;
  using Response = wire::ConsumerGroupDescribeResponse;
  static constexpr std::string_view kType = "Consumer";
  static constexpr std::string_view kProtocol = "consumer";
  static void complete(GroupMember& told, const auto& member) {
    told.group_instance_id = member.instance_id;
    told.subscribed_topics = member.subscribed_topic_names;
    told.subscribed_pattern = member.subscribed_topic_regex;
    told.assignment = partitions_of(member.assignment);
    told.target_assignment = partitions_of(member.target_assignment);
    if (member.member_type >= 0) told.upgraded = member.member_type == 1;
  }
};

struct ShareKind {
  using Request = wire::ShareGroupDescribeRequest;
  using Response = wire::ShareGroupDescribeResponse;
  static constexpr std::string_view kType = "Share";
  static constexpr std::string_view kProtocol = "share";
  static void complete(GroupMember& told, const auto& member) {
    told.subscribed_topics = member.subscribed_topic_names;
    told.assignment = partitions_of(member.assignment);
  }
};

struct StreamsKind {
  using Request = wire::StreamsGroupDescribeRequest;
  using Response = wire::StreamsGroupDescribeResponse;
  static constexpr std::string_view kType = "Streams";
  static constexpr std::string_view kProtocol = "streams";
  static void complete(GroupMember& told, const auto& member) { told.group_instance_id = member.instance_id; }
};

template <class Kind>
struct DescribeNew {
  bool with_authorized_operations;

  runtime::Task<Result<Descriptions>> operator()(Cluster& cluster, int32_t broker, std::vector<std::string> groups,
                                                 MonotonicTime deadline) const {
    typename Kind::Request request;
    request.group_ids = groups;
    request.include_authorized_operations = with_authorized_operations;
    auto answer = co_await cluster.call<typename Kind::Response>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Node coordinator = node_of(*cluster.metadata(), broker);
    Descriptions done;
    for (auto& group : answer->message.groups) {
      GroupDescription description{.id = group.group_id,
                                   .type = std::string(Kind::kType),
                                   .state = group.group_state,
                                   .protocol_type = std::string(Kind::kProtocol),
                                   .assignor = std::optional<std::string>(group.assignor_name).value_or(""),
                                   .group_epoch = group.group_epoch,
                                   .target_assignment_epoch = group.assignment_epoch,
                                   .coordinator = coordinator,
                                   .authorized_operations = operations_of(group.authorized_operations)};
      for (const auto& member : group.members) {
        GroupMember told{.member_id = member.member_id,
                         .client_id = member.client_id,
                         .host = member.client_host,
                         .rack = member.rack_id,
                         .member_epoch = member.member_epoch};
        Kind::complete(told, member);
        description.members.push_back(std::move(told));
      }
      done.insert_or_assign(group.group_id, outcome(group.error_code, "group " + group.group_id, group.error_message,
                                                    std::move(description)));
    }
    co_return done;
  }
};

// A group's kind is not known beforehand, and a description of the wrong kind answers GROUP_ID_NOT_FOUND: so the kinds
// the cluster has are listed first. A cluster that does not tell has classic ones only.
runtime::Task<Result<Descriptions>> describe_groups(Cluster& cluster, std::vector<std::string> groups,
                                                    bool with_authorized_operations) {
  auto deadline = api_deadline(cluster);
  auto listed = co_await list_groups(cluster, {});
  if (!listed) co_return std::unexpected(listed.error());
  std::map<std::string, std::string> types;
  for (const auto& group : *listed) types.emplace(group.id, group.type);
  std::map<std::string, std::vector<std::string>> by_type;
  for (auto& group : groups) {
    auto known = types.find(group);
    std::string type = known == types.end() || known->second.empty() ? "Classic" : known->second;
    by_type[type].push_back(std::move(group));
  }
  Descriptions done;
  for (auto& [type, mine] : by_type) {
    Result<Descriptions> described;
    if (type == "Consumer") {
      described = co_await ask_coordinators<GroupDescription>(cluster, CoordinatorType::kGroup, mine, deadline,
                                                              DescribeNew<ConsumerKind>{with_authorized_operations});
    } else if (type == "Share") {
      described = co_await ask_coordinators<GroupDescription>(cluster, CoordinatorType::kGroup, mine, deadline,
                                                              DescribeNew<ShareKind>{with_authorized_operations});
    } else if (type == "Streams") {
      described = co_await ask_coordinators<GroupDescription>(cluster, CoordinatorType::kGroup, mine, deadline,
                                                              DescribeNew<StreamsKind>{with_authorized_operations});
    } else {
      described = co_await ask_coordinators<GroupDescription>(cluster, CoordinatorType::kGroup, mine, deadline,
                                                              DescribeClassic{with_authorized_operations});
    }
    if (!described) co_return described;
    done.merge(*described);
  }
  co_return done;
}

struct DeleteGroups {
  runtime::Task<Result<Outcomes<std::string, void>>> operator()(Cluster& cluster, int32_t broker,
                                                                std::vector<std::string> groups,
                                                                MonotonicTime deadline) const {
    wire::DeleteGroupsRequest request;
    request.groups_names = groups;
    auto answer = co_await cluster.call<wire::DeleteGroupsResponse>(Target::of(broker), std::move(request), deadline);
    if (!answer) co_return std::unexpected(answer.error());
    Outcomes<std::string, void> done;
    for (const auto& group : answer->message.results) {
      done.insert_or_assign(group.group_id, outcome(group.error_code, "group " + group.group_id, group.error_message));
    }
    co_return done;
  }
};

runtime::Task<Result<>> remove_members(Cluster& cluster, std::string group, std::vector<GroupMemberToRemove> members,
                                       std::string reason) {
  auto deadline = api_deadline(cluster);
  if (members.empty()) {
    auto described = co_await describe_groups(cluster, {group}, false);
    if (!described) co_return std::unexpected(described.error());
    auto& description = described->at(group);
    if (!description) co_return std::unexpected(description.error());
    for (const auto& member : description->members) {
      members.push_back({.member_id = member.group_instance_id ? "" : member.member_id,
                         .group_instance_id = member.group_instance_id});
    }
    if (members.empty()) co_return Result<>{};
  }
  for (int attempt = 0;; ++attempt) {
    auto broker = co_await cluster.coordinator(CoordinatorType::kGroup, group, deadline);
    if (!broker) co_return std::unexpected(broker.error());
    auto peer = co_await cluster.connection(Target::of(*broker), deadline);
    if (!peer) co_return std::unexpected(peer.error());
    auto version = (*peer)->version_of<wire::LeaveGroupRequest>();
    if (!version) co_return std::unexpected(version.error());
    if (*version < 3) {
      co_return std::unexpected(Error{.kind = Error::Kind::kUnsupported,
                                      .message = "the cluster is too old to remove members of a group (KIP-345)"});
    }
    wire::LeaveGroupRequest request;
    request.group_id = group;
    for (const auto& member : members) {
      auto& asked = request.members.emplace_back();
      asked.member_id = member.member_id;
      asked.group_instance_id = member.group_instance_id;
      if (*version >= 5) asked.reason = reason.empty() ? "removed by an administrator" : reason;
    }
    auto answer = co_await (*peer)->call<wire::LeaveGroupResponse>(request, *version, cluster.left_until(deadline));
    if (!answer) co_return std::unexpected(answer.error());
    KafkaError code = answer->message.error_code;
    if (code != KafkaError::kNone && wire::is_retriable(code)) {
      cluster.forget_coordinator(CoordinatorType::kGroup, group);
      auto slept = co_await cluster.back_off(attempt, deadline);
      if (slept) continue;
    }
    if (code != KafkaError::kNone) co_return std::unexpected(broker_error(code, "group " + group));
    for (const auto& member : answer->message.members) {
      if (member.error_code == KafkaError::kNone) continue;
      co_return std::unexpected(
          broker_error(member.error_code, "member " + member.group_instance_id.value_or(member.member_id)));
    }
    co_return Result<>{};
  }
}

}  // namespace
}  // namespace admin

Future<std::vector<GroupListing>> Admin::list_groups(ListGroupsOptions options) {
  return core_->start(admin::list_groups(core_->cluster(), std::move(options)));
}
Admin::Each<std::string, GroupDescription> Admin::describe_groups(std::vector<std::string> groups,
                                                                  bool with_authorized_operations) {
  return core_->start(admin::describe_groups(core_->cluster(), std::move(groups), with_authorized_operations));
}
Admin::Each<std::string> Admin::delete_groups(std::vector<std::string> groups) {
  Cluster& cluster = core_->cluster();
  return core_->start(admin::ask_coordinators<void>(cluster, CoordinatorType::kGroup, std::move(groups),
                                                    admin::api_deadline(cluster), admin::DeleteGroups{}));
}
Future<> Admin::remove_members_from_group(std::string group, std::vector<GroupMemberToRemove> members,
                                          std::string reason) {
  return core_->start(admin::remove_members(core_->cluster(), std::move(group), std::move(members), std::move(reason)));
}

}  // namespace barnabas::client
