// The partitions that a sticky assignment moves between members, so that none goes there while another comes back.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "client/consumer/java_hash.h"

namespace barnabas::client {

class PartitionMoves {
 public:
  void moved(const TopicPartition& at, const std::string& from, const std::string& to);
  // Instead of `at`, a partition of the same topic that earlier moved the other way: moving it back is cheaper.
  TopicPartition better_to_move(const TopicPartition& at, const std::string& from, const std::string& to) const;

 private:
  using Pair = std::pair<std::string, std::string>;  // from, to
  void add(const TopicPartition& at, const Pair& pair);
  Pair remove(const TopicPartition& at);

  std::map<std::string, std::map<Pair, JavaPartitionSet>> by_topic_;
  std::map<TopicPartition, Pair> moves_;
};

}  // namespace barnabas::client
