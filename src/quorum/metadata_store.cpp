#include "quorum/metadata_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "log/log_dir.h"
#include "metadata/bootstrap.h"
#include "metadata/log_replay.h"
#include "runtime/clock.h"
#include "wire/control_record.h"
#include "wire/messages/kraft_version_record.h"
#include "wire/reader.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"
#include "wire/writer.h"

namespace barnabas::quorum {

namespace {

constexpr uint64_t kFileBytesMax = uint64_t{4} << 30;
constexpr std::string_view kLogSuffix = ".log";

std::optional<Offset> segment_base(std::string_view name) {
  if (name.size() != 24 || !name.ends_with(kLogSuffix)) return std::nullopt;
  int64_t base = 0;
  auto parsed = std::from_chars(name.data(), name.data() + 20, base);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + 20) return std::nullopt;
  return Offset(base);
}

std::optional<metadata::SnapshotId> latest_snapshot(const std::vector<runtime::DirectoryEntry>& entries) {
  std::optional<metadata::SnapshotId> latest;
  for (const auto& entry : entries) {
    auto id = metadata::parse_snapshot_file_name(entry.name);
    if (id && (!latest || *latest < *id)) latest = id;
  }
  return latest;
}

Result<metadata::Snapshot> read_snapshot(runtime::Directory& directory, metadata::SnapshotId id) {
  std::string name = metadata::snapshot_file_name(id.end_offset, id.epoch);
  TRY_ASSIGN(Buffer content, runtime::read_file(directory, name, kFileBytesMax));
  auto snapshot = metadata::decode_snapshot(content);
  if (!snapshot) {
    return fail(snapshot.error().code, fmt::format("{}/{}: {}", directory.path(), name, snapshot.error().message));
  }
  return snapshot;
}

// Walks the intact batches of `bytes`; stops, without an error, where they end or a checksum is wrong.
template <class Visit>
Result<> for_each_batch(BytesView bytes, Visit visit) {
  wire::BatchCursor cursor(bytes);
  while (true) {
    auto batch = cursor.next();
    if (!batch || !*batch) return {};
    if (!wire::crc_matches((*batch)->bytes)) return {};
    TRY(visit(**batch));
  }
}

raft::SnapshotId raft_id(metadata::SnapshotId id) {
  return {id.epoch, id.end_offset};
}

}  // namespace

Result<Inspection> MetadataStore::inspect(runtime::Directory& directory) {
  Inspection found;
  if (directory.exists(metadata::kBootstrapFile)) {
    TRY_ASSIGN(Buffer content, runtime::read_file(directory, metadata::kBootstrapFile));
    TRY_ASSIGN(auto bootstrap, metadata::decode_snapshot(content));
    found.bootstrap_records = std::move(bootstrap.records);
  }
  found.image = metadata::Image::empty();
  if (!directory.exists(kMetadataDirectory)) return found;
  TRY_ASSIGN(auto partition, directory.subdirectory(kMetadataDirectory, false));
  TRY_ASSIGN(auto entries, partition->list());
  Offset from{0};
  if (auto id = latest_snapshot(entries)) {
    TRY_ASSIGN(auto snapshot, read_snapshot(*partition, *id));
    TRY_ASSIGN(found.image, metadata::image_of(snapshot, id->end_offset - 1));
    from = id->end_offset;
  }
  metadata::ImageBuilder builder(found.image);
  for (const auto& entry : entries) {
    if (!segment_base(entry.name) || entry.size == 0) continue;
    TRY_ASSIGN(Buffer content, runtime::read_file(*partition, entry.name, kFileBytesMax));
    found.has_metadata_log = true;
    TRY(for_each_batch(content, [&](const wire::BatchView& batch) -> Result<> {
      if (batch.header.next_offset() <= from) return {};
      TRY_ASSIGN(from, metadata::replay_batches(batch.bytes, from, builder));
      return {};
    }));
  }
  found.image = builder.build().image;
  return found;
}

Result<std::unique_ptr<MetadataStore>> MetadataStore::open(runtime::World& world, runtime::Directory& directory,
                                                           const config::QuorumConfig& config,
                                                           std::vector<wire::MetadataRecord> bootstrap_records) {
  std::unique_ptr<MetadataStore> store(new MetadataStore);
  store->bootstrap_ = std::move(bootstrap_records);
  bool fresh = !directory.exists(kMetadataDirectory);
  TRY_ASSIGN(store->partition_, directory.subdirectory(kMetadataDirectory, true));
  if (fresh) TRY(directory.sync());
  if (!store->partition_->exists("partition.metadata")) {
    TRY(log::write_partition_metadata(*store->partition_, kMetadataTopicId));
  }
  TRY_ASSIGN(auto entries, store->partition_->list());
  if (auto id = latest_snapshot(entries)) {
    TRY_ASSIGN(store->snapshot_, read_snapshot(*store->partition_, *id));
    store->snapshot_id_ = id;
  }
  if (store->partition_->exists(raft::kQuorumStateFile)) {
    TRY_ASSIGN(Buffer text, runtime::read_file(*store->partition_, raft::kQuorumStateFile, 1 << 20));
    TRY_ASSIGN(store->persisted_, raft::parse_quorum_state(as_text(text)));
  }

  auto log_config = std::make_shared<log::LogConfig>();
  log_config->segment_bytes = config.log_segment_bytes;
  log_config->segment_ms = config.log_segment_ms;
  log_config->cleanup_delete = false;  // what may go is decided by snapshots
  log_config->file_delete_delay_ms = config.delete_delay_ms;
  log::LogOptions options;
  TRY_ASSIGN(options.directory, directory.subdirectory(kMetadataDirectory, false));
  options.name = std::string(kMetadataDirectory);
  options.topic_id = kMetadataTopicId;
  options.config = std::move(log_config);
  options.now = world.clock.wall_time();
  options.logger = &world.logger;
  TRY_ASSIGN(store->log_, log::Log::open(std::move(options)));
  if (!store->log_->damaged().empty()) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("the metadata log in {} is damaged ({}); restore it from a backup or another controller",
                            directory.path(), store->log_->damaged().front().to_string()));
  }
  TRY(store->load_index());
  return store;
}

Result<> MetadataStore::load_index() {
  auto take_control = [&](const wire::RecordView& record, Offset offset) -> Result<> {
    if (!record.key || !record.value) return fail(ErrorCode::kCorrupt, "a control record has no key or no value");
    TRY_ASSIGN(auto type, wire::decode_control_key(*record.key));
    if (type == wire::ControlRecordType::kKRaftVoters) {
      TRY_ASSIGN(auto voters, raft::VoterSet::decode(*record.value));
      index_.add_voters({offset, std::move(voters)});
    } else if (type == wire::ControlRecordType::kKRaftVersion) {
      wire::Reader reader(*record.value);
      TRY_ASSIGN(auto version, wire::KRaftVersionRecord::decode(reader, 0));
      index_.set_kraft_version(version.kraft_version, offset);
    }
    return {};
  };

  bool beyond_log = snapshot_id_ && snapshot_id_->end_offset > log_->log_end_offset();
  if (beyond_log) TRY(log_->truncate_fully_and_start_at(snapshot_id_->end_offset));
  if (snapshot_) {
    if (snapshot_->voters) {
      wire::Writer writer;
      TRY(snapshot_->voters->encode(writer, 0));
      TRY_ASSIGN(auto voters, raft::VoterSet::decode(writer.take_contiguous()));
      index_.add_voters({Offset(-1), std::move(voters)});
    }
    if (snapshot_->kraft_version) index_.set_kraft_version(*snapshot_->kraft_version, Offset(-1));
    bool log_starts_later = log_->log_start_offset() > Offset(0) || beyond_log;
    if (log_starts_later) {
      index_.start_from_snapshot({snapshot_id_->epoch, log_->log_start_offset()});
    }
  }
  for (const auto& segment : log_->segments()) {
    TRY_ASSIGN(Buffer content,
               runtime::read_file(*partition_, fmt::format("{:020}.log", segment->base().value), kFileBytesMax));
    TRY(for_each_batch(content, [&](const wire::BatchView& batch) -> Result<> {
      if (batch.header.first_offset() < index_.end()) return {};
      index_.append(batch.header.leader_epoch(), batch.header.first_offset(), batch.header.next_offset());
      if (!batch.header.is_control()) return {};
      wire::RecordIterator records(batch.header, batch.bytes);
      wire::RecordView record;
      while (records.next(record)) {
        TRY(take_control(record, batch.header.first_offset() + record.offset_delta));
      }
      return {};
    }));
  }
  index_.flush(index_.end());
  bool real_snapshot = snapshot_id_ && snapshot_id_->end_offset > Offset(0);
  if (real_snapshot) index_.add_snapshot(raft_id(*snapshot_id_));
  return {};
}

Result<> MetadataStore::replay(const std::function<Result<>(const wire::MetadataRecord&, Offset)>& visit) {
  Offset from{0};
  if (snapshot_) {
    for (const auto& record : snapshot_->records) TRY(visit(record, Offset(-1)));
    from = snapshot_id_->end_offset;
  }
  if (snapshot_id_) {
    provenance_ = {snapshot_id_->end_offset - 1, snapshot_id_->epoch, snapshot_->last_contained_log_timestamp};
  }
  for (const auto& segment : log_->segments()) {
    TRY_ASSIGN(Buffer content,
               runtime::read_file(*partition_, fmt::format("{:020}.log", segment->base().value), kFileBytesMax));
    TRY(for_each_batch(content, [&](const wire::BatchView& batch) -> Result<> {
      const wire::BatchHeader& header = batch.header;
      if (header.next_offset() <= from) return {};
      provenance_ = {header.last_offset(), header.leader_epoch(), header.max_timestamp};
      if (header.is_control()) return {};
      wire::RecordIterator records(header, batch.bytes);
      wire::RecordView record;
      while (records.next(record)) {
        Offset offset = header.first_offset() + record.offset_delta;
        if (offset < from) continue;
        if (!record.value) return fail(ErrorCode::kCorrupt, "a metadata record has no value");
        auto decoded = wire::decode_metadata_record(*record.value);
        if (!decoded) {
          return fail(decoded.error().code,
                      fmt::format("metadata log, offset {}: {}", offset.value, decoded.error().message));
        }
        TRY(visit(*decoded, offset));
      }
      return records.status();
    }));
  }
  return {};
}

Result<> MetadataStore::persist(const raft::PersistedState& state, int16_t kraft_version,
                                const raft::VoterSet& voters) {
  persisted_ = state;
  std::string text = raft::render_quorum_state(state, kraft_version, voters);
  return runtime::replace_file(*partition_, raft::kQuorumStateFile, as_bytes(text));
}

Result<> MetadataStore::write_snapshot(metadata::SnapshotId id, BytesView content) {
  std::string name = metadata::snapshot_file_name(id.end_offset, id.epoch);
  std::string part = name + ".part";
  TRY_ASSIGN(auto file, partition_->open(part, runtime::OpenMode::kCreate));
  TRY(file->truncate(0));
  TRY(file->write_at(0, content));
  TRY(file->sync());
  TRY(partition_->set_mode(part, 0400));
  TRY(partition_->rename(part, name));
  return partition_->sync();
}

Result<std::optional<Offset>> MetadataStore::clean(const config::QuorumConfig& config, TimestampMs now) {
  TRY_ASSIGN(auto entries, partition_->list());
  std::vector<metadata::SnapshotId> snapshots;
  uint64_t total = log_->size_bytes();
  for (const auto& entry : entries) {
    auto id = metadata::parse_snapshot_file_name(entry.name);
    if (!id) continue;
    snapshots.push_back(*id);
    total += entry.size;
  }
  std::ranges::sort(snapshots);
  std::optional<Offset> moved;
  size_t gone = 0;
  bool limited = config.max_retention_bytes >= 0;
  while (limited && snapshots.size() - gone > 1 && total > static_cast<uint64_t>(config.max_retention_bytes)) {
    std::string name = metadata::snapshot_file_name(snapshots[gone].end_offset, snapshots[gone].epoch);
    for (const auto& entry : entries) {
      if (entry.name == name) total -= std::min(total, entry.size);
    }
    TRY(partition_->remove(name));
    ++gone;
    // The log must still reach back to the oldest snapshot that is kept.
    if (log_->advance_log_start(snapshots[gone].end_offset)) {
      uint64_t before = log_->size_bytes();
      TRY_ASSIGN(auto removed, log_->apply_retention(now, snapshots[gone].end_offset));
      total -= std::min(total, before - log_->size_bytes());
      moved = log_->log_start_offset();
    }
  }
  TRY_ASSIGN(auto due, log_->remove_due(now));
  (void)due;
  return moved;
}

Result<> MetadataStore::close() {
  TRY_ASSIGN(Offset end, log_->close());
  (void)end;
  return {};
}

}  // namespace barnabas::quorum
