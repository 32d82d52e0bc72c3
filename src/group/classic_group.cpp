#include "group/classic_group.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "group/subscription.h"

namespace barnabas::group {

using wire::KafkaError;

std::string_view state_name(ClassicState state) {
  switch (state) {
    case ClassicState::kEmpty:
      return "Empty";
    case ClassicState::kPreparingRebalance:
      return "PreparingRebalance";
    case ClassicState::kCompletingRebalance:
      return "CompletingRebalance";
    case ClassicState::kStable:
      return "Stable";
  }
  return "Unknown";
}

BytesView ClassicMember::metadata(std::string_view protocol) const {
  for (const ClassicProtocol& spoken : protocols) {
    if (spoken.name == protocol) return spoken.metadata;
  }
  return {};
}

ClassicGroup::ClassicGroup(std::string id, uint64_t incarnation, TimestampMs state_timestamp)
    : id_(std::move(id)), incarnation_(incarnation), state_timestamp_(state_timestamp) {}

ClassicGroup ClassicGroup::from(std::string id, uint64_t incarnation, Loaded loaded) {
  ClassicGroup group(std::move(id), incarnation, 0);
  group.state_timestamp_ = loaded.state_timestamp;
  for (ClassicMember& member : loaded.members) {
    if (!group.members_.contains(member.id)) group.add(std::move(member), loaded.protocol_type);
  }
  group.protocol_type_.reset();
  if (!loaded.protocol_type.empty()) group.protocol_type_ = std::move(loaded.protocol_type);
  group.generation_ = loaded.generation;
  group.protocol_name_ = std::move(loaded.protocol_name);
  group.leader_ = std::move(loaded.leader);
  group.state_ = group.members_.empty() ? ClassicState::kEmpty : ClassicState::kStable;
  group.previous_state_ = group.state_;
  group.read_subscriptions();
  return group;
}

void ClassicGroup::transition(ClassicState next, TimestampMs now_ms) {
  bool allowed = false;
  switch (next) {
    case ClassicState::kEmpty:
    case ClassicState::kCompletingRebalance:
      allowed = state_ == ClassicState::kPreparingRebalance;
      break;
    case ClassicState::kPreparingRebalance:
      allowed = state_ != ClassicState::kPreparingRebalance;
      break;
    case ClassicState::kStable:
      allowed = state_ == ClassicState::kCompletingRebalance;
      break;
  }
  CHECK(allowed, "a group changed to a state that cannot follow");
  previous_state_ = state_;
  state_ = next;
  state_timestamp_ = now_ms;
}

ClassicMember* ClassicGroup::find(std::string_view member_id) {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

const ClassicMember* ClassicGroup::find(std::string_view member_id) const {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

const std::string* ClassicGroup::static_member(std::string_view instance_id) const {
  auto at = static_members_.find(instance_id);
  return at == static_members_.end() ? nullptr : &at->second;
}

KafkaError ClassicGroup::validate(std::string_view member_id, const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const std::string* present = static_member(*instance_id);
    if (present == nullptr) return KafkaError::kUnknownMemberId;
    if (*present != member_id) return KafkaError::kFencedInstanceId;
  }
  return find(member_id) == nullptr ? KafkaError::kUnknownMemberId : KafkaError::kNone;
}

void ClassicGroup::count_protocols(const ClassicProtocols& protocols, int change) {
  std::set<std::string_view> seen;  // a member may name a protocol twice; it speaks it once
  for (const ClassicProtocol& protocol : protocols) {
    if (!seen.insert(protocol.name).second) continue;
    size_t& count = protocol_counts_[protocol.name];
    count = change > 0 ? count + 1 : count - 1;
    if (count == 0) protocol_counts_.erase(protocol.name);
  }
}

ClassicMember& ClassicGroup::add(ClassicMember member, std::string_view protocol_type) {
  CHECK(!members_.contains(member.id), "a member was added twice");
  CHECK(!member.parked_join && !member.parked_sync);
  pending_members_.erase(member.id);
  if (members_.empty()) protocol_type_ = std::string(protocol_type);
  if (!leader_) leader_ = member.id;
  if (member.instance_id) static_members_.insert_or_assign(*member.instance_id, member.id);
  count_protocols(member.protocols, 1);
  member.join_order = next_join_order_++;
  std::string id = member.id;
  return members_.emplace(std::move(id), std::move(member)).first->second;
}

void ClassicGroup::remove(std::string_view member_id) {
  auto at = members_.find(member_id);
  if (at != members_.end()) {
    ClassicMember& member = at->second;
    CHECK(!member.parked_join && !member.parked_sync, "a member with a parked request was removed");
    count_protocols(member.protocols, -1);
    if (member.instance_id) static_members_.erase(*member.instance_id);
    bool led = is_leader(member_id);
    awaited_syncs.erase(member.id);
    members_.erase(at);
    if (led) {
      leader_.reset();
      auto earliest =
          std::ranges::min_element(members_, {}, [](const auto& entry) -> uint64_t { return entry.second.join_order; });
      if (earliest != members_.end()) leader_ = earliest->first;
    }
    return;
  }
  auto pending = pending_members_.find(member_id);
  if (pending != pending_members_.end()) pending_members_.erase(pending);
}

void ClassicGroup::set_protocols(ClassicMember& member, ClassicProtocols protocols) {
  count_protocols(member.protocols, -1);
  member.protocols = std::move(protocols);
  count_protocols(member.protocols, 1);
}

ClassicMember& ClassicGroup::replace_static(std::string_view instance_id, std::string_view old_id, std::string new_id) {
  auto node = members_.extract(members_.find(old_id));
  CHECK(!node.empty());
  ClassicMember& member = node.mapped();
  CHECK(!member.parked_join && !member.parked_sync, "a member with a parked request was replaced");
  if (is_leader(old_id)) leader_ = new_id;
  if (awaited_syncs.erase(member.id) > 0) awaited_syncs.insert(new_id);
  static_members_.insert_or_assign(std::string(instance_id), new_id);
  member.id = new_id;
  node.key() = std::move(new_id);
  return members_.insert(std::move(node)).position->second;
}

int32_t ClassicGroup::rebalance_timeout_ms() const {
  int32_t longest = 0;
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

std::optional<ParkedJoin> ClassicGroup::park_join(ClassicMember& member, ParkedJoin join) {
  std::optional<ParkedJoin> pushed_out = std::exchange(member.parked_join, join);
  if (!pushed_out) ++parked_joins_;
  return pushed_out;
}

std::optional<ParkedJoin> ClassicGroup::unpark_join(ClassicMember& member) {
  std::optional<ParkedJoin> parked = std::exchange(member.parked_join, std::nullopt);
  if (parked) --parked_joins_;
  return parked;
}

bool ClassicGroup::accepts_protocols(std::string_view type, const ClassicProtocols& protocols) const {
  if (state_ == ClassicState::kEmpty) return !type.empty() && !protocols.empty();
  if (protocol_type_ != type) return false;
  if (members_.empty()) return !protocols.empty();
  return std::ranges::any_of(protocols, [&](const ClassicProtocol& protocol) {
    auto at = protocol_counts_.find(protocol.name);
    return at != protocol_counts_.end() && at->second == members_.size();
  });
}

std::string ClassicGroup::select_protocol() const {
  CHECK(!members_.empty());
  std::map<std::string_view, size_t> votes;
  for (const auto& [id, member] : members_) {
    for (const ClassicProtocol& protocol : member.protocols) {
      if (protocol_counts_.at(protocol.name) < members_.size()) continue;
      ++votes[protocol.name];
      break;
    }
  }
  CHECK(!votes.empty(), "members without a common protocol are in one group");
  auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  return std::string(most->first);
}

bool ClassicGroup::elect_joined_leader() {
  if (leader_) {
    const ClassicMember* present = find(*leader_);
    if (present != nullptr && present->parked_join) return true;
  }
  const ClassicMember* elected = nullptr;
  for (const auto& [id, member] : members_) {
    if (!member.parked_join) continue;
    if (elected == nullptr || member.join_order < elected->join_order) elected = &member;
  }
  if (elected == nullptr) return false;
  leader_ = elected->id;
  return true;
}

void ClassicGroup::next_generation(TimestampMs now_ms) {
  generation_ = generation_ == std::numeric_limits<int32_t>::max() ? 1 : generation_ + 1;
  awaited_syncs.clear();
  if (members_.empty()) {
    protocol_name_.reset();
    transition(ClassicState::kEmpty, now_ms);
  } else {
    protocol_name_ = select_protocol();
    transition(ClassicState::kCompletingRebalance, now_ms);
  }
  read_subscriptions();
}

void ClassicGroup::read_subscriptions() {
  subscribed_topics_.reset();
  if (!uses_consumer_protocol()) return;
  std::set<std::string, std::less<>> topics;
  for (const auto& [id, member] : members_) {
    if (!protocol_name_) return;
    auto subscription = subscribed_topics(member.metadata(*protocol_name_));
    if (!subscription) return;
    topics.insert(subscription->begin(), subscription->end());
  }
  subscribed_topics_ = std::move(topics);
}

bool ClassicGroup::is_subscribed(std::string_view topic) const {
  if (subscribed_topics_) return subscribed_topics_->contains(topic);
  return uses_consumer_protocol();
}

std::optional<MonotonicTime> ClassicGroup::next_deadline() const {
  std::optional<MonotonicTime> next;
  auto consider = [&](std::optional<MonotonicTime> deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  if (join_timer) consider(join_timer->deadline);
  consider(sync_deadline);
  for (const auto& [id, deadline] : pending_members_) consider(deadline);
  for (const auto& [id, member] : members_) consider(member.session_deadline);
  return next;
}

}  // namespace barnabas::group
