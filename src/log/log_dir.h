// LogDir: one entry of log.dirs. Holds its lock, its small files and its partition directories; knows nothing of what
// is in them. The broker owns one per entry; any thread may call, but the owner orders calls that write the same file.
// A LogDir whose device failed is offline for good: fail() once, every user asks offline().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "log/offset_checkpoint.h"
#include "runtime/file.h"
#include "runtime/logger.h"

namespace barnabas::log {

enum class CheckpointKind { kRecoveryPoint, kHighWatermark, kLogStart, kCleaner };
const char* checkpoint_file_name(CheckpointKind kind);

enum class PartitionDirectoryKind { kLive, kDelete, kFuture, kStray };

struct PartitionDirectory {
  std::string name;  // of the directory
  PartitionDirectoryKind kind = PartitionDirectoryKind::kLive;
  TopicPartition partition;  // of a kDelete one the topic may be cut short

  // The directory's name says what it is; nullopt: not a partition's.
  static std::optional<PartitionDirectory> parse(std::string_view name);
  bool operator==(const PartitionDirectory&) const = default;
};

struct CleanShutdown {
  int64_t broker_epoch = -1;
};

using Properties = std::map<std::string, std::string>;

class LogDir {
 public:
  // Opens (makes if missing) the directory and locks it. kBusy: another process has it.
  static Result<std::unique_ptr<LogDir>> open(runtime::Disk& disk, const std::string& path, runtime::Logger& logger);

  const std::string& path() const { return directory_->path(); }
  runtime::Directory& directory() { return *directory_; }

  void fail(const Error& why);
  std::optional<Error> offline() const;

  // meta.properties; nullopt when there is none.
  Result<std::optional<Properties>> read_meta_properties();
  Result<> write_meta_properties(const Properties& properties);

  // What the last clean stop left; the file is gone when this returns, so that a crash is not taken for another one.
  Result<std::optional<CleanShutdown>> take_clean_shutdown();
  Result<> write_clean_shutdown(CleanShutdown shutdown);

  // Whether the machine has been running without a break since this was called last, judged by an id that changes with
  // every boot (and keeps this one for the next call). False when that is not known.
  Result<bool> same_boot(std::string_view boot_id);

  Result<OffsetCheckpoint> read_checkpoint(CheckpointKind kind);
  Result<> write_checkpoint(CheckpointKind kind, const OffsetCheckpoint& checkpoint);

  // All partition directories, sorted by name.
  Result<std::vector<PartitionDirectory>> list_partitions();
  Result<std::unique_ptr<runtime::Directory>> open_partition(std::string_view directory_name);
  // Makes the directory with its partition.metadata. Its name is durable after sync_names(), which may serve many; what
  // is in it when its log (LogOptions::created) has records that are.
  Result<std::unique_ptr<runtime::Directory>> create_partition(const TopicPartition& partition, const Uuid& topic_id);
  Result<> sync_names();
  // Renames the directory to TOPIC-P.<32 hex of `unique`>-delete (or -stray); durable. It goes with remove_due().
  Result<std::string> schedule_delete(std::string_view directory_name, const Uuid& unique, TimestampMs due);
  Result<std::string> mark_stray(std::string_view directory_name, const Uuid& unique);
  // Removes what is due. Returns when the next is.
  Result<std::optional<TimestampMs>> remove_due(TimestampMs now);
  // Has a directory that is already called -delete (found at start) removed at `due`.
  void remove_later(std::string directory_name, TimestampMs due);

  // Releases the lock and removes its file, as Kafka's clean stop does.
  Result<> close();

 private:
  LogDir(std::unique_ptr<runtime::Directory> directory, std::unique_ptr<runtime::DirectoryLock> lock,
         runtime::Logger& logger);

  struct PendingDelete {
    std::string name;
    TimestampMs due = 0;
  };

  std::unique_ptr<runtime::Directory> directory_;
  std::unique_ptr<runtime::DirectoryLock> lock_;
  runtime::Logger& logger_;
  mutable std::mutex mutex_;  // of what follows
  std::optional<Error> offline_;
  std::vector<PendingDelete> pending_;
};

// partition.metadata of a partition directory; nullopt when there is none.
Result<std::optional<Uuid>> read_partition_metadata(runtime::Directory& directory);
Result<> write_partition_metadata(runtime::Directory& directory, const Uuid& topic_id);

// Java's properties format as far as meta.properties needs it.
Result<Properties> parse_properties(std::string_view text);
std::string print_properties(const Properties& properties);

}  // namespace barnabas::log
