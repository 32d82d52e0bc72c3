// The background work of Replicas: checkpoints, retention, removals; and the clean end.
#include "broker/replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/log_cleaner.h"
#include "log/log.h"
#include "log/log_dir.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/sleep.h"

namespace barnabas::broker {

namespace {
// What the log-start checkpoint needs to say: nothing while the log starts where its first segment does.
std::optional<Offset> checkpointed_log_start(const log::Log& log) {
  bool inside = !log.segments().empty() && log.log_start_offset() > log.segments().front()->base();
  return inside ? std::optional(log.log_start_offset()) : std::nullopt;
}
}  // namespace

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
    auto dir_of = [this](const std::string& path) {
      auto at = std::ranges::find(dirs_, path, [](const ReplicaDir& dir) { return dir.dir->path(); });
      return at->dir.get();
    };
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
      if (start) starts[partition->log_dir_index()][{partition->name().topic, partition->name().index}] = *start;
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
      checkpoints[partition->log_dir_index()][{partition->name().topic, partition->name().index}] =
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
      size_t dir = partition->log_dir_index();
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
      size_t dir = partition->log_dir_index();
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
