// Lag of groups: how many records lie between what a group committed and the end of each partition.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/admin.h"
#include "cli/invocation.h"

namespace barnabas::cli {

struct PartitionLag {
  std::string group;
  client::TopicPartition partition;
  std::optional<int64_t> committed, end;
  std::optional<std::string> member_id, client_id, host;  // who has it now

  std::optional<int64_t> lag() const {
    if (!committed || !end) return std::nullopt;
    return *end > *committed ? *end - *committed : 0;
  }
};

struct Lags {
  std::vector<PartitionLag> partitions;  // by group, topic, partition
  std::map<std::string, client::Error> failed;
};

// Of the groups named, or of all.
client::Result<Lags> measure_lag(client::Admin& admin, std::vector<std::string> groups);

// Shows the lag again and again until interrupted: on a terminal a view that is drawn anew, with rates; else lines.
int watch_lag(Invocation& call, client::Admin& admin, const std::vector<std::string>& groups,
              std::chrono::milliseconds interval);

}  // namespace barnabas::cli
