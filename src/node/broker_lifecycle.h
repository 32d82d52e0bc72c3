// BrokerLifecycle: this broker's standing with the controller: it registers, sends heartbeats, is unfenced once it can
// serve, and asks to leave when it stops (Kafka's controlled shutdown). On loops[0].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "metadata/broker.h"
#include "quorum/metadata_quorum.h"
#include "runtime/scope.h"

namespace barnabas::node {

class BrokerLifecycle {
 public:
  struct Options {
    BrokerId id;
    std::string cluster_id;
    std::optional<std::string> rack;
    std::vector<metadata::Endpoint> endpoints;  // advertised, with real ports; no controller listeners
    std::vector<Uuid> log_dirs;                 // those that work
    BrokerEpoch previous_epoch{-1};             // of the last clean stop
    Duration heartbeat_interval = seconds(2);
  };

  BrokerLifecycle(runtime::World& world, quorum::MetadataQuorum& quorum, Options options);

  // Registers. The broker is known, and fenced.
  runtime::Task<Result<>> register_broker();
  // Asks to be unfenced (leaders are elected) and keeps the session alive from now on.
  runtime::Task<Result<>> unfence();
  // A log directory has failed: the controller hears of it at once, and with every heartbeat from now on.
  void directory_failed(const Uuid& directory);
  // Hands leadership back; returns when the controller lets us go.
  runtime::Task<> leave();
  // Ends the heartbeats.
  runtime::Task<> stop();

  BrokerEpoch epoch() const { return epoch_; }

 private:
  runtime::Task<std::optional<wire::BrokerHeartbeatResponse>> beat();
  static runtime::Task<> keep_alive(BrokerLifecycle* self);
  static runtime::Task<> tell(BrokerLifecycle* self);

  runtime::World& world_;
  quorum::MetadataQuorum& quorum_;
  const Options options_;
  runtime::Scope scope_;
  BrokerEpoch epoch_{-1};
  bool leaving_ = false;
  std::vector<Uuid> failed_directories_;
};

}  // namespace barnabas::node
