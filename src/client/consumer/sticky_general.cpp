#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "client/consumer/partition_moves.h"
#include "client/consumer/sticky_input.h"

namespace barnabas::client {

namespace {

using Partitions = std::vector<TopicPartition>;

// When members want different topics: give what nobody has to the least loaded who wants it, then move partitions one
// by one as long as that makes the loads more equal; if in the end it did not, take the moves back.
class General {
 public:
  explicit General(const StickyInput& input) : input_(input) {
    for (const auto& [name, topic] : input.topics) {
      wanted_by_[name];
      total_ += topic.racks.size();
    }
    for (const auto* member : input.members) {
      auto& wants = wants_[member->member_id];
      for (const auto& topic : member->topics) {
        if (!input.topics.contains(topic) || !wants.insert(topic).second) continue;
        wanted_by_[topic].push_back(member->member_id);
      }
    }
    std::vector<std::string> topics;
    for (const auto& [name, members] : wanted_by_) topics.push_back(name);
    std::ranges::sort(topics, [&](const auto& a, const auto& b) {
      return std::pair(wanted_by_[a].size(), a) < std::pair(wanted_by_[b].size(), b);
    });
    for (const auto& name : topics) {
      int32_t count = input.topics.find(name)->second.partitions();
      for (int32_t partition = 0; partition < count; ++partition) all_.push_back({name, partition});
    }
  }

  GroupAssignment run() {
    find_earlier_owners();
    std::set<TopicPartition> kept = keep_owned();
    Partitions unassigned;
    for (const auto& at : all_) {
      if (!kept.contains(at)) unassigned.push_back(at);
    }
    for (const auto& [member, partitions] : assignment_) sorted_.insert({partitions.size(), member});
    balance(std::move(unassigned));
    return std::move(assignment_);
  }

 private:
  struct Load {
    size_t partitions;
    std::string member;
    auto operator<=>(const Load&) const = default;
  };

  // Claims of generations before the last: those members had it once, and may get it back.
  void find_earlier_owners() {
    for (const auto* member : input_.members) {
      const auto& data = input_.data.at(member->member_id);
      int32_t generation = data.generation.value_or(kNoGeneration);
      if (generation >= input_.generation) continue;
      for (const auto& at : data.partitions) {
        auto [entry, first] = earlier_.try_emplace(at, member->member_id, generation);
        if (!first && generation > entry->second.second) entry->second = {member->member_id, generation};
      }
    }
  }

  std::set<TopicPartition> keep_owned() {
    std::set<TopicPartition> kept;
    for (const auto& [member, owned] : input_.owned) {
      auto& mine = assignment_[member];
      for (const auto& at : owned) {
        owner_[at] = member;
        if (!wants_[member].contains(at.topic) || input_.racks.mismatch(member, at)) {
          must_revoke_ = true;
          continue;
        }
        mine.push_back(at);
        kept.insert(at);
      }
    }
    return kept;
  }

  void balance(Partitions unassigned) {
    bool first_time = assignment_[sorted_.rbegin()->member].empty();
    Partitions to_give = unassigned;
    if (input_.racks.in_use()) std::erase_if(to_give, [&](const auto& at) { return give(at, true); });
    for (const auto& at : to_give) give(at, false);

    auto fixed = [&](const TopicPartition& at) { return wanted_by_[at.topic].size() < 2; };
    std::erase_if(all_, fixed);
    std::erase_if(unassigned, fixed);
    GroupAssignment settled;
    for (const auto& [member, wants] : wants_) {
      if (may_take_part(member)) continue;
      sorted_.erase({assignment_[member].size(), member});
      settled[member] = std::move(assignment_[member]);
      assignment_.erase(member);
    }
    auto before = assignment_;
    if (!must_revoke_) reassign(unassigned);
    bool moved = reassign(all_);
    if (!first_time && moved && score(assignment_) >= score(before)) assignment_ = before;
    assignment_.merge(settled);
  }

  bool give(const TopicPartition& at, bool near_only) {
    for (const auto& load : sorted_) {
      if (!wants_[load.member].contains(at.topic)) continue;
      if (near_only && input_.racks.mismatch(load.member, at)) continue;
      auto node = sorted_.extract(load);
      ++node.value().partitions;
      assignment_[node.value().member].push_back(at);
      owner_[at] = node.value().member;
      sorted_.insert(std::move(node));
      return true;
    }
    return false;
  }

  size_t most_possible(const std::string& member) const {
    const auto& wants = wants_.at(member);
    if (wants.size() == input_.topics.size()) return total_;
    size_t sum = 0;
    for (const auto& topic : wants) sum += input_.topics.find(topic)->second.racks.size();
    return sum;
  }

  bool may_take_part(const std::string& member) {
    const auto& mine = assignment_[member];
    if (mine.size() < most_possible(member)) return true;
    return std::ranges::any_of(mine, [&](const auto& at) { return wanted_by_[at.topic].size() >= 2; });
  }

  bool balanced() const {
    if (sorted_.empty() || sorted_.begin()->partitions + 1 >= sorted_.rbegin()->partitions) return true;
    for (const auto& load : sorted_) {
      if (load.partitions == most_possible(load.member)) continue;
      for (const auto& name : wants_.at(load.member)) {
        int32_t count = input_.topics.find(name)->second.partitions();
        for (int32_t partition = 0; partition < count; ++partition) {
          auto owner = owner_.find({name, partition});
          if (owner == owner_.end() || owner->second == load.member) continue;
          auto other = assignment_.find(owner->second);
          if (other != assignment_.end() && load.partitions + 1 < other->second.size()) return false;
        }
      }
    }
    return true;
  }

  bool reassign(const Partitions& candidates) {
    bool any = false;
    for (bool modified = true; modified;) {
      modified = false;
      for (const auto& at : candidates) {
        if (balanced()) break;
        if (!reassign_one(at)) continue;
        any = modified = true;
      }
    }
    return any;
  }

  bool reassign_one(const TopicPartition& at) {
    std::string owner = owner_.at(at);
    size_t load = assignment_[owner].size();
    auto before = earlier_.find(at);
    if (before != earlier_.end() && assignment_.contains(before->second.first) &&
        wants_[before->second.first].contains(at.topic) && load > assignment_[before->second.first].size() + 1) {
      move(at, before->second.first);
      return true;
    }
    for (const auto& other : wanted_by_[at.topic]) {
      auto found = assignment_.find(other);
      if (found == assignment_.end() || load <= found->second.size() + 1) continue;
      for (const auto& least : sorted_) {
        if (!wants_[least.member].contains(at.topic)) continue;
        move(at, std::string(least.member));
        return true;
      }
    }
    return false;
  }

  void move(const TopicPartition& wanted, const std::string& to) {
    TopicPartition at = moves_.better_to_move(wanted, owner_.at(wanted), to);
    std::string from = owner_.at(at);
    sorted_.erase({assignment_[from].size(), from});
    sorted_.erase({assignment_[to].size(), to});
    moves_.moved(at, from, to);
    std::erase(assignment_[from], at);
    assignment_[to].push_back(at);
    owner_[at] = to;
    sorted_.insert({assignment_[from].size(), from});
    sorted_.insert({assignment_[to].size(), to});
  }

  // Sum of all differences between two members' loads.
  static size_t score(const GroupAssignment& assignment) {
    size_t sum = 0;
    for (auto a = assignment.begin(); a != assignment.end(); ++a) {
      for (auto b = std::next(a); b != assignment.end(); ++b) {
        size_t low = std::min(a->second.size(), b->second.size());
        sum += std::max(a->second.size(), b->second.size()) - low;
      }
    }
    return sum;
  }

  const StickyInput& input_;
  size_t total_ = 0;
  std::map<std::string, std::vector<std::string>> wanted_by_;
  std::map<std::string, std::set<std::string>> wants_;
  Partitions all_;
  GroupAssignment assignment_;
  std::map<TopicPartition, std::string> owner_;
  std::map<TopicPartition, std::pair<std::string, int32_t>> earlier_;
  std::set<Load> sorted_;  // by load, then by name
  PartitionMoves moves_;
  bool must_revoke_ = false;
};

}  // namespace

GroupAssignment assign_general(const StickyInput& input) {
  return General(input).run();
}

}  // namespace barnabas::client
