#include "controller/placement.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/check.h"

namespace barnabas::controller {

namespace {

void rotate_by_chance(std::vector<BrokerId>& ids, const std::function<uint64_t()>& random) {
  std::ranges::sort(ids);
  if (!ids.empty()) std::ranges::rotate(ids, ids.begin() + static_cast<ptrdiff_t>(random() % ids.size()));
}

}  // namespace

Placer::Placer(const std::vector<Candidate>& brokers, const std::function<uint64_t()>& random) {
  std::map<std::optional<std::string>, Rack> by_name;
  for (const Candidate& broker : brokers) {
    Rack& rack = by_name[broker.rack];
    (broker.fenced ? rack.fenced : rack.unfenced).push_back(broker.id);
    ++brokers_;
    unfenced_ += broker.fenced ? 0 : 1;
  }
  for (auto& [name, rack] : by_name) {
    rotate_by_chance(rack.unfenced, random);
    rotate_by_chance(rack.fenced, random);
    racks_.push_back(std::move(rack));
  }
  if (!racks_.empty()) start_ = random() % racks_.size();
}

std::optional<std::string> Placer::problem(int replication_factor) const {
  auto unable = [&](const std::string& why) {
    return fmt::format("Unable to replicate the partition {} time(s): {}", replication_factor, why);
  };
  if (replication_factor <= 0) {
    return fmt::format("Invalid replication factor {}: the replication factor must be positive.", replication_factor);
  }
  if (replication_factor > brokers_) {
    return unable(
        fmt::format("The target replication factor of {} cannot be reached because only {} broker(s) are registered.",
                    replication_factor, brokers_));
  }
  if (unfenced_ == 0) return unable("All brokers are currently fenced.");
  return std::nullopt;
}

std::vector<BrokerId> Placer::place(int replication_factor) {
  CHECK(!problem(replication_factor));
  size_t stripe = placed_ / racks_.size();  // turns within the racks once every rack has had its turn to start
  size_t first = (start_ + placed_) % racks_.size();
  ++placed_;
  while (racks_[first].unfenced.empty()) first = (first + 1) % racks_.size();

  std::vector<size_t> taken(racks_.size(), 0);
  std::vector<BrokerId> replicas;
  for (size_t rack = first; std::ssize(replicas) < replication_factor; rack = (rack + 1) % racks_.size()) {
    const Rack& here = racks_[rack];
    size_t index = taken[rack]++;
    if (index < here.unfenced.size()) {
      replicas.push_back(here.unfenced[(index + stripe) % here.unfenced.size()]);
    } else if (index < here.unfenced.size() + here.fenced.size()) {
      replicas.push_back(here.fenced[(index - here.unfenced.size() + stripe) % here.fenced.size()]);
    }
  }
  return replicas;
}

}  // namespace barnabas::controller
