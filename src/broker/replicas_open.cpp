// How replicas come to be open: at start, when a partition is new, and again when descriptors were short.
#include "broker/replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/dir_assignments.h"
#include "broker/recovery_progress.h"
#include "broker/registration.h"
#include "log/file_names.h"
#include "log/log.h"
#include "log/log_dir.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {
// Clean partitions opened in one go by a worker: each costs microseconds, a hop between threads more. One that is to be
// recovered goes alone, and serves as soon as it can.
constexpr size_t kOpenTogether = 32;
constexpr size_t kOpenersAtMost = 8;
constexpr Duration kOpenAgainAfter = seconds(5);

// What recovery from `recovery_point` reads.
uint64_t bytes_to_recover(const std::vector<runtime::DirectoryEntry>& entries, Offset recovery_point) {
  uint64_t bytes = 0;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    auto name = log::parse_file_name(entry->name);
    if (!name || name->suffix != log::kLogSuffix) continue;
    bytes += entry->size;
    if (name->base <= recovery_point) break;
  }
  return bytes;
}

std::optional<Offset> offset_in(const log::OffsetCheckpoint& checkpoint, const log::TopicPartition& key) {
  auto found = checkpoint.find(key);
  return found == checkpoint.end() ? std::nullopt : std::optional(found->second);
}
}  // namespace

// What the directories hold.
Replicas::FoundPartitions Replicas::look_around() {
  FoundPartitions found;
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
      dir_failed(i, listed.error().message);
      continue;
    }
    for (auto& entry : *listed) {
      if (entry.kind == log::PartitionDirectoryKind::kDelete) {
        dir.remove_later(entry.name, now);
      } else if (entry.kind == log::PartitionDirectoryKind::kLive &&
                 entry.partition.topic != metadata::kClusterMetadataTopic) {
        found.emplace(entry.partition, Found{i, entry.name});
      }
    }
  }
  return found;
}

// What `image` places here; takes what it uses out of `found`.
std::vector<Replicas::Opening> Replicas::plan_openings(const metadata::Image& image, FoundPartitions& found) {
  std::vector<Opening> openings;
  std::vector<size_t> used = replicas_per_dir();
  for (const auto& [partition, where] : found) ++used[where.dir];
  bool incomplete = !options_.offline_dirs.empty() ||
                    std::ranges::any_of(dirs_, [](const ReplicaDir& dir) { return dir.dir->offline().has_value(); });
  image.for_each_topic([&](const metadata::Topic& topic) {
    for (int32_t index = 0; index < topic.partition_count(); ++index) {
      const metadata::Partition* partition = topic.partition(index);
      if (!partition || !partition->has_replica(options_.self)) continue;
      Opening opening{.name = {topic.name, topic.id, index},
                      .registration = registration_of(*partition),
                      .config = topic_config_of_(image, topic.name)};
      Uuid assigned = partition->directory_of(options_.self);
      auto is_assigned = [&](size_t dir) { return dirs_[dir].directory_id == assigned && !dirs_[dir].dir->offline(); };
      auto [first, last] = found.equal_range({topic.name, index});
      if (first != last) {
        auto best = std::find_if(first, last, [&](const auto& one) { return is_assigned(one.second.dir); });
        if (best == last) best = first;
        opening.dir = best->second.dir;
        opening.directory_name = best->second.directory_name;
        found.erase(best);
        openings.push_back(std::move(opening));
        continue;
      }
      opening.dir = choose_dir(*partition, used);
      // It may be in a directory that does not work: an empty one must not take its place.
      if (incomplete && !is_assigned(opening.dir)) {
        world_.logger.error(fmt::format("{} is in no log directory that works", opening.name.to_string()));
        std::unique_lock lock(mutex_);
        missing_[{topic.id, index}] = KafkaError::kKafkaStorageError;
        continue;
      }
      openings.push_back(std::move(opening));
    }
  });
  return openings;
}

std::vector<Replicas::Unclean> Replicas::unclean_among(const std::vector<Opening>& openings) const {
  std::vector<Unclean> unclean;
  for (const Opening& opening : openings) {
    if (!opening.directory_name || dirs_[opening.dir].clean) continue;
    auto point = offset_in(at_start_[opening.dir].recovery_points, {opening.name.topic, opening.name.index});
    unclean.push_back({{opening.dir, *opening.directory_name}, point.value_or(Offset(0))});
  }
  return unclean;
}

runtime::Task<> Replicas::load(metadata::ImagePtr image) {
  FoundPartitions found = look_around();
  if (!latest_) latest_ = image;
  std::vector<Opening> openings = plan_openings(*image, found);
  for (const auto& [partition, where] : found) {
    auto stray = dirs_[where.dir].dir->mark_stray(where.directory_name, world_.random.uuid());
    world_.logger.warning(
        fmt::format("{} in {} is of no topic of this cluster, or in another directory too; kept as {}",
                    where.directory_name, dirs_[where.dir].dir->path(), stray ? *stray : stray.error().message));
  }
  std::vector<Unclean> unclean = unclean_among(openings);
  if (unclean.empty()) {
    co_await open_all(std::move(openings));
    co_return;
  }
  world_.logger.info(fmt::format("recovering {} partitions after an unclean stop", unclean.size()));
  recovery_ = std::make_unique<RecoveryProgress>(world_, unclean.size());
  runtime::Scope both(*world_.loops[0]);
  both.spawn(open_all(std::move(openings)));
  both.spawn(measure(this, std::move(unclean)));
  co_await both.join();
  recovery_->finish();
  recovery_.reset();
}

runtime::Task<> Replicas::measure(Replicas* self, std::vector<Unclean> logs) {
  auto work = [self, &logs] {
    uint64_t bytes = 0;
    for (const Unclean& log : logs) {
      auto directory = self->dirs_[log.where.dir].dir->open_partition(log.where.directory_name);
      if (!directory) continue;
      auto entries = (*directory)->list();
      if (entries) bytes += bytes_to_recover(*entries, log.recovery_point);
    }
    self->recovery_->set_bytes_total(bytes);
  };
  co_await runtime::run_blocking(self->world_.workers, *self->world_.loops[0], work);
}

runtime::Task<> Replicas::open_all(std::vector<Opening> openings) {
  size_t together = recovery_ ? 1 : kOpenTogether;
  {
    std::unique_lock lock(mutex_);
    for (const Opening& opening : openings) {
      missing_[{opening.name.topic_id, opening.name.index}] = KafkaError::kNotLeaderOrFollower;
    }
  }
  runtime::Scope openers(*world_.loops[0]);
  size_t next = 0;
  size_t count = std::min(kOpenersAtMost, (openings.size() + together - 1) / together);
  for (size_t i = 0; i < count; ++i) openers.spawn(open_some(this, &openings, &next, together));
  co_await openers.join();
}

runtime::Task<> Replicas::open_some(Replicas* self, std::vector<Opening>* openings, size_t* next, size_t together) {
  runtime::Executor& home = *self->world_.loops[0];
  while (*next < openings->size()) {
    size_t begin = *next;
    size_t end = std::min(begin + together, openings->size());
    *next = end;
    auto work = [self, openings, begin, end] {
      std::vector<Opened> done;
      for (size_t i = begin; i < end; ++i) {
        auto partition = self->open_blocking((*openings)[i]);
        done.push_back({std::move((*openings)[i]), std::move(partition)});
      }
      self->sync_new_names(done);
      return done;
    };
    auto opened = co_await runtime::run_blocking(self->world_.workers, home, work);
    for (Opened& one : opened) self->adopt(std::move(one));
  }
}

// The names of directories that were made, before anybody can write into them.
void Replicas::sync_new_names(std::vector<Opened>& opened) {
  for (size_t dir = 0; dir < dirs_.size(); ++dir) {
    auto is_new = [&](const Opened& one) {
      return one.opening.dir == dir && !one.opening.directory_name && one.partition.has_value();
    };
    if (std::ranges::none_of(opened, is_new)) continue;
    Result<> synced = dirs_[dir].dir->sync_names();
    if (synced) continue;
    for (Opened& one : opened) {
      if (is_new(one)) one.partition = std::unexpected(synced.error());
    }
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
      // Power was lost before the first record: the file is one of the last things to become durable.
      world_.logger.warning(fmt::format("{}: {}; written anew", key.to_string(), id.error().message));
      TRY(log::write_partition_metadata(*options.directory, opening.name.topic_id));
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
    options.created = true;
  }
  options.name = key.to_string();
  options.topic_id = opening.name.topic_id;
  options.config = log_config_of(*opening.config, producer_id_expiration_ms_);
  options.now = world_.clock.wall_time();
  options.logger = &world_.logger;
  // Without a promise that outlives the machine there is nothing to gain from syncing on the way.
  options.sync_before_roll = options_.durability == config::Durability::kFsync;
  options.power_lost = dirs_[opening.dir].power_lost;
  bool recovered = recovery_ && existing && !dirs_[opening.dir].clean;
  if (recovered) options.progress = recovery_->of_one_log();
  Offset high_watermark{0};
  if (existing) {
    auto recovery_point = offset_in(checkpoints.recovery_points, key);
    options.clean = dirs_[opening.dir].clean && recovery_point.has_value();
    options.recovery_point = recovery_point.value_or(Offset(0));
    options.log_start = offset_in(checkpoints.log_starts, key);
    high_watermark = offset_in(checkpoints.high_watermarks, key).value_or(Offset(0));
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
                                       .log_dir_index = opening.dir,
                                       .producer_id_expiration_ms = producer_id_expiration_ms_};
  partition_options.on_storage_failure = [this, index = opening.dir](const std::string& reason) {
    world_.loops[0]->post([this, index, reason] { dir_failed(index, reason); });
  };
  auto partition = std::make_shared<Partition>(opening.name, std::move(partition_options), std::move(log),
                                               opening.config, high_watermark);
  partition->apply(opening.registration);
  return partition;
}

void Replicas::adopt(Opened opened) {
  const PartitionName& name = opened.opening.name;
  bool recovered = recovery_ && opened.opening.directory_name && !dirs_[opened.opening.dir].clean;
  if (recovered) recovery_->partition_done();
  if (!opened.partition) return not_opened(std::move(opened.opening), opened.partition.error());
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
    tell_where(*partition);
  } else if (latest_) {
    background_->spawn(remove(name.topic_id, {partition}));
  }
}

void Replicas::not_opened(Opening opening, const Error& error) {
  std::string name = opening.name.to_string();
  {
    std::unique_lock lock(mutex_);
    missing_[{opening.name.topic_id, opening.name.index}] = KafkaError::kKafkaStorageError;
  }
  if (!log::may_pass(error)) {
    world_.logger.error(fmt::format("cannot open {}: {}", name, error.message));
    if (error.code == ErrorCode::kIo) dir_failed(opening.dir, error.message);
    return;
  }
  world_.logger.warning(fmt::format("cannot open {} now: {}; it is tried again in {} s", name, error.message,
                                    std::chrono::duration_cast<std::chrono::seconds>(kOpenAgainAfter).count()));
  to_open_again_.push_back(std::move(opening));
  if (to_open_again_.size() == 1) background_->spawn(open_again(this));
}

// Ends with the first try; what fails again comes again.
runtime::Task<> Replicas::open_again(Replicas* self) {
  bool elapsed = co_await runtime::sleep_for(*self->world_.loops[0], kOpenAgainAfter, self->background_->token());
  std::vector<Opening> openings = std::exchange(self->to_open_again_, {});
  if (!elapsed) co_return;
  std::erase_if(openings, [self](Opening& opening) {
    const metadata::Partition* now = self->latest_->partition(opening.name.topic_id, opening.name.index);
    if (!now || !now->has_replica(self->options_.self)) return true;
    opening.registration = registration_of(*now);
    opening.config = self->topic_config_of_(*self->latest_, opening.name.topic);
    // The first try may have come as far as making the directory, or putting one aside.
    std::string directory = opening.name.to_string();
    bool exists = self->dirs_[opening.dir].dir->directory().exists(directory);
    opening.directory_name = exists ? std::optional(directory) : std::nullopt;
    return false;
  });
  co_await self->open_all(std::move(openings));
}

void Replicas::tell_where(const Partition& partition) const {
  const PartitionName& name = partition.name();
  const metadata::Partition* known = latest_ ? latest_->partition(name.topic_id, name.index) : nullptr;
  const Uuid& directory = dirs_[partition.log_dir_index()].directory_id;
  if (!misplaced_ || !known || known->directory_of(options_.self) == directory) return;
  misplaced_({.topic_id = name.topic_id, .partition = name.index, .directory = directory});
}

}  // namespace barnabas::broker
