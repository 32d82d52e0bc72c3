// Following: fetching from the leader, or from anybody who may know it, cutting what diverged and appending what comes.
#include <algorithm>

#include "base/check.h"
#include "raft/raft.h"
#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/reader.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::raft {

MonotonicTime Raft::fetch_due() const {
  constexpr MonotonicTime kNever{INT64_MAX};
  if (role_ != Role::kFollower && role_ != Role::kUnattached) return kNever;
  // The offset of a Fetch says what is on our disk, so the next one waits for the sync.
  if (log_.flushed() != log_.end()) return kNever;
  if (download_ && download_->complete) return kNever;
  bool asking = std::ranges::any_of(in_flight_, [](const auto& f) { return f.second.kind == InFlight::Kind::kFetch; });
  if (asking) return kNever;
  bool somebody = role_ == Role::kFollower || std::ranges::any_of(voters().voters(), [&](const Voter& voter) {
                    return voter.key.id != options_.self.id;
                  });
  return somebody ? fetch_not_before_ : kNever;
}

void Raft::send_fetch(Now now, Output& out) {
  if (now.time < fetch_due()) return;
  int32_t to = leader_id_;
  if (role_ == Role::kUnattached) {
    std::vector<int32_t> others;
    for (const Voter& voter : voters().voters()) {
      if (voter.key.id != options_.self.id) others.push_back(voter.key.id);
    }
    to = others[options_.random() % others.size()];
  }
  if (role_ == Role::kFollower && tell_self_at_ <= now.time) {
    tell_self_at_ = now.time + options_.fetch_timeout * 2;
    if (auto change = own_voter_change()) {
      send(now, to, *std::move(change), {.kind = InFlight::Kind::kFetch}, out);
      return;
    }
  }
  if (download_) {
    send(now, to,
         FetchSnapshotRequest{options_.cluster_id, options_.self, epoch_, download_->id, download_->position,
                              options_.fetch_snapshot_max_bytes},
         {.kind = InFlight::Kind::kFetch}, out);
    return;
  }
  FetchRequest request{.cluster_id = options_.cluster_id,
                       .replica = options_.self,
                       .epoch = epoch_,
                       .offset = log_.end(),
                       .last_epoch = log_.last_epoch(),
                       .high_watermark = high_watermark_.value_or(Offset(-1)),
                       .max_wait_ms = static_cast<int32_t>(options_.fetch_max_wait.count()),
                       .max_bytes = options_.fetch_max_bytes};
  send(now, to, std::move(request), {.kind = InFlight::Kind::kFetch}, out);
}

void Raft::on_fetch_response(Now now, const InFlight& flight, const FetchResponse& response, Output& out) {
  if (!observe_leadership(now, response.leadership, response.error, out)) {
    fetch_not_before_ = now.time + options_.retry_backoff;
    return;
  }
  bool from_our_leader = role_ == Role::kFollower && flight.to == leader_id_ && flight.epoch == epoch_;
  if (response.error != KafkaError::kNone || !from_our_leader) {
    // Who has just learned whom to ask asks at once.
    bool learned = role_ == Role::kFollower && (flight.epoch != epoch_ || flight.to != leader_id_);
    if (!learned) fetch_not_before_ = now.time + options_.retry_backoff;
    return;
  }
  if (response.diverging) {
    if (!truncate_diverged(*response.diverging, out)) fetch_not_before_ = now.time + options_.retry_backoff;
  } else if (response.snapshot) {
    if (!begin_download(*response.snapshot)) fetch_not_before_ = now.time + options_.retry_backoff;
  } else {
    append_from_leader(response.records, out);
    Offset known = std::min(response.high_watermark, log_.end());
    if (known >= Offset(0) && (!high_watermark_ || known > *high_watermark_)) raise_high_watermark(known, out);
  }
  fetched_from_leader_ = true;
  fetch_deadline_ = now.time + options_.fetch_timeout;
}

bool Raft::truncate_diverged(const EpochEnd& leader_end, Output& out) {
  EpochEnd ours = log_.end_of_epoch(leader_end.epoch);
  Offset to = ours.epoch == leader_end.epoch ? std::min(ours.end, leader_end.end) : ours.end;
  // Committed records never go; a leader that wants it is broken, and we do not follow it there.
  if (to < committed_ || to < log_.start() || to >= log_.end()) return false;
  log_.truncate(to);
  out.after_persist.truncate_to = to;
  return true;
}

void Raft::append_from_leader(const Buffer& records, Output& out) {
  wire::BatchCursor cursor(records);
  while (true) {
    auto batch = cursor.next();
    if (!batch || !*batch) return;  // the rest is cut off or damaged: it is fetched again
    const wire::BatchHeader& header = (*batch)->header;
    bool fits = header.first_offset() == log_.end() && header.next_offset() > header.first_offset() &&
                header.leader_epoch() >= log_.last_epoch() && header.leader_epoch() <= epoch_;
    if (!fits || !wire::crc_matches((*batch)->bytes)) return;
    log_.append(header.leader_epoch(), header.first_offset(), header.next_offset());
    if (header.is_control()) note_control_records(header, (*batch)->bytes);
    out.after_persist.append.push_back({header.first_offset(), header.next_offset(), to_buffer((*batch)->bytes)});
    out.after_persist.flush = true;
  }
}

void Raft::note_control_records(const wire::BatchHeader& header, BytesView batch) {
  wire::RecordIterator records(header, batch);
  wire::RecordView record;
  while (records.next(record)) {
    if (!record.key || !record.value) continue;
    auto type = wire::decode_control_key(*record.key);
    if (!type) continue;
    Offset offset = header.first_offset() + record.offset_delta;
    if (*type == wire::ControlRecordType::kKRaftVoters) {
      auto found = VoterSet::decode(*record.value);
      if (found && offset > log_.voters_offset()) log_.add_voters({offset, *std::move(found)});
    } else if (*type == wire::ControlRecordType::kKRaftVersion) {
      wire::Reader reader(*record.value);
      auto version = wire::KRaftVersionRecord::decode(reader, 0);
      if (version) log_.set_kraft_version(version->kraft_version, offset);
    }
  }
}

}  // namespace barnabas::raft
