#include "broker/replicas.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/log_cleaner.h"
#include "broker/recovery_progress.h"
#include "broker/registration.h"
#include "log/log_dir.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace barnabas::broker {

using wire::KafkaError;

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

std::vector<Replicas::DirStatus> Replicas::dirs() const {
  std::vector<DirStatus> all;
  for (const ReplicaDir& dir : dirs_) {
    DirStatus& status = all.emplace_back();
    status = {.path = dir.dir->path(), .id = dir.directory_id, .offline = dir.dir->offline()};
    if (auto space = dir.dir->directory().free_bytes()) status.usable_bytes = *space;
    if (auto space = dir.dir->directory().total_bytes()) status.total_bytes = *space;
  }
  for (const auto& partition : this->all()) all[partition->log_dir_index()].partitions.push_back(partition);
  for (const OfflineDir& dir : options_.offline_dirs) all.push_back({.path = dir.path, .offline = dir.why});
  return all;
}

std::vector<Uuid> Replicas::directory_ids() const {
  std::vector<Uuid> ids;
  for (const ReplicaDir& dir : dirs_) {
    if (!dir.dir->offline()) ids.push_back(dir.directory_id);
  }
  return ids;
}

// ---- following the metadata log -------------------------------------------------------------------------------------

std::vector<size_t> Replicas::replicas_per_dir() const {
  std::vector<size_t> used(dirs_.size(), 0);
  std::shared_lock lock(mutex_);
  for (const auto& [id, topic] : partitions_) {
    for (const auto& [index, hosted] : topic) ++used[hosted->log_dir_index()];
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
  auto found = missing_.find({topic_id, index});
  return found != missing_.end() && found->second == KafkaError::kNotLeaderOrFollower;
}

bool Replicas::missing(const Uuid& topic_id, int32_t index) const {
  std::shared_lock lock(mutex_);
  return missing_.contains({topic_id, index});
}

bool Replicas::all_open() const {
  std::shared_lock lock(mutex_);
  return missing_.empty();
}

runtime::Task<> Replicas::apply(const metadata::Delta& delta, metadata::ImagePtr image) {
  latest_ = image;
  // A raised level may have room for directories now.
  if (!delta.features.empty()) {
    for (const auto& partition : all()) tell_where(*partition);
  }
  std::vector<Opening> openings;
  std::vector<size_t> used = replicas_per_dir();
  for (const auto& [id, change] : delta.topics) {
    std::vector<std::shared_ptr<Partition>> gone;
    if (change.kind == metadata::TopicChange::Kind::kDeleted) {
      std::unique_lock lock(mutex_);
      auto topic = partitions_.find(id);
      if (topic != partitions_.end()) {
        for (const auto& [index, partition] : topic->second) gone.push_back(partition);
      }
      // Not those that are being opened: whoever opens them sees that they are gone.
      std::erase_if(missing_, [&](const auto& missing) {
        return missing.first.first == id && missing.second == KafkaError::kKafkaStorageError;
      });
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
      } else if (ours && !missing(id, index)) {
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
      log::LogDir& dir = *dirs_[partition->log_dir_index()].dir;
      if (dir.offline()) continue;  // the next start finds that it is of no topic
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

void Replicas::dir_failed(size_t index, const std::string& reason) {
  log::LogDir& dir = *dirs_[index].dir;
  if (dir.offline()) return;
  dir.fail(Error{ErrorCode::kIo, reason});
  for (const auto& partition : all()) {
    if (partition->log_dir_index() == index) partition->abandon(reason);
  }
  bool any_left = std::ranges::any_of(dirs_, [](const ReplicaDir& one) { return !one.dir->offline(); });
  if (!any_left) {
    world_.logger.error(
        "no log directory is left: this node answers, but holds no records until it is restarted on "
        "working disks");
  }
  if (dir_failed_) dir_failed_(dirs_[index].directory_id);
}

}  // namespace barnabas::broker
