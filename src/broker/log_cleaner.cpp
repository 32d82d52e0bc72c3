#include "broker/log_cleaner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "log/log.h"
#include "log/log_dir.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/sleep.h"

namespace barnabas::broker {

namespace {

log::TopicPartition key_of(const Partition& partition) {
  return {partition.name().topic, partition.name().index};
}

std::pair<Uuid, int32_t> id_of(const Partition& partition) {
  return {partition.name().topic_id, partition.name().index};
}

size_t threads_of(const config::LogManagerConfig& config) {
  return static_cast<size_t>(std::max(config.cleaner_threads, 1));
}

}  // namespace

LogCleaner::LogCleaner(runtime::World& world, config::LogManagerConfig config, Partitions partitions, DirOf dir_of)
    : world_(world),
      settings_(std::make_shared<const config::LogManagerConfig>(std::move(config))),
      partitions_(std::move(partitions)),
      dir_of_(std::move(dir_of)) {}

LogCleaner::~LogCleaner() = default;

// ---- waiting --------------------------------------------------------------------------------------------------------

runtime::Task<> LogCleaner::run(runtime::CancelToken token) {
  runtime::Executor& loop = *world_.loops[0];
  runtime::Completion<bool> never;
  workers_ = std::make_unique<runtime::Scope>(loop);
  start_missing_workers();
  co_await never.wait(loop, token);
  stopped_ = true;
  wake_.request();
  co_await workers_->join();
}

void LogCleaner::reconfigure(config::LogManagerConfig config) {
  if (config == *settings()) return;
  settings_.set(std::make_shared<const config::LogManagerConfig>(std::move(config)));
  paid_until_ = world_.clock.now();
  runtime::CancelSource pauses = std::exchange(wake_, runtime::CancelSource());
  if (workers_ && !stopped_) start_missing_workers();
  pauses.request();
}

void LogCleaner::start_missing_workers() {
  for (size_t index = 0; index < threads_of(*settings()); ++index) {
    if (working_.insert(index).second) workers_->spawn(work(this, index));
  }
}

runtime::Task<bool> LogCleaner::pause(Duration duration) {
  co_await runtime::sleep_for(*world_.loops[0], duration, wake_.token());
  co_return !stopped_;
}

runtime::Task<> LogCleaner::work(LogCleaner* self, size_t index) {
  runtime::Executor& loop = *self->world_.loops[0];
  std::unique_ptr<Job> job;
  auto look = [self] { return self->begin(); };
  auto step = [self, &job] { return self->step(*job); };
  bool wait = true;
  while (index < threads_of(*self->settings()) && !self->stopped_) {
    if (wait) {
      Duration backoff = milliseconds(std::max<int64_t>(self->settings()->cleaner_backoff_ms, 1));
      bool go_on = co_await self->pause(backoff);
      if (!go_on) break;
    }
    job = co_await runtime::run_blocking(self->world_.workers, loop, look);
    wait = !job;
    while (job) {
      std::optional<uint64_t> moved = co_await runtime::run_blocking(self->world_.workers, loop, step);
      wait = !moved && job->failed();
      std::optional<Duration> debt = moved ? self->debt_of(*moved) : std::nullopt;
      if (debt) {
        co_await self->pause(*debt);
      }
      if (!moved) job.reset();
    }
  }
  self->working_.erase(index);
}

// All workers together hold to the rate.
std::optional<Duration> LogCleaner::debt_of(uint64_t bytes) {
  double seconds_needed = static_cast<double>(bytes) / std::max(settings()->cleaner_io_max_bytes_per_second, 1.0);
  MonotonicTime now = world_.clock.now();
  paid_until_ = std::max(now, paid_until_) + Duration(static_cast<int64_t>(std::min(seconds_needed, 3600.0) * 1e9));
  Duration debt = paid_until_ - now;
  if (debt < milliseconds(1)) return std::nullopt;
  return debt;
}

// ---- what is clean --------------------------------------------------------------------------------------------------

LogCleaner::Progress& LogCleaner::progress_locked(const std::string& dir) {
  auto [found, is_new] = progress_.try_emplace(dir);
  if (is_new) {
    auto read = dir_of_(dir)->read_checkpoint(log::CheckpointKind::kCleaner);
    if (read) found->second.clean_until = std::move(*read);
    if (!read) world_.logger.warning(fmt::format("{}; all logs count as dirty", read.error().message));
  }
  return found->second;
}

// A topic that is made again under its old name begins dirty.
void LogCleaner::forget_removed_locked(const std::vector<std::shared_ptr<Partition>>& hosted) {
  std::map<std::string, std::map<log::TopicPartition, Uuid>> now;
  for (const auto& [dir, known] : progress_) now[dir];
  for (const auto& partition : hosted) {
    progress_locked(partition->log_dir());
    now[partition->log_dir()].emplace(key_of(*partition), partition->name().topic_id);
  }
  for (auto& [dir, topics] : now) {
    Progress& at = progress_locked(dir);
    bool changed = false;
    for (const auto& [name, id] : at.topics) {
      auto still = topics.find(name);
      if (still == topics.end() || still->second != id) changed |= at.clean_until.erase(name) > 0;
    }
    at.topics = std::move(topics);
    if (changed) write_checkpoint_locked(dir, at);
  }
}

void LogCleaner::write_checkpoint_locked(const std::string& dir, const Progress& progress) {
  log::LogDir& at = *dir_of_(dir);
  if (at.offline()) return;
  auto written = at.write_checkpoint(log::CheckpointKind::kCleaner, progress.clean_until);
  if (!written) world_.logger.warning(fmt::format("{}: {}", dir, written.error().message));
}

// ---- choosing -------------------------------------------------------------------------------------------------------

std::optional<LogCleaner::Candidate> LogCleaner::look_at_locked(const std::shared_ptr<Partition>& partition,
                                                                TimestampMs now) {
  config::TopicConfigPtr config = partition->config();
  if (!config->cleanup_compact || dir_of_(partition->log_dir())->offline()) return std::nullopt;
  if (uncleanable_.contains(id_of(*partition)) || in_work_.contains(id_of(*partition))) return std::nullopt;
  const log::OffsetCheckpoint& clean_until = progress_locked(partition->log_dir()).clean_until;
  auto checkpoint = clean_until.find(key_of(*partition));
  std::optional<Offset> from = checkpoint == clean_until.end() ? std::nullopt : std::optional(checkpoint->second);
  Offset high_watermark = partition->status().high_watermark;
  Result<log::CleanableRange> range;
  partition->with_log([&](log::Log& log) {
    if (log.failed()) return;
    range =
        log::find_cleanable(log, from, high_watermark,
                            {.min_ms = config->min_compaction_lag_ms, .max_ms = config->max_compaction_lag_ms}, now);
  });
  if (!range) {
    gave_up_locked(*partition, range.error());
    return std::nullopt;
  }
  if (range->empty()) return std::nullopt;
  if (!range->overdue && range->dirty_ratio() <= config->min_cleanable_dirty_ratio) return std::nullopt;
  return Candidate{.partition = partition, .range = *range};
}

std::unique_ptr<LogCleaner::Job> LogCleaner::begin() {
  TimestampMs now = world_.clock.wall_time();
  std::vector<std::shared_ptr<Partition>> hosted = partitions_();
  std::lock_guard lock(mutex_);
  forget_removed_locked(hosted);
  std::optional<Candidate> best;
  for (const auto& partition : hosted) {
    if (stopped_) return nullptr;
    std::optional<Candidate> candidate = look_at_locked(partition, now);
    if (!candidate) continue;
    if (!best || candidate->range.dirty_ratio() > best->range.dirty_ratio()) best = std::move(candidate);
  }
  if (!best) return nullptr;
  auto planned = plan(*best, now);
  if (!planned) {
    gave_up_locked(*best->partition, planned.error());
    return nullptr;
  }
  in_work_.insert(id_of(*best->partition));
  return *std::move(planned);
}

Result<std::unique_ptr<LogCleaner::Job>> LogCleaner::plan(const Candidate& candidate, TimestampMs now) {
  const auto& partition = candidate.partition;
  const Settings config = settings();
  Offset high_watermark = partition->status().high_watermark;
  int64_t delete_retention_ms = partition->config()->delete_retention_ms;
  Result<log::CleanPlan> plan = fail(ErrorCode::kCancelled, "the replica is closed");
  runtime::Directory* directory = nullptr;
  partition->with_log([&](log::Log& log) {
    plan = log::plan_cleaning(log, candidate.range, high_watermark, delete_retention_ms, now);
    directory = &log.directory();
  });
  if (!plan) return std::unexpected(std::move(plan).error());
  auto job = std::make_unique<Job>(*this, partition);
  job->started_ = now;
  // As in Kafka, the workers share what log.cleaner.dedupe.buffer.size gives.
  job->map_ =
      std::make_unique<log::OffsetMap>(static_cast<uint64_t>(config->cleaner_dedupe_buffer_size) / threads_of(*config),
                                       config->cleaner_io_buffer_load_factor);
  job->cleaner_ = std::make_unique<log::Cleaner>(
      *directory, *std::move(plan), *job->map_,
      log::Cleaner::Options{.io_buffer_bytes = static_cast<size_t>(std::max(config->cleaner_io_buffer_size, 4096)),
                            .stopped = [this] { return stopped_.load(); },
                            .logger = &world_.logger});
  return job;
}

// ---- working --------------------------------------------------------------------------------------------------------

LogCleaner::Job::Job(LogCleaner& cleaner, std::shared_ptr<Partition> partition)
    : owner_(cleaner), partition_(std::move(partition)) {}

LogCleaner::Job::~Job() {
  if (!ended_) release();
}

void LogCleaner::Job::release() {
  ended_ = true;
  std::lock_guard lock(owner_.mutex_);
  owner_.in_work_.erase(id_of(*partition_));
}

Result<bool> LogCleaner::step_once(Job& job) {
  if (!job.mapped_) {
    job.mapped_ = true;
    TRY(job.cleaner_->build_map());
    return true;
  }
  return job.cleaner_->clean_next(
      [&job](const std::function<void(log::Log&)>& work) { job.partition_->with_log(work); });
}

std::optional<uint64_t> LogCleaner::step(Job& job) {
  Result<bool> more = step_once(job);
  if (more && *more) {
    const log::CleanerStats& stats = job.cleaner_->stats();
    uint64_t before = std::exchange(job.moved_, stats.bytes_read + stats.bytes_written);
    return job.moved_ - before;
  }
  job.failed_ = !more;
  if (more) {
    done(job);
  } else {
    std::lock_guard lock(mutex_);
    gave_up_locked(*job.partition_, more.error());
  }
  job.release();  // here, on the worker: the mutex may be held for as long as a log is chosen
  return std::nullopt;
}

void LogCleaner::done(Job& job) {
  const Partition& partition = *job.partition_;
  const log::CleanerStats& stats = job.cleaner_->stats();
  {
    std::lock_guard lock(mutex_);
    Progress& at = progress_locked(partition.log_dir());
    at.clean_until[key_of(partition)] = job.cleaner_->clean_until();
    write_checkpoint_locked(partition.log_dir(), at);
  }
  world_.logger.info(fmt::format(
      "{}: compacted up to offset {} in {} ms, {} bytes of records left, {} segments where "
      "there were {}",
      partition.name().to_string(), job.cleaner_->clean_until().value, world_.clock.wall_time() - job.started_,
      stats.bytes_written, stats.segments_after, stats.segments_before));
}

void LogCleaner::gave_up_locked(const Partition& partition, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;  // changed, deleted or stopped: looked at again, if it is there
  if (error.code == ErrorCode::kNoSpace) {
    world_.logger.warning(fmt::format("{}: compaction finds no room: {}", partition.name().to_string(), error.message));
    return;
  }
  if (partition.status().failed) return;
  world_.logger.error(fmt::format("{}: compaction failed, it is not tried again before the next start: {}",
                                  partition.name().to_string(), error.message));
  uncleanable_.insert(id_of(partition));
}

}  // namespace barnabas::broker
