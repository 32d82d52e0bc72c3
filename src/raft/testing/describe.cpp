#include "raft/testing/describe.h"

#include <sstream>

#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/reader.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::raft {

namespace {

std::string text_of(const ReplicaKey& key) {
  return std::to_string(key.id);
}

std::string text_of(const Leadership& leadership) {
  std::string leader = leadership.leader_id < 0 ? "nobody" : std::to_string(leadership.leader_id);
  return leader + " leads epoch " + std::to_string(leadership.epoch.value);
}

// What is wrong, in front of the leadership that every answer tells.
std::string refusal(KafkaError error, const Leadership& leadership) {
  return std::string(wire::kafka_error_name(error)) + ", " + text_of(leadership);
}

std::string describe(const VoteRequest& vote) {
  return std::string(vote.pre_vote ? "would you vote for " : "vote for ") + text_of(vote.candidate) + " in epoch " +
         std::to_string(vote.epoch.value) + ", my log ends " + raft::text_of(vote.log_end);
}
std::string describe(const BeginQuorumEpochRequest& begin) {
  return std::to_string(begin.leader_id) + " leads epoch " + std::to_string(begin.epoch.value);
}
std::string describe(const EndQuorumEpochRequest& end) {
  std::string text = std::to_string(end.leader_id) + " ends epoch " + std::to_string(end.epoch.value) + ", next";
  for (const ReplicaKey& key : end.preferred_candidates) text += " " + text_of(key);
  return text + (end.preferred_candidates.empty() ? " anybody" : "");
}
std::string describe(const FetchRequest& fetch) {
  return "fetch in epoch " + std::to_string(fetch.epoch.value) + " from " +
         raft::text_of(EpochEnd{fetch.last_epoch, fetch.offset}) + ", high watermark " +
         std::to_string(fetch.high_watermark.value);
}

std::string describe(const FetchSnapshotRequest& fetch) {
  return "fetch snapshot " + raft::text_of(fetch.snapshot) + " from byte " + std::to_string(fetch.position);
}
std::string describe(const AddVoterRequest& add) {
  return "add voter " + text_of(add.voter.key);
}
std::string describe(const RemoveVoterRequest& remove) {
  return "remove voter " + text_of(remove.voter);
}
std::string describe(const UpdateVoterRequest& update) {
  return "voter " + text_of(update.voter.key) + " is at port " +
         (update.voter.endpoints.empty() ? "?" : std::to_string(update.voter.endpoints.front().port));
}
std::string describe(const SupportedVersionsRequest&) {
  return "which versions do you support";
}

std::string describe(const FetchSnapshotResponse& fetch) {
  if (fetch.error != KafkaError::kNone) return refusal(fetch.error, fetch.leadership);
  return "bytes " + std::to_string(fetch.position) + " to " +
         std::to_string(fetch.position + static_cast<int64_t>(fetch.bytes.size())) + " of " +
         std::to_string(fetch.size) + " of snapshot " + raft::text_of(fetch.snapshot);
}
std::string describe(const VoterChangeResponse& change) {
  std::string text = refusal(change.error, change.leadership);
  return change.message.empty() ? text : text + ": " + change.message;
}
std::string describe(const SupportedVersionsResponse& versions) {
  if (versions.error != KafkaError::kNone) return std::string(wire::kafka_error_name(versions.error));
  return "kraft.version " + std::to_string(versions.kraft_version_min) + " to " +
         std::to_string(versions.kraft_version_max);
}

std::string describe(const VoteResponse& vote) {
  if (vote.error != KafkaError::kNone) return refusal(vote.error, vote.leadership);
  return std::string(vote.granted ? "yes" : "no") + ", " + text_of(vote.leadership);
}
std::string describe(const QuorumEpochResponse& response) {
  return refusal(response.error, response.leadership);
}
std::string describe(const FetchResponse& fetch) {
  if (fetch.error != KafkaError::kNone) return refusal(fetch.error, fetch.leadership);
  std::string text = "high watermark " + std::to_string(fetch.high_watermark.value);
  if (fetch.diverging) text += ", diverging at " + raft::text_of(*fetch.diverging);
  if (fetch.snapshot) text += ", fetch snapshot " + raft::text_of(*fetch.snapshot);
  wire::BatchCursor cursor(fetch.records);
  while (true) {
    auto batch = cursor.next();
    if (!batch || !*batch) return text;
    text += "; " + text_of_batch((*batch)->bytes);
  }
}

std::string text_of_control(wire::ControlRecordType type, BytesView value) {
  switch (type) {
    case wire::ControlRecordType::kLeaderChange:
      return "leader change";
    case wire::ControlRecordType::kKRaftVersion: {
      wire::Reader reader(value);
      auto version = wire::KRaftVersionRecord::decode(reader, 0);
      return "kraft.version " + (version ? std::to_string(version->kraft_version) : "?");
    }
    case wire::ControlRecordType::kKRaftVoters: {
      auto voters = VoterSet::decode(value);
      return "voters " + (voters ? text_of(*voters) : "?");
    }
    default:
      return "control record";
  }
}

template <class Visit>
void for_each_record(BytesView bytes, const Visit& visit) {
  auto header = wire::BatchHeader::decode(bytes);
  if (!header) return;
  wire::RecordIterator records(*header, bytes);
  wire::RecordView record;
  while (records.next(record)) visit(*header, record);
}

}  // namespace

std::string text_of(const PersistedState& state) {
  std::string text = "epoch " + std::to_string(state.epoch.value);
  if (state.leader_id >= 0) text += ", leader " + std::to_string(state.leader_id);
  if (state.voted.id >= 0) text += ", vote for " + text_of(state.voted);
  return text;
}

std::string text_of(const EpochEnd& end) {
  return std::to_string(end.end.value) + "@" + std::to_string(end.epoch.value);
}

std::string text_of(const LeaderChange& change) {
  std::string epoch = std::to_string(change.epoch.value);
  if (change.leader_id < 0) return "no leader in epoch " + epoch;
  if (!change.is_self) return "leader " + std::to_string(change.leader_id) + " in epoch " + epoch;
  return "itself as leader in epoch " + epoch + ", which starts at " + std::to_string(change.epoch_start.value);
}

std::string text_of(const VoterSet& voters) {
  std::string text;
  for (const Voter& voter : voters.voters()) {
    text += (text.empty() ? "" : ",") + text_of(voter.key);
    if (!voter.endpoints.empty()) text += ":" + std::to_string(voter.endpoints.front().port);
  }
  return text.empty() ? "nobody" : text;
}

std::string text_of(const Request& request) {
  return std::visit([](const auto& r) { return describe(r); }, request);
}

std::string text_of(const Response& response) {
  return std::visit([](const auto& r) { return describe(r); }, response);
}

std::string text_of_batch(BytesView batch) {
  std::string text;
  for_each_record(batch, [&](const wire::BatchHeader& header, const wire::RecordView& record) {
    if (text.empty()) text = text_of(EpochEnd{header.leader_epoch(), header.first_offset()});
    if (header.is_control() && record.key && record.value) {
      auto type = wire::decode_control_key(*record.key);
      text += " <" + text_of_control(type ? *type : wire::ControlRecordType::kUnknown, *record.value) + ">";
    } else {
      text += " '" + std::string(as_text(record.value.value_or(BytesView{}))) + "'";
    }
  });
  return text;
}

void note_voters(BytesView batch, LogIndex& log) {
  for_each_record(batch, [&](const wire::BatchHeader& header, const wire::RecordView& record) {
    if (!header.is_control() || !record.key || !record.value) return;
    auto type = wire::decode_control_key(*record.key);
    if (!type) return;
    Offset offset = header.first_offset() + record.offset_delta;
    if (*type == wire::ControlRecordType::kKRaftVersion) {
      wire::Reader reader(*record.value);
      log.set_kraft_version(wire::KRaftVersionRecord::decode(reader, 0)->kraft_version, offset);
    } else if (*type == wire::ControlRecordType::kKRaftVoters) {
      log.add_voters({offset, *VoterSet::decode(*record.value)});
    }
  });
}

}  // namespace barnabas::raft
