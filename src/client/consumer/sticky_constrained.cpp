#include <algorithm>

#include "base/check.h"
#include "client/consumer/java_hash.h"
#include "client/consumer/sticky_input.h"

namespace barnabas::client {

namespace {

// Everybody gets floor(partitions / members), some one more. First what they own, then, one by one in order, the rest.
class Constrained {
 public:
  Constrained(const StickyInput& input, std::map<TopicPartition, std::string>& transferring)
      : input_(input), transferring_(transferring) {
    size_t total = 0;
    for (const auto& [name, topic] : input.topics) total += topic.racks.size();
    size_t members = input.members.size();
    least_ = total / members;
    most_ = (total + members - 1) / members;
    over_expected_ = total % members;
    for (const auto* member : input.members) assignment_[member->member_id];
  }

  GroupAssignment run() {
    for (const std::string& member : claim_order()) keep_owned(member);
    std::vector<TopicPartition> rest;
    for (const auto& [name, topic] : input_.topics) {
      for (int32_t partition = 0; partition < topic.partitions(); ++partition) {
        TopicPartition at{name, partition};
        if (!kept_.contains(at)) rest.push_back(std::move(at));
      }
    }
    std::ranges::sort(under_);
    std::ranges::sort(at_least_);
    input_.racks.sort(rest);
    if (input_.racks.in_use()) give_near(rest);
    give_rest(rest);
    return std::move(assignment_);
  }

 private:
  // Java keeps the claims in a map filled in the order of another one.
  std::vector<std::string> claim_order() const {
    std::vector<int32_t> hashes;
    for (const auto* member : input_.members) hashes.push_back(java_hash(std::string_view(member->member_id)));
    std::vector<std::string> order;
    for (size_t index : java_hash_order(hashes)) order.push_back(input_.members[index]->member_id);
    return order;
  }

  void keep_owned(const std::string& member) {
    std::vector<TopicPartition> owned;
    for (const auto& at : input_.owned.at(member)) {
      if (input_.racks.mismatch(member, at)) {
        given_up_[at] = member;
      } else if (!input_.claimed_twice.contains(at)) {
        owned.push_back(at);
      }
    }
    std::ranges::sort(owned, [](const auto& a, const auto& b) {
      return std::tie(a.partition, a.topic) < std::tie(b.partition, b.topic);
    });
    if (owned.size() < least_) {
      keep(member, owned, owned.size());
      under_.push_back(member);
    } else if (owned.size() >= most_ && over_ < over_expected_) {
      if (++over_ == over_expected_) at_least_.clear();
      keep(member, owned, most_);
    } else {
      keep(member, owned, least_);
      if (over_ < over_expected_) at_least_.push_back(member);
    }
  }

  void keep(const std::string& member, const std::vector<TopicPartition>& owned, size_t count) {
    for (size_t index = 0; index < owned.size(); ++index) {
      if (index < count) {
        assignment_[member].push_back(owned[index]);
        kept_.insert(owned[index]);
      } else {
        given_up_[owned[index]] = member;
      }
    }
  }

  // Takes out of `rest` what it gives.
  void give_near(std::vector<TopicPartition>& rest) {
    size_t next = 0;
    std::vector<TopicPartition> left;
    for (auto& at : rest) {
      if (auto index = input_.racks.next_near(at, under_, next)) {
        std::string member = under_[*index];
        size_t count = assignment_[member].size() + 1;
        size_t after = *index;
        if (count >= least_) {
          under_.erase(under_.begin() + static_cast<std::ptrdiff_t>(*index));
          if (count < most_ && over_ < over_expected_) at_least_.push_back(member);
        } else {
          ++after;
        }
        next = under_.empty() ? 0 : after % under_.size();
        give(at, member);
        continue;
      }
      auto index = input_.racks.next_near(at, at_least_, 0);
      if (!index) {
        left.push_back(std::move(at));
        continue;
      }
      std::string member = at_least_[*index];
      if (assignment_[member].size() + 1 == most_) {
        at_least_.erase(at_least_.begin() + static_cast<std::ptrdiff_t>(*index));
        if (++over_ == over_expected_) at_least_.clear();
      }
      give(at, member);
    }
    rest = std::move(left);
  }

  void give_rest(const std::vector<TopicPartition>& rest) {
    size_t next = 0;
    size_t next_full = 0;
    for (const auto& at : rest) {
      if (under_.empty()) {
        CHECK(next_full < at_least_.size(), "there is room for every partition");
        give(at, at_least_[next_full++]);
        continue;
      }
      if (next >= under_.size()) next = 0;
      std::string member = under_[next];
      if (give(at, member) == least_) {
        under_.erase(under_.begin() + static_cast<std::ptrdiff_t>(next));
        at_least_.push_back(member);
      } else {
        ++next;
      }
    }
  }

  size_t give(const TopicPartition& at, const std::string& member) {
    assignment_[member].push_back(at);
    auto before = given_up_.find(at);
    bool moved = before != given_up_.end() && before->second != member;
    if (moved || input_.claimed_twice.contains(at)) transferring_[at] = member;
    return assignment_[member].size();
  }

  const StickyInput& input_;
  std::map<TopicPartition, std::string>& transferring_;
  GroupAssignment assignment_;
  std::set<TopicPartition> kept_;
  std::map<TopicPartition, std::string> given_up_;  // by whom
  std::vector<std::string> under_;                  // fewer than least_
  std::vector<std::string> at_least_;               // least_, and may have one more
  size_t least_ = 0, most_ = 0;
  size_t over_ = 0, over_expected_ = 0;
};

}  // namespace

GroupAssignment assign_constrained(const StickyInput& input, std::map<TopicPartition, std::string>& transferring) {
  if (input.members.empty()) return {};
  return Constrained(input, transferring).run();
}

}  // namespace barnabas::client
