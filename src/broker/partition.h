// Partition: one replica on this broker: its log, the replication core that says what is committed, and the requests
// that wait for it. All state is behind one short lock, never held across a wait; any loop may append and read. What a
// pass appended is written once at its end (PassWriter); making it durable happens off the loops, one sync under way
// per partition and whatever gathered meanwhile going with the next (group commit without a timer).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "config/node_config.h"
#include "config/topic_config.h"
#include "replication/partition.h"
#include "runtime/executor.h"
#include "wire/batch_validator.h"
#include "wire/kafka_error.h"

namespace barnabas::log {
class Log;
struct LogConfig;
struct SyncPlan;
}  // namespace barnabas::log

namespace barnabas::broker {

class Waiter;

enum class Isolation { kReadUncommitted, kReadCommitted, kLogEnd };

// One batch of a Produce request (or of a coordinator of ours).
struct AppendRequest {
  MutableBytes records;               // the whole field of the request; rewritten in place
  std::shared_ptr<const void> owner;  // keeps `records` alive until they are written
  int16_t acks = -1;
  int16_t api_version = 0;
  TimestampMs now = 0;
  bool from_client = true;             // false: our own coordinator, already well-formed
  bool transactional_allowed = false;  // the request carried a transactional id
};

struct AppendAnswer {
  wire::KafkaError error{};
  std::optional<std::string> error_message;
  std::vector<wire::BatchRecordError> record_errors;
  int64_t base_offset = -1;
  TimestampMs log_append_time = kNoTimestamp;
  int64_t log_start_offset = -1;
  LeaderEpoch leader_epoch{-1};
  // What must be committed before this is acknowledged; -1 when there is nothing to wait for.
  Offset end{-1};
};

struct ReadRequest {
  Offset from{0};
  int32_t current_leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  Isolation isolation = Isolation::kReadUncommitted;
  uint32_t max_bytes = 0;
  bool at_least_one_batch = false;
};

struct AbortedRange {
  int64_t producer_id = -1;
  int64_t first_offset = -1;
};

struct ReadAnswer {
  wire::KafkaError error{};
  int64_t high_watermark = -1;
  int64_t last_stable_offset = -1;
  int64_t log_start_offset = -1;
  std::optional<std::vector<AbortedRange>> aborted;            // read_committed only
  std::optional<std::pair<int32_t, int64_t>> diverging_epoch;  // epoch, end offset
  Payload records;
  int32_t leader_epoch = -1;
  uint64_t progress = 0;  // for wait_for_progress
};

struct PartitionName {
  std::string topic;
  Uuid topic_id;
  int32_t index = 0;
  std::string to_string() const;  // topic-index
};

// What a log goes by, of its topic's settings.
std::shared_ptr<const log::LogConfig> log_config_of(const config::TopicConfig& topic,
                                                    int64_t producer_id_expiration_ms = 86400000);

// What failed and why; the owner takes the whole log directory offline.
using StorageFailure = std::function<void(const std::string& reason)>;

class Partition : public std::enable_shared_from_this<Partition> {
 public:
  struct Options {
    BrokerId self;
    config::Durability durability = config::Durability::kFsync;
    wire::Strictness strictness = wire::Strictness::kStrict;
    std::string log_dir;
    size_t log_dir_index = 0;  // among those of Replicas
    int64_t producer_id_expiration_ms = 86400000;
    StorageFailure on_storage_failure;
  };

  Partition(PartitionName name, Options options, std::unique_ptr<log::Log> log, config::TopicConfigPtr config,
            Offset checkpointed_high_watermark);
  ~Partition();

  const PartitionName& name() const { return name_; }
  const std::string& log_dir() const { return options_.log_dir; }
  size_t log_dir_index() const { return options_.log_dir_index; }
  bool is_internal() const;

  // --- metadata (loops[0]) -------------------------------------------------------------------------------------------
  void apply(const replication::PartitionRegistration& registration);
  void set_config(config::TopicConfigPtr config, int64_t producer_id_expiration_ms = 86400000);

  // --- produce -------------------------------------------------------------------------------------------------------
  // Validates and stages one batch; the caller then names the partition to its loop's PassWriter.
  AppendAnswer append(const AppendRequest& request);
  // Writes what is staged, with one call; starts a sync, or commits, by the durability contract. `home`: where
  // completions run. Called by the PassWriter.
  void write_staged(runtime::Executor& home);
  // Calls waiter->arrived() once records before `end` may be acknowledged: committed (acks=all), or held by this broker
  // as its contract says (acks=1), or once they never will be. False: they may already, and it will not be called.
  bool wait_for_commit(Offset end, int16_t acks, std::shared_ptr<Waiter> waiter);
  // What to answer for an append of `end` at `epoch` now: kNone when committed, kRequestTimedOut when not (yet), or why
  // not.
  wire::KafkaError commit_outcome(Offset end, LeaderEpoch epoch, int16_t acks) const;

  // --- read ----------------------------------------------------------------------------------------------------------
  ReadAnswer read(const ReadRequest& request);
  // Fires `waiter` when something a reader could see changed since `seen` (ReadAnswer::progress). False: it has
  // already.
  bool wait_for_progress(uint64_t seen, const std::shared_ptr<Waiter>& waiter);

  // --- offsets -------------------------------------------------------------------------------------------------------
  struct OffsetAnswer {
    wire::KafkaError error{};
    TimestampMs timestamp = kNoTimestamp;
    int64_t offset = -1;
    int32_t leader_epoch = -1;
  };
  // ListOffsets: `timestamp` is a time or one of Kafka's special negatives.
  OffsetAnswer list_offset(TimestampMs timestamp, Isolation isolation, int32_t current_leader_epoch, int16_t version);
  struct EpochAnswer {
    wire::KafkaError error{};
    int32_t epoch = -1;
    int64_t end_offset = -1;
  };
  EpochAnswer epoch_end(int32_t epoch, int32_t current_leader_epoch);

  // --- administration ------------------------------------------------------------------------------------------------
  struct DeleteAnswer {
    wire::KafkaError error{};
    int64_t low_watermark = -1;
  };
  // Moves the log start; -1 is the high watermark. The change is durable with the next checkpoint of log starts.
  DeleteAnswer delete_records(int64_t offset, TimestampMs now);
  struct ProducerInfo {
    int64_t producer_id = -1;
    int32_t producer_epoch = -1;
    int32_t last_sequence = -1;
    int64_t last_timestamp = -1;
    int32_t coordinator_epoch = -1;
    int64_t current_txn_start_offset = -1;
  };
  std::vector<ProducerInfo> producers() const;

  struct Status {
    bool leader = false;
    LeaderEpoch leader_epoch{-1};
    Offset log_start{0};
    Offset log_end{0};
    Offset high_watermark{0};
    Offset recovery_point{0};  // everything before is on disk
    uint64_t size_bytes = 0;
    uint64_t progress = 0;  // for wait_for_progress
    bool failed = false;
  };
  Status status() const;
  config::TopicConfigPtr config() const;

  // Background work: due rolls, retention, removal of deleted files. Some ms at most; never on a busy loop.
  void maintain(TimestampMs now);
  void expire_producers(TimestampMs now);
  // Runs `work` on the log under the lock: for checkpoints and the cleaner. Short. Nothing happens once the replica is
  // closed or abandoned: its directory may belong to another by then.
  void with_log(const std::function<void(log::Log& log)>& work);

  // Leadership ends, everybody who waits is told. The log is closed cleanly (indexes, snapshot, sync).
  Result<> close(TimestampMs now);
  // As close(), but nothing is written: the directory is deleted or has failed.
  void abandon(const std::string& reason);

 private:
  struct CommitWaiter {
    Offset end;
    std::shared_ptr<Waiter> waiter;
  };
  struct Wakeups {
    std::vector<std::shared_ptr<Waiter>> arrived;
    std::vector<std::shared_ptr<Waiter>> fired;
    // Those of `waiters` that wait for `end` or less.
    void take(std::vector<CommitWaiter>& waiters, Offset end);
    void run();
  };

  void write_locked(runtime::Executor& home, Wakeups& wakeups, std::optional<Error>& failure);
  void start_sync_locked(runtime::Executor& home);
  void synced(Result<> result, runtime::Executor& home);
  void contract_holds_locked(Offset end, Wakeups& wakeups);
  void committed_moved_locked(Wakeups& wakeups);
  void progress_locked(Wakeups& wakeups);
  void wake_all_locked(Wakeups& wakeups);
  void fail_locked(const Error& error, Wakeups& wakeups);
  // What a request that met `error` answers. Unless that may pass, the replica has failed and `failure` is to be
  // reported.
  wire::KafkaError storage_error_locked(const Error& error, Wakeups& wakeups, std::optional<Error>& failure);
  void retry_sync_locked(runtime::Executor& home);
  Offset visible_end_locked(Isolation isolation) const;
  Offset last_stable_offset_locked() const;
  wire::KafkaError unavailable_locked() const;
  // Why a client with this view of the leadership is not served; kNone when it is.
  wire::KafkaError refusal_locked(int32_t current_leader_epoch) const;
  void report(const Error& error) const;

  const PartitionName name_;
  const Options options_;
  mutable std::mutex mutex_;
  std::unique_ptr<log::Log> log_;
  config::TopicConfigPtr config_;
  wire::BatchPolicy policy_;
  replication::Partition core_;
  bool failed_ = false;
  bool closed_ = false;

  // Group commit.
  bool sync_under_way_ = false;
  std::unique_ptr<log::SyncPlan> sync_plan_;
  size_t syncs_missing_ = 0;
  std::optional<Error> sync_error_;

  Offset contract_end_{0};  // before it this broker's contract holds
  // No deques: an empty one of the standard library takes half a KiB, and most partitions are idle.
  std::vector<CommitWaiter> commit_waiters_;             // acks=all, by ascending end
  std::vector<CommitWaiter> local_waiters_;              // acks=1, by ascending end
  std::vector<std::weak_ptr<Waiter>> progress_waiters_;  // long polls; gone ones are swept when the list doubles
  size_t progress_sweep_at_ = 16;
  uint64_t progress_ = 1;
};

}  // namespace barnabas::broker
