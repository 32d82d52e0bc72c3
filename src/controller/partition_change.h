// PartitionChange: one partition's next state as a PartitionChange record: wishes (a smaller in-sync set, an election)
// go in, the record that Kafka would write comes out, or nothing when nothing changes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "metadata/image.h"
#include "wire/metadata_record.h"

namespace barnabas::controller {

enum class Election {
  kOnline,     // keep the leader if it can lead, else the first in-sync replica that can
  kPreferred,  // the first replica if it can lead
  kUnclean,    // kOnline, and if nobody in sync can lead, anybody who can
};

// PartitionChangeRecord::leader when it says nothing of the leader.
inline constexpr int32_t kLeaderUnchanged = -2;

// A reassignment that is under way ends with the change that brings every target replica into the in-sync set.
class PartitionChange {
 public:
  // `can_lead` says which brokers are up (and have the replica's directory).
  PartitionChange(const metadata::Topic& topic, int32_t index, std::function<bool(BrokerId)> can_lead,
                  int16_t metadata_version);

  PartitionChange& elect(Election how);
  PartitionChange& set_isr(std::vector<BrokerId> isr);
  PartitionChange& set_recovery(metadata::LeaderRecoveryState state);
  PartitionChange& set_directories(std::vector<Uuid> directories);

  std::optional<wire::PartitionChangeRecord> build();

 private:
  struct Outcome {
    BrokerId leader;
    bool unclean = false;
  };
  Outcome elected() const;
  bool may_lead(BrokerId broker) const;
  void complete_reassignment();

  const metadata::Topic* topic_;
  int32_t index_;
  const metadata::Partition* before_;
  std::function<bool(BrokerId)> can_lead_;
  int16_t metadata_version_;
  Election election_ = Election::kOnline;
  std::vector<BrokerId> isr_;
  metadata::LeaderRecoveryState recovery_;
  std::vector<BrokerId> replicas_;
  std::vector<Uuid> directories_;  // one for each of replicas_, or none
  bool reassigned_ = false;
};

// Who is going away or coming back.
struct BrokerMove {
  std::optional<BrokerId> leaving;
  std::optional<BrokerId> joining;
  std::vector<Uuid> lost;  // directories of who is joining that went bad while it was away
};

// Whether what lies in `directory` of `broker` can be served. One that is still to be assigned, or comes from before
// directories had ids, counts.
bool directory_online(const metadata::Broker& broker, const Uuid& directory);

// Whether `broker` may lead `partition`: active (or just joining), not leaving, and the replica's directory online.
bool can_lead(const metadata::Image& image, const metadata::Partition& partition, BrokerId broker,
              const BrokerMove& move = {});

// Appends a record for every partition that changes with the move, by topic name and partition.
void append_changes(const metadata::Image& image, const BrokerMove& move, std::vector<wire::MetadataRecord>& records);

// unclean.leader.election.enable of the topic, or the cluster's.
bool unclean_election_enabled(const metadata::Image& image, std::string_view topic);

}  // namespace barnabas::controller
