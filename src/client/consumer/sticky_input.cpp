#include "client/consumer/sticky_input.h"

#include <algorithm>
#include <iterator>

#include "client/consumer/java_hash.h"
#include "client/consumer/sticky_user_data.h"

namespace barnabas::client {

namespace {

MemberData data_of(const MemberSubscription& member, bool cooperative) {
  if (!cooperative) {
    if (!member.user_data || member.user_data->empty()) return {};
    return decode_sticky_user_data(*member.user_data);
  }
  if (member.generation >= 0) return {member.owned, member.generation};
  if (!member.user_data) return {member.owned, std::nullopt};
  return {member.owned, decode_cooperative_user_data(*member.user_data)};
}

}  // namespace

StickyRacks::StickyRacks(const std::vector<MemberSubscription>& members, const AssignableTopics& topics) {
  std::vector<std::string> member_racks;
  std::map<std::string, int> members_in;
  for (const auto& member : members) {
    if (!member.rack || member.rack->empty()) continue;
    member_racks.push_back(*member.rack);
    ++members_in[*member.rack];
  }
  if (member_racks.empty()) return;
  std::vector<const AssignableTopic*> all;
  for (const auto& [name, topic] : topics) {
    all.push_back(&topic);
    for (int32_t partition = 0; partition < topic.partitions(); ++partition) {
      const auto& racks = topic.racks[static_cast<size_t>(partition)];
      TopicPartition at{name, partition};
      auto& known = partition_racks_[at];
      known.insert(racks.begin(), racks.end());
      int near = 0;
      for (const auto& rack : known) {
        auto found = members_in.find(rack);
        if (found != members_in.end()) near += found->second;
      }
      near_members_[at] = near;
    }
  }
  if (!racks_matter(member_racks, all)) {
    partition_racks_.clear();
    near_members_.clear();
    return;
  }
  for (const auto& member : members) {
    if (member.rack && !member.rack->empty()) member_racks_[member.member_id] = *member.rack;
  }
}

const std::string* StickyRacks::of(const std::string& member) const {
  auto found = member_racks_.find(member);
  return found == member_racks_.end() ? nullptr : &found->second;
}

bool StickyRacks::holds(const TopicPartition& at, const std::string& rack) const {
  auto found = partition_racks_.find(at);
  return found != partition_racks_.end() && found->second.contains(rack);
}

bool StickyRacks::mismatch(const std::string& member, const TopicPartition& at) const {
  const std::string* rack = of(member);
  return rack && !holds(at, *rack);
}

void StickyRacks::sort(std::vector<TopicPartition>& partitions) const {
  if (near_members_.empty()) return;
  std::map<int, std::vector<TopicPartition>> by_members;
  for (auto& at : partitions) {
    auto found = near_members_.find(at);
    by_members[found == near_members_.end() ? 0 : found->second].push_back(std::move(at));
  }
  partitions.clear();
  for (auto& [count, group] : by_members) std::ranges::move(group, std::back_inserter(partitions));
}

std::optional<size_t> StickyRacks::next_near(const TopicPartition& at, const std::vector<std::string>& members,
                                             size_t start) const {
  for (size_t step = 0; step < members.size(); ++step) {
    size_t index = (start + step) % members.size();
    const std::string* rack = of(members[index]);
    if (rack && holds(at, *rack)) return index;
  }
  return std::nullopt;
}

StickyInput::StickyInput(const std::vector<MemberSubscription>& in_any_order, const AssignableTopics& all,
                         bool cooperative)
    : topics(all), racks(in_any_order, all) {
  std::vector<int32_t> hashes;
  for (const auto& member : in_any_order) hashes.push_back(java_hash(std::string_view(member.member_id)));
  for (size_t index : java_hash_order(hashes)) members.push_back(&in_any_order[index]);

  std::optional<std::set<std::string_view>> first_topics;
  std::map<TopicPartition, const MemberSubscription*> owners;
  for (const auto* member : members) {
    std::set<std::string_view> wanted(member->topics.begin(), member->topics.end());
    if (!first_topics) first_topics = wanted;
    if (wanted != *first_topics) all_alike = false;
    auto& mine = data[member->member_id] = data_of(*member, cooperative);
    generation = std::max(generation, mine.generation.value_or(kNoGeneration));
    owned[member->member_id];
    settle_claims(*member, owners);
  }
}

// The member of the later generation is right. Two of the same generation cannot both be: then nobody is.
void StickyInput::settle_claims(const MemberSubscription& member,
                                std::map<TopicPartition, const MemberSubscription*>& owners) {
  const auto& mine = data[member.member_id];
  int32_t my_generation = mine.generation.value_or(kNoGeneration);
  for (const auto& at : mine.partitions) {
    auto topic = topics.find(at.topic);
    if (topic == topics.end() || at.partition < 0 || at.partition >= topic->second.partitions()) continue;
    auto& owner = owners[at];
    if (!owner) {
      owner = &member;
      owned[member.member_id].push_back(at);
      continue;
    }
    int32_t other_generation = owner->generation;
    if (my_generation < other_generation) continue;
    std::erase(owned[owner->member_id], at);
    if (my_generation == other_generation) {
      claimed_twice.insert(at);
    } else {
      owned[member.member_id].push_back(at);
    }
    owner = &member;
  }
}

}  // namespace barnabas::client
