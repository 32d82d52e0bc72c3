// Raft: one replica of a KRaft quorum as a function of its inputs. It owns no socket, file, clock or thread: it is fed
// messages, ticks and completed writes by its driver (one at a time) and answers each with an Output that the driver
// carries out. Elections with pre-vote, pull replication, divergence, the high watermark, snapshots for who is too far
// behind, changes of the voter set and Kafka's control batches are here; bytes of the log are seen only on their way
// in.
//
// It promises Raft's safety as long as the driver keeps the order of Output: one leader an epoch, and nothing committed
// is ever lost or changed, whatever is lost, repeated or delayed, as long as synced bytes survive a crash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "raft/log_index.h"
#include "raft/messages.h"
#include "raft/quorum_state_file.h"

namespace barnabas::wire {
struct BatchHeader;
}

namespace barnabas::raft {

struct Now {
  MonotonicTime time;
  TimestampMs wall = 0;
};

struct Options {
  ReplicaKey self;
  std::string cluster_id;
  std::vector<VoterEndpoint> endpoints;  // our own, told to others
  milliseconds election_timeout{1000};   // the real one is random in [t, 2t)
  milliseconds fetch_timeout{2000};
  milliseconds fetch_max_wait{500};
  milliseconds request_timeout{2000};
  milliseconds retry_backoff{20};
  milliseconds election_backoff_max{1000};
  int32_t fetch_max_bytes = 1048576;
  int32_t fetch_snapshot_max_bytes = 1048576;
  bool auto_join = false;            // an observer asks to become a voter
  std::function<uint64_t()> random;  // of the caller's seed
};

enum class Role { kUnattached, kProspective, kCandidate, kLeader, kResigned, kFollower };
const char* role_name(Role role);

// A request to be answered later carries the token its sender gave it.
using RequestToken = uint64_t;

struct Send {
  int32_t to = -1;           // node id; VoterSet or the last Leadership says where it lives
  uint64_t correlation = 0;  // comes back with the answer
  Request request;
  std::vector<VoterEndpoint> endpoints;  // only of who is not a voter yet
};

struct Reply {
  RequestToken token = 0;
  Response response;
};

// A Fetch to be answered with records: read whole batches from `offset` (at least one, then up to max_bytes), put them
// into `response.records` and send it.
struct ServeFetch {
  RequestToken token = 0;
  FetchResponse response;
  Offset offset{0};
  Offset limit{0};  // exclusive: the end of the log as it was
  int32_t max_bytes = 0;
};

// A FetchSnapshot to be answered: fill in size and up to max_bytes from response.position on. No such file:
// SNAPSHOT_NOT_FOUND; a position at or behind its end: POSITION_OUT_OF_RANGE.
struct ServeSnapshot {
  RequestToken token = 0;
  FetchSnapshotResponse response;
  int32_t max_bytes = 0;
};

// A part of a snapshot that the leader sends. Position 0 begins the file anew. After the last part the driver syncs and
// checks the file, and says snapshot_fetched() or snapshot_refused().
struct SnapshotChunk {
  SnapshotId id;
  int64_t position = 0;
  Buffer bytes;
  bool last = false;
};

struct AppendBatch {
  Offset base{0};
  Offset end{0};
  Buffer bytes;
};

struct LeaderChange {
  int32_t leader_id = -1;
  LeaderEpoch epoch{0};
  bool is_self = false;
  // For oneself: where the epoch's first record lies. Told only when that record is committed, so whoever has applied
  // up to the commit offset has seen everything of all epochs before.
  Offset epoch_start{-1};

  bool operator==(const LeaderChange&) const = default;
};

// What the driver has to do, in the order of the members. Nothing of `after_persist` may happen before quorum-state
// holds `persist` durably (when set); Outputs are carried out one after the other.
struct Output {
  std::optional<PersistedState> persist;

  struct AfterPersist {
    std::optional<Offset> truncate_to;         // cut the log here
    std::optional<SnapshotId> restart_log_at;  // drop the whole log; it goes on at this snapshot, which is to be loaded
    std::optional<SnapshotChunk> snapshot_chunk;
    std::vector<AppendBatch> append;  // to the log, in order
    bool flush = false;               // sync the log to its end, then call flushed()
    std::vector<Send> send;
    std::vector<Reply> reply;
    std::vector<ServeFetch> serve;
    std::vector<ServeSnapshot> serve_snapshot;
    std::optional<Offset> committed;  // the high watermark rose to this
    std::optional<LeaderChange> leader_change;
  } after_persist;

  bool nothing() const;
};

class Raft {
 public:
  // `persisted` is what quorum-state says, or its default when there is none; `log` describes the log as found on disk
  // (all of it flushed). Nothing happens before start().
  Raft(Options options, const PersistedState& persisted, LogIndex log);

  // A lone voter is leader when this returns (its first batch still to be synced).
  Output start(Now now);
  Output tick(Now now);
  Output on_request(Now now, RequestToken token, const Request& request);
  Output on_response(Now now, uint64_t correlation, const Response& response);
  // The request could not be sent, timed out or its connection was lost.
  Output on_failure(Now now, uint64_t correlation);
  // The peer's answer was UNSUPPORTED_VERSION: it does not know pre-vote.
  Output on_unsupported(Now now, uint64_t correlation);
  // Bytes below `end` are on disk.
  Output flushed(Now now, Offset end);
  // Leaves leadership (or, for a follower, does nothing): successors are told at once.
  Output resign(Now now);

  // Appends one batch of `values` (encoded records, null keys) in our epoch. An error when we are not the leader of
  // `epoch`. The first record's offset is end_offset() before the call.
  Result<Output> propose(Now now, LeaderEpoch epoch, std::span<const Buffer> values);

  // The snapshot whose last chunk came is on disk and whole; this is what its control records say.
  Output snapshot_fetched(Now now, SnapshotId id, VoterSet voters, int16_t kraft_version);
  // It is damaged, or could not be written: it is fetched again.
  Output snapshot_refused(Now now, SnapshotId id);
  // One of our own.
  void snapshot_written(SnapshotId id);
  void log_start_moved(Offset start);

  Role role() const { return role_; }
  LeaderEpoch epoch() const { return epoch_; }
  int32_t leader_id() const { return leader_id_; }
  Leadership leadership() const;
  std::optional<Offset> high_watermark() const { return high_watermark_; }
  Offset end_offset() const { return log_.end(); }
  const LogIndex& log() const { return log_; }
  const VoterSet& voters() const { return log_.voters(); }
  const Options& options() const { return options_; }
  // When tick() next has something to do.
  MonotonicTime wake_at() const;

  // What DescribeQuorum tells of one replica; known to the leader only.
  struct ReplicaProgress {
    ReplicaKey key;
    Offset end{-1};
    TimestampMs last_fetch = kNoTimestamp;
    TimestampMs last_caught_up = kNoTimestamp;
  };
  std::vector<ReplicaProgress> voter_progress(Now now) const;
  std::vector<ReplicaProgress> observer_progress(Now now) const;

 private:
  struct ReplicaState {
    std::optional<Offset> end;
    MonotonicTime last_fetch_time;
    TimestampMs last_fetch = kNoTimestamp;
    TimestampMs last_caught_up = kNoTimestamp;
    Offset leader_end_at_last_fetch{0};
    MonotonicTime begin_due{INT64_MAX};  // when to tell it again who leads
  };
  struct InFlight {
    int32_t to = -1;
    LeaderEpoch epoch{0};
    bool pre_vote = false;
    MonotonicTime deadline;
    enum class Kind { kVote, kBegin, kEnd, kFetch, kVersions } kind = Kind::kVote;
  };
  // The one change of the voter set that is under way.
  struct VoterChange {
    RequestToken token = 0;
    Voter voter;
    std::optional<Offset> at;  // of its record; none: the new voter has not told its versions yet
    bool ack_when_committed = true;
    MonotonicTime deadline;
  };
  struct Download {
    SnapshotId id;
    int64_t position = 0;
    bool complete = false;  // the driver looks at it
  };
  struct ParkedFetch {
    RequestToken token;
    FetchRequest request;
    MonotonicTime deadline;
  };

  // election.cpp
  void leave_role(Output& out);
  void become_unattached(Now now, LeaderEpoch epoch, Output& out);
  void become_prospective(Now now, Output& out);
  void become_candidate(Now now, Output& out);
  void become_leader(Now now, Output& out);
  void become_follower(Now now, LeaderEpoch epoch, const Leadership& leader, Output& out);
  void become_resigned(Now now, Output& out);
  void tell_resignation(Now now, Output& out);
  void request_votes(Now now, Output& out);
  void count_votes(Now now, Output& out);
  void give_up_pre_vote(Now now, Output& out);
  void election_timer_fired(Now now, Output& out);
  VoteResponse answer_vote(Now now, const VoteRequest& request, Output& out);
  QuorumEpochResponse answer_begin(Now now, const BeginQuorumEpochRequest& request, Output& out);
  QuorumEpochResponse answer_end(Now now, const EndQuorumEpochRequest& request, Output& out);
  void on_vote_response(Now now, const InFlight& flight, const VoteResponse& response, Output& out);
  // Steps towards a newer epoch or a leader just heard of; false when the message is too old to matter.
  bool observe_leadership(Now now, const Leadership& heard, KafkaError error, Output& out);

  // leading.cpp
  void leader_tick(Now now, Output& out);
  void append_epoch_start(Now now, const std::vector<ReplicaKey>& granted_by, Output& out);
  void append_own(Buffer batch, Offset end, Output& out);
  void handle_fetch(Now now, RequestToken token, const FetchRequest& request, Output& out);
  // False: nothing to say yet, the request may be parked.
  bool answer_fetch(Now now, RequestToken token, const FetchRequest& request, bool must_answer, Output& out);
  void record_fetch(Now now, const FetchRequest& request, Output& out);
  void complete_parked(Now now, Output& out);
  void fail_parked(KafkaError error, Output& out);
  void advance_high_watermark(Output& out);
  FetchResponse fetch_error(KafkaError error) const;
  ReplicaState* find_replica(const ReplicaKey& key);
  const ReplicaState* find_replica(const ReplicaKey& key) const;
  MonotonicTime majority_heard_at(Now now) const;

  // following.cpp
  MonotonicTime fetch_due() const;  // when the next Fetch may go; never, while one is under way or nobody to ask
  void send_fetch(Now now, Output& out);
  void on_fetch_response(Now now, const InFlight& flight, const FetchResponse& response, Output& out);
  bool truncate_diverged(const EpochEnd& leader_end, Output& out);
  void append_from_leader(const Buffer& records, Output& out);
  void note_control_records(const wire::BatchHeader& header, BytesView batch);

  // snapshot_transfer.cpp
  void handle_fetch_snapshot(Now now, RequestToken token, const FetchSnapshotRequest& request, Output& out);
  bool begin_download(SnapshotId id);
  void on_snapshot_response(Now now, const InFlight& flight, const FetchSnapshotResponse& response, Output& out);

  // voter_change.cpp
  void handle_add_voter(Now now, RequestToken token, const AddVoterRequest& request, Output& out);
  void handle_remove_voter(Now now, RequestToken token, const RemoveVoterRequest& request, Output& out);
  void handle_update_voter(Now now, RequestToken token, const UpdateVoterRequest& request, Output& out);
  // Why no voter may be changed now, or nothing.
  std::optional<VoterChangeResponse> voters_are_fixed(const std::optional<std::string>& cluster_id) const;
  VoterChangeResponse refused_change(KafkaError error, std::string message = "") const;
  bool reachable_by(const Voter& voter) const;
  void on_supported_versions(Now now, const SupportedVersionsResponse& response, Output& out);
  Offset append_voters(Now now, VoterSet voters, Output& out);
  // Answers what is committed or too late; a leader that is no voter any more leaves.
  void finish_voter_change(Now now, Output& out);
  void end_voter_change(VoterChangeResponse response, Output& out);
  // What this replica wants changed about itself, when it is time to say so.
  std::optional<Request> own_voter_change() const;

  void raise_high_watermark(Offset to, Output& out);
  uint64_t send(Now now, int32_t to, Request request, InFlight flight, Output& out);
  void persist(Output& out);
  bool is_voter() const { return log_.voters().contains(options_.self); }
  MonotonicTime random_election_deadline(Now now);

  Options options_;
  LogIndex log_;
  Role role_ = Role::kUnattached;
  LeaderEpoch epoch_{0};
  int32_t leader_id_ = -1;
  ReplicaKey voted_{};
  std::vector<VoterEndpoint> leader_endpoints_;
  std::optional<Offset> high_watermark_;
  Offset committed_{-1};  // the highest ever told
  std::optional<LeaderChange> untold_leader_change_;

  MonotonicTime election_deadline_{INT64_MAX};
  MonotonicTime fetch_deadline_{INT64_MAX};  // follower: of the leader's life; leader: of its majority
  MonotonicTime fetch_not_before_{INT64_MIN};
  MonotonicTime resign_retry_at_{INT64_MAX};
  MonotonicTime vote_retry_at_{INT64_MAX};
  bool fetched_from_leader_ = false;

  std::map<int32_t, bool> votes_;  // id -> granted, of the current round
  std::set<int32_t> end_acknowledged_;
  std::vector<ReplicaKey> preferred_successors_;
  std::map<ReplicaKey, ReplicaState> replicas_;  // leader: everyone who fetches
  Offset epoch_start_{0};
  std::map<uint64_t, InFlight> in_flight_;
  uint64_t next_correlation_ = 1;
  std::vector<ParkedFetch> parked_;
  std::optional<VoterChange> voter_change_;  // leader
  std::optional<Download> download_;         // follower
  MonotonicTime tell_self_at_{INT64_MAX};    // follower: when to look whether the voter set is right about us
};

}  // namespace barnabas::raft
