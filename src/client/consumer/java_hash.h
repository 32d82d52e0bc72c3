// The order in which Java's HashMap goes over its keys. Kafka's sticky assignors depend on it where they have a choice;
// so that our leader chooses as a Java leader does, we follow.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "barnabas/types.h"

namespace barnabas::client {

// String.hashCode of UTF-8 text, over its UTF-16 units.
int32_t java_hash(std::string_view text);
// TopicPartition.hashCode.
int32_t java_hash(const TopicPartition& partition);

// The places of keys in a HashMap's walk: `hashes` in the order of insertion, without removals in between.
std::vector<size_t> java_hash_order(const std::vector<int32_t>& hashes);

// A HashSet of partitions as far as needed: what its iterator gives first.
class JavaPartitionSet {
 public:
  void insert(const TopicPartition& partition);
  void erase(const TopicPartition& partition) { std::erase(entries_, partition); }
  bool empty() const { return entries_.empty(); }
  const TopicPartition& first() const;

 private:
  std::vector<TopicPartition> entries_;  // in the order of insertion
  size_t buckets_ = 16;                  // never fewer again
};

}  // namespace barnabas::client
