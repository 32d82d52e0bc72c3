// Placement: which brokers get the replicas of new partitions. Striped over racks and brokers from a random start, so
// that leaders and replicas spread evenly; a partition's first replica is always a broker that is up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace barnabas::controller {

struct Candidate {
  BrokerId id;
  std::optional<std::string> rack;
  bool fenced = false;
};

class Placer {
 public:
  Placer(const std::vector<Candidate>& brokers, const std::function<uint64_t()>& random);

  // Why no partition can have `replication_factor` replicas, or nothing.
  std::optional<std::string> problem(int replication_factor) const;

  // The replicas of the next partition; problem() must have nothing to say.
  std::vector<BrokerId> place(int replication_factor);

 private:
  struct Rack {
    std::vector<BrokerId> unfenced;
    std::vector<BrokerId> fenced;
  };
  std::vector<Rack> racks_;
  size_t start_ = 0;
  size_t placed_ = 0;
  int brokers_ = 0;
  int unfenced_ = 0;
};

}  // namespace barnabas::controller
