// Leading: the epoch's first batch, what followers fetch and thereby acknowledge, and the high watermark that follows.
#include <algorithm>

#include "base/check.h"
#include "raft/raft.h"
#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/messages/leader_change_message.h"
#include "wire/writer.h"

namespace barnabas::raft {

namespace {

template <class Message>
Buffer control_value(const Message& message) {
  wire::Writer writer;
  auto encoded = message.encode(writer, 0);
  CHECK(encoded.has_value());
  return writer.take_contiguous();
}

}  // namespace

void Raft::append_epoch_start(Now now, const std::vector<ReplicaKey>& granted_by, Output& out) {
  using Type = wire::ControlRecordType;
  wire::LeaderChangeMessage message;
  message.leader_id = options_.self.id;
  for (const Voter& voter : voters().voters()) message.voters.emplace_back().voter_id = voter.key.id;
  for (const ReplicaKey& key : granted_by) message.granting_voters.emplace_back().voter_id = key.id;
  Buffer leader_change = control_value(message);

  epoch_start_ = log_.end();
  std::vector<wire::ControlRecord> records{{Type::kLeaderChange, leader_change}};
  // A dynamic quorum's first leader copies the bootstrap checkpoint into the log, where everybody finds it.
  Buffer version_value;
  Buffer voters_value;
  if (log_.kraft_version() >= 1 && (!log_.kraft_version_in_log() || log_.voters_offset() < Offset(0))) {
    wire::KRaftVersionRecord version;
    version.kraft_version = log_.kraft_version();
    version_value = control_value(version);
    voters_value = voters().encode();
    records.push_back({Type::kKRaftVersion, version_value});
    records.push_back({Type::kKRaftVoters, voters_value});
    log_.set_kraft_version(log_.kraft_version(), epoch_start_ + 1);
    log_.add_voters({epoch_start_ + 2, voters()});
  }
  Buffer batch =
      wire::encode_control_batch({.base_offset = epoch_start_, .leader_epoch = epoch_, .timestamp = now.wall}, records);
  append_own(std::move(batch), epoch_start_ + static_cast<int64_t>(records.size()), out);
  untold_leader_change_ = LeaderChange{options_.self.id, epoch_, true, epoch_start_};
}

void Raft::append_own(Buffer batch, Offset end, Output& out) {
  Offset base = log_.end();
  log_.append(epoch_, base, end);
  out.after_persist.append.push_back({base, end, std::move(batch)});
  out.after_persist.flush = true;
}

void Raft::leader_tick(Now now, Output& out) {
  if (voters().size() > 1 || !is_voter()) {
    MonotonicTime deadline = majority_heard_at(now) + options_.fetch_timeout * 3 / 2;
    if (deadline <= now.time) return become_resigned(now, out);
    fetch_deadline_ = deadline;
  } else {
    fetch_deadline_ = {INT64_MAX};
  }
  for (const Voter& voter : voters().voters()) {
    if (voter.key.id == options_.self.id) continue;
    ReplicaState* known = find_replica(voter.key);
    ReplicaState& replica = known ? *known : replicas_[voter.key];
    if (replica.begin_due > now.time) continue;
    replica.begin_due = now.time + options_.fetch_timeout / 2;
    send(now, voter.key.id,
         BeginQuorumEpochRequest{options_.cluster_id, voter.key, options_.self.id, epoch_, options_.endpoints},
         {.kind = InFlight::Kind::kBegin}, out);
  }
}

MonotonicTime Raft::majority_heard_at(Now now) const {
  std::vector<MonotonicTime> heard;
  for (const Voter& voter : voters().voters()) {
    if (voter.key.same_as(options_.self)) {
      heard.push_back(now.time);
    } else {
      const ReplicaState* replica = find_replica(voter.key);
      heard.push_back(replica ? replica->last_fetch_time : MonotonicTime{INT64_MIN / 2});
    }
  }
  std::ranges::sort(heard, std::greater{});
  return heard[voters().majority() - 1];
}

Raft::ReplicaState* Raft::find_replica(const ReplicaKey& key) {
  for (auto& [known, state] : replicas_) {
    if (known.same_as(key)) return &state;
  }
  return nullptr;
}

const Raft::ReplicaState* Raft::find_replica(const ReplicaKey& key) const {
  return const_cast<Raft*>(this)->find_replica(key);
}

FetchResponse Raft::fetch_error(KafkaError error) const {
  FetchResponse response;
  response.error = error;
  response.leadership = leadership();
  response.log_start = log_.start();
  return response;
}

void Raft::handle_fetch(Now now, RequestToken token, const FetchRequest& request, Output& out) {
  auto refuse = [&](KafkaError error) { out.after_persist.reply.push_back({token, fetch_error(error)}); };
  if (request.cluster_id && *request.cluster_id != options_.cluster_id) {
    out.after_persist.reply.push_back({token, FetchResponse{.error = KafkaError::kInconsistentClusterId}});
    return;
  }
  if (request.epoch < epoch_) return refuse(KafkaError::kFencedLeaderEpoch);
  if (request.epoch > epoch_) return refuse(KafkaError::kUnknownLeaderEpoch);
  if (role_ != Role::kLeader) return refuse(KafkaError::kNotLeaderOrFollower);
  if (request.offset < Offset(0) || request.last_epoch < LeaderEpoch(0) || request.last_epoch > epoch_ ||
      request.max_wait_ms < 0) {
    return refuse(KafkaError::kInvalidRequest);
  }
  if (answer_fetch(now, token, request, request.max_wait_ms == 0, out)) {
    complete_parked(now, out);
    return;
  }
  parked_.push_back({token, request, now.time + milliseconds(request.max_wait_ms)});
}

bool Raft::answer_fetch(Now now, RequestToken token, const FetchRequest& request, bool must_answer, Output& out) {
  FetchResponse response = fetch_error(KafkaError::kNone);
  auto reply = [&] {
    response.high_watermark = high_watermark_.value_or(Offset(-1));
    out.after_persist.reply.push_back({token, response});
    return true;
  };
  auto snapshot = log_.latest_snapshot();
  bool has_snapshot = snapshot && snapshot->end > Offset(0);
  // Never replay a long history into an empty log.
  bool below_start =
      request.offset < log_.start() ||
      (request.offset == log_.start() && log_.start() > Offset(0) && request.last_epoch != log_.epoch_before_start()) ||
      (log_.start() > Offset(0) && request.last_epoch < log_.epoch_before_start());
  if (has_snapshot && (request.offset == Offset(0) || below_start)) {
    response.snapshot = snapshot;
    return reply();
  }
  EpochEnd ours = log_.end_of_epoch(request.last_epoch);
  bool diverged = request.offset > Offset(0) && (ours.epoch != request.last_epoch || ours.end < request.offset);
  if (diverged) {
    response.diverging = ours;
    return reply();
  }
  record_fetch(now, request, out);
  if (request.offset < log_.end()) {
    response.high_watermark = high_watermark_.value_or(Offset(-1));
    out.after_persist.serve.push_back({token, response, request.offset, log_.end(), request.max_bytes});
    return true;
  }
  bool news = high_watermark_ && request.high_watermark < *high_watermark_;
  return must_answer || news ? reply() : false;
}

void Raft::record_fetch(Now now, const FetchRequest& request, Output& out) {
  if (request.replica.id < 0 || request.replica.same_as(options_.self)) return;
  ReplicaState* known = find_replica(request.replica);
  ReplicaState& replica = known ? *known : replicas_[request.replica];
  if (request.offset >= log_.end()) {
    replica.last_caught_up = now.wall;
  } else if (request.offset >= replica.leader_end_at_last_fetch && replica.last_fetch != kNoTimestamp) {
    replica.last_caught_up = replica.last_fetch;
  }
  replica.leader_end_at_last_fetch = log_.end();
  replica.last_fetch = now.wall;
  replica.last_fetch_time = now.time;
  // Only forwards: a request that was overtaken on the way says nothing new.
  if (!replica.end || *replica.end < request.offset) replica.end = request.offset;
  if (voters().contains(request.replica)) replica.begin_due = now.time + options_.fetch_timeout / 2;
  advance_high_watermark(out);
}

void Raft::complete_parked(Now now, Output& out) {
  if (parked_.empty() || role_ != Role::kLeader) return;
  std::vector<ParkedFetch> parked = std::exchange(parked_, {});
  for (ParkedFetch& fetch : parked) {
    if (!answer_fetch(now, fetch.token, fetch.request, fetch.deadline <= now.time, out)) {
      parked_.push_back(std::move(fetch));
    }
  }
}

void Raft::fail_parked(KafkaError error, Output& out) {
  for (const ParkedFetch& fetch : std::exchange(parked_, {})) {
    out.after_persist.reply.push_back({fetch.token, fetch_error(error)});
  }
}

void Raft::advance_high_watermark(Output& out) {
  if (voters().empty()) return;
  std::vector<Offset> ends;
  for (const Voter& voter : voters().voters()) {
    if (voter.key.same_as(options_.self)) {
      ends.push_back(log_.flushed());  // what is not on our disk is not acknowledged by us
    } else {
      const ReplicaState* replica = find_replica(voter.key);
      ends.push_back(replica && replica->end ? *replica->end : Offset(-1));
    }
  }
  std::ranges::sort(ends, std::greater{});
  Offset candidate = ends[voters().majority() - 1];
  // Raft's rule: a record of an earlier epoch is committed only together with one of ours.
  if (candidate > epoch_start_ && (!high_watermark_ || candidate > *high_watermark_)) {
    raise_high_watermark(candidate, out);
  }
}

void Raft::raise_high_watermark(Offset to, Output& out) {
  high_watermark_ = to;
  if (to > committed_) {
    committed_ = to;
    out.after_persist.committed = to;
  }
  if (untold_leader_change_) {
    out.after_persist.leader_change = untold_leader_change_;
    untold_leader_change_.reset();
  }
}

std::vector<Raft::ReplicaProgress> Raft::voter_progress(Now now) const {
  std::vector<ReplicaProgress> progress;
  for (const Voter& voter : voters().voters()) {
    ReplicaProgress& p = progress.emplace_back();
    p.key = voter.key;
    if (voter.key.same_as(options_.self)) {
      p.end = log_.end();
      p.last_fetch = p.last_caught_up = now.wall;
    } else if (const ReplicaState* replica = find_replica(voter.key)) {
      p.end = replica->end.value_or(Offset(-1));
      p.last_fetch = replica->last_fetch;
      p.last_caught_up = replica->last_caught_up;
    }
  }
  return progress;
}

std::vector<Raft::ReplicaProgress> Raft::observer_progress(Now now) const {
  static constexpr Duration kForgottenAfter = std::chrono::minutes(5);
  std::vector<ReplicaProgress> progress;
  for (const auto& [key, replica] : replicas_) {
    if (voters().contains(key) || now.time - replica.last_fetch_time > kForgottenAfter) continue;
    progress.push_back({key, replica.end.value_or(Offset(-1)), replica.last_fetch, replica.last_caught_up});
  }
  return progress;
}

}  // namespace barnabas::raft
