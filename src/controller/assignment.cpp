#include "controller/assignment.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "metadata/features.h"

namespace barnabas::controller {

namespace {

std::vector<Uuid> open_directories(const metadata::Broker& broker) {
  std::vector<Uuid> open = broker.log_dirs;
  if (broker.cordoned_log_dirs) {
    std::erase_if(open, [&](const Uuid& d) {
      return std::ranges::find(*broker.cordoned_log_dirs, d) != broker.cordoned_log_dirs->end();
    });
  }
  return open;
}

}  // namespace

std::vector<Candidate> placement_candidates(const metadata::Image& image) {
  std::vector<Candidate> candidates;
  for (const auto& [id, broker] : image.brokers()) {
    if (!broker.log_dirs.empty() && open_directories(broker).empty()) continue;
    candidates.push_back({id, broker.rack, broker.fenced});
  }
  return candidates;
}

std::optional<std::string> assignment_problem(const metadata::Image& image, const std::vector<BrokerId>& replicas,
                                              std::optional<size_t> like) {
  if (replicas.empty()) return "The manual partition assignment includes an empty replica list.";
  std::set<BrokerId> seen;
  for (BrokerId id : replicas) {
    if (!seen.insert(id).second) {
      return fmt::format("The manual partition assignment includes the broker {} more than once.", id.value);
    }
    if (image.broker(id) == nullptr) {
      return fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.",
                         id.value);
    }
  }
  if (like && *like != replicas.size()) {
    return fmt::format(
        "The manual partition assignment includes a partition with {} replica(s), but this is not consistent with "
        "previous partitions, which have {} replica(s).",
        replicas.size(), *like);
  }
  return std::nullopt;
}

bool any_active(const metadata::Image& image, const std::vector<BrokerId>& replicas) {
  return std::ranges::any_of(replicas, [&](BrokerId id) {
    const metadata::Broker* broker = image.broker(id);
    return broker && broker->active();
  });
}

wire::PartitionRecord new_partition(const metadata::Image& image, const Uuid& topic, int32_t index,
                                    const std::vector<BrokerId>& replicas) {
  wire::PartitionRecord record;
  record.partition_id = index;
  record.topic_id = topic;
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  for (BrokerId id : replicas) {
    record.replicas.push_back(id.value);
    record.directories.push_back(default_directory(image, id));
    const metadata::Broker* broker = image.broker(id);
    if (broker && broker->active()) record.isr.push_back(id.value);
  }
  CHECK(!record.isr.empty());
  record.leader = record.isr.front();
  return record;
}

Uuid default_directory(const metadata::Image& image, BrokerId id) {
  const metadata::Broker* broker = image.broker(id);
  if (!broker || broker->log_dirs.empty()) return kMigratingDirectory;
  std::vector<Uuid> open = open_directories(*broker);
  return open.size() == 1 ? open.front() : kUnassignedDirectory;
}

}  // namespace barnabas::controller
