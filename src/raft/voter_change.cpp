// Changes of the voter set (KIP-853), one at a time: a record that counts from the moment it is in the log, and is
// committed by the new majority.
#include <algorithm>

#include "base/check.h"
#include "raft/raft.h"
#include "wire/control_record.h"

namespace barnabas::raft {

VoterChangeResponse Raft::refused_change(KafkaError error, std::string message) const {
  return {error, leadership(), std::move(message)};
}

std::optional<VoterChangeResponse> Raft::voters_are_fixed(const std::optional<std::string>& cluster_id) const {
  if (cluster_id && *cluster_id != options_.cluster_id) {
    return VoterChangeResponse{KafkaError::kInconsistentClusterId, {}, ""};
  }
  if (role_ != Role::kLeader) return refused_change(KafkaError::kNotLeaderOrFollower);
  if (voter_change_) {
    return refused_change(KafkaError::kRequestTimedOut, "Another change of the voters is under way.");
  }
  // Only a leader whose own epoch is committed knows that no change of an earlier leader is still open.
  if (!high_watermark_) {
    return refused_change(KafkaError::kRequestTimedOut, "The leader has no high watermark yet.");
  }
  if (log_.kraft_version() < 1) {
    return refused_change(KafkaError::kUnsupportedVersion, "Voters change only with kraft.version 1 or later.");
  }
  if (log_.voters_offset() >= *high_watermark_) {
    return refused_change(KafkaError::kRequestTimedOut, "The last change of the voters is not committed yet.");
  }
  return std::nullopt;
}

bool Raft::reachable_by(const Voter& voter) const {
  if (options_.endpoints.empty()) return !voter.endpoints.empty();
  const std::string& ours = options_.endpoints.front().listener;
  return std::ranges::any_of(voter.endpoints, [&](const VoterEndpoint& e) { return e.listener == ours; });
}

void Raft::handle_add_voter(Now now, RequestToken token, const AddVoterRequest& request, Output& out) {
  auto answer = [&](VoterChangeResponse response) { out.after_persist.reply.push_back({token, std::move(response)}); };
  const Voter& voter = request.voter;
  if (auto fixed = voters_are_fixed(request.cluster_id)) return answer(*std::move(fixed));
  if (voter.key.id < 0 || voter.key.directory.is_zero() || !reachable_by(voter)) {
    return answer(refused_change(KafkaError::kInvalidRequest, "A voter needs an id, a directory id and an endpoint."));
  }
  if (voters().find(voter.key.id) != nullptr) {
    return answer(refused_change(KafkaError::kDuplicateVoter,
                                 "The id " + std::to_string(voter.key.id) + " is a voter's already."));
  }
  voter_change_ = VoterChange{.token = token,
                              .voter = voter,
                              .ack_when_committed = request.ack_when_committed,
                              .deadline = now.time + options_.request_timeout};
  send(now, voter.key.id, SupportedVersionsRequest{}, {.kind = InFlight::Kind::kVersions}, out);
  out.after_persist.send.back().endpoints = voter.endpoints;
}

void Raft::on_supported_versions(Now now, const SupportedVersionsResponse& response, Output& out) {
  if (!voter_change_ || voter_change_->at) return;
  VoterChange& change = *voter_change_;
  if (response.error != KafkaError::kNone) {
    return end_voter_change(
        refused_change(KafkaError::kRequestTimedOut, "The new voter did not tell its supported versions."), out);
  }
  const int16_t level = log_.kraft_version();
  if (level < response.kraft_version_min || level > response.kraft_version_max) {
    return end_voter_change(
        refused_change(KafkaError::kInvalidRequest, "The new voter does not support this kraft.version."), out);
  }
  // One that lags would hold up everything that is to be committed with it.
  static constexpr int64_t kRecentMs = 3600 * 1000;
  const ReplicaState* replica = find_replica(change.voter.key);
  bool caught_up = replica && replica->last_caught_up != kNoTimestamp && replica->last_fetch > now.wall - kRecentMs;
  if (!caught_up) {
    return end_voter_change(refused_change(KafkaError::kRequestTimedOut, "The new voter is lagging behind."), out);
  }
  change.voter.kraft_version_min = response.kraft_version_min;
  change.voter.kraft_version_max = response.kraft_version_max;
  change.at = append_voters(now, voters().with(change.voter), out);
  if (!change.ack_when_committed) end_voter_change(refused_change(KafkaError::kNone), out);
}

void Raft::handle_remove_voter(Now now, RequestToken token, const RemoveVoterRequest& request, Output& out) {
  auto answer = [&](VoterChangeResponse response) { out.after_persist.reply.push_back({token, std::move(response)}); };
  if (auto fixed = voters_are_fixed(request.cluster_id)) return answer(*std::move(fixed));
  const Voter* voter = voters().find(request.voter.id);
  if (voter == nullptr || voter->key != request.voter) {
    return answer(refused_change(KafkaError::kVoterNotFound, "No voter has the id " + std::to_string(request.voter.id) +
                                                                 " and this directory id."));
  }
  if (voters().size() == 1) {
    return answer(refused_change(KafkaError::kInvalidRequest, "The last voter cannot be removed."));
  }
  VoterChange change{.token = token, .voter = *voter, .deadline = now.time + options_.request_timeout};
  change.at = append_voters(now, voters().without(request.voter.id), out);
  voter_change_ = std::move(change);
}

void Raft::handle_update_voter(Now now, RequestToken token, const UpdateVoterRequest& request, Output& out) {
  auto answer = [&](VoterChangeResponse response) { out.after_persist.reply.push_back({token, std::move(response)}); };
  bool ours = !request.cluster_id || *request.cluster_id == options_.cluster_id;
  if (ours && request.epoch < epoch_) return answer(refused_change(KafkaError::kFencedLeaderEpoch));
  if (ours && request.epoch > epoch_) return answer(refused_change(KafkaError::kUnknownLeaderEpoch));
  if (auto fixed = voters_are_fixed(request.cluster_id)) return answer(*std::move(fixed));
  const int16_t level = log_.kraft_version();
  const Voter& update = request.voter;
  if (level < update.kraft_version_min || level > update.kraft_version_max || !reachable_by(update)) {
    return answer(refused_change(KafkaError::kInvalidRequest));
  }
  const Voter* voter = voters().find(update.key.id);
  if (voter == nullptr || voter->key != update.key) return answer(refused_change(KafkaError::kVoterNotFound));
  append_voters(now, voters().with(update), out);
  answer(refused_change(KafkaError::kNone));  // at once: the voter goes on looking whether it is so
}

Offset Raft::append_voters(Now now, VoterSet next, Output& out) {
  CHECK(role_ == Role::kLeader && !next.empty());
  Offset at = log_.end();
  Buffer value = next.encode();
  std::vector<wire::ControlRecord> records{{wire::ControlRecordType::kKRaftVoters, value}};
  append_own(wire::encode_control_batch({.base_offset = at, .leader_epoch = epoch_, .timestamp = now.wall}, records),
             at + 1, out);
  log_.add_voters({at, std::move(next)});
  for (auto& [key, replica] : replicas_) replica.begin_due = {INT64_MAX};
  for (const Voter& voter : voters().voters()) {
    if (voter.key.id == options_.self.id) continue;
    ReplicaState* known = find_replica(voter.key);
    if (known == nullptr) {
      known = &replicas_[voter.key];
      known->last_fetch_time = now.time;
    }
    // A new voter that follows already need not be told who leads, but an old one may be waiting for it.
    known->begin_due = now.time + options_.fetch_timeout / 2;
  }
  complete_parked(now, out);
  return at;
}

void Raft::finish_voter_change(Now now, Output& out) {
  if (role_ != Role::kLeader) return;
  if (voter_change_) {
    bool committed = voter_change_->at && high_watermark_ && *high_watermark_ > *voter_change_->at;
    if (committed) {
      end_voter_change(refused_change(KafkaError::kNone), out);
    } else if (voter_change_->deadline <= now.time) {
      end_voter_change(refused_change(KafkaError::kRequestTimedOut, "The change of the voters is not committed yet."),
                       out);
    }
  }
  // It led until its own removal was committed; the others go on without it.
  bool removed = !is_voter() && high_watermark_ && *high_watermark_ > log_.voters_offset();
  if (removed) become_resigned(now, out);
}

void Raft::end_voter_change(VoterChangeResponse response, Output& out) {
  VoterChange change = *std::move(voter_change_);
  voter_change_.reset();
  out.after_persist.reply.push_back({change.token, std::move(response)});
}

std::optional<Request> Raft::own_voter_change() const {
  if (log_.kraft_version() < 1 || options_.self.directory.is_zero()) return std::nullopt;
  const Voter self{.key = options_.self, .endpoints = options_.endpoints};
  const Voter* known = voters().find(options_.self.id);
  if (known && known->key == options_.self) {
    if (known->endpoints == self.endpoints || self.endpoints.empty()) return std::nullopt;
    return UpdateVoterRequest{options_.cluster_id, epoch_, self};
  }
  if (!options_.auto_join) return std::nullopt;
  // The same id with another directory is what this node was before its disk was lost.
  if (known) return RemoveVoterRequest{options_.cluster_id, known->key};
  return AddVoterRequest{options_.cluster_id, self, false};
}

}  // namespace barnabas::raft
