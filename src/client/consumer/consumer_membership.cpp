#include <algorithm>
#include <iterator>

#include "client/consumer/bell.h"
#include "client/consumer/consumer_protocol.h"
#include "client/consumer/membership.h"
#include "runtime/random.h"
#include "wire/messages/consumer_group_heartbeat_request.h"
#include "wire/messages/consumer_group_heartbeat_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

constexpr int32_t kJoining = 0;
constexpr int32_t kLeaving = -1;
constexpr int32_t kLeavingForNow = -2;  // a static member that will be back
constexpr int64_t kDefaultIntervalMs = 5000;

// A member by KIP-848: the coordinator assigns, heartbeats carry everything. One coroutine sends them; another moves
// what we own towards what we are told to, and has the next heartbeat say so.
class ConsumerMembership final : public Membership {
 public:
  ConsumerMembership(ConsumerContext& context, GroupOffsets& offsets)
      : Membership(context, offsets),
        bell_(context.loop),
        target_bell_(context.loop),
        member_id_(context.world.random.uuid().to_string()) {}

  void start() override {
    context_.scope.spawn(heartbeats(shared_from_this()));
    context_.scope.spawn(reconcile(shared_from_this()));
  }
  void rejoin(std::string) override {
    failed_ = false;
    beat_now();
  }
  void learn(const ClusterMetadata&) override {
    if (unresolved_) target_bell_.ring();
  }
  void member_error(KafkaError error) override {
    if (error == KafkaError::kUnknownMemberId || error == KafkaError::kFencedMemberEpoch) fence();
    beat_now();
  }

  runtime::Task<> leave(MonotonicTime deadline) override {
    auto self = shared_from_this();
    stop_.request();
    co_await send_leave(deadline);
    publish(kNoGeneration, "");
    (void)self;
  }

 private:
  using Request = wire::ConsumerGroupHeartbeatRequest;
  using Response = wire::ConsumerGroupHeartbeatResponse;
  using TargetAssignment = std::map<Uuid, std::vector<int32_t>>;

  // What the coordinator was told last; what did not change is not told again.
  struct Told {
    std::optional<std::set<std::string>> topics;
    std::optional<std::string> pattern;
    std::optional<std::vector<TopicPartition>> owned;
  };

  void beat_now() {
    due_ = true;
    bell_.ring();
  }

  runtime::Task<> heartbeats(std::shared_ptr<Membership> self) {
    int failures = 0;
    MonotonicTime next{};
    while (!stopped()) {
      if (failed_ || (!due_ && context_.now() < next)) {
        co_await bell_.wait(failed_ ? kFarAway : next, stop_.token());
        continue;
      }
      if (poll_is_late() && epoch_ > kJoining) {
        co_await leave_late();
      }
      if (epoch_ == kJoining) {
        bool inside = co_await in_poll(Kind::kEnter);
        if (!inside) continue;
      }
      due_ = false;
      bool answered = co_await heartbeat();
      if (stopped()) break;
      next = context_.in_ms(interval_ms_);
      if (answered) {
        failures = 0;
        continue;
      }
      told_ = {};
      co_await context_.cluster.back_off(failures++, kFarAway);
      due_ = true;
    }
    release_hold();
    (void)self;
  }

  Request make_request(Told& telling) {
    Request request;
    request.group_id = group();
    request.member_id = member_id_;
    request.member_epoch = epoch_;
    bool joining = epoch_ == kJoining;
    bool all = joining || !told_.topics;
    telling = told_;
    const ConsumerSettings& settings = context_.settings;
    request.instance_id = settings.group_instance_id;
    if (all) {
      request.rebalance_timeout_ms = static_cast<int32_t>(settings.max_poll_interval_ms);
      if (!settings.client_rack.empty()) request.rack_id = settings.client_rack;
      if (!settings.group_remote_assignor.empty()) request.server_assignor = settings.group_remote_assignor;
    }
    std::string pattern;
    std::set<std::string> names;
    {
      std::lock_guard lock(context_.state.mutex);
      pattern = context_.state.pattern;
      if (context_.state.mode != SubscriptionMode::kPattern) names = context_.state.topics;
    }
    if (all || telling.topics != names) request.subscribed_topic_names.emplace(names.begin(), names.end());
    if ((all && !pattern.empty()) || (!all && telling.pattern != pattern)) request.subscribed_topic_regex = pattern;
    auto mine = owned();
    if (joining) {
      request.topic_partitions.emplace();
    } else if (all || telling.owned != mine) {
      request.topic_partitions = by_id(mine);
    }
    telling.topics = std::move(names);
    telling.pattern = std::move(pattern);
    telling.owned = std::move(mine);
    return request;
  }

  std::vector<Request::TopicPartitions> by_id(const std::vector<TopicPartition>& partitions) const {
    std::vector<Request::TopicPartitions> topics;
    for (const auto& at : partitions) {
      auto id = ids_.find(at.topic);
      if (id == ids_.end()) continue;
      if (topics.empty() || topics.back().topic_id != id->second) topics.emplace_back().topic_id = id->second;
      topics.back().partitions.push_back(at.partition);
    }
    return topics;
  }

  // False: nothing came of it, try again.
  runtime::Task<bool> heartbeat() {
    auto deadline = context_.in_ms(context_.settings.request_timeout_ms);
    auto connection = co_await coordinator(kPurposeCoordinator, deadline);
    if (stopped()) co_return true;
    if (!connection) {
      if (!connection.error().retriable) fail(connection.error());
      co_return !connection.error().retriable;
    }
    auto version = (*connection)->version_of<Request>();
    if (!version) {
      fail(version.error());
      co_return true;
    }
    Told telling;
    Request request = make_request(telling);
    if (*version < 1 && request.subscribed_topic_regex) {
      fail({.kind = Error::Kind::kUnsupported,
            .code = client::ErrorCode::kUnsupportedVersion,
            .message = "the cluster cannot match subscriptions by pattern; subscribe to topics by name"});
      co_return true;
    }
    int32_t epoch = epoch_;
    auto answer = co_await (*connection)->call<Response>(request, *version, context_.cluster.left_until(deadline));
    if (stopped()) co_return true;
    if (!answer) {
      forget_coordinator();
      co_return false;
    }
    if (epoch != epoch_) co_return true;  // fenced meanwhile
    const Response& said = answer->message;
    if (said.error_code != KafkaError::kNone) co_return settle_error(said);
    told_ = std::move(telling);
    if (said.member_id) member_id_ = *said.member_id;
    epoch_ = said.member_epoch;
    interval_ms_ = said.heartbeat_interval_ms > 0 ? said.heartbeat_interval_ms : kDefaultIntervalMs;
    publish(epoch_, member_id_);
    if (said.assignment) {
      target_.emplace();
      for (const auto& topic : said.assignment->topic_partitions) (*target_)[topic.topic_id] = topic.partitions;
      target_bell_.ring();
    }
    co_return true;
  }

  bool settle_error(const Response& said) {
    switch (said.error_code) {
      case KafkaError::kNotCoordinator:
      case KafkaError::kCoordinatorNotAvailable:
        forget_coordinator();
        return false;
      case KafkaError::kCoordinatorLoadInProgress:
        return false;
      case KafkaError::kUnknownMemberId:
      case KafkaError::kFencedMemberEpoch:
        fence();
        return true;
      case KafkaError::kTopicAuthorizationFailed:
        context_.report(broker_error(said.error_code, "group " + group(), said.error_message));
        return false;
      default:
        break;
    }
    Error why = broker_error(said.error_code, "group " + group(), said.error_message);
    if (why.retriable) return false;
    fail(std::move(why));
    return true;
  }

  // Until the subscription changes.
  void fail(Error why) {
    failed_ = true;
    context_.report(std::move(why));
  }

  void fence() {
    if (epoch_ == kJoining && !target_) return;
    epoch_ = kJoining;
    told_ = {};
    target_.reset();
    lost_ = true;
    publish(kNoGeneration, member_id_);
    target_bell_.ring();
  }

  // What the target means in names. False when the metadata does not know all of it yet.
  bool resolve(std::vector<TopicPartition>& partitions) {
    auto known = context_.cluster.metadata();
    bool whole = true;
    for (const auto& [id, numbers] : *target_) {
      const std::string* name = nullptr;
      for (const auto& [known_name, known_id] : ids_) {
        if (known_id == id) name = &known_name;
      }
      if (!name && known) {
        auto found = known->names.find(id);
        if (found != known->names.end()) {
          ids_[found->second] = id;
          name = &found->second;
        }
      }
      if (!name) {
        whole = false;
        continue;
      }
      for (int32_t number : numbers) partitions.push_back({*name, number});
    }
    std::ranges::sort(partitions);
    return whole;
  }

  runtime::Task<> reconcile(std::shared_ptr<Membership> self) {
    while (!stopped()) {
      if (lost_) {
        bool told = co_await lose(owned());
        lost_ = false;
        if (told) beat_now();
        continue;
      }
      std::vector<TopicPartition> wanted;
      unresolved_ = target_ && !resolve(wanted);
      if (unresolved_) {
        context_.cluster.track_all_topics(true);  // an id cannot be asked for by its name
        context_.cluster.request_refresh();
      }
      auto mine = owned();
      if (!target_ || wanted == mine) {
        co_await target_bell_.wait(kFarAway, stop_.token());
        continue;
      }
      co_await move_to(std::move(wanted), std::move(mine));
    }
    (void)self;
  }

  runtime::Task<> move_to(std::vector<TopicPartition> wanted, std::vector<TopicPartition> mine) {
    std::vector<TopicPartition> gone, added;
    std::ranges::set_difference(mine, wanted, std::back_inserter(gone));
    std::ranges::set_difference(wanted, mine, std::back_inserter(added));
    if (!gone.empty()) {
      bool revoked = co_await revoke(gone);
      if (!revoked || lost_) co_return;
    }
    if (!added.empty() || gone.empty()) {
      bool given = co_await give(added);
      if (!given) co_return;
    }
    beat_now();
  }

  runtime::Task<> leave_late() {
    context_.world.logger.warning("group " + group() + ": poll() was not called for max.poll.interval.ms (" +
                                  std::to_string(context_.settings.max_poll_interval_ms) +
                                  " ms); leaving the group until it is");
    co_await send_leave(context_.in_ms(context_.settings.request_timeout_ms));
    fence();
  }

  runtime::Task<> send_leave(MonotonicTime deadline) {
    if (epoch_ == kJoining && !told_.topics) co_return;
    auto connection = co_await coordinator(kPurposeCoordinator, deadline);
    if (!connection) co_return;
    auto version = (*connection)->version_of<Request>();
    if (!version) co_return;
    Request request;
    request.group_id = group();
    request.member_id = member_id_;
    request.instance_id = context_.settings.group_instance_id;
    request.member_epoch = context_.settings.group_instance_id ? kLeavingForNow : kLeaving;
    auto answer = co_await (*connection)->call<Response>(request, *version, context_.cluster.left_until(deadline));
    (void)answer;
  }

  Bell bell_, target_bell_;
  std::string member_id_;
  int32_t epoch_ = kJoining;
  int64_t interval_ms_ = kDefaultIntervalMs;
  bool due_ = true;
  bool failed_ = false;
  bool unresolved_ = false;
  Told told_;
  std::optional<TargetAssignment> target_;
  std::map<std::string, Uuid> ids_;
};

}  // namespace

std::shared_ptr<Membership> make_consumer_membership(ConsumerContext& context, GroupOffsets& offsets) {
  return std::make_shared<ConsumerMembership>(context, offsets);
}

}  // namespace barnabas::client
