// Snapshots for who is too far behind: the leader hands out the file part by part, the follower puts it together and
// begins its log anew behind it.
#include "raft/raft.h"

namespace barnabas::raft {

void Raft::handle_fetch_snapshot(Now now, RequestToken token, const FetchSnapshotRequest& request, Output& out) {
  FetchSnapshotResponse response{
      .leadership = leadership(), .snapshot = request.snapshot, .position = request.position};
  auto refuse = [&](KafkaError error) {
    response.error = error;
    out.after_persist.reply.push_back({token, response});
  };
  if (request.cluster_id && *request.cluster_id != options_.cluster_id) {
    response.leadership = {};
    return refuse(KafkaError::kInconsistentClusterId);
  }
  if (request.epoch < epoch_) return refuse(KafkaError::kFencedLeaderEpoch);
  if (request.epoch > epoch_) return refuse(KafkaError::kUnknownLeaderEpoch);
  if (role_ != Role::kLeader) return refuse(KafkaError::kNotLeaderOrFollower);
  // What the bootstrap checkpoint (0-0) holds is in the log; it is never handed out.
  auto latest = log_.latest_snapshot();
  if (!latest || request.snapshot.end <= Offset(0) || request.snapshot.end > latest->end) {
    return refuse(KafkaError::kSnapshotNotFound);
  }
  if (request.position < 0) return refuse(KafkaError::kPositionOutOfRange);
  // Whoever downloads does not fetch meanwhile, and is alive all the same.
  if (ReplicaState* replica = find_replica(request.replica)) {
    replica->last_fetch_time = now.time;
    if (voters().contains(request.replica)) replica->begin_due = now.time + options_.fetch_timeout / 2;
  }
  out.after_persist.serve_snapshot.push_back({token, std::move(response), request.max_bytes});
}

bool Raft::begin_download(SnapshotId id) {
  bool beyond_us = log_.end() < id.end || log_.epoch_at(id.end - 1) != id.epoch;
  // Neither what is committed here may go, nor what we told to have.
  if (id.end <= Offset(0) || id.end < committed_ || !beyond_us) return false;
  download_ = Download{.id = id};
  return true;
}

void Raft::on_snapshot_response(Now now, const InFlight& flight, const FetchSnapshotResponse& response, Output& out) {
  auto later = [&] { fetch_not_before_ = now.time + options_.retry_backoff; };
  if (!observe_leadership(now, response.leadership, response.error, out)) return later();
  bool from_our_leader = role_ == Role::kFollower && flight.to == leader_id_ && flight.epoch == epoch_;
  if (!from_our_leader || !download_) return later();
  auto size = static_cast<int64_t>(response.bytes.size());
  bool fits = response.error == KafkaError::kNone && response.snapshot == download_->id &&
              response.position == download_->position && size > 0 && size <= response.size - response.position;
  if (!fits) {
    // It may be gone on the leader, which has a later one then: ask from the beginning.
    download_.reset();
    return later();
  }
  download_->position += size;
  download_->complete = download_->position == response.size;
  out.after_persist.snapshot_chunk =
      SnapshotChunk{response.snapshot, response.position, response.bytes, download_->complete};
  fetched_from_leader_ = true;
  fetch_deadline_ = now.time + options_.fetch_timeout;
}

Output Raft::snapshot_fetched(Now now, SnapshotId id, VoterSet voters, int16_t kraft_version) {
  Output out;
  if (!download_ || !download_->complete || download_->id != id) return out;  // the leader has changed meanwhile
  download_.reset();
  log_.restart_at(id, std::move(voters), kraft_version);
  out.after_persist.restart_log_at = id;
  raise_high_watermark(id.end, out);
  send_fetch(now, out);
  return out;
}

Output Raft::snapshot_refused(Now now, SnapshotId id) {
  Output out;
  if (!download_ || download_->id != id) return out;
  download_.reset();
  fetch_not_before_ = now.time + options_.retry_backoff;
  return out;
}

}  // namespace barnabas::raft
