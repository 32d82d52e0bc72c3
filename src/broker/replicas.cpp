#include "broker/replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/log_cleaner.h"
#include "broker/registration.h"
#include "log/log.h"
#include "log/log_dir.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {
// Partitions opened in one go by a worker: a clean one costs microseconds, a hop between threads more.
constexpr size_t kOpenTogether = 32;
constexpr size_t kOpenersAtMost = 8;

// What the log-start checkpoint needs to say: nothing while the log starts where its first segment does.
std::optional<Offset> checkpointed_log_start(const log::Log& log) {
  bool inside = !log.segments().empty() && log.log_start_offset() > log.segments().front()->base();
  return inside ? std::optional(log.log_start_offset()) : std::nullopt;
}
}  // namespace

Replicas::Replicas(runtime::World& world, Options options, std::vector<ReplicaDir> dirs)
    : world_(world), options_(std::move(options)), dirs_(std::move(dirs)), at_start_(dirs_.size()) {
  background_ = std::make_unique<runtime::Scope>(*world_.loops[0]);
}

Replicas::~Replicas() = default;

// ---- lookup ---------------------------------------------------------------------------------------------------------

std::shared_ptr<Partition> Replicas::find(const Uuid& topic_id, int32_t index) const {
  std::shared_lock lock(mutex_);
  auto topic = partitions_.find(topic_id);
  if (topic == partitions_.end()) return nullptr;
  auto partition = topic->second.find(index);
  return partition == topic->second.end() ? nullptr : partition->second;
}

std::vector<std::shared_ptr<Partition>> Replicas::all() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Partition>> all;
  for (const auto& [id, topic] : partitions_) {
    for (const auto& [index, partition] : topic) all.push_back(partition);
  }
  return all;
}

KafkaError Replicas::why_missing(const Uuid& topic_id, int32_t index) const {
  std::shared_lock lock(mutex_);
  auto found = missing_.find({topic_id, index});
  return found == missing_.end() ? KafkaError::kNotLeaderOrFollower : found->second;
}

size_t Replicas::dir_index(const std::string& path) const {
  for (size_t i = 0; i < dirs_.size(); ++i) {
    if (dirs_[i].dir->path() == path) return i;
  }
  return 0;
}

std::vector<Replicas::DirStatus> Replicas::dirs() const {
  std::vector<DirStatus> all;
  auto partitions = this->all();
  for (const ReplicaDir& dir : dirs_) {
    DirStatus status{.path = dir.dir->path(), .id = dir.directory_id, .offline = dir.dir->offline()};
    if (auto space = dir.dir->directory().free_bytes()) status.usable_bytes = *space;
    if (auto space = dir.dir->directory().total_bytes()) status.total_bytes = *space;
    for (const auto& partition : partitions) {
      if (partition->log_dir() == status.path) status.partitions.push_back(partition);
    }
    all.push_back(std::move(status));
  }
  return all;
}

std::vector<Uuid> Replicas::directory_ids() const {
  std::vector<Uuid> ids;
  for (const ReplicaDir& dir : dirs_) {
    if (!dir.dir->offline()) ids.push_back(dir.directory_id);
  }
  return ids;
}

// ---- opening --------------------------------------------------------------------------------------------------------

runtime::Task<> Replicas::load(metadata::ImagePtr image) {
  struct Found {
    size_t dir;
    std::string directory_name;
  };
  std::map<log::TopicPartition, Found> found;
  TimestampMs now = world_.clock.wall_time();
  for (size_t i = 0; i < dirs_.size(); ++i) {
    log::LogDir& dir = *dirs_[i].dir;
    if (dir.offline()) continue;
    auto recovery_points = dir.read_checkpoint(log::CheckpointKind::kRecoveryPoint);
    auto high_watermarks = dir.read_checkpoint(log::CheckpointKind::kHighWatermark);
    auto log_starts = dir.read_checkpoint(log::CheckpointKind::kLogStart);
    // A lost or garbled checkpoint costs a longer recovery, not the directory.
    for (const auto* checkpoint : {&recovery_points, &high_watermarks, &log_starts}) {
      if (!*checkpoint) world_.logger.warning(fmt::format("{}; recovering without it", checkpoint->error().message));
    }
    if (!recovery_points) dirs_[i].clean = false;
    if (recovery_points) at_start_[i].recovery_points = std::move(*recovery_points);
    if (high_watermarks) at_start_[i].high_watermarks = std::move(*high_watermarks);
    if (log_starts) at_start_[i].log_starts = std::move(*log_starts);
    auto listed = dir.list_partitions();
    if (!listed) {
      dir_failed(dir.path(), listed.error().message);
      continue;
    }
    for (auto& entry : *listed) {
      if (entry.kind == log::PartitionDirectoryKind::kDelete) {
        dir.remove_later(entry.name, now);
      } else if (entry.kind == log::PartitionDirectoryKind::kLive && entry.partition.topic != "__cluster_metadata") {
        found.emplace(entry.partition, Found{i, entry.name});
      }
    }
  }

  if (!latest_) latest_ = image;
  std::vector<Opening> openings;
  std::vector<size_t> used = replicas_per_dir();
  // A replica that is not found may be in a directory that does not work: an empty one must not take its place.
  bool incomplete = options_.dirs_missing ||
                    std::ranges::any_of(dirs_, [](const ReplicaDir& dir) { return dir.dir->offline().has_value(); });
  image->for_each_topic([&](const metadata::Topic& topic) {
    for (int32_t index = 0; index < topic.partition_count(); ++index) {
      const metadata::Partition* partition = topic.partition(index);
      if (!partition || !partition->has_replica(options_.self)) continue;
      Opening opening{.name = {topic.name, topic.id, index},
                      .dir = choose_dir(*partition, used),
                      .registration = registration_of(*partition),
                      .config = topic_config_of_(*image, topic.name)};
      auto existing = found.find({topic.name, index});
      if (existing != found.end()) {
        opening.dir = existing->second.dir;
        opening.directory_name = existing->second.directory_name;
        found.erase(existing);
      } else if (incomplete) {
        world_.logger.error(fmt::format("{} is in no log directory that works", opening.name.to_string()));
        std::unique_lock lock(mutex_);
        missing_[{topic.id, index}] = KafkaError::kKafkaStorageError;
        continue;
      }
      openings.push_back(std::move(opening));
    }
  });
  for (const auto& [partition, where] : found) {
    auto stray = dirs_[where.dir].dir->mark_stray(where.directory_name, world_.random.uuid());
    world_.logger.warning(fmt::format("{} in {} is of no topic of this cluster; kept as {}", where.directory_name,
                                      dirs_[where.dir].dir->path(), stray ? *stray : stray.error().message));
  }
  bool unclean = std::ranges::any_of(dirs_, [](const ReplicaDir& dir) { return !dir.clean; });
  if (unclean && !openings.empty()) {
    world_.logger.info(fmt::format("recovering {} partitions after an unclean stop", openings.size()));
  }
  co_await open_all(std::move(openings));
}

runtime::Task<> Replicas::open_all(std::vector<Opening> openings) {
  {
    std::unique_lock lock(mutex_);
    for (const Opening& opening : openings) {
      missing_[{opening.name.topic_id, opening.name.index}] = KafkaError::kNotLeaderOrFollower;
    }
  }
  runtime::Scope openers(*world_.loops[0]);
  size_t next = 0;
  size_t count = std::min(kOpenersAtMost, (openings.size() + kOpenTogether - 1) / kOpenTogether);
  for (size_t i = 0; i < count; ++i) openers.spawn(open_some(this, &openings, &next));
  co_await openers.join();
}

runtime::Task<> Replicas::open_some(Replicas* self, std::vector<Opening>* openings, size_t* next) {
  runtime::Executor& home = *self->world_.loops[0];
  while (*next < openings->size()) {
    size_t begin = *next;
    size_t end = std::min(begin + kOpenTogether, openings->size());
    *next = end;
    auto work = [self, openings, begin, end] {
      std::vector<Opened> done;
      for (size_t i = begin; i < end; ++i) {
        auto partition = self->open_blocking((*openings)[i]);
        done.push_back({std::move((*openings)[i]), std::move(partition)});
      }
      return done;
    };
    auto opened = co_await runtime::run_blocking(self->world_.workers, home, work);
    for (Opened& one : opened) self->adopt(std::move(one));
  }
}

Result<std::shared_ptr<Partition>> Replicas::open_blocking(const Opening& opening) {
  log::LogDir& dir = *dirs_[opening.dir].dir;
  if (auto offline = dir.offline()) return std::unexpected(*offline);
  log::TopicPartition key{opening.name.topic, opening.name.index};
  const Checkpoints& checkpoints = at_start_[opening.dir];
  log::LogOptions options;
  bool existing = opening.directory_name.has_value();
  if (existing) {
    TRY_ASSIGN(options.directory, dir.open_partition(*opening.directory_name));
    auto id = log::read_partition_metadata(*options.directory);
    if (!id) {
      world_.logger.warning(fmt::format("{}: {}", key.to_string(), id.error().message));
    } else if (*id && **id != opening.name.topic_id) {
      // A topic of the same name was deleted and created again while this directory could not follow.
      TRY_ASSIGN(std::string stray, dir.mark_stray(*opening.directory_name, world_.random.uuid()));
      world_.logger.warning(fmt::format("{} is of an earlier topic of that name; kept as {}", key.to_string(), stray));
      existing = false;
    } else if (!*id) {
      TRY(log::write_partition_metadata(*options.directory, opening.name.topic_id));
    }
  }
  if (!existing) {
    TRY_ASSIGN(options.directory, dir.create_partition(key, opening.name.topic_id));
  }
  options.name = key.to_string();
  options.topic_id = opening.name.topic_id;
  options.config = log_config_of(*opening.config, producer_id_expiration_ms_);
  options.now = world_.clock.wall_time();
  options.logger = &world_.logger;
  // Without a promise that outlives the machine there is nothing to gain from syncing on the way.
  options.sync_before_roll = options_.durability == config::Durability::kFsync;
  options.power_lost = dirs_[opening.dir].power_lost;
  Offset high_watermark{0};
  if (existing) {
    auto offset_in = [&](const log::OffsetCheckpoint& checkpoint) -> std::optional<Offset> {
      auto found = checkpoint.find(key);
      return found == checkpoint.end() ? std::nullopt : std::optional(found->second);
    };
    auto recovery_point = offset_in(checkpoints.recovery_points);
    options.clean = dirs_[opening.dir].clean && recovery_point.has_value();
    options.recovery_point = recovery_point.value_or(Offset(0));
    options.log_start = offset_in(checkpoints.log_starts);
    high_watermark = offset_in(checkpoints.high_watermarks).value_or(Offset(0));
    // The high watermark counts what is synced only under fsync.
    if (options_.durability == config::Durability::kFsync) {
      options.durable_floor = std::max(options.recovery_point, high_watermark);
    }
  }
  TRY_ASSIGN(auto log, log::Log::open(std::move(options)));
  Partition::Options partition_options{.self = options_.self,
                                       .durability = options_.durability,
                                       .strictness = options_.strictness,
                                       .log_dir = dir.path(),
                                       .producer_id_expiration_ms = producer_id_expiration_ms_};
  partition_options.on_storage_failure = [this, path = dir.path()](const std::string& reason) {
    world_.loops[0]->post([this, path, reason] { dir_failed(path, reason); });
  };
  auto partition = std::make_shared<Partition>(opening.name, std::move(partition_options), std::move(log),
                                               opening.config, high_watermark);
  partition->apply(opening.registration);
  return partition;
}

void Replicas::adopt(Opened opened) {
  const PartitionName& name = opened.opening.name;
  if (opened.partition) {
    std::shared_ptr<Partition> partition = std::move(*opened.partition);
    {
      std::unique_lock lock(mutex_);
      partitions_[name.topic_id][name.index] = partition;
      missing_.erase({name.topic_id, name.index});
    }
    if (auto offline = dirs_[opened.opening.dir].dir->offline()) partition->abandon(offline->message);
    // The metadata log went on while the log was opened.
    const metadata::Partition* now = latest_ ? latest_->partition(name.topic_id, name.index) : nullptr;
    if (now && now->has_replica(options_.self)) {
      partition->apply(registration_of(*now));
      if (leadership_) leadership_(partition);
    } else if (latest_) {
      background_->spawn(remove(name.topic_id, {partition}));
    }
    return;
  }
  const Error& error = opened.partition.error();
  world_.logger.error(fmt::format("cannot open {}: {}", name.to_string(), error.message));
  {
    std::unique_lock lock(mutex_);
    missing_[{name.topic_id, name.index}] = KafkaError::kKafkaStorageError;
  }
  if (error.code == ErrorCode::kIo) dir_failed(dirs_[opened.opening.dir].dir->path(), error.message);
}

std::vector<size_t> Replicas::replicas_per_dir() const {
  std::vector<size_t> used(dirs_.size(), 0);
  std::shared_lock lock(mutex_);
  for (const auto& [id, topic] : partitions_) {
    for (const auto& [index, hosted] : topic) ++used[dir_index(hosted->log_dir())];
  }
  return used;
}

size_t Replicas::choose_dir(const metadata::Partition& partition, std::vector<size_t>& used) const {
  Uuid wanted = partition.directory_of(options_.self);
  size_t best = 0;
  bool found = false;
  for (size_t i = 0; i < dirs_.size(); ++i) {
    if (dirs_[i].dir->offline()) continue;
    if (dirs_[i].directory_id == wanted) {
      ++used[i];
      return i;
    }
    if (!found || used[i] < used[best]) best = i;
    found = true;
  }
  ++used[best];
  return best;
}

bool Replicas::opening(const Uuid& topic_id, int32_t index) const {
  std::shared_lock lock(mutex_);
  return missing_.contains({topic_id, index});
}

// ---- following the metadata log -------------------------------------------------------------------------------------

runtime::Task<> Replicas::apply(const metadata::Delta& delta, metadata::ImagePtr image) {
  latest_ = image;
  std::vector<Opening> openings;
  std::vector<size_t> used = replicas_per_dir();
  for (const auto& [id, change] : delta.topics) {
    std::vector<std::shared_ptr<Partition>> gone;
    if (change.kind == metadata::TopicChange::Kind::kDeleted) {
      std::shared_lock lock(mutex_);
      auto topic = partitions_.find(id);
      if (topic != partitions_.end()) {
        for (const auto& [index, partition] : topic->second) gone.push_back(partition);
      }
    }
    for (int32_t index : change.partitions) {
      const metadata::Partition* partition = image->partition(id, index);
      auto hosted = find(id, index);
      bool ours = partition && partition->has_replica(options_.self);
      if (hosted && ours) {
        hosted->apply(registration_of(*partition));
        if (leadership_) leadership_(hosted);
      } else if (hosted) {
        gone.push_back(hosted);
      } else if (ours && !opening(id, index)) {
        openings.push_back({.name = {change.name, id, index},
                            .dir = choose_dir(*partition, used),
                            .registration = registration_of(*partition),
                            .config = topic_config_of_(*image, change.name)});
      }
    }
    if (!gone.empty()) {
      co_await remove(id, std::move(gone));
    }
  }
  if (!openings.empty()) {
    co_await open_all(std::move(openings));
  }
}

runtime::Task<> Replicas::remove(Uuid topic_id, std::vector<std::shared_ptr<Partition>> gone) {
  {
    std::unique_lock lock(mutex_);
    auto topic = partitions_.find(topic_id);
    for (const auto& partition : gone) topic->second.erase(partition->name().index);
    if (topic->second.empty()) partitions_.erase(topic);
  }
  auto work = [this, gone] {
    for (const auto& partition : gone) {
      partition->abandon("deleted");
      log::LogDir& dir = *dirs_[dir_index(partition->log_dir())].dir;
      TimestampMs due = world_.clock.wall_time() + partition->config()->file_delete_delay_ms;
      auto renamed = dir.schedule_delete(partition->name().to_string(), world_.random.uuid(), due);
      if (!renamed) {
        world_.logger.error(
            fmt::format("cannot delete {}: {}", partition->name().to_string(), renamed.error().message));
      }
    }
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

void Replicas::reconfigure(const metadata::Image& image, const std::set<std::string>* topics) {
  for (const auto& partition : all()) {
    const std::string& topic = partition->name().topic;
    if (topics && !topics->contains(topic)) continue;
    partition->set_config(topic_config_of_(image, topic), producer_id_expiration_ms_);
  }
}

void Replicas::dir_failed(const std::string& path, const std::string& reason) {
  log::LogDir& dir = *dirs_[dir_index(path)].dir;
  if (dir.offline()) return;
  dir.fail(Error{ErrorCode::kIo, reason});
  world_.logger.error(fmt::format("log directory {} is closed for good: {}", path, reason));
  for (const auto& partition : all()) {
    if (partition->log_dir() == path) partition->abandon(reason);
  }
  bool any_left = std::ranges::any_of(dirs_, [](const ReplicaDir& one) { return !one.dir->offline(); });
  if (!any_left) {
    world_.logger.error(
        "no log directory is left: this node answers, but holds no records until it is restarted on "
        "working disks");
  }
}

// ---- background -----------------------------------------------------------------------------------------------------

void Replicas::repeat(Duration first, Duration interval, Work work) {
  background_->spawn(repeating(this, first, interval, work));
}

runtime::Task<> Replicas::repeating(Replicas* self, Duration first, Duration interval, Work work) {
  runtime::Executor& loop = *self->world_.loops[0];
  bool elapsed = co_await runtime::sleep_for(loop, first, self->background_->token());
  while (elapsed) {
    co_await (self->*work)();
    elapsed = co_await runtime::sleep_for(loop, interval, self->background_->token());
  }
}

void Replicas::start_background(config::LogManagerConfig config) {
  Duration delay = milliseconds(config.initial_task_delay_ms);
  Duration high_watermarks = milliseconds(config.high_watermark_checkpoint_interval_ms);
  Duration recovery_points = milliseconds(config.flush_offset_checkpoint_interval_ms);
  repeat(high_watermarks, high_watermarks, &Replicas::checkpoint_high_watermarks);
  repeat(recovery_points, recovery_points, &Replicas::checkpoint_recovery_points);
  repeat(delay, milliseconds(config.retention_check_interval_ms), &Replicas::apply_retention);
  repeat(delay, seconds(5), &Replicas::remove_due_files);
  Duration expirations = milliseconds(config.producer_id_expiration_check_interval_ms);
  repeat(expirations, expirations, &Replicas::expire_producers);
  if (config.cleaner_enable) {
    auto dir_of = [this](const std::string& path) { return dirs_[dir_index(path)].dir.get(); };
    cleaner_ = std::make_unique<LogCleaner>(world_, config, [this] { return all(); }, dir_of);
    background_->spawn(cleaner_->run(background_->token()));
  }
}

void Replicas::reconfigure_background(const config::LogManagerConfig& config) {
  if (cleaner_) cleaner_->reconfigure(config);
}

void Replicas::write_checkpoint(size_t dir, log::CheckpointKind kind, const log::OffsetCheckpoint& checkpoint) {
  std::lock_guard lock(checkpoint_mutex_);
  log::LogDir& at = *dirs_[dir].dir;
  if (at.offline()) return;
  auto before = written_checkpoints_.find({dir, kind});
  if (before != written_checkpoints_.end() && before->second == checkpoint) return;
  auto written = at.write_checkpoint(kind, checkpoint);
  if (written) {
    written_checkpoints_[{dir, kind}] = checkpoint;
  } else {
    // Recovery gets longer, nothing is lost; a failing device shows at the next append.
    world_.logger.warning(fmt::format("cannot write a checkpoint in {}: {}", at.path(), written.error().message));
  }
}

void Replicas::checkpoint_log_starts() {
  std::vector<log::OffsetCheckpoint> starts(dirs_.size());
  for (const auto& partition : all()) {
    partition->with_log([&](log::Log& log) {
      auto start = checkpointed_log_start(log);
      if (start) starts[dir_index(partition->log_dir())][{partition->name().topic, partition->name().index}] = *start;
    });
  }
  for (size_t i = 0; i < dirs_.size(); ++i) {
    write_checkpoint(i, log::CheckpointKind::kLogStart, starts[i]);
  }
}

runtime::Task<> Replicas::checkpoint_high_watermarks() {
  auto work = [this] {
    std::vector<log::OffsetCheckpoint> checkpoints(dirs_.size());
    for (const auto& partition : all()) {
      auto status = partition->status();
      if (status.failed) continue;
      checkpoints[dir_index(partition->log_dir())][{partition->name().topic, partition->name().index}] =
          status.high_watermark;
    }
    for (size_t i = 0; i < dirs_.size(); ++i) {
      write_checkpoint(i, log::CheckpointKind::kHighWatermark, checkpoints[i]);
    }
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

runtime::Task<> Replicas::checkpoint_recovery_points() {
  auto work = [this] {
    std::vector<log::OffsetCheckpoint> points(dirs_.size());
    std::vector<log::OffsetCheckpoint> starts(dirs_.size());
    for (const auto& partition : all()) {
      size_t dir = dir_index(partition->log_dir());
      log::TopicPartition key{partition->name().topic, partition->name().index};
      partition->with_log([&](log::Log& log) {
        if (log.failed()) return;
        auto point = log.checkpoint();
        if (point) points[dir][key] = *point;
        auto start = checkpointed_log_start(log);
        if (start) starts[dir][key] = *start;
      });
    }
    for (size_t i = 0; i < dirs_.size(); ++i) {
      write_checkpoint(i, log::CheckpointKind::kRecoveryPoint, points[i]);
      write_checkpoint(i, log::CheckpointKind::kLogStart, starts[i]);
    }
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

runtime::Task<> Replicas::apply_retention() {
  auto work = [this] {
    for (const auto& partition : all()) partition->maintain(world_.clock.wall_time());
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

runtime::Task<> Replicas::remove_due_files() {
  auto work = [this] {
    TimestampMs now = world_.clock.wall_time();
    for (const auto& partition : all()) {
      partition->with_log([&](log::Log& log) {
        if (log.failed()) return;
        auto due = log.remove_due(now);
        if (!due) world_.logger.warning(due.error().message);
      });
    }
    for (ReplicaDir& dir : dirs_) {
      if (dir.dir->offline()) continue;
      auto due = dir.dir->remove_due(now);
      if (!due) world_.logger.warning(due.error().message);
    }
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

runtime::Task<> Replicas::expire_producers() {
  auto work = [this] {
    for (const auto& partition : all()) partition->expire_producers(world_.clock.wall_time());
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

runtime::Task<> Replicas::close(BrokerEpoch broker_epoch) {
  background_->cancel();
  co_await background_->join();
  auto work = [this, broker_epoch] {
    std::vector<log::OffsetCheckpoint> points(dirs_.size()), starts(dirs_.size()), high_watermarks(dirs_.size());
    std::vector<bool> clean(dirs_.size(), true);
    for (const auto& partition : all()) {
      size_t dir = dir_index(partition->log_dir());
      log::TopicPartition key{partition->name().topic, partition->name().index};
      auto before = partition->status();
      partition->with_log([&](log::Log& log) {
        auto start = checkpointed_log_start(log);
        if (start) starts[dir][key] = *start;
      });
      auto closed = partition->close(world_.clock.wall_time());
      if (!closed || before.failed) {
        clean[dir] = false;
        continue;
      }
      points[dir][key] = before.log_end;
      high_watermarks[dir][key] = before.log_end;
    }
    for (size_t i = 0; i < dirs_.size(); ++i) {
      log::LogDir& dir = *dirs_[i].dir;
      if (dir.offline()) continue;
      write_checkpoint(i, log::CheckpointKind::kRecoveryPoint, points[i]);
      write_checkpoint(i, log::CheckpointKind::kLogStart, starts[i]);
      write_checkpoint(i, log::CheckpointKind::kHighWatermark, high_watermarks[i]);
      if (clean[i]) {
        auto marked = dir.write_clean_shutdown({broker_epoch.value});
        if (!marked) world_.logger.warning(marked.error().message);
      }
      auto closed = dir.close();
      if (!closed) world_.logger.warning(closed.error().message);
    }
  };
  co_await runtime::run_blocking(world_.workers, *world_.loops[0], work);
}

}  // namespace barnabas::broker
