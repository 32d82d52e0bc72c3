#include <algorithm>
#include <functional>
#include <list>
#include <optional>
#include <set>

#include "client/consumer/assignor.h"

namespace barnabas::client {

namespace {

// A member of the group with its rack, if it tells one.
struct RangeMember {
  const MemberSubscription* said;
  std::string id;
  std::optional<std::string> rack;
};

// One topic while it is being given out: everybody gets as many as everybody else, the first ones perhaps one more.
class TopicRange {
 public:
  TopicRange(std::string name, const AssignableTopic& topic, std::vector<RangeMember> members)
      : name_(std::move(name)), topic_(topic), members_(std::move(members)) {
    std::ranges::sort(members_, ranks_before,
                      [](const RangeMember& member) -> const MemberSubscription& { return *member.said; });
    for (int32_t partition = 0; partition < topic_.partitions(); ++partition) unassigned_.push_back(partition);
    for (const auto& member : members_) {
      if (member.rack) racks_.push_back(*member.rack);
    }
    if (members_.empty()) return;
    int count = static_cast<int>(members_.size());
    each_ = topic_.partitions() / count;
    extra_ = topic_.partitions() % count;
    by_rack_ = racks_matter(racks_, {&topic_});
  }

  const std::vector<RangeMember>& members() const { return members_; }
  bool by_rack() const { return by_rack_; }
  int32_t partitions() const { return topic_.partitions(); }
  // Java counts the partitions of topics that have rack information only.
  int32_t partitions_with_racks() const { return racks_.empty() ? 0 : topic_.partitions(); }

  bool near(const RangeMember& member, int32_t partition) const {
    if (!member.rack) return true;
    if (racks_.empty()) return false;
    const auto& racks = topic_.racks[static_cast<size_t>(partition)];
    return std::ranges::find(racks, *member.rack) != racks.end();
  }
  int room(const RangeMember& member) const {
    auto found = given_.find(member.id);
    int given = found == given_.end() ? 0 : found->second;
    return std::max(0, each_ + (extra_ > 0 ? 1 : 0) - given);
  }
  void give(const RangeMember& member, const std::vector<int32_t>& partitions, GroupAssignment& to) {
    for (int32_t partition : partitions) {
      to[member.id].push_back({name_, partition});
      unassigned_.remove(partition);
    }
    int& given = given_[member.id];
    given += static_cast<int>(partitions.size());
    if (given > each_) --extra_;
  }
  // Gives each member the first of what is left that it may have.
  void give_ranges(bool near_only, GroupAssignment& to) {
    for (const auto& member : members_) {
      if (unassigned_.empty()) break;
      std::vector<int32_t> range;
      auto most = static_cast<size_t>(room(member));
      for (int32_t partition : unassigned_) {
        if (range.size() == most) break;
        if (!near_only || near(member, partition)) range.push_back(partition);
      }
      if (!range.empty()) give(member, range, to);
    }
  }

 private:
  std::string name_;
  const AssignableTopic& topic_;
  std::vector<RangeMember> members_;
  std::vector<std::string> racks_;
  std::list<int32_t> unassigned_;
  std::map<std::string, int> given_;
  int each_ = 0;
  int extra_ = 0;
  bool by_rack_ = false;
};

// Topics with the same members and number of partitions: partition n of all of them goes to the same member, where one
// is near all of it.
void give_together(const std::vector<TopicRange*>& topics, int32_t partitions, GroupAssignment& to) {
  std::vector<const RangeMember*> left;
  for (const auto& member : topics.front()->members()) left.push_back(&member);
  for (int32_t partition = 0; partition < partitions && !left.empty(); ++partition) {
    auto fits = [&](const RangeMember* member) {
      return std::ranges::all_of(
          topics, [&](const TopicRange* topic) { return topic->near(*member, partition) && topic->room(*member) > 0; });
    };
    auto chosen = std::ranges::find_if(left, fits);
    if (chosen == left.end()) continue;
    for (auto* topic : topics) topic->give(**chosen, {partition}, to);
    if (std::ranges::none_of(topics, [&](const TopicRange* topic) { return topic->room(**chosen) > 0; })) {
      left.erase(chosen);
    }
  }
}

// Topic by topic, ranges of neighbouring partitions, so that equal partitions of several topics meet (KIP-881 adds
// racks).
class RangeAssignor final : public Assignor {
 public:
  std::string_view name() const override { return "range"; }

  GroupAssignment assign(const std::vector<MemberSubscription>& members,
                         const AssignableTopics& topics) const override {
    GroupAssignment assignment;
    for (const auto& member : members) assignment[member.member_id];
    std::vector<TopicRange> ranges;
    for (const auto& [name, topic] : topics) {
      if (topic.partitions() == 0) continue;
      std::vector<RangeMember> subscribed;
      for (const auto& member : members) {
        if (std::ranges::find(member.topics, name) == member.topics.end()) continue;
        auto rack = member.rack && !member.rack->empty() ? member.rack : std::nullopt;
        subscribed.push_back({&member, member.member_id, rack});
      }
      ranges.emplace_back(name, topic, std::move(subscribed));
    }
    if (std::ranges::any_of(ranges, &TopicRange::by_rack)) give_near(ranges, assignment);
    for (auto& range : ranges) range.give_ranges(false, assignment);
    for (auto& [id, partitions] : assignment) std::ranges::sort(partitions);
    return assignment;
  }

 private:
  static void give_near(std::vector<TopicRange>& ranges, GroupAssignment& assignment) {
    using Key = std::pair<std::vector<std::pair<std::string, std::optional<std::string>>>, int32_t>;
    std::map<Key, std::vector<TopicRange*>> alike;
    for (auto& range : ranges) {
      Key key;
      for (const auto& member : range.members()) key.first.emplace_back(member.id, member.rack);
      std::ranges::sort(key.first);
      key.second = range.partitions_with_racks();
      alike[key].push_back(&range);
    }
    for (auto& [key, together] : alike) {
      if (together.size() > 1) {
        give_together(together, key.second, assignment);
      } else if (together.front()->by_rack()) {
        together.front()->give_ranges(true, assignment);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Assignor> make_range_assignor() {
  return std::make_unique<RangeAssignor>();
}

}  // namespace barnabas::client
