// LogCleaner: compacts the logs of topics with cleanup.policy=compact, log.cleaner.threads of them at once, the
// dirtiest first. Started and owned by Replicas; waits on loops[0], works on worker threads. How far each log is clean
// is in the cleaner-offset-checkpoint of its log directory. A log whose cleaning fails for another reason than space is
// left alone until the next start.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/published.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "broker/partition.h"
#include "config/broker_config.h"
#include "log/cleaner.h"
#include "log/offset_checkpoint.h"
#include "log/offset_map.h"
#include "runtime/cancel.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::log {
class LogDir;
}  // namespace barnabas::log

namespace barnabas::broker {

class LogCleaner {
 public:
  using Partitions = std::function<std::vector<std::shared_ptr<Partition>>()>;
  // Of Partition::log_dir(). Never null.
  using DirOf = std::function<log::LogDir*(const std::string& path)>;

  LogCleaner(runtime::World& world, config::LogManagerConfig config, Partitions partitions, DirOf dir_of);
  ~LogCleaner();

  // One log being cleaned; belongs to one worker at a time.
  class Job;

  // On loops[0], until `token` is cancelled: looks for work every log.cleaner.backoff.ms.
  runtime::Task<> run(runtime::CancelToken token);
  // On loops[0]: new settings, also while it runs. What is being cleaned goes on as it was begun.
  void reconfigure(config::LogManagerConfig config);

  // What run() does on worker threads. Plans the cleaning of the dirtiest log that nobody cleans yet; null when none is
  // dirty enough.
  std::unique_ptr<Job> begin();
  // Reads the dirty part or cleans a group of segments; how many bytes that moved. nullopt: the cleaning ended.
  std::optional<uint64_t> step(Job& job);

 private:
  using Settings = std::shared_ptr<const config::LogManagerConfig>;
  struct Candidate {
    std::shared_ptr<Partition> partition;
    log::CleanableRange range;
  };
  // Of one log directory.
  struct Progress {
    log::OffsetCheckpoint clean_until;
    std::map<log::TopicPartition, Uuid> topics;  // hosted when last looked
  };

  Settings settings() const { return settings_.get(); }
  void start_missing_workers();
  static runtime::Task<> work(LogCleaner* self, size_t index);
  // False when the cleaner stops.
  runtime::Task<bool> pause(Duration duration);
  std::optional<Duration> debt_of(uint64_t bytes);

  Progress& progress_locked(const std::string& dir);
  void forget_removed_locked(const std::vector<std::shared_ptr<Partition>>& hosted);
  void write_checkpoint_locked(const std::string& dir, const Progress& progress);
  std::optional<Candidate> look_at_locked(const std::shared_ptr<Partition>& partition, TimestampMs now);
  Result<std::unique_ptr<Job>> plan(const Candidate& candidate, TimestampMs now);
  static Result<bool> step_once(Job& job);
  void done(Job& job);
  void gave_up_locked(const Partition& partition, const Error& error);

  runtime::World& world_;
  Published<config::LogManagerConfig> settings_;
  Partitions partitions_;
  DirOf dir_of_;
  std::atomic<bool> stopped_ = false;
  // On loops[0]:
  std::unique_ptr<runtime::Scope> workers_;
  std::set<size_t> working_;    // indices of the workers there are
  runtime::CancelSource wake_;  // ends pauses; another one after each change of settings
  MonotonicTime paid_until_;    // when the bytes moved so far are paid for
  std::mutex mutex_;            // of what follows; held while a log is chosen
  std::map<std::string, Progress> progress_;
  std::set<std::pair<Uuid, int32_t>> uncleanable_;
  std::set<std::pair<Uuid, int32_t>> in_work_;
};

class LogCleaner::Job {
 public:
  Job(LogCleaner& cleaner, std::shared_ptr<Partition> partition);
  ~Job();

  bool failed() const { return failed_; }  // the cleaning did not come to its end
  const Partition& partition() const { return *partition_; }

 private:
  friend class LogCleaner;
  void release();

  LogCleaner& owner_;
  std::shared_ptr<Partition> partition_;
  std::unique_ptr<log::OffsetMap> map_;
  std::unique_ptr<log::Cleaner> cleaner_;
  TimestampMs started_ = 0;
  bool mapped_ = false;
  bool failed_ = false;
  bool ended_ = false;  // others may clean the log again
  uint64_t moved_ = 0;  // bytes, as last reported
};

}  // namespace barnabas::broker
