#include "raft/raft.h"

#include <algorithm>

#include "base/check.h"
#include "wire/record_batch_builder.h"

namespace barnabas::raft {

const char* role_name(Role role) {
  switch (role) {
    case Role::kUnattached:
      return "unattached";
    case Role::kProspective:
      return "prospective";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
    case Role::kResigned:
      return "resigned";
    case Role::kFollower:
      return "follower";
  }
  return "unknown";
}

bool Output::nothing() const {
  const AfterPersist& a = after_persist;
  return !persist && !a.truncate_to && !a.restart_log_at && !a.snapshot_chunk && a.append.empty() && !a.flush &&
         a.send.empty() && a.reply.empty() && a.serve.empty() && a.serve_snapshot.empty() && !a.committed &&
         !a.leader_change;
}

Raft::Raft(Options options, const PersistedState& persisted, LogIndex log)
    : options_(std::move(options)),
      log_(std::move(log)),
      epoch_(std::max(persisted.epoch, LeaderEpoch(0))),
      leader_id_(persisted.leader_id),
      voted_(persisted.voted) {
  CHECK(options_.random != nullptr);
}

Output Raft::start(Now now) {
  Output out;
  if (epoch_ < log_.last_epoch()) {
    become_unattached(now, log_.last_epoch(), out);
  } else if (leader_id_ == options_.self.id) {
    // Never lead an epoch again: what we appended in it may not have been on disk.
    role_ = Role::kResigned;
    election_deadline_ = random_election_deadline(now);
    resign_retry_at_ = now.time;
  } else if (voted_.id == options_.self.id && is_voter()) {
    role_ = Role::kCandidate;
    election_deadline_ = random_election_deadline(now);
    votes_ = {{options_.self.id, true}};
    request_votes(now, out);
  } else if (const Voter* leader = log_.voters().find(leader_id_); leader_id_ >= 0 && leader) {
    become_follower(now, epoch_, {leader_id_, epoch_, leader->endpoints}, out);
    out.after_persist.leader_change = LeaderChange{leader_id_, epoch_, false, Offset(-1)};
  } else {
    role_ = Role::kUnattached;
    if (is_voter()) election_deadline_ = random_election_deadline(now);
  }
  if (log_.voters().is_only(options_.self)) {
    become_candidate(now, out);  // there is nobody to wait for or to disturb
  } else {
    send_fetch(now, out);
  }
  return out;
}

Output Raft::tick(Now now) {
  Output out;
  std::vector<uint64_t> late;
  for (const auto& [correlation, flight] : in_flight_) {
    if (flight.deadline <= now.time) late.push_back(correlation);
  }
  for (uint64_t correlation : late) {
    bool of_newcomer = in_flight_.at(correlation).kind == InFlight::Kind::kVersions;
    in_flight_.erase(correlation);
    if (of_newcomer) on_supported_versions(now, {.error = KafkaError::kRequestTimedOut}, out);
    fetch_not_before_ = now.time + options_.retry_backoff;
    vote_retry_at_ = now.time;
  }
  if (election_deadline_ <= now.time) election_timer_fired(now, out);
  switch (role_) {
    case Role::kLeader:
      leader_tick(now, out);
      break;
    case Role::kResigned:
      if (resign_retry_at_ <= now.time) {
        resign_retry_at_ = now.time + options_.request_timeout;
        tell_resignation(now, out);
      }
      break;
    case Role::kFollower:
      if (fetch_deadline_ <= now.time) {
        if (is_voter()) {
          become_prospective(now, out);
        } else {
          become_unattached(now, epoch_, out);
        }
      }
      break;
    case Role::kProspective:
    case Role::kCandidate:
      if (vote_retry_at_ <= now.time) request_votes(now, out);
      break;
    case Role::kUnattached:
      break;
  }
  finish_voter_change(now, out);
  send_fetch(now, out);
  complete_parked(now, out);
  return out;
}

Output Raft::on_request(Now now, RequestToken token, const Request& request) {
  Output out;
  if (const auto* vote = std::get_if<VoteRequest>(&request)) {
    VoteResponse response = answer_vote(now, *vote, out);
    out.after_persist.reply.push_back({token, std::move(response)});
  } else if (const auto* begin = std::get_if<BeginQuorumEpochRequest>(&request)) {
    QuorumEpochResponse response = answer_begin(now, *begin, out);
    out.after_persist.reply.push_back({token, std::move(response)});
  } else if (const auto* end = std::get_if<EndQuorumEpochRequest>(&request)) {
    QuorumEpochResponse response = answer_end(now, *end, out);
    out.after_persist.reply.push_back({token, std::move(response)});
  } else if (const auto* fetch = std::get_if<FetchRequest>(&request)) {
    handle_fetch(now, token, *fetch, out);
  } else if (const auto* snapshot = std::get_if<FetchSnapshotRequest>(&request)) {
    handle_fetch_snapshot(now, token, *snapshot, out);
  } else if (const auto* add = std::get_if<AddVoterRequest>(&request)) {
    handle_add_voter(now, token, *add, out);
  } else if (const auto* remove = std::get_if<RemoveVoterRequest>(&request)) {
    handle_remove_voter(now, token, *remove, out);
  } else if (const auto* update = std::get_if<UpdateVoterRequest>(&request)) {
    handle_update_voter(now, token, *update, out);
  } else {
    out.after_persist.reply.push_back({token, SupportedVersionsResponse{KafkaError::kNone, 0, 1}});
  }
  finish_voter_change(now, out);
  send_fetch(now, out);
  return out;
}

Output Raft::on_response(Now now, uint64_t correlation, const Response& response) {
  Output out;
  auto found = in_flight_.find(correlation);
  if (found == in_flight_.end()) return out;  // given up already
  InFlight flight = found->second;
  in_flight_.erase(found);
  if (const auto* vote = std::get_if<VoteResponse>(&response)) {
    if (flight.kind == InFlight::Kind::kVote) on_vote_response(now, flight, *vote, out);
  } else if (const auto* fetch = std::get_if<FetchResponse>(&response)) {
    if (flight.kind == InFlight::Kind::kFetch) on_fetch_response(now, flight, *fetch, out);
  } else if (const auto* snapshot = std::get_if<FetchSnapshotResponse>(&response)) {
    if (flight.kind == InFlight::Kind::kFetch) on_snapshot_response(now, flight, *snapshot, out);
  } else if (const auto* versions = std::get_if<SupportedVersionsResponse>(&response)) {
    if (flight.kind == InFlight::Kind::kVersions) on_supported_versions(now, *versions, out);
  } else if (const auto* change = std::get_if<VoterChangeResponse>(&response)) {
    observe_leadership(now, change->leadership, change->error, out);
  } else if (const auto* epoch = std::get_if<QuorumEpochResponse>(&response)) {
    if (flight.kind == InFlight::Kind::kEnd && epoch->error == KafkaError::kNone) end_acknowledged_.insert(flight.to);
    observe_leadership(now, epoch->leadership, epoch->error, out);
  }
  send_fetch(now, out);
  return out;
}

Output Raft::on_failure(Now now, uint64_t correlation) {
  Output out;
  auto found = in_flight_.find(correlation);
  if (found == in_flight_.end()) return out;
  bool of_newcomer = found->second.kind == InFlight::Kind::kVersions;
  in_flight_.erase(found);
  if (of_newcomer) on_supported_versions(now, {.error = KafkaError::kRequestTimedOut}, out);
  fetch_not_before_ = now.time + options_.retry_backoff;
  vote_retry_at_ = std::min(vote_retry_at_, now.time + options_.retry_backoff);
  return out;
}

Output Raft::on_unsupported(Now now, uint64_t correlation) {
  Output out;
  auto found = in_flight_.find(correlation);
  if (found == in_flight_.end()) return out;
  bool pre_vote = found->second.kind == InFlight::Kind::kVote && found->second.pre_vote;
  in_flight_.erase(found);
  // A voter of an older Kafka: without pre-vote there is only the real thing.
  if (pre_vote && role_ == Role::kProspective) become_candidate(now, out);
  return out;
}

Output Raft::flushed(Now now, Offset end) {
  Output out;
  log_.flush(end);
  if (role_ == Role::kLeader) {
    advance_high_watermark(out);
    complete_parked(now, out);
    finish_voter_change(now, out);
  }
  send_fetch(now, out);
  return out;
}

Output Raft::resign(Now now) {
  Output out;
  if (role_ == Role::kLeader) become_resigned(now, out);
  return out;
}

Result<Output> Raft::propose(Now now, LeaderEpoch epoch, std::span<const Buffer> values) {
  if (role_ != Role::kLeader || epoch != epoch_) {
    return fail(ErrorCode::kInvalid, "not the leader of epoch " + std::to_string(epoch.value));
  }
  CHECK(!values.empty());
  Output out;
  wire::BatchBuilder builder(wire::BatchOptions{.base_offset = log_.end(), .leader_epoch = epoch_});
  for (const Buffer& value : values) builder.add({.timestamp = now.wall, .value = BytesView(value)});
  append_own(builder.build(), log_.end() + static_cast<int64_t>(values.size()), out);
  complete_parked(now, out);
  return out;
}

void Raft::snapshot_written(SnapshotId id) {
  log_.add_snapshot(id);
}

void Raft::log_start_moved(Offset start) {
  log_.set_start(start);
}

Leadership Raft::leadership() const {
  Leadership leadership{leader_id_, epoch_, {}};
  if (leader_id_ == options_.self.id) {
    leadership.endpoints = options_.endpoints;
  } else if (leader_id_ >= 0) {
    leadership.endpoints = leader_endpoints_;
  }
  return leadership;
}

MonotonicTime Raft::wake_at() const {
  MonotonicTime at = election_deadline_;
  for (const auto& [correlation, flight] : in_flight_) at = std::min(at, flight.deadline);
  switch (role_) {
    case Role::kLeader:
      for (const auto& [key, replica] : replicas_) at = std::min(at, replica.begin_due);
      for (const ParkedFetch& fetch : parked_) at = std::min(at, fetch.deadline);
      at = std::min(at, fetch_deadline_);
      if (voter_change_) at = std::min(at, voter_change_->deadline);
      break;
    case Role::kFollower:
      at = std::min({at, fetch_deadline_, fetch_due()});
      break;
    case Role::kUnattached:
      at = std::min(at, fetch_due());
      break;
    case Role::kResigned:
      at = std::min(at, resign_retry_at_);
      break;
    case Role::kProspective:
    case Role::kCandidate:
      at = std::min(at, vote_retry_at_);
      break;
  }
  return at;
}

uint64_t Raft::send(Now now, int32_t to, Request request, InFlight flight, Output& out) {
  uint64_t correlation = next_correlation_++;
  flight.to = to;
  flight.epoch = epoch_;
  flight.deadline = now.time + options_.request_timeout;
  in_flight_.emplace(correlation, flight);
  out.after_persist.send.push_back({to, correlation, std::move(request), {}});
  return correlation;
}

void Raft::persist(Output& out) {
  out.persist = PersistedState{leader_id_, epoch_, voted_};
}

MonotonicTime Raft::random_election_deadline(Now now) {
  auto span = static_cast<uint64_t>(Duration(options_.election_timeout).count());
  return now.time + options_.election_timeout +
         Duration(static_cast<int64_t>(options_.random() % std::max<uint64_t>(span, 1)));
}

}  // namespace barnabas::raft
