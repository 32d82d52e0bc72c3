// Elections: who may lead. Every change of epoch, vote or leader goes through the become_ functions here.
#include <algorithm>

#include "base/check.h"
#include "raft/raft.h"

namespace barnabas::raft {

void Raft::leave_role(Output& out) {
  if (role_ == Role::kLeader) fail_parked(KafkaError::kNotLeaderOrFollower, out);
  if (voter_change_) end_voter_change(refused_change(KafkaError::kNotLeaderOrFollower), out);
  download_.reset();
  replicas_.clear();
  votes_.clear();
  end_acknowledged_.clear();
  untold_leader_change_.reset();
  election_deadline_ = {INT64_MAX};
  fetch_deadline_ = {INT64_MAX};
  vote_retry_at_ = {INT64_MAX};
  resign_retry_at_ = {INT64_MAX};
  // Answers to questions of an earlier role mean nothing any more.
  in_flight_.clear();
}

void Raft::become_unattached(Now now, LeaderEpoch epoch, Output& out) {
  CHECK(epoch >= epoch_);
  bool had_leader = leader_id_ >= 0;
  leave_role(out);
  role_ = Role::kUnattached;
  if (epoch > epoch_) voted_ = {};
  epoch_ = epoch;
  leader_id_ = -1;
  leader_endpoints_.clear();
  if (is_voter()) election_deadline_ = random_election_deadline(now);
  persist(out);
  if (had_leader) out.after_persist.leader_change = LeaderChange{-1, epoch_, false, Offset(-1)};
}

void Raft::become_prospective(Now now, Output& out) {
  // The leader of the epoch, if one is known, is remembered: should the others still hear it, we go back to it.
  leave_role(out);
  role_ = Role::kProspective;
  election_deadline_ = random_election_deadline(now);
  votes_ = {{options_.self.id, true}};
  if (log_.voters().is_only(options_.self)) return become_candidate(now, out);
  request_votes(now, out);
}

void Raft::become_candidate(Now now, Output& out) {
  bool had_leader = leader_id_ >= 0;
  leave_role(out);
  role_ = Role::kCandidate;
  epoch_ = epoch_.next();
  voted_ = options_.self;
  leader_id_ = -1;
  leader_endpoints_.clear();
  election_deadline_ = random_election_deadline(now);
  votes_ = {{options_.self.id, true}};
  persist(out);
  if (had_leader) out.after_persist.leader_change = LeaderChange{-1, epoch_, false, Offset(-1)};
  count_votes(now, out);
  if (role_ == Role::kCandidate) request_votes(now, out);
}

void Raft::become_leader(Now now, Output& out) {
  std::vector<ReplicaKey> granted;
  for (const Voter& voter : log_.voters().voters()) {
    auto vote = votes_.find(voter.key.id);
    if (voter.key.id != options_.self.id && vote != votes_.end() && vote->second) granted.push_back(voter.key);
  }
  granted.push_back(options_.self);  // last, as Kafka lists it
  leave_role(out);
  role_ = Role::kLeader;
  leader_id_ = options_.self.id;
  voted_ = {};
  // What an earlier leader told us to be committed is so, but how far beyond it the log is committed must be found
  // anew.
  high_watermark_.reset();
  for (const Voter& voter : log_.voters().voters()) {
    if (voter.key.id == options_.self.id) continue;
    ReplicaState& replica = replicas_[voter.key];
    replica.begin_due = now.time;
    replica.last_fetch_time = now.time;  // a whole check-quorum period from now
  }
  fetch_deadline_ = now.time + options_.fetch_timeout * 3 / 2;
  persist(out);
  append_epoch_start(now, granted, out);
  leader_tick(now, out);
}

void Raft::become_follower(Now now, LeaderEpoch epoch, const Leadership& leader, Output& out) {
  CHECK(epoch >= epoch_);
  CHECK(leader.leader_id >= 0 && leader.leader_id != options_.self.id);
  bool news = epoch != epoch_ || leader_id_ != leader.leader_id;
  if (news || role_ != Role::kFollower) {
    leave_role(out);
    fetched_from_leader_ = false;
    fetch_deadline_ = now.time + options_.fetch_timeout;
    fetch_not_before_ = {INT64_MIN};
    tell_self_at_ = now.time + options_.fetch_timeout * 2;
  }
  role_ = Role::kFollower;
  if (epoch > epoch_) voted_ = {};
  epoch_ = epoch;
  leader_id_ = leader.leader_id;
  if (!leader.endpoints.empty()) leader_endpoints_ = leader.endpoints;
  if (const Voter* voter = log_.voters().find(leader_id_); voter && leader_endpoints_.empty()) {
    leader_endpoints_ = voter->endpoints;
  }
  if (!news) return;
  persist(out);
  out.after_persist.leader_change = LeaderChange{leader_id_, epoch_, false, Offset(-1)};
}

void Raft::become_resigned(Now now, Output& out) {
  // Successors by how much they have, so that the best hears first that it may go ahead.
  std::vector<std::pair<Offset, ReplicaKey>> successors;
  for (const Voter& voter : log_.voters().voters()) {
    if (voter.key.id == options_.self.id) continue;
    const ReplicaState* replica = find_replica(voter.key);
    successors.emplace_back(replica && replica->end ? *replica->end : Offset(-1), voter.key);
  }
  std::ranges::sort(successors, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  preferred_successors_.clear();
  for (const auto& [end, key] : successors) preferred_successors_.push_back(key);
  leave_role(out);
  role_ = Role::kResigned;
  election_deadline_ = random_election_deadline(now);
  resign_retry_at_ = now.time + options_.request_timeout;
  out.after_persist.leader_change = LeaderChange{-1, epoch_, false, Offset(-1)};
  tell_resignation(now, out);
}

void Raft::tell_resignation(Now now, Output& out) {
  for (const Voter& voter : log_.voters().voters()) {
    if (voter.key.id == options_.self.id || end_acknowledged_.contains(voter.key.id)) continue;
    send(now, voter.key.id, EndQuorumEpochRequest{options_.cluster_id, options_.self.id, epoch_, preferred_successors_},
         {.kind = InFlight::Kind::kEnd}, out);
  }
}

void Raft::request_votes(Now now, Output& out) {
  vote_retry_at_ = {INT64_MAX};
  bool pre_vote = role_ == Role::kProspective;
  // Only what a crash cannot take back: a voter that granted us does not look at our log again when we come back and
  // ask.
  EpochEnd durable_end{log_.epoch_at(log_.flushed() - 1), log_.flushed()};
  for (const Voter& voter : log_.voters().voters()) {
    if (votes_.contains(voter.key.id)) continue;
    bool asked = std::ranges::any_of(in_flight_, [&](const auto& entry) {
      return entry.second.kind == InFlight::Kind::kVote && entry.second.to == voter.key.id;
    });
    if (asked) continue;
    send(now, voter.key.id, VoteRequest{options_.cluster_id, voter.key, options_.self, epoch_, durable_end, pre_vote},
         {.pre_vote = pre_vote, .kind = InFlight::Kind::kVote}, out);
  }
}

void Raft::count_votes(Now now, Output& out) {
  size_t granted = 0;
  size_t refused = 0;
  for (const Voter& voter : log_.voters().voters()) {
    auto vote = votes_.find(voter.key.id);
    if (vote == votes_.end()) continue;
    ++(vote->second ? granted : refused);
  }
  size_t majority = log_.voters().majority();
  if (granted >= majority) {
    role_ == Role::kProspective ? become_candidate(now, out) : become_leader(now, out);
  } else if (role_ == Role::kProspective && refused > log_.voters().size() - majority) {
    give_up_pre_vote(now, out);
  }
  // A candidate that has lost waits out its timer: a new epoch at once would only disturb the winner.
}

void Raft::give_up_pre_vote(Now now, Output& out) {
  if (leader_id_ >= 0 && leader_id_ != options_.self.id && !leader_endpoints_.empty()) {
    Leadership leader{leader_id_, epoch_, leader_endpoints_};
    become_follower(now, epoch_, leader, out);
    return;
  }
  become_unattached(now, epoch_, out);
}

void Raft::election_timer_fired(Now now, Output& out) {
  election_deadline_ = {INT64_MAX};
  switch (role_) {
    case Role::kUnattached:
    case Role::kCandidate:
      become_prospective(now, out);
      break;
    case Role::kProspective:
      give_up_pre_vote(now, out);
      break;
    case Role::kResigned:
      become_unattached(now, epoch_.next(), out);
      if (log_.voters().is_only(options_.self)) become_candidate(now, out);
      break;
    case Role::kFollower:  // the leader has resigned and we are to succeed it
      become_prospective(now, out);
      break;
    case Role::kLeader:
      break;
  }
}

bool Raft::observe_leadership(Now now, const Leadership& heard, KafkaError error, Output& out) {
  if (heard.epoch < epoch_ || error == KafkaError::kUnknownLeaderEpoch) return false;
  bool known = heard.leader_id >= 0 && heard.leader_id != options_.self.id;
  if (heard.epoch > epoch_) {
    known ? become_follower(now, heard.epoch, heard, out) : become_unattached(now, heard.epoch, out);
    return true;
  }
  if (known && (leader_id_ == -1 || (leader_id_ == heard.leader_id && role_ == Role::kFollower))) {
    become_follower(now, heard.epoch, heard, out);
  }
  // Somebody who names a second leader of the same epoch is broken or lies; Kafka dies of it, we go on.
  return true;
}

VoteResponse Raft::answer_vote(Now now, const VoteRequest& request, Output& out) {
  auto refuse = [&](KafkaError error) { return VoteResponse{error, leadership(), false}; };
  if (request.cluster_id && *request.cluster_id != options_.cluster_id) {
    return VoteResponse{KafkaError::kInconsistentClusterId, {}, false};
  }
  const EpochEnd& theirs = request.log_end;
  bool epoch_fits = request.pre_vote ? theirs.epoch <= request.epoch : theirs.epoch < request.epoch;
  if (theirs.end < Offset(0) || theirs.epoch < LeaderEpoch(0) || !epoch_fits) {
    return refuse(KafkaError::kInvalidRequest);
  }
  if (request.epoch < epoch_) return refuse(KafkaError::kFencedLeaderEpoch);
  if (request.candidate.id < 0) return refuse(KafkaError::kInvalidRequest);
  // Kafka adopts the epoch before it looks at the voter key, so that a stranger can depose a leader; we look first.
  bool meant_for_us = request.voter.id == -1 || request.voter.same_as(options_.self);
  if (!meant_for_us) return refuse(KafkaError::kInvalidVoterKey);
  if (request.epoch > epoch_) become_unattached(now, request.epoch, out);

  bool up_to_date = theirs >= log_.end_of_log();
  bool granted = false;
  switch (role_) {
    case Role::kUnattached:
    case Role::kProspective:
      if (request.pre_vote) {
        granted = up_to_date;
      } else if (voted_.id >= 0) {
        granted = voted_.id == request.candidate.id &&
                  (voted_.directory.is_zero() || voted_.directory == request.candidate.directory);
      } else {
        granted = leader_id_ < 0 && up_to_date;
        if (granted) {
          voted_ = request.candidate;
          if (is_voter()) election_deadline_ = random_election_deadline(now);
          persist(out);
        }
      }
      break;
    case Role::kCandidate:
    case Role::kResigned:
      granted = request.pre_vote && up_to_date;
      break;
    case Role::kFollower:
      granted = request.pre_vote && !fetched_from_leader_ && up_to_date;
      break;
    case Role::kLeader:
      break;
  }
  return VoteResponse{KafkaError::kNone, leadership(), granted};
}

QuorumEpochResponse Raft::answer_begin(Now now, const BeginQuorumEpochRequest& request, Output& out) {
  if (request.cluster_id && *request.cluster_id != options_.cluster_id) {
    return {KafkaError::kInconsistentClusterId, {}};
  }
  if (request.epoch < epoch_) return {KafkaError::kFencedLeaderEpoch, leadership()};
  if (request.leader_id < 0 || request.leader_id == options_.self.id)
    return {KafkaError::kInvalidRequest, leadership()};
  if (request.voter.id != -1 && !request.voter.same_as(options_.self)) {
    return {KafkaError::kInvalidVoterKey, leadership()};
  }
  bool contradicts = request.epoch == epoch_ && leader_id_ >= 0 && leader_id_ != request.leader_id;
  if (contradicts) return {KafkaError::kInvalidRequest, leadership()};
  become_follower(now, request.epoch, {request.leader_id, request.epoch, request.leader_endpoints}, out);
  return {KafkaError::kNone, leadership()};
}

QuorumEpochResponse Raft::answer_end(Now now, const EndQuorumEpochRequest& request, Output& out) {
  if (request.cluster_id && *request.cluster_id != options_.cluster_id) {
    return {KafkaError::kInconsistentClusterId, {}};
  }
  if (request.epoch < epoch_) return {KafkaError::kFencedLeaderEpoch, leadership()};
  bool contradicts = request.epoch == epoch_ && leader_id_ >= 0 && leader_id_ != request.leader_id;
  if (request.leader_id < 0 || request.leader_id == options_.self.id || contradicts) {
    return {KafkaError::kInvalidRequest, leadership()};
  }
  become_follower(now, request.epoch, {request.leader_id, request.epoch, {}}, out);
  if (is_voter()) {
    size_t position = 0;
    const auto& candidates = request.preferred_candidates;
    while (position < candidates.size() && !candidates[position].same_as(options_.self)) ++position;
    // The first goes at once, each later one twice as far behind: not all at the same moment.
    Duration wait = position == 0
                        ? Duration(0)
                        : std::min<Duration>(options_.retry_backoff * (int64_t{1} << std::min<size_t>(position, 16)),
                                             options_.election_backoff_max);
    election_deadline_ = now.time + wait;
    if (wait.count() == 0) election_timer_fired(now, out);
  }
  return {KafkaError::kNone, Leadership{request.leader_id, request.epoch, {}}};
}

void Raft::on_vote_response(Now now, const InFlight& flight, const VoteResponse& response, Output& out) {
  if (!observe_leadership(now, response.leadership, response.error, out)) return;
  // The answer does not say which kind of vote it is for; the question does.
  Role asked_as = flight.pre_vote ? Role::kProspective : Role::kCandidate;
  if (role_ != asked_as || flight.epoch != epoch_) return;
  votes_[flight.to] = response.error == KafkaError::kNone && response.granted;
  count_votes(now, out);
}

}  // namespace barnabas::raft
