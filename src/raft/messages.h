// The conversation of a quorum, in the core's own words: Kafka's Vote, BeginQuorumEpoch, EndQuorumEpoch, Fetch,
// FetchSnapshot and the voter changes of KIP-853, without the topic arrays that always hold the one metadata partition.
// The driver turns them into the generated messages.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "raft/voter_set.h"
#include "wire/kafka_error.h"

namespace barnabas::raft {

using wire::KafkaError;

struct EpochEnd {
  LeaderEpoch epoch{-1};
  Offset end{-1};  // exclusive

  auto operator<=>(const EpochEnd&) const = default;
};
using SnapshotId = EpochEnd;

struct VoteRequest {
  std::optional<std::string> cluster_id;
  ReplicaKey voter;  // to whom
  ReplicaKey candidate;
  LeaderEpoch epoch{0};
  EpochEnd log_end;  // of the candidate
  bool pre_vote = false;

  bool operator==(const VoteRequest&) const = default;
};

struct BeginQuorumEpochRequest {
  std::optional<std::string> cluster_id;
  ReplicaKey voter;
  int32_t leader_id = -1;
  LeaderEpoch epoch{0};
  std::vector<VoterEndpoint> leader_endpoints;

  bool operator==(const BeginQuorumEpochRequest&) const = default;
};

struct EndQuorumEpochRequest {
  std::optional<std::string> cluster_id;
  int32_t leader_id = -1;
  LeaderEpoch epoch{0};
  std::vector<ReplicaKey> preferred_candidates;

  bool operator==(const EndQuorumEpochRequest&) const = default;
};

struct FetchRequest {
  std::optional<std::string> cluster_id;
  ReplicaKey replica;
  LeaderEpoch epoch{0};  // currentLeaderEpoch
  Offset offset{0};      // everything below is on the replica's disk: this is its acknowledgement
  LeaderEpoch last_epoch{0};
  // What the replica knows; a higher one of the leader is answered at once (KIP-1166). The maximum: not said.
  Offset high_watermark{std::numeric_limits<int64_t>::max()};
  int32_t max_wait_ms = 500;
  int32_t max_bytes = 1048576;

  bool operator==(const FetchRequest&) const = default;
};

struct FetchSnapshotRequest {
  std::optional<std::string> cluster_id;
  ReplicaKey replica;
  LeaderEpoch epoch{0};
  SnapshotId snapshot;
  int64_t position = 0;  // of the file's byte to begin with
  int32_t max_bytes = 1048576;

  bool operator==(const FetchSnapshotRequest&) const = default;
};

struct AddVoterRequest {
  std::optional<std::string> cluster_id;
  Voter voter;                     // its kraft.version range is asked of itself
  bool ack_when_committed = true;  // false: answered when the record is in the leader's log

  bool operator==(const AddVoterRequest&) const = default;
};

struct RemoveVoterRequest {
  std::optional<std::string> cluster_id;
  ReplicaKey voter;

  bool operator==(const RemoveVoterRequest&) const = default;
};

// A voter tells of its own new endpoints or versions.
struct UpdateVoterRequest {
  std::optional<std::string> cluster_id;
  LeaderEpoch epoch{0};
  Voter voter;

  bool operator==(const UpdateVoterRequest&) const = default;
};

// ApiVersions, of which only the kraft.version range matters: asked of who is to become a voter.
struct SupportedVersionsRequest {
  bool operator==(const SupportedVersionsRequest&) const = default;
};

using Request =
    std::variant<VoteRequest, BeginQuorumEpochRequest, EndQuorumEpochRequest, FetchRequest, FetchSnapshotRequest,
                 AddVoterRequest, RemoveVoterRequest, UpdateVoterRequest, SupportedVersionsRequest>;

// What every answer says of leadership.
struct Leadership {
  int32_t leader_id = -1;
  LeaderEpoch epoch{0};
  std::vector<VoterEndpoint> endpoints;  // of the leader, when known

  bool operator==(const Leadership&) const = default;
};

struct VoteResponse {
  KafkaError error{};  // top level or of the partition: the first that is not NONE
  Leadership leadership;
  bool granted = false;

  bool operator==(const VoteResponse&) const = default;
};

struct QuorumEpochResponse {  // to Begin- and EndQuorumEpoch
  KafkaError error{};
  Leadership leadership;

  bool operator==(const QuorumEpochResponse&) const = default;
};

struct FetchResponse {
  KafkaError error{};
  Leadership leadership;
  Offset high_watermark{-1};
  Offset log_start{-1};
  std::optional<EpochEnd> diverging;
  std::optional<SnapshotId> snapshot;  // fetch this instead: the records asked for are gone
  Buffer records;                      // whole batches; on the leader's side filled in by who reads the log

  bool operator==(const FetchResponse&) const = default;
};

struct FetchSnapshotResponse {
  KafkaError error{};
  Leadership leadership;
  SnapshotId snapshot;
  int64_t size = 0;      // of the whole file; this and the bytes are filled in by who reads the file
  int64_t position = 0;  // of `bytes`
  Buffer bytes;

  bool operator==(const FetchSnapshotResponse&) const = default;
};

struct VoterChangeResponse {  // to Add-, Remove- and UpdateVoter
  KafkaError error{};
  Leadership leadership;
  std::string message;

  bool operator==(const VoterChangeResponse&) const = default;
};

struct SupportedVersionsResponse {
  KafkaError error{};
  int16_t kraft_version_min = 0;
  int16_t kraft_version_max = 0;

  bool operator==(const SupportedVersionsResponse&) const = default;
};

using Response = std::variant<VoteResponse, QuorumEpochResponse, FetchResponse, FetchSnapshotResponse,
                              VoterChangeResponse, SupportedVersionsResponse>;

}  // namespace barnabas::raft
