#include "broker/fetch_session.h"

#include <algorithm>

namespace barnabas::broker {

namespace {
// A session idle for so long may be displaced by a new one (Kafka's MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS).
constexpr Duration kEvictableAfter = seconds(120);
}  // namespace

size_t FetchTargetHash::operator()(const FetchTarget& target) const {
  size_t hash = std::hash<std::string>{}(target.topic) ^ std::hash<Uuid>{}(target.topic_id);
  return hash * 31 + static_cast<size_t>(target.partition);
}

class FetchSession {
 public:
  struct Entry {
    FetchPosition position;
    int64_t cached_high_watermark = -1;
    int64_t cached_log_start_offset = -1;
  };
  using Entries = std::list<Entry>;

  std::mutex mutex;
  int32_t id = 0;
  int32_t epoch = 1;  // the one the next request must carry
  bool uses_topic_ids = false;
  MonotonicTime last_used;
  std::list<int32_t>::iterator use_position;  // under the cache's lock
  Entries entries;                            // in the order of reading
  std::unordered_map<FetchTarget, Entries::iterator, FetchTargetHash> by_target;

  void put(FetchPosition position) {
    auto found = by_target.find(position.target);
    if (found != by_target.end()) {
      found->second->position = std::move(position);
      return;
    }
    FetchTarget target = position.target;
    entries.push_back(Entry{.position = std::move(position)});
    by_target.emplace(std::move(target), std::prev(entries.end()));
  }

  void forget(const FetchTarget& target) {
    auto found = by_target.find(target);
    if (found == by_target.end()) return;
    entries.erase(found->second);
    by_target.erase(found);
  }

  std::vector<FetchPosition> positions() const {
    std::vector<FetchPosition> all;
    all.reserve(entries.size());
    for (const Entry& entry : entries) all.push_back(entry.position);
    return all;
  }

  static bool news(const Entry& entry, const FetchOutcome& outcome) {
    return outcome.has_records || outcome.has_error || outcome.has_preferred_replica || outcome.diverging ||
           outcome.high_watermark != entry.cached_high_watermark ||
           outcome.log_start_offset != entry.cached_log_start_offset;
  }

  // After an answer: remembers what the client now knows. A partition with an error is sent again until it is healthy.
  static void remember(Entry& entry, const FetchOutcome& outcome) {
    entry.cached_high_watermark = outcome.has_error ? -1 : outcome.high_watermark;
    entry.cached_log_start_offset = outcome.has_error ? -1 : outcome.log_start_offset;
  }

  static int32_t next_epoch(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }
};

FetchContext FetchSessionCache::begin(FetchSessionRequest request, MonotonicTime now, uint64_t random) {
  constexpr int32_t kInitialEpoch = 0;
  constexpr int32_t kFinalEpoch = -1;
  if (request.session_epoch == kInitialEpoch || request.session_epoch == kFinalEpoch) {
    if (request.session_id != 0) {
      std::lock_guard lock(mutex_);
      auto found = sessions_.find(request.session_id);
      if (found != sessions_.end()) {
        by_use_.erase(found->second->use_position);
        sessions_.erase(found);
      }
    }
    if (request.session_epoch == kFinalEpoch) return FetchContext{.partitions = std::move(request.partitions)};
    return begin_new(std::move(request), now, random);
  }

  std::shared_ptr<FetchSession> session;
  {
    std::lock_guard lock(mutex_);
    auto found = sessions_.find(request.session_id);
    if (found == sessions_.end()) return FetchContext{.error = wire::KafkaError::kFetchSessionIdNotFound};
    session = found->second;
    by_use_.splice(by_use_.end(), by_use_, session->use_position);
  }
  FetchContext context{.session = session, .full = false};
  {
    std::lock_guard lock(session->mutex);
    if (request.session_epoch != session->epoch) {
      return FetchContext{.error = wire::KafkaError::kInvalidFetchSessionEpoch};
    }
    if (request.uses_topic_ids != session->uses_topic_ids) {
      return FetchContext{.error = wire::KafkaError::kFetchSessionTopicIdError};
    }
    for (FetchPosition& position : request.partitions) session->put(std::move(position));
    for (const FetchTarget& target : request.forgotten) session->forget(target);
    session->last_used = now;
    session->epoch = FetchSession::next_epoch(session->epoch);
    context.session_id = session->id;
    context.partitions = session->positions();
  }
  if (context.partitions.empty()) {
    // Nothing left to ask for: the session ends, and the answer says so with id 0.
    std::lock_guard lock(mutex_);
    auto found = sessions_.find(context.session_id);
    if (found != sessions_.end()) {
      by_use_.erase(found->second->use_position);
      sessions_.erase(found);
    }
    return FetchContext{};
  }
  return context;
}

FetchContext FetchSessionCache::begin_new(FetchSessionRequest request, MonotonicTime now, uint64_t random) {
  FetchContext context{.partitions = request.partitions};
  if (request.partitions.empty()) return context;
  auto session = std::make_shared<FetchSession>();
  session->uses_topic_ids = request.uses_topic_ids;
  session->last_used = now;
  for (FetchPosition& position : request.partitions) session->put(std::move(position));
  std::lock_guard lock(mutex_);
  if (!make_room_locked(now)) return context;
  session->id = std::max<int32_t>(1, static_cast<int32_t>(random & INT32_MAX));
  while (sessions_.contains(session->id)) session->id = session->id == INT32_MAX ? 1 : session->id + 1;
  session->use_position = by_use_.insert(by_use_.end(), session->id);
  sessions_.emplace(session->id, session);
  context.session = session;
  context.session_id = session->id;
  return context;
}

bool FetchSessionCache::make_room_locked(MonotonicTime now) {
  while (sessions_.size() >= slots_ && !by_use_.empty()) {
    auto oldest = sessions_.find(by_use_.front());
    if (now - oldest->second->last_used < kEvictableAfter) break;
    by_use_.pop_front();
    sessions_.erase(oldest);
  }
  return sessions_.size() < slots_;
}

bool FetchSessionCache::is_news(const FetchContext& context, size_t index, const FetchOutcome& outcome) {
  if (context.full || !context.session) return true;
  std::lock_guard lock(context.session->mutex);
  auto found = context.session->by_target.find(context.partitions[index].target);
  return found == context.session->by_target.end() || FetchSession::news(*found->second, outcome);
}

std::vector<bool> FetchSessionCache::finish(FetchContext& context, const std::vector<FetchOutcome>& outcomes,
                                            MonotonicTime now) {
  std::vector<bool> included(outcomes.size(), true);
  if (!context.session) return included;
  FetchSession& session = *context.session;
  std::lock_guard lock(session.mutex);
  session.last_used = now;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    auto found = session.by_target.find(context.partitions[i].target);
    if (found == session.by_target.end()) continue;
    FetchSession::Entry& entry = *found->second;
    if (!context.full) included[i] = FetchSession::news(entry, outcomes[i]);
    if (!included[i]) continue;
    FetchSession::remember(entry, outcomes[i]);
    // Who got records goes to the end of the line, so that a small max_bytes does not starve the others.
    if (outcomes[i].has_records) session.entries.splice(session.entries.end(), session.entries, found->second);
  }
  return included;
}

void FetchSessionCache::resize(size_t slots) {
  std::lock_guard lock(mutex_);
  slots_ = slots;
}

size_t FetchSessionCache::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace barnabas::broker
