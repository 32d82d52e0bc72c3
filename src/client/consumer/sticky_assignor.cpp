#include <algorithm>
#include <set>

#include "client/consumer/assignor.h"
#include "client/consumer/sticky_input.h"
#include "client/consumer/sticky_user_data.h"

namespace barnabas::client {

namespace {

// Balanced first, then as few moves as possible. The cooperative one leaves out, until the next rebalance, what its
// owner must give up first.
class StickyAssignor final : public Assignor {
 public:
  explicit StickyAssignor(bool cooperative) : cooperative_(cooperative) {}

  std::string_view name() const override { return cooperative_ ? "cooperative-sticky" : "sticky"; }
  bool cooperative() const override { return cooperative_; }

  std::optional<Buffer> user_data(const std::optional<std::vector<TopicPartition>>& last,
                                  int32_t generation) const override {
    if (cooperative_) return encode_cooperative_user_data(generation);
    if (!last) return std::nullopt;
    return encode_sticky_user_data(*last, generation);
  }

  GroupAssignment assign(const std::vector<MemberSubscription>& members,
                         const AssignableTopics& topics) const override {
    StickyInput input(members, topics, cooperative_);
    std::map<TopicPartition, std::string> transferring;
    GroupAssignment assignment = input.all_alike ? assign_constrained(input, transferring) : assign_general(input);
    if (!cooperative_) return assignment;
    if (!input.all_alike) transferring = moves(members, assignment);
    for (const auto& [at, member] : transferring) std::erase(assignment[member], at);
    return assignment;
  }

 private:
  static std::map<TopicPartition, std::string> moves(const std::vector<MemberSubscription>& members,
                                                     const GroupAssignment& assignment) {
    std::map<TopicPartition, std::string> added;
    std::set<TopicPartition> revoked;
    for (const auto& member : members) {
      const auto& now = assignment.at(member.member_id);
      std::set<TopicPartition> before(member.owned.begin(), member.owned.end());
      std::set<TopicPartition> after(now.begin(), now.end());
      for (const auto& at : after) {
        if (!before.contains(at)) added[at] = member.member_id;
      }
      for (const auto& at : before) {
        if (!after.contains(at)) revoked.insert(at);
      }
    }
    std::erase_if(added, [&](const auto& entry) { return !revoked.contains(entry.first); });
    return added;
  }

  bool cooperative_;
};

}  // namespace

std::unique_ptr<Assignor> make_sticky_assignor(bool cooperative) {
  return std::make_unique<StickyAssignor>(cooperative);
}

}  // namespace barnabas::client
