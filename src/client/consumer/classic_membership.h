// ClassicMembership: a member by JoinGroup, SyncGroup and Heartbeat. One coroutine joins whenever there is reason to;
// another sends heartbeats while the generation is valid and watches that poll() is called. With an eager assignor
// everything is given up before joining; with a cooperative one only what the new assignment takes away (KIP-429).
#pragma once

#include "client/consumer/assignor.h"
#include "client/consumer/bell.h"
#include "client/consumer/membership.h"
#include "wire/messages/join_group_response.h"

namespace barnabas::client {

class ClassicMembership final : public Membership {
 public:
  ClassicMembership(ConsumerContext& context, GroupOffsets& offsets);

  void start() override;
  void rejoin(std::string reason) override;
  void learn(const ClusterMetadata& known) override;
  void member_error(wire::KafkaError error) override;
  runtime::Task<> leave(MonotonicTime deadline) override;

 private:
  enum class Outcome { kJoined, kAgain, kFailed };

  runtime::Task<> run(std::shared_ptr<Membership> self);
  runtime::Task<bool> prepare();
  runtime::Task<Outcome> join();
  runtime::Task<Outcome> sync(wire::JoinGroupResponse joined);
  runtime::Task<bool> complete(std::vector<TopicPartition> assigned);
  runtime::Task<Result<std::map<std::string, Buffer>>> assign(const wire::JoinGroupResponse& joined);
  runtime::Task<> heartbeats(std::shared_ptr<Membership> self);
  runtime::Task<> heartbeat();
  runtime::Task<> leave_late();
  runtime::Task<> send_leave(std::string reason, MonotonicTime deadline);

  Outcome settle_error(wire::KafkaError error, std::string_view what, const std::string& joined_as);
  // The coordinator does not know us any more as what we were; the partitions are lost.
  void reset_generation(bool keep_member_id);
  bool cooperative() const { return cooperative_; }
  std::map<std::string, int32_t> counts(const ClusterMetadata& known, const std::set<std::string>& topics) const;

  std::vector<std::unique_ptr<Assignor>> assignors_;
  bool cooperative_ = false;
  const Assignor* chosen_ = nullptr;
  Bell bell_, heart_;
  std::string member_id_;
  int32_t generation_ = kNoGeneration;
  bool rejoin_ = true;
  std::string reason_;
  bool failed_ = false;  // until the subscription changes
  bool beating_ = false;
  bool leader_ = false;
  std::map<std::string, int32_t> assigned_counts_;  // what the leader assigned by
  std::optional<std::vector<TopicPartition>> last_assignment_;
  int32_t last_generation_ = kNoGeneration;
  MonotonicTime last_heartbeat_{};
};

}  // namespace barnabas::client
