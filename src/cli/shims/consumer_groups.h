// What the parts of kafka-consumer-groups share: describing (consumer_groups.cpp) and resetting (group_reset.cpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "barnabas/admin.h"
#include "cli/shims/options.h"

namespace barnabas::cli::shims {

using Offsets = std::map<client::TopicPartition, int64_t>;

std::span<const Option> consumer_groups_table();

// "\nError: …" on standard output, which is where scripts look for it. The exit code stays 0, as Kafka's does.
int group_error(std::string_view sentence);
// "\nError: Executing consumer group command failed due to …".
int group_failed(std::string_view why);

// The partitions that `topics` mean ("a", "b:0,1"), of which those without partitions are looked up.
client::Result<std::vector<client::TopicPartition>> partitions_of(client::Admin& admin,
                                                                  const std::vector<std::string>& topics);
client::Result<Offsets> offsets_of(client::Admin& admin, const std::vector<client::TopicPartition>& partitions,
                                   client::OffsetSpec spec);
client::Result<Offsets> committed_offsets(client::Admin& admin, const std::string& group);

// --reset-offsets of these groups, all of it.
int reset_offsets(client::Admin& admin, const Options& options, const std::vector<std::string>& groups);

// The keys of a Java HashMap in the order in which it gives them.
std::vector<client::TopicPartition> in_java_order(const Offsets& offsets);

// "2020-01-01T00:00:00.000+02:00" in milliseconds; the error is Java's sentence.
std::expected<int64_t, std::string> parse_java_time(std::string_view text);
// "P1DT2H3M4.5S" in milliseconds.
std::expected<int64_t, std::string> parse_java_duration(std::string_view text);

}  // namespace barnabas::cli::shims
