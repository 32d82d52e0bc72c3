// Replicas: the partitions hosted here, by topic id, and the log directories they live in. Opens them at start (in
// parallel, serving each as soon as it is ready), follows the metadata log (create, change, delete), and does the
// background work of logs: checkpoints, retention, removal of deleted files. Lookup from any loop; the rest on
// loops[0].
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "broker/partition.h"
#include "config/broker_config.h"
#include "log/offset_checkpoint.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::log {
class LogDir;
enum class CheckpointKind;
}  // namespace barnabas::log

namespace barnabas::broker {

class LogCleaner;
class RecoveryProgress;
struct DirAssignment;

// One entry of log.dirs, opened and locked by the node.
struct ReplicaDir {
  std::unique_ptr<log::LogDir> dir;
  Uuid directory_id;
  bool clean = false;      // was closed cleanly the last time
  bool power_lost = true;  // the machine may have restarted since
};

// One that could not be used when the node started.
struct OfflineDir {
  std::string path;
  Error why;
};

class Replicas {
 public:
  struct Options {
    BrokerId self;
    config::Durability durability = config::Durability::kFsync;
    wire::Strictness strictness = wire::Strictness::kStrict;
    std::vector<OfflineDir> offline_dirs;
  };
  // Effective settings of a topic as `image` has them.
  using TopicConfigOf = std::function<config::TopicConfigPtr(const metadata::Image& image, std::string_view topic)>;

  Replicas(runtime::World& world, Options options, std::vector<ReplicaDir> dirs);
  ~Replicas();

  // Before load(): where topic settings come from. (The broker is built after its replicas.)
  void set_topic_config(TopicConfigOf topic_config) { topic_config_of_ = std::move(topic_config); }
  // producer.id.expiration.ms, for replicas opened or reconfigured from now on.
  void set_producer_id_expiration(int64_t ms) { producer_id_expiration_ms_ = ms; }

  // Any thread. Null when it is not hosted (or not open yet).
  std::shared_ptr<Partition> find(const Uuid& topic_id, int32_t index) const;
  std::vector<std::shared_ptr<Partition>> all() const;
  // What to answer for a partition of the image that find() does not have: still opening, on a failed directory,
  // elsewhere.
  wire::KafkaError why_missing(const Uuid& topic_id, int32_t index) const;
  // Any thread. It will be there in a moment, or (all_open) none is on its way or missing.
  bool opening(const Uuid& topic_id, int32_t index) const;
  bool all_open() const;

  // Opens what `image` places on this broker. Directories of topics the image does not know become strays.
  runtime::Task<> load(metadata::ImagePtr image);
  // Follows a change: creates, applies leadership, deletes. `image` is the new one.
  runtime::Task<> apply(const metadata::Delta& delta, metadata::ImagePtr image);
  // New effective settings of a topic (or of all, when the broker's defaults changed).
  void reconfigure(const metadata::Image& image, const std::set<std::string>* topics);

  // Called on loops[0] whenever a replica's leadership may have changed, once it is open: for coordinators.
  void on_leadership(std::function<void(std::shared_ptr<Partition>)> callback) { leadership_ = std::move(callback); }

  // Called on loops[0] with a replica that is in another directory than the metadata log says.
  void on_misplaced(std::function<void(const DirAssignment&)> callback) { misplaced_ = std::move(callback); }
  // Called on loops[0] with the id of a directory that failed.
  void on_dir_failed(std::function<void(const Uuid&)> callback) { dir_failed_ = std::move(callback); }

  // Makes the log starts durable that DeleteRecords moved. Blocks: on a worker thread.
  void checkpoint_log_starts();

  void start_background(config::LogManagerConfig config);
  // What of it may change without a restart: the log cleaner's settings.
  void reconfigure_background(const config::LogManagerConfig& config);
  // Closes every log, writes the checkpoints and the clean-shutdown marks.
  runtime::Task<> close(BrokerEpoch broker_epoch);

  struct DirStatus {
    std::string path;
    Uuid id;
    std::optional<Error> offline;
    uint64_t total_bytes = 0;
    uint64_t usable_bytes = 0;
    std::vector<std::shared_ptr<Partition>> partitions;
  };
  std::vector<DirStatus> dirs() const;
  std::vector<Uuid> directory_ids() const;  // of the directories that work

 private:
  struct Opening {
    PartitionName name;
    size_t dir = 0;
    std::optional<std::string> directory_name;  // existing; absent: to be created
    replication::PartitionRegistration registration;
    config::TopicConfigPtr config;
  };
  struct Opened {
    Opening opening;
    Result<std::shared_ptr<Partition>> partition;
  };
  // What the checkpoint files of a directory said at start.
  struct Checkpoints {
    log::OffsetCheckpoint recovery_points;
    log::OffsetCheckpoint high_watermarks;
    log::OffsetCheckpoint log_starts;
  };
  // Partition directories that were there at start; of one partition there may be several.
  struct Found {
    size_t dir = 0;
    std::string directory_name;
  };
  using FoundPartitions = std::multimap<log::TopicPartition, Found>;
  // A log that was not closed cleanly.
  struct Unclean {
    Found where;
    Offset recovery_point{0};
  };
  using Work = runtime::Task<> (Replicas::*)();

  FoundPartitions look_around();
  std::vector<Opening> plan_openings(const metadata::Image& image, FoundPartitions& found);
  std::vector<Unclean> unclean_among(const std::vector<Opening>& openings) const;
  static runtime::Task<> measure(Replicas* self, std::vector<Unclean> logs);
  runtime::Task<> open_all(std::vector<Opening> openings);
  static runtime::Task<> open_some(Replicas* self, std::vector<Opening>* openings, size_t* next, size_t together);
  Result<std::shared_ptr<Partition>> open_blocking(const Opening& opening);
  void sync_new_names(std::vector<Opened>& opened);
  void adopt(Opened opened);
  void not_opened(Opening opening, const Error& error);
  static runtime::Task<> open_again(Replicas* self);
  void tell_where(const Partition& partition) const;
  bool missing(const Uuid& topic_id, int32_t index) const;
  // How many replicas each directory holds; choose_dir() adds the one it places.
  std::vector<size_t> replicas_per_dir() const;
  size_t choose_dir(const metadata::Partition& partition, std::vector<size_t>& used) const;
  runtime::Task<> remove(Uuid topic_id, std::vector<std::shared_ptr<Partition>> gone);
  void dir_failed(size_t index, const std::string& reason);

  void repeat(Duration first, Duration interval, Work work);
  static runtime::Task<> repeating(Replicas* self, Duration first, Duration interval, Work work);
  runtime::Task<> checkpoint_high_watermarks();
  runtime::Task<> checkpoint_recovery_points();
  runtime::Task<> apply_retention();
  runtime::Task<> remove_due_files();
  runtime::Task<> expire_producers();
  void write_checkpoint(size_t dir, log::CheckpointKind kind, const log::OffsetCheckpoint& checkpoint);

  runtime::World& world_;
  const Options options_;
  TopicConfigOf topic_config_of_;
  std::atomic<int64_t> producer_id_expiration_ms_ = 86400000;
  std::vector<ReplicaDir> dirs_;
  std::vector<Checkpoints> at_start_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<Uuid, std::map<int32_t, std::shared_ptr<Partition>>> partitions_;
  std::map<std::pair<Uuid, int32_t>, wire::KafkaError> missing_;
  std::mutex checkpoint_mutex_;  // of written_checkpoints_ and the files they mirror
  std::map<std::pair<size_t, log::CheckpointKind>, log::OffsetCheckpoint> written_checkpoints_;
  std::function<void(std::shared_ptr<Partition>)> leadership_;
  std::function<void(const DirAssignment&)> misplaced_;
  std::function<void(const Uuid&)> dir_failed_;
  metadata::ImagePtr latest_;                   // while replicas open, the log goes on
  std::unique_ptr<RecoveryProgress> recovery_;  // during load(), after an unclean stop
  std::vector<Opening> to_open_again_;          // what was short when they failed may be there later
  std::unique_ptr<LogCleaner> cleaner_;
  std::unique_ptr<runtime::Scope> background_;
};

}  // namespace barnabas::broker
