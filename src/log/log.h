// Log: one partition's records in one directory, in Kafka's files. Plain synchronous code: its owner guards it with the
// partition's lock; a ReadPlan may be read after the lock is gone. Offsets in order: log start <= durable end <=
// written end <= log end. append() gives offsets and keeps views of the bytes; write_staged() puts all of them into the
// file in one write; what sync_plan() names, synced, makes them durable. A device failure poisons the log: everything
// fails with kIo from then on and the owner takes the log directory offline. A full disk does not: the append that
// finds no room changes nothing.
//
// A log at rest costs a few hundred bytes: files are opened and indexes read when first needed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "log/active_segment.h"
#include "log/damage.h"
#include "log/log_config.h"
#include "log/segment.h"
#include "log/segment_scan.h"
#include "replication/epoch_cache.h"
#include "replication/producer_state.h"
#include "replication/transaction_index.h"
#include "runtime/file.h"
#include "runtime/logger.h"
#include "wire/record_batch.h"

namespace barnabas::log {

// Neither the device's fault nor for good: room or descriptors are short. The request fails, a later one may not.
inline bool may_pass(const Error& error) {
  return error.code == ErrorCode::kNoSpace || error.code == ErrorCode::kBusy;
}

struct RecoveryProgress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
};

struct LogOptions {
  std::unique_ptr<runtime::Directory> directory;
  std::string name;  // "topic-0", for log lines
  Uuid topic_id;
  std::shared_ptr<const LogConfig> config;
  // The log directory was closed cleanly: nothing is scanned, recovery_point is the log end.
  bool clean = false;
  Offset recovery_point{0};         // of the checkpoint; 0 when it has none
  std::optional<Offset> log_start;  // of the checkpoint, if it has one
  // Offsets below it are known to have been durable, whatever is found: they are never given out again. The broker
  // passes the checkpointed high watermark under durability fsync. At least recovery_point is always assumed.
  Offset durable_floor{0};
  // The machine may have lost power (rather than only the process its life): a hole of zeros behind durable_floor is
  // then data that never reached the disk, and the end of the log; otherwise it is damage.
  bool power_lost = true;
  // Nothing goes into a segment before the one in front of it is synced. Without, a loss of power may leave a gap
  // between two segments.
  bool sync_before_roll = true;
  // The directory was just made; what is in it (partition.metadata) is synced with the first records.
  bool created = false;
  TimestampMs now = 0;
  runtime::Logger* logger = nullptr;
  std::function<void(RecoveryProgress)> progress;  // called now and then from recovery
};

struct AppendInfo {
  Offset first_offset{0};
  Offset last_offset{0};
  uint64_t bytes = 0;
  TimestampMs max_timestamp = kNoTimestamp;
  bool rolled = false;
};

// What is to be synced (in any order, off the loop) to make everything below `end` durable: files, and the directory
// where names are new.
struct SyncPlan {
  Offset end{0};
  std::vector<std::shared_ptr<runtime::Syncable>> files;
  uint64_t generation = 0;  // a truncation makes plans from before it void
  uint64_t names = 0;       // how many changes of names it covers
  bool empty() const { return files.empty(); }
};

struct ReadPlan {
  // Whole batches from the one that holds the wanted offset; the last may be cut short by max_bytes. Empty: nothing
  // there below the upper bound, or the first batch is larger than max_bytes and a whole one was not asked for.
  Payload payload;
  Offset first_offset{0};  // of the first batch
  // At or after the last offset in `payload`, at most the bound that was asked for: for aborted_transactions().
  Offset upper_bound{0};
  // Where the wanted batch was found in the log, for DelayedFetch's "is it still the active segment".
  Offset segment{0};
  bool empty() const { return payload.size() == 0; }
};

struct TimestampOffset {
  TimestampMs timestamp = kNoTimestamp;
  Offset offset = kNoOffset;
  LeaderEpoch epoch = kNoEpoch;
  bool operator==(const TimestampOffset&) const = default;
};

struct RemovedSegment {
  Offset base{0};
  Offset end{0};
  uint64_t bytes = 0;
  std::string reason;
};

class Log {
 public:
  // Opens the log in options.directory, which exists, and repairs it where it was not closed cleanly. Leaves an empty
  // log where there was none. May take long: for a worker thread.
  static Result<std::unique_ptr<Log>> open(LogOptions options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  const std::string& name() const { return name_; }
  Uuid topic_id() const { return topic_id_; }
  const LogConfig& config() const { return *config_; }
  void set_config(std::shared_ptr<const LogConfig> config) { config_ = std::move(config); }
  runtime::Directory& directory() { return *directory_; }

  Offset log_start_offset() const { return log_start_; }
  Offset log_end_offset() const { return end_; }       // staged appends included
  Offset written_end() const { return written_end_; }  // readable
  Offset durable_end() const { return durable_end_; }
  uint64_t size_bytes() const;
  // The failure that poisoned the log.
  const std::optional<Error>& failed() const { return failed_; }

  // ---- Writing -------------------------------------------------------------------------------------------------

  // What the producer's state says to a data batch of a client or coordinator: ask before append().
  Result<replication::ProducerVerdict> check_producer(const wire::BatchHeader& batch, replication::AppendOrigin origin);
  Result<replication::ProducerVerdict> check_marker(const replication::TransactionMarker& marker,
                                                    replication::AppendOrigin origin);

  // As leader: gives one whole, validated batch its offsets and `epoch` (in place), and stages it. `batch` stays valid
  // and unchanged while `owner` lives. kNoSpace: nothing happened (but see write_staged(), which a full segment calls),
  // later appends may find room again.
  Result<AppendInfo> append(MutableBytes batch, std::shared_ptr<const void> owner, LeaderEpoch epoch, TimestampMs now);
  // As follower: whole batches with the offsets and epochs the leader gave. kInvalid: they do not continue the log;
  // kCorrupt: a checksum is wrong. Nothing happened then.
  Result<AppendInfo> append_as_follower(BytesView batches, std::shared_ptr<const void> owner, TimestampMs now);
  // One write of everything staged. On kNoSpace (a file system that cannot reserve) what was staged is taken back: the
  // log ends at written_end() again, and the appends since then have failed. Blocks where the segment before has to be
  // synced first.
  Result<> write_staged();
  // The same for a loop: what would block stays staged, until the sync plan of now is durable.
  Result<> write_ready();
  bool has_staged() const;
  // Changes when records at the end went away: a truncation, or staged ones that found no room.
  uint64_t generation() const { return generation_; }
  // Starts a new segment at the log end, if the last one holds anything.
  Result<> roll(TimestampMs now);

  // ---- Durability ----------------------------------------------------------------------------------------------

  // What to sync for everything written so far; empty when it is durable.
  Result<SyncPlan> sync_plan();
  // All files of `plan` have been synced. Nothing happens when the log was truncated since it was made.
  void mark_durable(const SyncPlan& plan);
  // Writes, syncs and marks all: blocks.
  Result<> flush();
  // Writes out index entries gathered in memory and the epoch file. Returns the offset for the recovery-point
  // checkpoint: below it nothing needs to be scanned after a crash.
  Result<Offset> checkpoint();
  // The clean stop: flush(), indexes trimmed and closed, producer snapshot. The log is unusable afterwards. Returns the
  // recovery point.
  Result<Offset> close();

  // ---- Reading -------------------------------------------------------------------------------------------------

  // Plans a read from `from` (log start <= from <= written end, else kInvalid) of records below `upper`. kCorrupt: the
  // offset lies in damaged bytes; the message names the range.
  Result<ReadPlan> plan_read(Offset from, Offset upper, uint32_t max_bytes, bool min_one_message);
  // Aborted transactions that overlap [from, upper), by first offset.
  Result<std::vector<replication::AbortedTransaction>> aborted_transactions(Offset from, Offset upper);
  // The first record at or after log start whose timestamp is at least `timestamp`.
  Result<std::optional<TimestampOffset>> offset_for_timestamp(TimestampMs timestamp);
  // The first record that has the largest timestamp.
  Result<std::optional<TimestampOffset>> offset_of_max_timestamp();
  // Ranges of offsets whose bytes are damaged: read errors, never reused.
  const std::vector<DamagedRange>& damaged() const { return damaged_; }

  // ---- Epochs and producers --------------------------------------------------------------------------------------

  // This broker leads with `epoch` from the log end on. In the file before the first record of that epoch is.
  void assign_epoch(LeaderEpoch epoch);
  const replication::EpochCache& epochs() const { return epochs_; }
  // Loaded when first asked for.
  Result<replication::ProducerState*> producers();
  // Transactions that ended below `high_watermark` hold nothing back any more.
  void settle_transactions(Offset high_watermark);
  // Forgets producers that were silent for longer than the configuration says. Returns how many.
  size_t expire_producers(TimestampMs now);

  // ---- Truncation and retention ----------------------------------------------------------------------------------

  // Cuts every batch that has an offset at or after `end`. Durable when it returns. The owner has lowered the recovery
  // point in its checkpoint before: an offset below that one would be taken for lost after a crash.
  Result<> truncate_to(Offset end);
  // Removes everything; the next record will have offset `start`.
  Result<> truncate_fully_and_start_at(Offset start);
  // Raises the log start (DeleteRecords, a follower's leader). False when it is not ahead. The files go with retention.
  bool advance_log_start(Offset start);
  // Removes segments that time, size or the log start let go, none with records at or above `high_watermark`.
  Result<std::vector<RemovedSegment>> apply_retention(TimestampMs now, Offset high_watermark);
  // Removes files whose delay has passed. Returns when the next is due.
  Result<std::optional<TimestampMs>> remove_due(TimestampMs now);

  // ---- For compaction and tools ----------------------------------------------------------------------------------

  // Oldest first; the last is active.
  const std::vector<std::unique_ptr<Segment>>& segments() const { return segments_; }
  // Puts `cleaned` (written as <base>.log.cleaned and its indexes, synced) into the place of the segments with base in
  // [first, last]. All or nothing, also across a crash.
  Result<> replace_segments(Offset first, Offset last, const std::vector<Offset>& cleaned, TimestampMs now);
  // Closes files of all but the active segment.
  void release_files();
  // Of a log that nobody has used since the last call, all of it durable: closes the active segment's too, and forgets
  // what can be read again.
  Result<> rest();

 private:
  friend class LogRecovery;
  struct PendingDelete {
    std::string name;
    TimestampMs due = 0;
  };

  struct UnsyncedIndex {
    std::shared_ptr<runtime::File> file;
    Offset segment;
  };

  explicit Log(LogOptions& options);

  // log.cpp
  Result<> usable() const;
  std::unexpected<Error> poison(Error error);
  // The write side of the last segment, opened when first needed. What lies behind its index is walked.
  Result<ActiveSegment*> activate();
  Result<> roll_to(Offset base);
  Result<> persist_epochs();
  Result<> sync_names();
  // Small files that were replaced since names were last made durable.
  Result<> add_unsynced_files(std::vector<std::shared_ptr<runtime::Syncable>>& files);
  bool waits_for_segment_before() const;

  // log_append.cpp
  // Everything about an append that may fail: the state it needs, a new segment, room on the disk.
  Result<> prepare(AppendInfo& info, bool has_producer, TimestampMs now);
  Result<> commit(const wire::BatchHeader& header, BytesView batch, std::shared_ptr<const void> owner);
  Result<bool> should_roll(const AppendInfo& info, TimestampMs now);
  int64_t roll_jitter_ms(Offset base) const;
  Result<> sync_segment_before();
  Result<> take_back_staged();

  // log_read.cpp
  size_t segment_at(Offset offset) const;  // index of the last segment that begins at or before `offset`
  Offset segment_end(size_t index) const;  // where the next begins, or the log ends
  uint64_t readable_size(size_t index) const;
  // The first batch of the segment that ends at or after `offset`.
  Result<std::optional<BatchPlace>> find_batch(size_t index, Offset offset);
  // Walks the readable batches of a segment from `position` on, around damage, until `visit` says false.
  using BatchVisitor = std::function<Result<bool>(const wire::BatchHeader&, uint64_t position, SegmentScan&)>;
  enum class WalkFor { kLookup, kSweep };  // a few batches, or all of them
  Result<> walk(size_t index, uint64_t position, Offset expected, WalkFor purpose, const BatchVisitor& visit);
  Result<uint64_t> position_before(size_t index, Offset offset, Offset& expected);
  Result<OffsetIndex> offset_index(size_t index);
  Result<TimeIndex> time_index(size_t index);
  Result<bool> rebuild_indexes(size_t index);
  void remove_indexes(Segment& segment);
  const DamagedRange* damage_at(Offset offset) const;
  void add_damage(DamagedRange range);
  // When `scan` stands in damage that is known: goes on behind it, true.
  bool skip_known_damage(SegmentScan& scan, Offset segment) const;

  // log_time.cpp
  Result<MaxTimestamp> segment_max_timestamp(size_t index);
  Result<std::optional<TimestampOffset>> first_record_at_least(size_t index, TimestampMs timestamp);

  // log_producers.cpp
  Result<> load_producers();
  // Transaction indexes are written anew for segments from index `reindex_from` on.
  Result<replication::ProducerState> restore_producers(size_t reindex_from);
  Result<> replay_producers(replication::ProducerState& state, Offset from, size_t reindex_from, size_t end = SIZE_MAX);
  // The transaction index of one segment, out of the records.
  Result<> rebuild_transaction_index(size_t index);
  Result<std::vector<replication::AbortedTransaction>> transaction_index(size_t index);
  Result<> apply_to_producers(const wire::BatchHeader& header, BytesView batch);
  Result<> write_snapshot(Offset at);
  void drop_snapshots(Offset from, Offset until);  // of offsets in [from, until)

  // log_retention.cpp
  // The segment's files: renamed to be removed when due, or removed at once.
  Result<> discard(Segment& segment, std::optional<TimestampMs> due);
  Result<> cut_indexes(Segment& segment, Offset end, uint64_t position);
  void forget_damage_from(Offset end);
  Result<TimestampMs> active_age();

  std::unique_ptr<runtime::Directory> directory_;
  std::string name_;
  Uuid topic_id_;
  std::shared_ptr<const LogConfig> config_;
  runtime::Logger* logger_;

  Offset log_start_{0};
  Offset end_{0};
  Offset written_end_{0};
  Offset durable_end_{0};
  TimestampMs opened_at_ = 0;
  TimestampMs segment_started_at_ = 0;  // when the last segment was made, as far as this process knows

  std::vector<std::unique_ptr<Segment>> segments_;
  std::unique_ptr<ActiveSegment> active_;  // of the last segment, once it is used
  replication::EpochCache epochs_;
  bool epochs_dirty_ = false;
  std::unique_ptr<replication::ProducerState> producers_;  // absent until used
  std::vector<Offset> snapshots_;                          // of the producer snapshot files there are, ascending
  std::vector<DamagedRange> damaged_;
  std::vector<PendingDelete> pending_deletes_;
  std::vector<UnsyncedIndex> unsynced_indexes_;  // of segments that rolled, oldest first
  uint64_t generation_ = 0;
  bool sync_before_roll_;
  // File names that were made, as a count; and how many of them are known to be durable. A small file is as durable as
  // its name.
  uint64_t names_made_ = 0;
  uint64_t names_durable_ = 0;
  uint64_t epochs_named_ = 0;    // when the epoch file was replaced
  uint64_t metadata_named_ = 0;  // when partition.metadata was
  Offset settled_{0};            // transactions that ended below it
  Offset end_at_rest_{-1};       // where the log ended when rest() was last called
  uint64_t reads_ = 0;           // since then
  std::optional<Error> failed_;
};

}  // namespace barnabas::log
