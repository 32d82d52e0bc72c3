// LogCleaner: compacts the logs of topics with cleanup.policy=compact, one at a time, the dirtiest first. Started and
// owned by Replicas; waits on loops[0], works on worker threads. How far each log is clean is in the
// cleaner-offset-checkpoint of its log directory. A log whose cleaning fails for another reason than space is left
// alone until the next start.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "broker/partition.h"
#include "config/broker_config.h"
#include "log/cleaner.h"
#include "log/offset_checkpoint.h"
#include "log/offset_map.h"
#include "runtime/cancel.h"
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

  // On loops[0], until `token` is cancelled: looks for work every log.cleaner.backoff.ms.
  runtime::Task<> run(runtime::CancelToken token);

  // What run() does on a worker thread. Plans the cleaning of the dirtiest log; false when none is dirty enough.
  bool begin();
  // Reads the dirty part or cleans a group of segments; how many bytes that moved. nullopt: the cleaning ended.
  std::optional<uint64_t> step();

 private:
  struct Job {
    std::shared_ptr<Partition> partition;
    std::unique_ptr<log::OffsetMap> map;
    std::unique_ptr<log::Cleaner> cleaner;
    TimestampMs started = 0;
    bool mapped = false;
    uint64_t moved = 0;  // bytes, as last reported
  };
  struct Candidate {
    std::shared_ptr<Partition> partition;
    log::CleanableRange range;
  };
  // Of one log directory.
  struct Progress {
    log::OffsetCheckpoint clean_until;
    std::map<log::TopicPartition, Uuid> topics;  // hosted when last looked
  };

  Progress& progress(const std::string& dir);
  void forget_removed(const std::vector<std::shared_ptr<Partition>>& hosted);
  void write_checkpoint(const std::string& dir, const Progress& progress);
  std::optional<Candidate> look_at(const std::shared_ptr<Partition>& partition, TimestampMs now);
  Result<> plan(const Candidate& candidate, TimestampMs now);
  Result<bool> step_once();
  void done();
  void gave_up(const Partition& partition, const Error& error);
  std::optional<Duration> pause_after(uint64_t bytes) const;

  runtime::World& world_;
  const config::LogManagerConfig config_;
  Partitions partitions_;
  DirOf dir_of_;
  std::atomic<bool> stopped_ = false;
  // One worker at a time:
  std::map<std::string, Progress> progress_;
  std::set<std::pair<Uuid, int32_t>> uncleanable_;
  std::unique_ptr<Job> job_;
  bool failed_ = false;  // the last job did not come to its end
};

}  // namespace barnabas::broker
