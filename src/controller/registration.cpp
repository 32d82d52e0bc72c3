// Nodes come and go: registration of brokers and controllers.
#include <algorithm>
#include <set>

#include "controller/controller.h"
#include "controller/partition_change.h"
#include "metadata/features.h"
#include "metadata/registration_rows.h"
#include "wire/messages/broker_registration_request.h"
#include "wire/messages/broker_registration_response.h"
#include "wire/messages/controller_registration_request.h"
#include "wire/messages/controller_registration_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"

namespace barnabas::controller {

namespace {

using metadata::Image;
using wire::BrokerRegistrationRequest;

constexpr int16_t kMaxSecurityProtocol = 3;

bool directories_fit(const Image& image, const BrokerRegistrationRequest& request) {
  if (image.metadata_version() < metadata::kMvDirectories) return true;
  std::set<Uuid> seen;
  for (const Uuid& directory : request.log_dirs) {
    bool reserved = directory.most == 0 && directory.least < 100;
    if (reserved || !seen.insert(directory).second) return false;
  }
  for (const auto& [id, broker] : image.brokers()) {
    if (id.value == request.broker_id) continue;
    if (std::ranges::any_of(broker.log_dirs, [&](const Uuid& d) { return seen.contains(d); })) return false;
  }
  return !seen.empty();
}

KafkaError feature_problem(const Image& image, const BrokerRegistrationRequest& request) {
  auto offered = [&](std::string_view name) {
    return std::ranges::find(request.features, name, &BrokerRegistrationRequest::Feature::name);
  };
  if (offered(metadata::kMetadataVersion) == request.features.end()) return KafkaError::kInvalidRegistration;
  auto covers = [&](std::string_view name, int16_t level) {
    auto found = offered(name);
    if (found == request.features.end()) return level == 0;
    return level == 0 || (level >= found->min_supported_version && level <= found->max_supported_version);
  };
  bool fits = covers(metadata::kMetadataVersion, image.metadata_version()) &&
              covers(metadata::kKraftVersion, image.kraft_version());
  for (const auto& [name, level] : image.features()) fits = fits && covers(name, level);
  return fits ? KafkaError::kNone : KafkaError::kUnsupportedVersion;
}

}  // namespace

Decision<wire::BrokerRegistrationResponse> Controller::register_broker(const BrokerRegistrationRequest& request,
                                                                       const Registration& how) const {
  Decision<wire::BrokerRegistrationResponse> decision;
  auto refuse = [&](KafkaError error) {
    decision.response.error_code = error;
    return decision;
  };
  if (request.cluster_id != options_.cluster_id) return refuse(KafkaError::kInconsistentClusterId);
  const BrokerId id(request.broker_id);
  const metadata::Broker* known = image().broker(id);
  const bool same_incarnation = known && known->incarnation == request.incarnation_id;
  if (known && !same_incarnation && !how.own_process && !known->fenced && sessions_.live(id, how.now)) {
    return refuse(KafkaError::kDuplicateBrokerRegistration);
  }
  if (request.is_migrating_zk_broker) return refuse(KafkaError::kBrokerIdNotRegistered);
  if (!directories_fit(image(), request)) return refuse(KafkaError::kInvalidRegistration);
  for (const auto& listener : request.listeners) {
    bool protocol = listener.security_protocol >= 0 && listener.security_protocol <= kMaxSecurityProtocol;
    if (!protocol) return refuse(KafkaError::kInvalidRegistration);
  }
  if (KafkaError problem = feature_problem(image(), request); problem != KafkaError::kNone) return refuse(problem);

  wire::RegisterBrokerRecord record;
  record.broker_id = request.broker_id;
  record.incarnation_id = request.incarnation_id;
  record.broker_epoch = same_incarnation ? known->epoch.value : how.next_offset.value;
  record.end_points = metadata::endpoint_rows<wire::RegisterBrokerRecord::BrokerEndpoint>(request.listeners);
  for (const auto& feature : request.features) {
    auto& range = record.features.emplace_back();
    range.name = feature.name;
    range.min_supported_version = feature.min_supported_version;
    range.max_supported_version = feature.max_supported_version;
  }
  record.rack = request.rack;
  record.fenced = same_incarnation ? known->fenced : true;
  record.in_controlled_shutdown = same_incarnation && known->in_controlled_shutdown;
  record.log_dirs = request.log_dirs;
  decision.response.broker_epoch = record.broker_epoch;
  // First of its batch, since its offset is the epoch.
  decision.records.emplace_back(std::move(record));
  // What the old incarnation still led or kept in sync, it does no longer.
  if (known && !same_incarnation) append_changes(image(), {.leaving = id}, decision.records);
  return decision;
}

Decision<wire::ControllerRegistrationResponse> Controller::register_controller(
    const wire::ControllerRegistrationRequest& request) const {
  Decision<wire::ControllerRegistrationResponse> decision;
  if (image().metadata_version() < metadata::kMvControllerRegistration) {
    decision.response.error_code = KafkaError::kUnsupportedVersion;
    decision.response.error_message = "The current MetadataVersion is too old to support controller registrations.";
    return decision;
  }
  wire::RegisterControllerRecord record;
  record.controller_id = request.controller_id;
  record.incarnation_id = request.incarnation_id;
  record.zk_migration_ready = request.zk_migration_ready;
  record.end_points = metadata::endpoint_rows<wire::RegisterControllerRecord::ControllerEndpoint>(request.listeners);
  for (const auto& feature : request.features) {
    auto& range = record.features.emplace_back();
    range.name = feature.name;
    range.min_supported_version = feature.min_supported_version;
    range.max_supported_version = feature.max_supported_version;
  }
  decision.records.emplace_back(std::move(record));
  decision.response.error_message = "";
  return decision;
}

Decision<wire::UnregisterBrokerResponse> Controller::unregister_broker(
    const wire::UnregisterBrokerRequest& request) const {
  Decision<wire::UnregisterBrokerResponse> decision;
  decision.response.error_message.reset();
  const metadata::Broker* broker = image().broker(BrokerId(request.broker_id));
  if (broker == nullptr) {
    decision.response.error_code = KafkaError::kBrokerIdNotRegistered;
    decision.response.error_message = "Broker ID " + std::to_string(request.broker_id) + " is not currently registered";
    return decision;
  }
  append_changes(image(), {.leaving = broker->id}, decision.records);
  wire::UnregisterBrokerRecord record;
  record.broker_id = broker->id.value;
  record.broker_epoch = broker->epoch.value;
  decision.records.emplace_back(std::move(record));
  return decision;
}

}  // namespace barnabas::controller
