// Assignors: who in a classic group reads which partition. Pure functions of what the members told the leader and of
// the topics; the same inputs give the same assignment as Kafka's Java classes of these names, so it does not matter
// whose member leads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/consumer/consumer_protocol.h"

namespace barnabas::client {

// A topic as the leader knows it: for each partition the racks of its replicas (those that have one).
struct AssignableTopic {
  std::vector<std::vector<std::string>> racks;
  int32_t partitions() const { return static_cast<int32_t>(racks.size()); }
};
using AssignableTopics = std::map<std::string, AssignableTopic, std::less<>>;

// By member id; every member has an entry.
using GroupAssignment = std::map<std::string, std::vector<TopicPartition>>;

class Assignor {
 public:
  // range, roundrobin, sticky, cooperative-sticky; null for another name.
  static std::unique_ptr<Assignor> make(std::string_view name);
  virtual ~Assignor() = default;

  virtual std::string_view name() const = 0;
  // Members keep what they own while they rebalance (KIP-429).
  virtual bool cooperative() const { return false; }
  // What the member sends beside its topics: `last` is its last assignment (absent before the first), of `generation`.
  virtual std::optional<Buffer> user_data(const std::optional<std::vector<TopicPartition>>& last,
                                          int32_t generation) const {
    (void)last, (void)generation;
    return std::nullopt;
  }
  // `topics` holds what members subscribe to and what exists. `members` in the order the coordinator named them.
  virtual GroupAssignment assign(const std::vector<MemberSubscription>& members,
                                 const AssignableTopics& topics) const = 0;
};

std::unique_ptr<Assignor> make_range_assignor();
std::unique_ptr<Assignor> make_round_robin_assignor();
std::unique_ptr<Assignor> make_sticky_assignor(bool cooperative);

// The order in which range and roundrobin serve members: static ones first, by instance id; then the others by member
// id.
bool ranks_before(const MemberSubscription& a, const MemberSubscription& b);

// Whether racks matter at all: some member's rack holds replicas, and not every rack holds all partitions.
bool racks_matter(const std::vector<std::string>& member_racks, const std::vector<const AssignableTopic*>& topics);

}  // namespace barnabas::client
