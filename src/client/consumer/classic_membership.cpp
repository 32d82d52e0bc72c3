#include "client/consumer/classic_membership.h"

#include <algorithm>

#include "wire/messages/join_group_request.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

constexpr char kProtocolType[] = "consumer";
constexpr int64_t kJoinPatienceMs = 5000;  // beyond the rebalance timeout, for the answer to travel

std::vector<TopicPartition> minus(const std::vector<TopicPartition>& from, const std::vector<TopicPartition>& what) {
  std::set<TopicPartition> gone(what.begin(), what.end());
  std::vector<TopicPartition> left;
  for (const auto& at : from) {
    if (!gone.contains(at)) left.push_back(at);
  }
  return left;
}

}  // namespace

ClassicMembership::ClassicMembership(ConsumerContext& context, GroupOffsets& offsets)
    : Membership(context, offsets), bell_(context.loop), heart_(context.loop) {
  for (const auto& name : context.settings.assignors) {
    if (auto assignor = Assignor::make(name)) assignors_.push_back(std::move(assignor));
  }
  if (assignors_.empty()) assignors_.push_back(make_range_assignor());
  // As Java: the best that all of them support.
  cooperative_ = std::ranges::all_of(assignors_, [](const auto& assignor) { return assignor->cooperative(); });
}

void ClassicMembership::start() {
  context_.scope.spawn(run(shared_from_this()));
  context_.scope.spawn(heartbeats(shared_from_this()));
}

void ClassicMembership::rejoin(std::string reason) {
  reason_ = std::move(reason);
  failed_ = false;
  rejoin_ = true;
  bell_.ring();
}

runtime::Task<> ClassicMembership::run(std::shared_ptr<Membership> self) {
  int attempt = 0;
  while (!stopped()) {
    if (!rejoin_ || failed_) {
      co_await bell_.wait(kFarAway, stop_.token());
      continue;
    }
    bool ready = co_await prepare();
    if (!ready || stopped()) continue;
    Outcome outcome = co_await join();
    if (outcome == Outcome::kJoined) {
      attempt = 0;
    } else if (outcome == Outcome::kFailed) {
      failed_ = true;
    } else if (!stopped()) {
      rejoin_ = true;
      co_await context_.cluster.back_off(attempt++, kFarAway);
    }
  }
  release_hold();
  (void)self;
}

runtime::Task<bool> ClassicMembership::prepare() {
  auto mine = owned();
  if (lost_) {
    bool told = co_await lose(mine);
    lost_ = false;
    co_return told;
  }
  if (cooperative()) {
    auto wanted = topics();
    std::vector<TopicPartition> unwanted;
    for (const auto& at : mine) {
      if (!wanted.contains(at.topic)) unwanted.push_back(at);
    }
    if (!unwanted.empty()) {
      bool revoked = co_await revoke(unwanted);
      co_return revoked;
    }
  } else if (!mine.empty()) {
    bool revoked = co_await revoke(mine);
    co_return revoked;
  }
  bool inside = co_await in_poll(Kind::kEnter);
  co_return inside;
}

runtime::Task<ClassicMembership::Outcome> ClassicMembership::join() {
  const ConsumerSettings& settings = context_.settings;
  if (lost_) co_return Outcome::kAgain;
  auto connection = co_await coordinator(kPurposeCoordinator, context_.in_ms(settings.default_api_timeout_ms));
  if (stopped()) co_return Outcome::kFailed;
  if (!connection) {
    if (connection.error().retriable) co_return Outcome::kAgain;
    context_.report(connection.error());
    co_return Outcome::kFailed;
  }
  auto version = (*connection)->version_of<wire::JoinGroupRequest>();
  if (!version) {
    context_.report(version.error());
    co_return Outcome::kFailed;
  }
  wire::JoinGroupRequest request;
  request.group_id = group();
  request.session_timeout_ms = static_cast<int32_t>(settings.session_timeout_ms);
  request.rebalance_timeout_ms = static_cast<int32_t>(settings.max_poll_interval_ms);
  request.member_id = member_id_;
  request.group_instance_id = settings.group_instance_id;
  request.protocol_type = kProtocolType;
  if (*version >= 8 && !reason_.empty()) request.reason = reason_.substr(0, 255);
  MemberSubscription subscription;
  auto wanted = topics();
  subscription.topics.assign(wanted.begin(), wanted.end());
  subscription.owned = owned();
  subscription.generation = generation_;
  if (!settings.client_rack.empty()) subscription.rack = settings.client_rack;
  for (const auto& assignor : assignors_) {
    subscription.user_data = assignor->user_data(last_assignment_, last_generation_);
    request.protocols.push_back({std::string(assignor->name()), encode_subscription(subscription)});
  }
  rejoin_ = false;
  beating_ = false;
  std::string joined_as = member_id_;
  auto limit = milliseconds(std::max(settings.request_timeout_ms, settings.max_poll_interval_ms + kJoinPatienceMs));
  auto answer = co_await (*connection)->call<wire::JoinGroupResponse>(request, *version, limit);
  if (stopped()) {
    // leave() could not name a member that it did not know yet.
    if (answer && answer->message.error_code == KafkaError::kNone) member_id_ = answer->message.member_id;
    co_return Outcome::kFailed;
  }
  if (!answer) {
    forget_coordinator();
    co_return Outcome::kAgain;
  }
  auto error = answer->message.error_code;
  if (error == KafkaError::kMemberIdRequired) {
    member_id_ = answer->message.member_id;
    rejoin_ = true;
    Outcome outcome = co_await join();
    co_return outcome;
  }
  if (error != KafkaError::kNone) co_return settle_error(error, "joining", joined_as);
  member_id_ = answer->message.member_id;
  generation_ = answer->message.generation_id;
  reason_.clear();
  Outcome outcome = co_await sync(std::move(answer->message));
  co_return outcome;
}

runtime::Task<ClassicMembership::Outcome> ClassicMembership::sync(wire::JoinGroupResponse joined) {
  chosen_ = nullptr;
  for (const auto& assignor : assignors_) {
    if (joined.protocol_name && assignor->name() == *joined.protocol_name) chosen_ = assignor.get();
  }
  if (!chosen_) {
    context_.report({.kind = Error::Kind::kBadAnswer,
                     .code = client::ErrorCode::kInconsistentGroupProtocol,
                     .message = "the coordinator of group " + group() + " chose an assignor that was not offered"});
    co_return Outcome::kFailed;
  }
  wire::SyncGroupRequest request;
  request.group_id = group();
  request.generation_id = generation_;
  request.member_id = member_id_;
  request.group_instance_id = context_.settings.group_instance_id;
  leader_ = joined.leader == member_id_;
  if (leader_ && !joined.skip_assignment) {
    auto assigned = co_await assign(joined);
    if (!assigned) {
      context_.report(assigned.error());
      co_return Outcome::kAgain;
    }
    for (auto& [member, bytes] : *assigned) request.assignments.push_back({member, std::move(bytes)});
  }
  auto connection = co_await coordinator(kPurposeCoordinator, context_.in_ms(context_.settings.request_timeout_ms));
  if (!connection) co_return Outcome::kAgain;
  auto version = (*connection)->version_of<wire::SyncGroupRequest>();
  if (!version) co_return Outcome::kFailed;
  if (*version >= 5) {
    request.protocol_type = kProtocolType;
    request.protocol_name = std::string(chosen_->name());
  }
  auto limit = milliseconds(
      std::max(context_.settings.request_timeout_ms, context_.settings.max_poll_interval_ms + kJoinPatienceMs));
  auto answer = co_await (*connection)->call<wire::SyncGroupResponse>(request, *version, limit);
  if (stopped()) co_return Outcome::kFailed;
  if (!answer) {
    forget_coordinator();
    co_return Outcome::kAgain;
  }
  if (answer->message.error_code != KafkaError::kNone) {
    co_return settle_error(answer->message.error_code, "synchronising", member_id_);
  }
  auto assigned = decode_assignment(answer->message.assignment);
  if (!assigned) {
    context_.report(assigned.error());
    co_return Outcome::kAgain;
  }
  publish(generation_, member_id_);
  last_heartbeat_ = context_.now();
  beating_ = true;
  heart_.ring();
  last_assignment_ = *assigned;
  last_generation_ = generation_;
  bool completed = co_await complete(*std::move(assigned));
  co_return completed ? Outcome::kJoined : Outcome::kFailed;
}

runtime::Task<bool> ClassicMembership::complete(std::vector<TopicPartition> assigned) {
  auto mine = owned();
  auto gone = minus(mine, assigned);
  if (!gone.empty()) {
    bool revoked = co_await revoke(gone);
    if (!revoked) co_return false;
    // What we gave up can be assigned only now.
    if (cooperative()) rejoin("giving up partitions that were reassigned");
  }
  if (lost_) co_return true;
  bool given = co_await give(minus(assigned, mine));
  co_return given;
}

runtime::Task<Result<std::map<std::string, Buffer>>> ClassicMembership::assign(const wire::JoinGroupResponse& joined) {
  std::vector<MemberSubscription> members;
  std::set<std::string> all;
  for (const auto& member : joined.members) {
    auto subscription = decode_subscription(member.metadata);
    if (!subscription) co_return std::unexpected(subscription.error());
    subscription->member_id = member.member_id;
    subscription->instance_id = member.group_instance_id;
    all.insert(subscription->topics.begin(), subscription->topics.end());
    members.push_back(*std::move(subscription));
  }
  context_.cluster.track_topics({all.begin(), all.end()}, context_.settings.allow_auto_create_topics);
  auto known = co_await context_.cluster.refresh(context_.in_ms(context_.settings.request_timeout_ms));
  if (!known) co_return std::unexpected(known.error());
  AssignableTopics topics;
  for (const auto& name : all) {
    const auto* topic = (*known)->topic(name);
    if (!topic || topic->partitions.empty()) continue;
    auto& assignable = topics[name];
    for (const auto& partition : topic->partitions) {
      auto& racks = assignable.racks.emplace_back();
      for (int32_t replica : partition.replicas) {
        auto broker = (*known)->brokers.find(replica);
        if (broker != (*known)->brokers.end() && broker->second.rack) racks.push_back(*broker->second.rack);
      }
    }
  }
  assigned_counts_ = counts(**known, all);
  std::map<std::string, Buffer> encoded;
  for (const auto& [member, partitions] : chosen_->assign(members, topics))
    encoded[member] = encode_assignment(partitions);
  co_return encoded;
}

std::map<std::string, int32_t> ClassicMembership::counts(const ClusterMetadata& known,
                                                         const std::set<std::string>& topics) const {
  std::map<std::string, int32_t> counts;
  for (const auto& name : topics) {
    const auto* topic = known.topic(name);
    counts[name] = topic ? static_cast<int32_t>(topic->partitions.size()) : 0;
  }
  return counts;
}

void ClassicMembership::learn(const ClusterMetadata& known) {
  if (!leader_ || !beating_ || rejoin_) return;
  std::set<std::string> all;
  for (const auto& [name, count] : assigned_counts_) {
    // A topic whose state the broker could not tell stays as it was.
    const auto* topic = known.topic(name);
    if (topic && topic->error != KafkaError::kNone && topic->error != KafkaError::kUnknownTopicOrPartition) return;
    all.insert(name);
  }
  if (counts(known, all) != assigned_counts_) rejoin("the partitions of subscribed topics have changed");
}

void ClassicMembership::reset_generation(bool keep_member_id) {
  generation_ = kNoGeneration;
  if (!keep_member_id) member_id_.clear();
  publish(kNoGeneration, member_id_);
  beating_ = false;
  lost_ = true;
  rejoin_ = true;
  bell_.ring();
}

void ClassicMembership::member_error(KafkaError error) {
  if (generation_ < 0) return;
  if (error == KafkaError::kRebalanceInProgress) {
    if (!rejoin_ && beating_) rejoin("a commit met a rebalance");
  } else if (error == KafkaError::kFencedInstanceId) {
    settle_error(error, "committing", member_id_);
  } else if (error != KafkaError::kStaleMemberEpoch) {
    reset_generation(error == KafkaError::kIllegalGeneration);
  }
}

ClassicMembership::Outcome ClassicMembership::settle_error(KafkaError error, std::string_view what,
                                                           const std::string& joined_as) {
  (void)joined_as;
  switch (error) {
    case KafkaError::kCoordinatorLoadInProgress:
    case KafkaError::kRebalanceInProgress:
      return Outcome::kAgain;
    case KafkaError::kCoordinatorNotAvailable:
    case KafkaError::kNotCoordinator:
      forget_coordinator();
      return Outcome::kAgain;
    case KafkaError::kUnknownMemberId:
      reset_generation(false);
      return Outcome::kAgain;
    case KafkaError::kIllegalGeneration:
      reset_generation(true);
      return Outcome::kAgain;
    default:
      break;
  }
  Error why = broker_error(error, std::string(what) + " group " + group());
  why.fatal = error == KafkaError::kFencedInstanceId;
  bool again = why.retriable;
  if (why.fatal) {
    reset_generation(false);
    rejoin_ = false;
    failed_ = true;
  }
  if (!again) context_.report(std::move(why));
  return again ? Outcome::kAgain : Outcome::kFailed;
}

std::shared_ptr<Membership> make_classic_membership(ConsumerContext& context, GroupOffsets& offsets) {
  return std::make_shared<ClassicMembership>(context, offsets);
}

}  // namespace barnabas::client
