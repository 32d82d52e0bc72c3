#include "metadata/log_replay.h"

#include <fmt/format.h>

#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/reader.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::metadata {

namespace {

Result<> replay_control(const wire::RecordView& record, ImageBuilder& builder) {
  if (!record.key || !record.value) return fail(ErrorCode::kCorrupt, "a control record has no key or no value");
  TRY_ASSIGN(wire::ControlRecordType type, wire::decode_control_key(*record.key));
  if (type != wire::ControlRecordType::kKRaftVersion) return {};
  wire::Reader reader(*record.value);
  TRY_ASSIGN(auto version, wire::KRaftVersionRecord::decode(reader, 0));
  builder.set_kraft_version(version.kraft_version);
  return {};
}

Result<> replay_record(const wire::BatchHeader& header, const wire::RecordView& record, ImageBuilder& builder) {
  if (header.is_control()) return replay_control(record, builder);
  if (!record.value) return fail(ErrorCode::kCorrupt, "a metadata record has no value");
  TRY_ASSIGN(auto decoded, wire::decode_metadata_record(*record.value));
  return builder.replay(decoded);
}

}  // namespace

Result<Offset> replay_batches(BytesView batches, Offset from, ImageBuilder& builder) {
  Offset next = from;
  wire::BatchCursor cursor(batches);
  while (true) {
    auto at = [&](const Error& error, Offset offset) {
      return fail(error.code, fmt::format("metadata log, offset {}: {}", offset.value, error.message));
    };
    auto batch = cursor.next();
    if (!batch) return at(batch.error(), next);
    if (!*batch) break;
    const wire::BatchHeader& header = (*batch)->header;
    if (header.next_offset() <= from) continue;
    if (!wire::crc_matches((*batch)->bytes)) {
      return at(Error{ErrorCode::kCorrupt, "the batch's checksum is wrong"}, header.first_offset());
    }
    wire::RecordIterator records(header, (*batch)->bytes);
    wire::RecordView record;
    while (records.next(record)) {
      Offset offset = header.first_offset() + record.offset_delta;
      if (offset < from) continue;
      if (auto done = replay_record(header, record, builder); !done) return at(done.error(), offset);
      builder.set_provenance({offset, header.leader_epoch(), header.record_timestamp(record.timestamp_delta)});
    }
    if (auto status = records.status(); !status) return at(status.error(), header.first_offset());
    next = header.next_offset();
  }
  return next;
}

}  // namespace barnabas::metadata
