// Which records `consume` reads without a group: from where to where in each partition of the topics.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "barnabas/admin.h"
#include "cli/offset_choice.h"

namespace barnabas::cli {

struct ConsumeRange {
  OffsetChoice from;               // +N and -N count from the start and from the end
  std::optional<OffsetChoice> to;  // none: follow. The record there is not read any more
  std::set<int32_t> partitions;    // empty: all
};

struct PartitionRange {
  int64_t from = 0;
  int64_t to = INT64_MAX;
  bool closed = false;  // read to its end
};

// The topics meant: names as they are, "^…" as patterns of RE2 over all there are (but internal ones). An unknown name
// is an error; so is a pattern that matches none.
client::Result<std::vector<std::string>> topics_meant(client::Admin& admin, const std::vector<std::string>& names);

client::Result<std::map<client::TopicPartition, PartitionRange>> plan_range(client::Admin& admin,
                                                                            const std::vector<std::string>& topics,
                                                                            const ConsumeRange& range,
                                                                            bool read_committed);

}  // namespace barnabas::cli
