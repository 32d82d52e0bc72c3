#include "node/broker_lifecycle.h"

#include <fmt/format.h>

#include "metadata/features.h"
#include "metadata/registration_rows.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "wire/messages/broker_heartbeat_request.h"
#include "wire/messages/broker_heartbeat_response.h"
#include "wire/messages/broker_registration_request.h"
#include "wire/messages/broker_registration_response.h"

namespace barnabas::node {

using wire::KafkaError;

BrokerLifecycle::BrokerLifecycle(runtime::World& world, quorum::MetadataQuorum& quorum, Options options)
    : world_(world), quorum_(quorum), options_(std::move(options)), scope_(*world.loops[0]) {}

runtime::Task<Result<>> BrokerLifecycle::register_broker() {
  wire::BrokerRegistrationRequest request;
  request.broker_id = options_.id.value;
  request.cluster_id = options_.cluster_id;
  request.incarnation_id = world_.random.uuid();
  request.listeners = metadata::endpoint_rows<wire::BrokerRegistrationRequest::Listener>(options_.endpoints);
  request.features = metadata::feature_rows<wire::BrokerRegistrationRequest::Feature>(metadata::supported_features());
  request.rack = options_.rack;
  request.log_dirs = options_.log_dirs;
  request.previous_broker_epoch = options_.previous_epoch.value;
  auto decide = [&request](controller::Controller& controller, MonotonicTime now, Offset next_offset) {
    return controller.register_broker(request, {.now = now, .next_offset = next_offset, .own_process = true});
  };
  auto response = co_await quorum_.submit(*world_.loops[0], decide);
  if (!response) co_return fail(ErrorCode::kClosed, "there is no active controller to register with");
  if (response->error_code != KafkaError::kNone) {
    co_return fail(ErrorCode::kInvalid, fmt::format("the controller refused to register broker {}: {}",
                                                    options_.id.value, wire::kafka_error_name(response->error_code)));
  }
  epoch_ = BrokerEpoch(response->broker_epoch);
  co_return Result<>{};
}

runtime::Task<std::optional<wire::BrokerHeartbeatResponse>> BrokerLifecycle::beat() {
  wire::BrokerHeartbeatRequest request;
  request.broker_id = options_.id.value;
  request.broker_epoch = epoch_.value;
  request.current_metadata_offset = quorum_.image()->provenance().last_offset.value;
  request.want_shut_down = leaving_;
  request.offline_log_dirs = failed_directories_;
  request.cordoned_log_dirs.emplace();
  auto decide = [&request](controller::Controller& controller, MonotonicTime now, Offset) {
    controller.observe_heartbeat(request, now);
    return controller.heartbeat(request);
  };
  auto response = co_await quorum_.submit(*world_.loops[0], decide);
  co_return response;
}

runtime::Task<Result<>> BrokerLifecycle::unfence() {
  // The first heartbeat says that the registration was seen, the second that we are ready.
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto response = co_await beat();
    if (!response) co_return fail(ErrorCode::kClosed, "there is no active controller to be unfenced by");
    if (response->error_code != KafkaError::kNone) {
      co_return fail(ErrorCode::kInvalid, fmt::format("the controller refused a heartbeat: {}",
                                                      wire::kafka_error_name(response->error_code)));
    }
    if (!response->is_fenced) {
      scope_.spawn(keep_alive(this));
      co_return Result<>{};
    }
    co_await runtime::sleep_for(*world_.loops[0], milliseconds(1));
  }
  co_return fail(ErrorCode::kTimedOut, "the controller keeps this broker fenced");
}

runtime::Task<> BrokerLifecycle::keep_alive(BrokerLifecycle* self) {
  runtime::Executor& loop = *self->world_.loops[0];
  while (true) {
    bool elapsed = co_await runtime::sleep_for(loop, self->options_.heartbeat_interval, self->scope_.token());
    if (!elapsed) break;
    co_await self->beat();
  }
}

void BrokerLifecycle::directory_failed(const Uuid& directory) {
  failed_directories_.push_back(directory);
  if (epoch_.value >= 0 && !leaving_) scope_.spawn(tell(this));
}

runtime::Task<> BrokerLifecycle::tell(BrokerLifecycle* self) {
  co_await self->beat();
}

runtime::Task<> BrokerLifecycle::leave() {
  leaving_ = true;
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto response = co_await beat();
    bool over = !response || response->error_code != KafkaError::kNone || response->should_shut_down;
    if (over) break;
    co_await runtime::sleep_for(*world_.loops[0], milliseconds(1));
  }
}

runtime::Task<> BrokerLifecycle::stop() {
  scope_.cancel();
  co_await scope_.join();
}

}  // namespace barnabas::node
