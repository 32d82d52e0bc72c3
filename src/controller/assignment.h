// From replica lists to partition records: what new partitions of new and of growing topics have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "controller/placement.h"
#include "metadata/image.h"
#include "wire/metadata_record.h"

namespace barnabas::controller {

// The brokers that may get replicas: those registered, except where every log directory is cordoned off.
std::vector<Candidate> placement_candidates(const metadata::Image& image);

// Why a client may not ask for `replicas`, or nothing. `like` is the number of replicas of the partitions before it.
std::optional<std::string> assignment_problem(const metadata::Image& image, const std::vector<BrokerId>& replicas,
                                              std::optional<size_t> like);

bool any_active(const metadata::Image& image, const std::vector<BrokerId>& replicas);

// A new partition on `replicas`, of which at least one is active: in sync are those that are up, the first of them
// leads.
wire::PartitionRecord new_partition(const metadata::Image& image, const Uuid& topic, int32_t index,
                                    const std::vector<BrokerId>& replicas);

// The directory a new replica on `broker` gets: its only one, or "to be assigned by the broker".
Uuid default_directory(const metadata::Image& image, BrokerId broker);

}  // namespace barnabas::controller
