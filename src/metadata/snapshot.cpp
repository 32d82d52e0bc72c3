#include "metadata/snapshot.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "metadata/image_builder.h"
#include "metadata/record_versions.h"
#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/messages/snapshot_footer_record.h"
#include "wire/messages/snapshot_header_record.h"
#include "wire/reader.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"
#include "wire/writer.h"

namespace barnabas::metadata {

namespace {

// As many as Kafka's snapshot writer gives to one batch.
constexpr size_t kRecordsPerBatch = 1024;

template <class Message>
Buffer control_value(const Message& message) {
  wire::Writer writer;
  auto done = message.encode(writer, 0);
  CHECK(done.has_value());
  return writer.take_contiguous();
}

Buffer control_batch(Offset base, LeaderEpoch epoch, TimestampMs timestamp,
                     const std::vector<std::pair<wire::ControlRecordType, Buffer>>& records) {
  std::vector<wire::ControlRecord> views;
  for (const auto& [type, value] : records) views.push_back({type, value});
  return wire::encode_control_batch({.base_offset = base, .leader_epoch = epoch, .timestamp = timestamp}, views);
}

void append(Buffer& file, const Buffer& batch) {
  file.insert(file.end(), batch.begin(), batch.end());
}

template <class Message>
Result<Message> decode_control(BytesView value) {
  wire::Reader reader(value);
  return Message::decode(reader, 0);
}

// Reads one control record of a snapshot; true when it was the footer.
Result<bool> take_control(const wire::RecordView& record, Snapshot& snapshot, bool& seen_header) {
  if (!record.key || !record.value) return fail(ErrorCode::kCorrupt, "a control record has no key or no value");
  TRY_ASSIGN(wire::ControlRecordType type, wire::decode_control_key(*record.key));
  switch (type) {
    case wire::ControlRecordType::kSnapshotHeader: {
      TRY_ASSIGN(auto header, decode_control<wire::SnapshotHeaderRecord>(*record.value));
      snapshot.last_contained_log_timestamp = header.last_contained_log_timestamp;
      seen_header = true;
      return false;
    }
    case wire::ControlRecordType::kKRaftVersion: {
      TRY_ASSIGN(auto version, decode_control<wire::KRaftVersionRecord>(*record.value));
      snapshot.kraft_version = version.kraft_version;
      return false;
    }
    case wire::ControlRecordType::kKRaftVoters: {
      TRY_ASSIGN(snapshot.voters, decode_control<wire::VotersRecord>(*record.value));
      return false;
    }
    case wire::ControlRecordType::kSnapshotFooter:
      return true;
    default:
      return false;
  }
}

Result<bool> take_batch(const wire::BatchView& batch, Snapshot& snapshot, bool& seen_header) {
  if (!wire::crc_matches(batch.bytes)) return fail(ErrorCode::kCorrupt, "a batch's checksum is wrong");
  snapshot.epoch = batch.header.leader_epoch();
  bool footer = false;
  wire::RecordIterator records(batch.header, batch.bytes);
  wire::RecordView record;
  while (records.next(record)) {
    if (batch.header.is_control()) {
      TRY_ASSIGN(bool is_footer, take_control(record, snapshot, seen_header));
      footer = footer || is_footer;
      continue;
    }
    if (!record.value) return fail(ErrorCode::kCorrupt, "a metadata record has no value");
    TRY_ASSIGN(auto decoded, wire::decode_metadata_record(*record.value));
    snapshot.records.push_back(std::move(decoded));
  }
  TRY(records.status());
  return footer;
}

}  // namespace

Buffer encode_snapshot(const Snapshot& snapshot, SnapshotTimes times, int16_t metadata_version) {
  using Type = wire::ControlRecordType;
  std::vector<std::pair<Type, Buffer>> head;
  wire::SnapshotHeaderRecord header;
  header.last_contained_log_timestamp = snapshot.last_contained_log_timestamp;
  head.emplace_back(Type::kSnapshotHeader, control_value(header));
  if (snapshot.kraft_version) {
    wire::KRaftVersionRecord version;
    version.kraft_version = *snapshot.kraft_version;
    head.emplace_back(Type::kKRaftVersion, control_value(version));
  }
  if (snapshot.voters) head.emplace_back(Type::kKRaftVoters, control_value(*snapshot.voters));
  Buffer file = control_batch(Offset(0), snapshot.epoch, times.header, head);
  Offset next(static_cast<int64_t>(head.size()));

  for (size_t at = 0; at < snapshot.records.size();) {
    size_t end = std::min(at + kRecordsPerBatch, snapshot.records.size());
    wire::BatchBuilder builder(wire::BatchOptions{.base_offset = next, .leader_epoch = snapshot.epoch});
    next = next + static_cast<int64_t>(end - at);
    for (; at < end; ++at) {
      Buffer value = encode_at(snapshot.records[at], metadata_version);
      builder.add({.timestamp = times.records, .value = value});
    }
    append(file, builder.build());
  }
  append(file, control_batch(next, snapshot.epoch, times.footer,
                             {{Type::kSnapshotFooter, control_value(wire::SnapshotFooterRecord{})}}));
  return file;
}

Result<Snapshot> decode_snapshot(BytesView file) {
  Snapshot snapshot;
  bool seen_header = false;
  bool footer = false;
  wire::BatchCursor cursor(file);
  while (!footer) {
    size_t position = cursor.position();
    auto where = [&](const Error& error) {
      return fail(ErrorCode::kCorrupt, fmt::format("snapshot, at byte {}: {}", position, error.message));
    };
    auto batch = cursor.next();
    if (!batch) return where(batch.error());
    if (!*batch)
      return fail(ErrorCode::kCorrupt, fmt::format("the snapshot ends at byte {} without a footer", position));
    auto taken = take_batch(**batch, snapshot, seen_header);
    if (!taken) return where(taken.error());
    if (!seen_header) return fail(ErrorCode::kCorrupt, "the snapshot does not begin with a header");
    footer = *taken;
  }
  return snapshot;
}

Result<ImagePtr> image_of(const Snapshot& snapshot, Offset last_offset) {
  ImageBuilder builder;
  for (const wire::MetadataRecord& record : snapshot.records) TRY(builder.replay(record));
  if (builder.in_transaction()) return fail(ErrorCode::kCorrupt, "the snapshot ends inside a metadata transaction");
  if (snapshot.kraft_version) builder.set_kraft_version(*snapshot.kraft_version);
  builder.set_provenance({last_offset, snapshot.epoch, snapshot.last_contained_log_timestamp});
  return builder.build().image;
}

std::string snapshot_file_name(Offset end_offset, LeaderEpoch epoch) {
  return fmt::format("{:020d}-{:010d}.checkpoint", end_offset.value, epoch.value);
}

std::optional<SnapshotId> parse_snapshot_file_name(std::string_view file_name) {
  constexpr std::string_view kSuffix = ".checkpoint";
  if (file_name.size() != 31 + kSuffix.size() || !file_name.ends_with(kSuffix) || file_name[20] != '-') {
    return std::nullopt;
  }
  auto number = [](std::string_view digits, auto& value) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value >= 0;
  };
  SnapshotId id;
  if (!number(file_name.substr(0, 20), id.end_offset.value)) return std::nullopt;
  if (!number(file_name.substr(21, 10), id.epoch.value)) return std::nullopt;
  return id;
}

}  // namespace barnabas::metadata
