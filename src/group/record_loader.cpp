#include "group/record_loader.h"

#include <algorithm>
#include <utility>

#include "wire/messages/consumer_group_metadata_key.h"
#include "wire/messages/group_metadata_key.h"
#include "wire/messages/group_metadata_value.h"
#include "wire/messages/legacy_offset_commit_key.h"
#include "wire/messages/legacy_offset_commit_value.h"
#include "wire/messages/offset_commit_key.h"
#include "wire/messages/offset_commit_value.h"
#include "wire/messages/share_group_metadata_key.h"
#include "wire/messages/streams_group_metadata_key.h"
#include "wire/reader.h"

namespace barnabas::group {
namespace {

template <class Value>
Result<Value> decode_value(BytesView bytes) {
  wire::Reader reader(bytes);
  int16_t version = reader.int16();
  if (reader.failed()) return fail(ErrorCode::kCorrupt, "a coordinator record's value has no version");
  if (version < Value::kMinVersion || version > Value::kMaxVersion) {
    return fail(ErrorCode::kUnsupported,
                std::string(Value::kName) + " version " + std::to_string(version) + " is not known");
  }
  return Value::decode(reader, version);
}

Result<> load_offset(ShardState& state, const GroupShard::LoggedRecord& record, const OffsetKey& key,
                     std::optional<StoredOffset> value) {
  if (value) value->record_offset = record.offset;
  if (record.producer_id != kNoProducerId) {
    state.offsets.load_transactional(record.producer_id, key, std::move(value));
  } else {
    state.offsets.load(key, std::move(value));
  }
  // Offsets need no members: a group that has only them is a simple one.
  if (record.value && state.find(key.group) == nullptr) state.create(key.group, kNoTimestamp);
  return {};
}

Result<> load_offset_commit(ShardState& state, const GroupShard::LoggedRecord& record, wire::Reader& reader) {
  TRY_ASSIGN(auto key, wire::OffsetCommitKey::decode(reader, 0));
  std::optional<StoredOffset> stored;
  if (record.value) {
    TRY_ASSIGN(auto value, decode_value<wire::OffsetCommitValue>(*record.value));
    stored = StoredOffset{.offset = value.offset,
                          .leader_epoch = value.leader_epoch,
                          .metadata = std::move(value.metadata),
                          .commit_timestamp = value.commit_timestamp,
                          .expire_timestamp = value.expire_timestamp,
                          .topic_id = value.topic_id};
  }
  return load_offset(state, record, {key.group, key.topic, key.partition}, std::move(stored));
}

Result<> load_legacy_offset_commit(ShardState& state, const GroupShard::LoggedRecord& record, wire::Reader& reader) {
  TRY_ASSIGN(auto key, wire::LegacyOffsetCommitKey::decode(reader, 0));
  std::optional<StoredOffset> stored;
  if (record.value) {
    TRY_ASSIGN(auto value, decode_value<wire::LegacyOffsetCommitValue>(*record.value));
    stored = StoredOffset{
        .offset = value.offset, .metadata = std::move(value.metadata), .commit_timestamp = value.commit_timestamp};
  }
  return load_offset(state, record, {key.group, key.topic, key.partition}, std::move(stored));
}

ClassicMember member_of(wire::GroupMetadataValue::MemberMetadata& row, const std::optional<std::string>& protocol) {
  ClassicMember member;
  member.id = std::move(row.member_id);
  member.instance_id = std::move(row.group_instance_id);
  member.client_id = std::move(row.client_id);
  member.client_host = std::move(row.client_host);
  member.rebalance_timeout_ms = row.rebalance_timeout == -1 ? row.session_timeout : row.rebalance_timeout;
  member.session_timeout_ms = row.session_timeout;
  member.protocols.push_back({protocol.value_or(""), std::move(row.subscription)});
  member.assignment = std::move(row.assignment);
  return member;
}

Result<> load_group(ShardState& state, const GroupShard::LoggedRecord& record, wire::Reader& reader) {
  TRY_ASSIGN(auto key, wire::GroupMetadataKey::decode(reader, 0));
  if (!record.value) {
    if (ClassicGroup* present = state.find(key.group)) {
      // Kafka writes the tombstones of the offsets first. If some are left, they still belong to a simple group.
      state.take_out(*present);
      if (state.offsets.has_latest(key.group)) state.create(key.group, kNoTimestamp);
    }
    return {};
  }
  TRY_ASSIGN(auto value, decode_value<wire::GroupMetadataValue>(*record.value));
  ClassicGroup::Loaded loaded;
  loaded.protocol_type = std::move(value.protocol_type);
  loaded.generation = value.generation;
  loaded.protocol_name = value.protocol;
  loaded.leader = value.leader;
  if (value.current_state_timestamp != kNoTimestamp) loaded.state_timestamp = value.current_state_timestamp;
  for (auto& row : value.members) loaded.members.push_back(member_of(row, value.protocol));
  if (ClassicGroup* present = state.find(key.group)) state.take_out(*present);
  auto group =
      std::make_unique<ClassicGroup>(ClassicGroup::from(key.group, state.next_incarnation++, std::move(loaded)));
  state.groups.emplace(key.group, std::move(group));
  return {};
}

template <class Key>
Result<> load_foreign(ShardState& state, const GroupShard::LoggedRecord& record, wire::Reader& reader,
                      ForeignKind kind) {
  TRY_ASSIGN(auto key, Key::decode(reader, 0));
  if (record.value) {
    state.foreign.insert_or_assign(key.group_id, kind);
  } else {
    state.foreign.erase(key.group_id);
  }
  return {};
}

}  // namespace

Result<> load_record(ShardState& state, const GroupShard::LoggedRecord& record) {
  wire::Reader reader(record.key);
  int16_t type = reader.int16();
  if (reader.failed()) return fail(ErrorCode::kCorrupt, "a coordinator record's key has no type");
  switch (type) {
    case wire::LegacyOffsetCommitKey::kRecordType:
      return load_legacy_offset_commit(state, record, reader);
    case wire::OffsetCommitKey::kRecordType:
      return load_offset_commit(state, record, reader);
    case wire::GroupMetadataKey::kRecordType:
      return load_group(state, record, reader);
    case wire::ConsumerGroupMetadataKey::kRecordType:
      return load_foreign<wire::ConsumerGroupMetadataKey>(state, record, reader, ForeignKind::kConsumer);
    case wire::ShareGroupMetadataKey::kRecordType:
      return load_foreign<wire::ShareGroupMetadataKey>(state, record, reader, ForeignKind::kShare);
    case wire::StreamsGroupMetadataKey::kRecordType:
      return load_foreign<wire::StreamsGroupMetadataKey>(state, record, reader, ForeignKind::kStreams);
    default:
      return {};  // members and assignments of newer protocols, and what comes after 4.3
  }
}

}  // namespace barnabas::group
