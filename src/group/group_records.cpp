#include "group/group_records.h"

#include <utility>

#include "base/check.h"
#include "wire/coordinator_record.h"
#include "wire/messages/group_metadata_key.h"
#include "wire/messages/group_metadata_value.h"
#include "wire/messages/offset_commit_key.h"
#include "wire/messages/offset_commit_value.h"

namespace barnabas::group {
namespace {

constexpr int16_t kGroupValueVersion = 3;
constexpr int16_t kOffsetValueVersion = 4;
constexpr int16_t kOffsetValueVersionWithExpiry = 1;

// Our own values fit their versions; a text over 32767 bytes cannot have come in by the wire.
Buffer encoded(Result<Buffer> bytes) {
  CHECK(bytes.has_value(), "a coordinator record does not encode");
  return std::move(*bytes);
}

Buffer group_key(std::string_view group_id) {
  wire::GroupMetadataKey key;
  key.group = group_id;
  return encoded(wire::encode_coordinator_key(key));
}

Buffer offset_key(const OffsetKey& key) {
  wire::OffsetCommitKey record;
  record.group = key.group;
  record.topic = key.topic;
  record.partition = key.partition;
  return encoded(wire::encode_coordinator_key(record));
}

template <class AssignmentOf>
CoordinatorRecord make_group_record(const ClassicGroup& group, AssignmentOf&& assignment_of) {
  wire::GroupMetadataValue value;
  value.protocol_type = group.protocol_type().value_or("");
  value.generation = group.generation();
  value.protocol = group.protocol_name();
  value.leader = group.leader();
  value.current_state_timestamp = group.state_timestamp().value_or(kNoTimestamp);
  for (const auto& [id, member] : group.members()) {
    auto& row = value.members.emplace_back();
    row.member_id = id;
    row.group_instance_id = member.instance_id;
    row.client_id = member.client_id;
    row.client_host = member.client_host;
    row.rebalance_timeout = member.rebalance_timeout_ms;
    row.session_timeout = member.session_timeout_ms;
    if (group.protocol_name()) row.subscription = to_buffer(member.metadata(*group.protocol_name()));
    row.assignment = assignment_of(member);
  }
  return {group_key(group.id()), encoded(wire::encode_coordinator_value(value, kGroupValueVersion))};
}

}  // namespace

CoordinatorRecord group_record(const ClassicGroup& group,
                               const std::map<std::string, Buffer, std::less<>>& assignments) {
  return make_group_record(group, [&](const ClassicMember& member) {
    auto at = assignments.find(member.id);
    return at == assignments.end() ? Buffer() : at->second;
  });
}

CoordinatorRecord group_record(const ClassicGroup& group) {
  return make_group_record(group, [](const ClassicMember& member) { return member.assignment; });
}

CoordinatorRecord group_tombstone(std::string_view group_id) {
  return {group_key(group_id), std::nullopt};
}

CoordinatorRecord offset_record(const OffsetKey& key, const StoredOffset& value) {
  wire::OffsetCommitValue record;
  record.offset = value.offset;
  record.leader_epoch = value.leader_epoch;
  record.metadata = value.metadata;
  record.commit_timestamp = value.commit_timestamp;
  record.expire_timestamp = value.expire_timestamp;
  record.topic_id = value.topic_id;
  bool expires = value.expire_timestamp != kNoTimestamp;
  int16_t version = expires ? kOffsetValueVersionWithExpiry : kOffsetValueVersion;
  return {offset_key(key), encoded(wire::encode_coordinator_value(record, version))};
}

CoordinatorRecord offset_tombstone(const OffsetKey& key) {
  return {offset_key(key), std::nullopt};
}

}  // namespace barnabas::group
