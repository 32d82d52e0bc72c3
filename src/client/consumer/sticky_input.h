// What the sticky assignors start from: who owned what, who wants what, where racks matter. Names are those of the
// members; the order of members is that of Java's map of subscriptions, see java_hash.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer/assignor.h"

namespace barnabas::client {

using OwnedPartitions = std::map<std::string, std::vector<TopicPartition>>;

// What a member says it owned before, and when.
struct MemberData {
  std::vector<TopicPartition> partitions;
  std::optional<int32_t> generation;
};

class StickyRacks {
 public:
  StickyRacks() = default;
  StickyRacks(const std::vector<MemberSubscription>& members, const AssignableTopics& topics);

  bool in_use() const { return !member_racks_.empty(); }
  const std::string* of(const std::string& member) const;
  bool holds(const TopicPartition& at, const std::string& rack) const;
  // The member says where it is, and no replica is there.
  bool mismatch(const std::string& member, const TopicPartition& at) const;
  // Partitions that few members are near to come first.
  void sort(std::vector<TopicPartition>& partitions) const;
  // The first of `members` from `start` on, around the circle, that is near.
  std::optional<size_t> next_near(const TopicPartition& at, const std::vector<std::string>& members,
                                  size_t start) const;

 private:
  std::map<std::string, std::string> member_racks_;
  std::map<TopicPartition, std::set<std::string>> partition_racks_;
  std::map<TopicPartition, int> near_members_;
};

struct StickyInput {
  std::vector<const MemberSubscription*> members;  // in Java's order
  const AssignableTopics& topics;
  std::map<std::string, MemberData> data;
  OwnedPartitions owned;  // valid claims, by member
  std::set<TopicPartition> claimed_twice;
  bool all_alike = true;  // all subscribe to the same topics
  int32_t generation = kNoGeneration;
  StickyRacks racks;

  StickyInput(const std::vector<MemberSubscription>& members, const AssignableTopics& topics, bool cooperative);

 private:
  void settle_claims(const MemberSubscription& member, std::map<TopicPartition, const MemberSubscription*>& owners);
};

// When everybody wants the same. `transferring` gets what moves from one living member to another.
GroupAssignment assign_constrained(const StickyInput& input, std::map<TopicPartition, std::string>& transferring);
GroupAssignment assign_general(const StickyInput& input);

}  // namespace barnabas::client
