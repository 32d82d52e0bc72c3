#include <fmt/format.h>

#include "metadata/replay.h"

namespace barnabas::metadata {

namespace {

template <class WireEndpoint>
std::vector<Endpoint> endpoints_of(const std::vector<WireEndpoint>& from) {
  std::vector<Endpoint> to;
  to.reserve(from.size());
  for (const auto& e : from) to.push_back({e.name, e.host, e.port, e.security_protocol});
  return to;
}

template <class WireFeature>
std::vector<FeatureSupport> features_of(const std::vector<WireFeature>& from) {
  std::vector<FeatureSupport> to;
  to.reserve(from.size());
  for (const auto& f : from) to.push_back({f.name, f.min_supported_version, f.max_supported_version});
  return to;
}

}  // namespace

Result<Broker*> ImageBuilder::Replay::edit_broker(BrokerId id, int64_t epoch, const char* what) {
  const Broker* known = image_.broker(id);
  if (known == nullptr)
    return fail(ErrorCode::kCorrupt, fmt::format("{}: broker {} is not registered", what, id.value));
  if (known->epoch.value != epoch) {
    return fail(ErrorCode::kCorrupt, fmt::format("{}: broker {} has epoch {}, the record says {}", what, id.value,
                                                 known->epoch.value, epoch));
  }
  delta_.brokers.insert(id);
  return &edit(image_.brokers_, kBrokers).at(id);
}

Result<> ImageBuilder::Replay::operator()(const wire::RegisterBrokerRecord& record) {
  BrokerId id(record.broker_id);
  Broker broker{.id = id,
                .epoch = BrokerEpoch(record.broker_epoch),
                .incarnation = record.incarnation_id,
                .endpoints = endpoints_of(record.end_points),
                .features = features_of(record.features),
                .rack = record.rack,
                .fenced = record.fenced,
                .in_controlled_shutdown = record.in_controlled_shutdown,
                .migrating_from_zookeeper = record.is_migrating_zk_broker,
                .log_dirs = record.log_dirs,
                .cordoned_log_dirs = record.cordoned_log_dirs};
  edit(image_.brokers_, kBrokers).insert_or_assign(id, std::move(broker));
  delta_.brokers.insert(id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::UnregisterBrokerRecord& record) {
  BrokerId id(record.broker_id);
  TRY(edit_broker(id, record.broker_epoch, "UnregisterBroker"));
  edit(image_.brokers_, kBrokers).erase(id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::BrokerRegistrationChangeRecord& record) {
  TRY_ASSIGN(Broker * broker, edit_broker(BrokerId(record.broker_id), record.broker_epoch, "BrokerRegistrationChange"));
  // -1: off, 0: as it was, 1: on.
  auto change = [](bool& flag, int8_t how) { flag = how == 0 ? flag : how > 0; };
  change(broker->fenced, record.fenced);
  change(broker->in_controlled_shutdown, record.in_controlled_shutdown);
  if (!record.log_dirs.empty()) broker->log_dirs = record.log_dirs;
  if (record.cordoned_log_dirs) broker->cordoned_log_dirs = record.cordoned_log_dirs;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::FenceBrokerRecord& record) {
  TRY_ASSIGN(Broker * broker, edit_broker(BrokerId(record.id), record.epoch, "FenceBroker"));
  broker->fenced = true;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::UnfenceBrokerRecord& record) {
  TRY_ASSIGN(Broker * broker, edit_broker(BrokerId(record.id), record.epoch, "UnfenceBroker"));
  broker->fenced = false;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::RegisterControllerRecord& record) {
  ControllerNode node{.id = record.controller_id,
                      .incarnation = record.incarnation_id,
                      .zookeeper_migration_ready = record.zk_migration_ready,
                      .endpoints = endpoints_of(record.end_points),
                      .features = features_of(record.features)};
  edit(image_.controllers_, kControllers).insert_or_assign(record.controller_id, std::move(node));
  delta_.controllers.insert(record.controller_id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::UnregisterControllerRecord& record) {
  if (edit(image_.controllers_, kControllers).erase(record.controller_id) == 0) {
    return fail(ErrorCode::kCorrupt, fmt::format("UnregisterController: {} is not registered", record.controller_id));
  }
  delta_.controllers.insert(record.controller_id);
  return {};
}

}  // namespace barnabas::metadata
