#include "client/consumer/assignor.h"

#include <algorithm>
#include <set>

namespace barnabas::client {

namespace {

// All partitions of all topics in order, to the members in order, skipping who does not want the topic.
class RoundRobinAssignor final : public Assignor {
 public:
  std::string_view name() const override { return "roundrobin"; }

  GroupAssignment assign(const std::vector<MemberSubscription>& members,
                         const AssignableTopics& topics) const override {
    GroupAssignment assignment;
    std::set<std::string_view> wanted;
    std::vector<const MemberSubscription*> ranked;
    for (const auto& member : members) {
      assignment[member.member_id];
      wanted.insert(member.topics.begin(), member.topics.end());
      ranked.push_back(&member);
    }
    std::ranges::sort(ranked, [](const auto* a, const auto* b) { return ranks_before(*a, *b); });
    std::vector<std::pair<std::string_view, std::set<std::string_view>>> circle;
    for (const auto* member : ranked) {
      circle.emplace_back(member->member_id, std::set<std::string_view>(member->topics.begin(), member->topics.end()));
    }
    size_t next = 0;
    for (std::string_view name : wanted) {
      auto topic = topics.find(name);
      if (topic == topics.end()) continue;
      for (int32_t partition = 0; partition < topic->second.partitions(); ++partition) {
        while (!circle[next].second.contains(name)) next = (next + 1) % circle.size();
        assignment[std::string(circle[next].first)].push_back({std::string(name), partition});
        next = (next + 1) % circle.size();
      }
    }
    return assignment;
  }
};

}  // namespace

bool ranks_before(const MemberSubscription& a, const MemberSubscription& b) {
  if (a.instance_id && b.instance_id) return *a.instance_id < *b.instance_id;
  if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
  return a.member_id < b.member_id;
}

bool racks_matter(const std::vector<std::string>& member_racks, const std::vector<const AssignableTopic*>& topics) {
  std::set<std::string_view> all;
  for (const auto* topic : topics) {
    for (const auto& racks : topic->racks) all.insert(racks.begin(), racks.end());
  }
  if (std::ranges::none_of(member_racks, [&](const auto& rack) { return all.contains(rack); })) return false;
  for (const auto* topic : topics) {
    for (const auto& racks : topic->racks) {
      if (std::set<std::string_view>(racks.begin(), racks.end()) != all) return true;
    }
  }
  return false;
}

std::unique_ptr<Assignor> make_round_robin_assignor() {
  return std::make_unique<RoundRobinAssignor>();
}

std::unique_ptr<Assignor> Assignor::make(std::string_view name) {
  if (name == "range") return make_range_assignor();
  if (name == "roundrobin") return make_round_robin_assignor();
  if (name == "sticky") return make_sticky_assignor(false);
  if (name == "cooperative-sticky") return make_sticky_assignor(true);
  return nullptr;
}

}  // namespace barnabas::client
