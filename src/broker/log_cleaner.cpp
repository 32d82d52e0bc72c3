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

}  // namespace

LogCleaner::LogCleaner(runtime::World& world, config::LogManagerConfig config, Partitions partitions, DirOf dir_of)
    : world_(world), config_(config), partitions_(std::move(partitions)), dir_of_(std::move(dir_of)) {}

LogCleaner::~LogCleaner() = default;

runtime::Task<> LogCleaner::run(runtime::CancelToken token) {
  runtime::CancelCallback stop(token, [this] { stopped_ = true; });
  runtime::Executor& loop = *world_.loops[0];
  Duration backoff = milliseconds(std::max<int64_t>(config_.cleaner_backoff_ms, 1));
  auto look = [this] { return begin(); };
  auto work = [this] { return step(); };
  bool go_on = co_await runtime::sleep_for(loop, backoff, token);
  while (go_on) {
    bool found = co_await runtime::run_blocking(world_.workers, loop, look);
    while (found && go_on) {
      std::optional<uint64_t> moved = co_await runtime::run_blocking(world_.workers, loop, work);
      if (!moved) break;
      std::optional<Duration> pause = pause_after(*moved);
      if (pause) {
        go_on = co_await runtime::sleep_for(loop, *pause, token);
      }
    }
    if (stopped_) break;
    if (!found || failed_) {
      go_on = co_await runtime::sleep_for(loop, backoff, token);
    }
  }
  job_.reset();
}

std::optional<Duration> LogCleaner::pause_after(uint64_t bytes) const {
  double seconds_needed = static_cast<double>(bytes) / std::max(config_.cleaner_io_max_bytes_per_second, 1.0);
  if (seconds_needed < 0.001) return std::nullopt;
  return milliseconds(static_cast<int64_t>(std::min(seconds_needed, 3600.0) * 1000));
}

// ---- what is clean --------------------------------------------------------------------------------------------------

LogCleaner::Progress& LogCleaner::progress(const std::string& dir) {
  auto [found, is_new] = progress_.try_emplace(dir);
  if (is_new) {
    auto read = dir_of_(dir)->read_checkpoint(log::CheckpointKind::kCleaner);
    if (read) found->second.clean_until = std::move(*read);
    if (!read) world_.logger.warning(fmt::format("{}; all logs count as dirty", read.error().message));
  }
  return found->second;
}

// A topic that is made again under its old name begins dirty.
void LogCleaner::forget_removed(const std::vector<std::shared_ptr<Partition>>& hosted) {
  std::map<std::string, std::map<log::TopicPartition, Uuid>> now;
  for (const auto& [dir, known] : progress_) now[dir];
  for (const auto& partition : hosted) {
    progress(partition->log_dir());
    now[partition->log_dir()].emplace(key_of(*partition), partition->name().topic_id);
  }
  for (auto& [dir, topics] : now) {
    Progress& at = progress(dir);
    bool changed = false;
    for (const auto& [name, id] : at.topics) {
      auto still = topics.find(name);
      if (still == topics.end() || still->second != id) changed |= at.clean_until.erase(name) > 0;
    }
    at.topics = std::move(topics);
    if (changed) write_checkpoint(dir, at);
  }
}

void LogCleaner::write_checkpoint(const std::string& dir, const Progress& progress) {
  log::LogDir& at = *dir_of_(dir);
  if (at.offline()) return;
  auto written = at.write_checkpoint(log::CheckpointKind::kCleaner, progress.clean_until);
  if (!written) world_.logger.warning(fmt::format("{}: {}", dir, written.error().message));
}

// ---- choosing -------------------------------------------------------------------------------------------------------

std::optional<LogCleaner::Candidate> LogCleaner::look_at(const std::shared_ptr<Partition>& partition, TimestampMs now) {
  config::TopicConfigPtr config = partition->config();
  if (!config->cleanup_compact || dir_of_(partition->log_dir())->offline()) return std::nullopt;
  if (uncleanable_.contains({partition->name().topic_id, partition->name().index})) return std::nullopt;
  const log::OffsetCheckpoint& clean_until = progress(partition->log_dir()).clean_until;
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
    gave_up(*partition, range.error());
    return std::nullopt;
  }
  if (range->empty()) return std::nullopt;
  if (!range->overdue && range->dirty_ratio() <= config->min_cleanable_dirty_ratio) return std::nullopt;
  return Candidate{.partition = partition, .range = *range};
}

bool LogCleaner::begin() {
  TimestampMs now = world_.clock.wall_time();
  std::vector<std::shared_ptr<Partition>> hosted = partitions_();
  forget_removed(hosted);
  std::optional<Candidate> best;
  for (const auto& partition : hosted) {
    if (stopped_) return false;
    std::optional<Candidate> candidate = look_at(partition, now);
    if (!candidate) continue;
    if (!best || candidate->range.dirty_ratio() > best->range.dirty_ratio()) best = std::move(candidate);
  }
  if (!best) return false;
  if (Result<> planned = plan(*best, now); !planned) {
    gave_up(*best->partition, planned.error());
    return false;
  }
  return true;
}

Result<> LogCleaner::plan(const Candidate& candidate, TimestampMs now) {
  const auto& partition = candidate.partition;
  Offset high_watermark = partition->status().high_watermark;
  int64_t delete_retention_ms = partition->config()->delete_retention_ms;
  Result<log::CleanPlan> plan = fail(ErrorCode::kCancelled, "the replica is closed");
  runtime::Directory* directory = nullptr;
  partition->with_log([&](log::Log& log) {
    plan = log::plan_cleaning(log, candidate.range, high_watermark, delete_retention_ms, now);
    directory = &log.directory();
  });
  if (!plan) return std::unexpected(std::move(plan).error());
  job_ = std::make_unique<Job>();
  job_->partition = partition;
  job_->started = now;
  job_->map = std::make_unique<log::OffsetMap>(static_cast<uint64_t>(config_.cleaner_dedupe_buffer_size),
                                               config_.cleaner_io_buffer_load_factor);
  job_->cleaner = std::make_unique<log::Cleaner>(
      *directory, *std::move(plan), *job_->map,
      log::Cleaner::Options{.io_buffer_bytes = static_cast<size_t>(std::max(config_.cleaner_io_buffer_size, 4096)),
                            .stopped = [this] { return stopped_.load(); },
                            .logger = &world_.logger});
  return {};
}

// ---- working --------------------------------------------------------------------------------------------------------

Result<bool> LogCleaner::step_once() {
  if (!job_->mapped) {
    job_->mapped = true;
    TRY(job_->cleaner->build_map());
    return true;
  }
  return job_->cleaner->clean_next(
      [this](const std::function<void(log::Log&)>& work) { job_->partition->with_log(work); });
}

std::optional<uint64_t> LogCleaner::step() {
  Result<bool> more = step_once();
  if (more && *more) {
    const log::CleanerStats& stats = job_->cleaner->stats();
    uint64_t before = std::exchange(job_->moved, stats.bytes_read + stats.bytes_written);
    return job_->moved - before;
  }
  failed_ = !more;
  if (more) {
    done();
  } else {
    gave_up(*job_->partition, more.error());
  }
  job_.reset();
  return std::nullopt;
}

void LogCleaner::done() {
  const Partition& partition = *job_->partition;
  const log::CleanerStats& stats = job_->cleaner->stats();
  Progress& at = progress(partition.log_dir());
  at.clean_until[key_of(partition)] = job_->cleaner->clean_until();
  write_checkpoint(partition.log_dir(), at);
  world_.logger.info(fmt::format(
      "{}: compacted up to offset {} in {} ms, {} bytes of records left, {} segments where "
      "there were {}",
      partition.name().to_string(), job_->cleaner->clean_until().value, world_.clock.wall_time() - job_->started,
      stats.bytes_written, stats.segments_after, stats.segments_before));
}

void LogCleaner::gave_up(const Partition& partition, const Error& error) {
  if (error.code == ErrorCode::kCancelled) return;  // changed, deleted or stopped: looked at again, if it is there
  if (error.code == ErrorCode::kNoSpace) {
    world_.logger.warning(fmt::format("{}: compaction finds no room: {}", partition.name().to_string(), error.message));
    return;
  }
  if (partition.status().failed) return;
  world_.logger.error(fmt::format("{}: compaction failed, it is not tried again before the next start: {}",
                                  partition.name().to_string(), error.message));
  uncleanable_.emplace(partition.name().topic_id, partition.name().index);
}

}  // namespace barnabas::broker
