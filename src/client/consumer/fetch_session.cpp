#include "client/consumer/fetch_session.h"

#include <limits>

namespace barnabas::client {

namespace {

template <class Topic>
Topic& topic_of(std::vector<Topic>& topics, const std::string& name, const Uuid& id) {
  if (topics.empty() || topics.back().topic != name || topics.back().topic_id != id) {
    Topic topic;
    topic.topic = name;
    topic.topic_id = id;
    topics.push_back(std::move(topic));
  }
  return topics.back();
}

}  // namespace

void FetchSession::fill(wire::FetchRequest& request, const std::vector<FetchWish>& wishes, bool by_id) {
  if (by_id != by_id_) epoch_ = 0;
  by_id_ = by_id;
  request.session_id = id_;
  request.session_epoch = epoch_;
  bool full = epoch_ == 0;
  if (full) known_.clear();
  std::map<TopicPartition, Known> wanted;
  for (const auto& wish : wishes) {
    TopicPartition at{*wish.topic, wish.partition};
    auto before = known_.find(at);
    bool recreated = before != known_.end() && before->second.topic_id != wish.topic_id;
    if (recreated)
      topic_of(request.forgotten_topics_data, *before->second.topic, before->second.topic_id)
          .partitions.push_back(wish.partition);
    if (before == known_.end() || recreated || before->second.offset != wish.offset ||
        before->second.leader_epoch != wish.leader_epoch) {
      auto& partition = topic_of(request.topics, *wish.topic, wish.topic_id).partitions.emplace_back();
      partition.partition = wish.partition;
      partition.fetch_offset = wish.offset;
      partition.current_leader_epoch = wish.leader_epoch;
      partition.partition_max_bytes = wish.max_bytes;
    }
    wanted[std::move(at)] = {wish.topic, wish.topic_id, wish.offset, wish.leader_epoch};
  }
  // The names in the request are views: of the wishes, or of what is kept here until the next request.
  std::map<TopicPartition, Known> gone;
  for (auto& [at, known] : known_) {
    if (wanted.contains(at)) continue;
    topic_of(request.forgotten_topics_data, *known.topic, known.topic_id).partitions.push_back(at.partition);
    gone.emplace(at, known);
  }
  forgotten_.swap(gone);
  known_ = std::move(wanted);
}

bool FetchSession::settle(const wire::FetchResponse& response) {
  if (response.error_code != wire::KafkaError::kNone) {
    if (response.error_code == wire::KafkaError::kFetchSessionIdNotFound) id_ = 0;
    epoch_ = 0;
    return false;
  }
  id_ = response.session_id;
  if (id_ == 0) {
    epoch_ = 0;
  } else {
    epoch_ = epoch_ == std::numeric_limits<int32_t>::max() ? 1 : epoch_ + 1;
  }
  return true;
}

bool FetchSession::fill_close(wire::FetchRequest& request) const {
  if (id_ == 0) return false;
  request.session_id = id_;
  request.session_epoch = -1;
  return true;
}

}  // namespace barnabas::client
