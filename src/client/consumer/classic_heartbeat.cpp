#include <algorithm>

#include "client/consumer/classic_membership.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

}  // namespace

runtime::Task<> ClassicMembership::heartbeats(std::shared_ptr<Membership> self) {
  MonotonicTime next = context_.in_ms(context_.settings.heartbeat_interval_ms);
  while (!stopped()) {
    co_await heart_.wait(next, stop_.token());
    if (stopped()) break;
    if (context_.now() < next) {
      next = std::min(next, context_.in_ms(context_.settings.heartbeat_interval_ms));
      continue;
    }
    next = context_.in_ms(context_.settings.heartbeat_interval_ms);
    if (generation_ < 0 && member_id_.empty()) continue;
    if (poll_is_late()) {
      if (generation_ >= 0) {
        co_await leave_late();
      }
      continue;
    }
    if (beating_) {
      co_await heartbeat();
    }
  }
  (void)self;
}

runtime::Task<> ClassicMembership::heartbeat() {
  int32_t generation = generation_;
  auto session = milliseconds(context_.settings.session_timeout_ms);
  auto deadline = context_.in_ms(std::min(context_.settings.request_timeout_ms, context_.settings.session_timeout_ms));
  auto connection = co_await coordinator(kPurposeCoordinator, deadline);
  if (!connection) co_return;
  if (!beating_ || generation != generation_) co_return;
  auto version = (*connection)->version_of<wire::HeartbeatRequest>();
  if (!version) co_return;
  wire::HeartbeatRequest request;
  request.group_id = group();
  request.generation_id = generation;
  request.member_id = member_id_;
  request.group_instance_id = context_.settings.group_instance_id;
  auto answer =
      co_await (*connection)->call<wire::HeartbeatResponse>(request, *version, context_.cluster.left_until(deadline));
  if (stopped() || generation != generation_ || !beating_) co_return;
  if (!answer) {
    if (context_.now() - last_heartbeat_ > session) forget_coordinator();
    co_return;
  }
  switch (answer->message.error_code) {
    case KafkaError::kNone:
      last_heartbeat_ = context_.now();
      break;
    case KafkaError::kRebalanceInProgress:
      last_heartbeat_ = context_.now();
      if (!rejoin_) rejoin("the group is rebalancing");
      break;
    case KafkaError::kUnknownMemberId:
      reset_generation(false);
      break;
    case KafkaError::kIllegalGeneration:
      reset_generation(true);
      break;
    default:
      settle_error(answer->message.error_code, "heartbeat of", member_id_);
      break;
  }
}

// Others may have our partitions: we do not seem to get anywhere with them.
runtime::Task<> ClassicMembership::leave_late() {
  context_.world.logger.warning("group " + group() + ": poll() was not called for max.poll.interval.ms (" +
                                std::to_string(context_.settings.max_poll_interval_ms) +
                                " ms); leaving the group until it is");
  if (!context_.settings.group_instance_id) {
    co_await send_leave("poll was not called within max.poll.interval.ms",
                        context_.in_ms(context_.settings.request_timeout_ms));
    member_id_.clear();
  }
  reset_generation(true);
}

runtime::Task<> ClassicMembership::leave(MonotonicTime deadline) {
  auto self = shared_from_this();
  stop_.request();
  beating_ = false;
  if (!context_.settings.group_instance_id) {
    co_await send_leave("the consumer is being closed", deadline);
  }
  publish(kNoGeneration, "");
  generation_ = kNoGeneration;
  (void)self;
}

runtime::Task<> ClassicMembership::send_leave(std::string reason, MonotonicTime deadline) {
  if (member_id_.empty()) co_return;
  // Not behind a JoinGroup that still waits for the others.
  auto connection = co_await coordinator(0, deadline);
  if (!connection) co_return;
  auto version = (*connection)->version_of<wire::LeaveGroupRequest>();
  if (!version) co_return;
  wire::LeaveGroupRequest request;
  request.group_id = group();
  if (*version < 3) {
    request.member_id = member_id_;
  } else {
    auto& member = request.members.emplace_back();
    member.member_id = member_id_;
    member.group_instance_id = context_.settings.group_instance_id;
    if (*version >= 5) member.reason = std::move(reason);
  }
  auto answer =
      co_await (*connection)->call<wire::LeaveGroupResponse>(request, *version, context_.cluster.left_until(deadline));
  (void)answer;
}

}  // namespace barnabas::client
