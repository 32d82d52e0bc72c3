// Controller: decides what happens to the cluster. Every request is answered by a Decision: the records to commit, as
// one batch, and the response to send once they are committed. Deciding is const; state changes only in replay(), which
// every controller runs for every record, leader or not, so a standby knows what the leader knew. Pure: time comes in
// with each call, randomness from the options, nothing is waited for. Used by one caller at a time.
//
// The driver's part: decide, append the records (nothing else in between: a broker's epoch is the offset of its
// record), replay them at once, and send the response when they are committed. Requests are decided against replayed
// state, committed or not, as in Kafka.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "controller/config_validator.h"
#include "controller/sessions.h"
#include "metadata/image.h"
#include "metadata/image_builder.h"
#include "wire/kafka_error.h"
#include "wire/metadata_record.h"

namespace barnabas::wire {
struct AllocateProducerIdsRequest;
struct AllocateProducerIdsResponse;
struct AlterConfigsRequest;
struct AlterConfigsResponse;
struct AlterPartitionRequest;
struct AlterPartitionResponse;
struct AssignReplicasToDirsRequest;
struct AssignReplicasToDirsResponse;
struct BrokerHeartbeatRequest;
struct BrokerHeartbeatResponse;
struct BrokerRegistrationRequest;
struct BrokerRegistrationResponse;
struct ControllerRegistrationRequest;
struct ControllerRegistrationResponse;
struct CreatePartitionsRequest;
struct CreatePartitionsResponse;
struct CreateTopicsRequest;
struct CreateTopicsResponse;
struct DeleteTopicsRequest;
struct DeleteTopicsResponse;
struct ElectLeadersRequest;
struct ElectLeadersResponse;
struct IncrementalAlterConfigsRequest;
struct IncrementalAlterConfigsResponse;
struct UnregisterBrokerRequest;
struct UnregisterBrokerResponse;
struct UpdateFeaturesRequest;
struct UpdateFeaturesResponse;
}  // namespace barnabas::wire

namespace barnabas::controller {

using wire::KafkaError;
using wire::MetadataRecord;

template <class Response>
struct Decision {
  std::vector<MetadataRecord> records;  // one batch; empty: answer at once
  Response response;
};

struct Options {
  std::string cluster_id;
  Duration session_timeout = seconds(9);
  Duration noop_interval = milliseconds(500);  // zero: none
  int32_t default_partitions = 1;
  int16_t default_replication_factor = 1;
  std::function<uint64_t()> random;  // of the caller's seed: topic ids, placement
};

inline constexpr int32_t kMaxPartitionsPerRequest = 10000;
inline constexpr int32_t kProducerIdBlock = 1000;

class Controller {
 public:
  // `validator` outlives the controller.
  Controller(Options options, const ConfigValidator& validator, metadata::ImagePtr from = metadata::Image::empty());

  // --- state ------------------------------------------------------------------------------------------------------
  // Every record of the log, in order, with its offset. An error means a log that cannot be followed: stop.
  Result<> replay(const MetadataRecord& record, Offset offset);
  void set_kraft_version(int16_t level) { builder_.set_kraft_version(level); }
  // Became the active controller: every broker gets a whole session from now.
  void activate(MonotonicTime now);
  void deactivate();
  bool active() const { return active_; }
  const metadata::Image& image() const { return builder_.current(); }

  // --- at the start of the first epoch ----------------------------------------------------------------------------
  // True when the log holds no metadata yet and `bootstrap` is still to be written.
  bool needs_bootstrap() const;
  // `bootstrap` (the records of bootstrap.checkpoint) as the first batch of a log, inside a metadata transaction where
  // the level allows one.
  std::vector<MetadataRecord> bootstrap(const std::vector<MetadataRecord>& bootstrap) const;

  // --- nodes ------------------------------------------------------------------------------------------------------
  Decision<wire::ControllerRegistrationResponse> register_controller(const wire::ControllerRegistrationRequest&) const;

  struct Registration {
    MonotonicTime now;
    Offset next_offset{0};  // where the first record of this decision will lie: the broker's new epoch
    // The broker runs in this very process, which holds the directory's lock: whatever incarnation the log still shows
    // as alive cannot be, and need not be waited for.
    bool own_process = false;
  };
  Decision<wire::BrokerRegistrationResponse> register_broker(const wire::BrokerRegistrationRequest&,
                                                             const Registration&) const;

  // A heartbeat first keeps the session alive, then is decided.
  void observe_heartbeat(const wire::BrokerHeartbeatRequest&, MonotonicTime now);
  Decision<wire::BrokerHeartbeatResponse> heartbeat(const wire::BrokerHeartbeatRequest&) const;
  Decision<wire::UnregisterBrokerResponse> unregister_broker(const wire::UnregisterBrokerRequest&) const;

  // What time alone brings about: fencing of brokers whose session is over, the NoOp record. Each is a batch of its
  // own.
  struct Due {
    std::vector<std::vector<MetadataRecord>> batches;
  };
  Due tick(MonotonicTime now);
  MonotonicTime wake_at() const;

  // --- topics -----------------------------------------------------------------------------------------------------
  Decision<wire::CreateTopicsResponse> create_topics(const wire::CreateTopicsRequest&) const;
  Decision<wire::CreatePartitionsResponse> create_partitions(const wire::CreatePartitionsRequest&) const;
  Decision<wire::DeleteTopicsResponse> delete_topics(const wire::DeleteTopicsRequest&) const;
  Decision<wire::ElectLeadersResponse> elect_leaders(const wire::ElectLeadersRequest&) const;
  Decision<wire::AlterPartitionResponse> alter_partition(const wire::AlterPartitionRequest&) const;
  Decision<wire::AssignReplicasToDirsResponse> assign_replicas_to_dirs(const wire::AssignReplicasToDirsRequest&) const;

  // --- settings ---------------------------------------------------------------------------------------------------
  Decision<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
      const wire::IncrementalAlterConfigsRequest&) const;
  Decision<wire::AlterConfigsResponse> alter_configs(const wire::AlterConfigsRequest&) const;
  Decision<wire::UpdateFeaturesResponse> update_features(const wire::UpdateFeaturesRequest&) const;
  Decision<wire::AllocateProducerIdsResponse> allocate_producer_ids(const wire::AllocateProducerIdsRequest&) const;

 private:
  void note_topic_name(const std::string& name);
  // The records that take a broker out of service.
  std::vector<MetadataRecord> fence(const metadata::Broker& broker) const;
  Uuid random_uuid() const;
  std::optional<std::string> colliding_topic(const std::string& name) const;

  Options options_;
  const ConfigValidator* validator_;
  metadata::ImageBuilder builder_;
  Sessions sessions_;
  std::map<std::string, std::set<std::string>> collisions_;  // common form -> names with '.' or '_'
  uint64_t replayed_ = 0;
  bool active_ = false;
  MonotonicTime next_noop_{INT64_MAX};
};

}  // namespace barnabas::controller
