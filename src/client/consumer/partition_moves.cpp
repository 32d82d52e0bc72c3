#include "client/consumer/partition_moves.h"

namespace barnabas::client {

void PartitionMoves::moved(const TopicPartition& at, const std::string& from, const std::string& to) {
  if (!moves_.contains(at)) return add(at, {from, to});
  Pair earlier = remove(at);
  if (earlier.first != to) add(at, {earlier.first, to});
}

TopicPartition PartitionMoves::better_to_move(const TopicPartition& at, const std::string& from,
                                              const std::string& to) const {
  auto topic = by_topic_.find(at.topic);
  if (topic == by_topic_.end()) return at;
  auto earlier = moves_.find(at);
  const std::string& origin = earlier == moves_.end() ? from : earlier->second.first;
  auto back = topic->second.find({to, origin});
  return back == topic->second.end() ? at : back->second.first();
}

void PartitionMoves::add(const TopicPartition& at, const Pair& pair) {
  moves_[at] = pair;
  by_topic_[at.topic][pair].insert(at);
}

PartitionMoves::Pair PartitionMoves::remove(const TopicPartition& at) {
  auto entry = moves_.find(at);
  Pair pair = entry->second;
  moves_.erase(entry);
  auto topic = by_topic_.find(at.topic);
  auto set = topic->second.find(pair);
  set->second.erase(at);
  if (set->second.empty()) topic->second.erase(set);
  if (topic->second.empty()) by_topic_.erase(topic);
  return pair;
}

}  // namespace barnabas::client
