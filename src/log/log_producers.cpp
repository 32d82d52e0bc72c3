// What Log keeps for producers and transactions: the state, its snapshots, its replay out of the log.
#include <algorithm>

#include "log/file_names.h"
#include "log/log.h"
#include "replication/producer_snapshot.h"
#include "wire/control_record.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {

using replication::AbortedTransaction;
using replication::CompletedTransaction;
using replication::ProducerState;
using replication::TransactionMarker;
using wire::BatchHeader;

namespace {

// The transaction marker of a control batch; nullopt when it holds none (of a quorum, or compaction took it).
std::optional<TransactionMarker> marker_of(const BatchHeader& header, BytesView batch) {
  wire::RecordIterator records(header, batch);
  wire::RecordView record;
  if (!records.next(record) || !record.key || !record.value) return std::nullopt;
  Result<wire::EndTxnMarker> marker = wire::EndTxnMarker::decode(*record.key, *record.value);
  if (!marker) return std::nullopt;
  return TransactionMarker{.producer_id = ProducerId(header.producer_id),
                           .producer_epoch = header.producer_epoch,
                           .coordinator_epoch = marker->coordinator_epoch,
                           .commit = marker->type == wire::ControlRecordType::kCommit,
                           .offset = header.last_offset(),
                           .timestamp = header.max_timestamp};
}

std::optional<CompletedTransaction> apply(ProducerState& state, const BatchHeader& header, BytesView batch) {
  if (!header.is_control()) {
    state.apply_batch(header);
    return std::nullopt;
  }
  std::optional<TransactionMarker> marker = marker_of(header, batch);
  return marker ? state.apply_marker(*marker) : std::nullopt;
}

}  // namespace

Result<ProducerState*> Log::producers() {
  TRY(usable());
  if (!producers_) TRY(load_producers());
  return producers_.get();
}

Result<> Log::apply_to_producers(const BatchHeader& header, BytesView batch) {
  std::optional<CompletedTransaction> completed = apply(*producers_, header, batch);
  if (completed && completed->aborted) active_->add_aborted(AbortedTransaction::of(*completed));
  return {};
}

void Log::settle_transactions(Offset high_watermark) {
  settled_ = std::max(settled_, high_watermark);
  if (producers_) producers_->high_watermark_advanced(settled_);
}

size_t Log::expire_producers(TimestampMs now) {
  // What was not read yet is expired when it is.
  return producers_ ? producers_->expire(now, config_->producer_id_expiration_ms) : 0;
}

Result<> Log::load_producers() {
  TRY(activate());
  TRY_ASSIGN(ProducerState state, restore_producers(segments_.size()));
  producers_ = std::make_unique<ProducerState>(std::move(state));
  producers_->high_watermark_advanced(settled_);
  return {};
}

// The newest snapshot that can be read, and what the log has after it.
Result<ProducerState> Log::restore_producers(size_t reindex_from) {
  ProducerState state;
  Offset from = segments_.front()->base();
  while (!snapshots_.empty()) {
    Offset at = snapshots_.back();
    if (at <= end_) {
      std::string name = file_name(at, kSnapshotSuffix);
      Result<Buffer> bytes = runtime::read_file(*directory_, name);
      Result<ProducerState> decoded =
          bytes ? replication::decode_producer_snapshot(*bytes) : std::unexpected(bytes.error());
      if (decoded) {
        state = *std::move(decoded);
        from = std::max(from, at);
        break;
      }
      logger_->warning(name_ + ": " + name + " cannot be used and is removed: " + decoded.error().message);
    }
    drop_snapshots(at, at + 1);
  }
  TRY(replay_producers(state, from, reindex_from));
  state.expire(opened_at_, config_->producer_id_expiration_ms);
  return state;
}

Result<> Log::rebuild_transaction_index(size_t index) {
  Offset base = segments_[index]->base();
  logger_->warning(name_ + "/" + file_name(base, kTransactionIndexSuffix) + " is broken and is rebuilt");
  ProducerState state;
  Offset from = segments_.front()->base();
  for (auto at = snapshots_.rbegin(); at != snapshots_.rend(); ++at) {
    if (*at > base || *at < from) continue;
    Result<Buffer> bytes = runtime::read_file(*directory_, file_name(*at, kSnapshotSuffix));
    Result<ProducerState> decoded =
        bytes ? replication::decode_producer_snapshot(*bytes) : std::unexpected(bytes.error());
    if (!decoded) continue;
    state = *std::move(decoded);
    from = *at;
    break;
  }
  return replay_producers(state, from, index, index + 1);
}

Result<std::vector<AbortedTransaction>> Log::transaction_index(size_t index) {
  auto load = [&]() -> Result<std::vector<AbortedTransaction>> {
    std::string name = file_name(segments_[index]->base(), kTransactionIndexSuffix);
    TRY_ASSIGN(Buffer bytes, runtime::read_file(*directory_, name));
    return replication::decode_transaction_index(bytes);
  };
  auto entries = load();
  if (entries || entries.error().code != ErrorCode::kCorrupt) return entries;
  TRY(rebuild_transaction_index(index));
  if (!segments_[index]->has_transaction_index()) return std::vector<AbortedTransaction>();
  return load();
}

Result<> Log::replay_producers(ProducerState& state, Offset from, size_t reindex_from, size_t end) {
  for (size_t index = segment_at(from); index < std::min(end, segments_.size()); ++index) {
    Segment& segment = *segments_[index];
    if (segment_end(index) <= from) continue;
    Offset expected = segment.base();
    uint64_t position = 0;
    if (from > segment.base()) {
      TRY_ASSIGN(position, position_before(index, from, expected));
    }
    std::vector<AbortedTransaction> aborted;
    TRY(walk(index, position, expected, WalkFor::kSweep,
             [&](const BatchHeader& header, uint64_t, SegmentScan& scan) -> Result<bool> {
               if (header.last_offset() < from || !header.has_producer_id()) return true;
               BytesView batch;
               if (header.is_control()) {
                 TRY_ASSIGN(batch, scan.batch_bytes());
               }
               std::optional<CompletedTransaction> completed = apply(state, header, batch);
               if (completed && completed->aborted) aborted.push_back(AbortedTransaction::of(*completed));
               return true;
             }));
    if (index < reindex_from) continue;
    // Its transaction index is written anew out of what the records say.
    std::string name = file_name(segment.base(), kTransactionIndexSuffix);
    if (aborted.empty()) {
      if (segment.has_transaction_index()) (void)directory_->remove(name);
      segment.set_has_transaction_index(false);
      continue;
    }
    TRY_ASSIGN(auto file, directory_->open(name, runtime::OpenMode::kCreate));
    Buffer bytes = replication::encode_transaction_index(aborted);
    TRY(file->write_at(0, BytesView(bytes)));
    TRY(file->truncate(bytes.size()));
    segment.set_has_transaction_index(true);
  }
  return {};
}

// Not synced: a torn one fails its checksum and is replaced out of the log.
Result<> Log::write_snapshot(Offset at) {
  TRY_ASSIGN(ProducerState * state, producers());
  drop_snapshots(at, Offset(INT64_MAX));
  TRY_ASSIGN(auto file, directory_->open(file_name(at, kSnapshotSuffix), runtime::OpenMode::kCreate));
  Buffer bytes = replication::encode_producer_snapshot(*state);
  TRY(file->write_at(0, BytesView(bytes)));
  TRY(file->truncate(bytes.size()));
  snapshots_.push_back(at);
  return {};
}

void Log::drop_snapshots(Offset from, Offset until) {
  std::erase_if(snapshots_, [&](Offset at) {
    if (at < from || at >= until) return false;
    (void)directory_->remove(file_name(at, kSnapshotSuffix));
    return true;
  });
}

}  // namespace barnabas::log
